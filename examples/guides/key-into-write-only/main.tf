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

locals {
  # The keyword can match other files too. one() is null if no file has this
  # name, and fails if several have it.
  key_id = one([
    for file in data.privasfer_files.key.files : file.id
    if file.full_filename == "server-key.pem"
  ])
}

ephemeral "privasfer_download" "key" {
  file_ids = [local.key_id]
  perform  = true
  enabled  = timestamp() != "" # opened at apply only

  lifecycle {
    precondition {
      condition     = local.key_id != null
      error_message = "There is no file server-key.pem."
    }
  }
}

resource "aws_secretsmanager_secret_version" "key" {
  secret_id                = "server-key"
  secret_string_wo         = ephemeral.privasfer_download.key.content
  secret_string_wo_version = 1 # increase to write the content again
}
