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

ephemeral "privasfer_inbox_mail" "password" {
  id      = "2ef14b84-87d0-4abb-813f-2351a4251345"
  enabled = terraform.applying # not read by a plan
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id = "partner-password"
  # The body is null at plan, and aws refuses null beside a version.
  secret_string_wo         = terraform.applying ? ephemeral.privasfer_inbox_mail.password.body : ""
  secret_string_wo_version = 1 # raise it to write the body anew
}
