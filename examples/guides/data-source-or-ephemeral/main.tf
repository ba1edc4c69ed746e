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

# Kept in the state, the body too: for a mail that may be known.
data "privasfer_inbox_mail" "mail" {
  id = local.mail_id
}

output "subject" {
  value = data.privasfer_inbox_mail.mail.subject
}

# Kept nowhere: for a mail that holds a secret.
ephemeral "privasfer_inbox_mail" "mail" {
  id      = local.mail_id
  enabled = terraform.applying
}

resource "terraform_data" "password" {
  provisioner "local-exec" {
    command = "./use-the-password"
    environment = {
      PASSWORD = ephemeral.privasfer_inbox_mail.mail.body
    }
  }
}
