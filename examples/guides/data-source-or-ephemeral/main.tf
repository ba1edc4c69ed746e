terraform {
  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

locals {
  mail_id = "2ef14b84-87d0-4abb-813f-2351a4251345"
}

# Stored in the state, including the body.
data "privasfer_inbox_mail" "mail" {
  id = local.mail_id
}

output "subject" {
  value = data.privasfer_inbox_mail.mail.subject
}

# Not stored.
ephemeral "privasfer_inbox_mail" "mail" {
  id      = local.mail_id
  enabled = timestamp() != "" # opened at apply only
}

resource "terraform_data" "password" {
  provisioner "local-exec" {
    command = "./use-the-password"
    environment = {
      PASSWORD = ephemeral.privasfer_inbox_mail.mail.body
    }
  }
}
