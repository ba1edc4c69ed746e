terraform {
  required_version = ">= 1.14"
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

locals {
  offer = "${path.root}/offer.pdf"
}

data "privasfer_inbox_mail" "offer" {
  id = "2ef14b84-87d0-4abb-813f-2351a4251345"
}

action "privasfer_save_download" "offer" {
  config {
    download_id = data.privasfer_inbox_mail.offer.download.id
    path        = local.offer
  }
}

resource "aws_s3_object" "offer" {
  bucket = "received-files"
  key    = "offer.pdf"
  source = local.offer

  lifecycle {
    action_trigger {
      # An after_create action that fails is not run again.
      events  = [before_create]
      actions = [action.privasfer_save_download.offer]
    }
  }
}
