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
  # The keyword can match other files too. one() is null if no file has this
  # name, and fails if several have it.
  licence_id = one([
    for file in data.privasfer_files.licence.files : file.id
    if file.full_filename == "licence.txt"
  ])
}

# A download for a single use, which lives one minute.
ephemeral "privasfer_download" "licence" {
  file_ids   = [local.licence_id]
  create_key = true
  enabled    = timestamp() != "" # opened at apply only

  lifecycle {
    precondition {
      condition     = local.licence_id != null
      error_message = "There is no file licence.txt."
    }
  }
}

# The program performs the download itself, once and within the minute.
resource "terraform_data" "licence" {
  provisioner "local-exec" {
    command = "./use-the-download"
    environment = {
      DOWNLOAD_URL = ephemeral.privasfer_download.licence.url
    }
  }
}
