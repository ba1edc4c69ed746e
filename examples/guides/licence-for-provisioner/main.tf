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

locals {
  licence_id = one([
    for file in data.privasfer_files.licence.files : file.id
    if file.full_filename == "licence.txt"
  ])
}

ephemeral "privasfer_download" "licence" {
  file_ids = [local.licence_id]
  perform  = true
  enabled  = timestamp() != "" # opened at apply only

  lifecycle {
    postcondition {
      condition     = self.content_length == self.files[0].size
      error_message = "The content differs in size from the file."
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
