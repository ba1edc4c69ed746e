terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

data "privasfer_files" "key" {
  keyword = "server-key"
}

ephemeral "privasfer_download" "key" {
  file_ids = [one([for file in data.privasfer_files.key.files : file.id if file.full_filename == "server-key.pem"])]
  perform  = true
  enabled  = terraform.applying # no download is created by a plan
}

resource "aws_secretsmanager_secret_version" "key" {
  secret_id = "server-key"
  # The content is null at plan, and aws refuses null beside a version.
  secret_string_wo         = terraform.applying ? ephemeral.privasfer_download.key.content : ""
  secret_string_wo_version = 1 # raise it to write the key anew
}
