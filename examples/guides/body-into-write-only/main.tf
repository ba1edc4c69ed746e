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
  enabled = timestamp() != "" # opened at apply only
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = "partner-password"
  secret_string_wo         = ephemeral.privasfer_inbox_mail.password.body
  secret_string_wo_version = 1 # increase to write the body again
}
