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
  # The keyword finds parts of names too. one() fails where there are several.
  licence_id = one([for file in data.privasfer_files.licence.files : file.id if file.full_filename == "licence.txt"])
}

ephemeral "privasfer_download" "licence" {
  file_ids = [local.licence_id]
  enabled  = terraform.applying
}

resource "terraform_data" "licence" {
  provisioner "local-exec" {
    command = "./use-the-download"
    environment = {
      DOWNLOAD_ID = ephemeral.privasfer_download.licence.id
    }
  }
}
