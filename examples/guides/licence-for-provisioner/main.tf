terraform {
  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

data "privasfer_files" "licence" {
  keyword = "licence"
}

ephemeral "privasfer_download" "licence" {
  file_ids = [one([for file in data.privasfer_files.licence.files : file.id if file.full_filename == "licence.txt"])]
  perform  = true
  enabled  = terraform.applying # provisioners run at apply only

  lifecycle {
    postcondition {
      # At plan both are null.
      condition     = self.content_length == try(one(self.files).size, null)
      error_message = "What came is not the file."
    }
  }
}

resource "terraform_data" "licence" {
  provisioner "local-exec" {
    command = "./install-the-licence"
    environment = {
      LICENCE = ephemeral.privasfer_download.licence.content_base64
    }
  }
}
