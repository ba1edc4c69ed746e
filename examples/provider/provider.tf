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

# Configured with PRIVASFER_TOKEN, PRIVASFER_PIN and PRIVASFER_DOWNLOAD_URL.
provider "privasfer" {}

# A mail in the inbox, with the download that came with it.
data "privasfer_inbox_mail" "key" {
  id = "cfd4d439-8cc6-4e6d-a78a-72528c21cdcd"
}

# The content of the mail's file.
ephemeral "privasfer_download" "key" {
  download_id = data.privasfer_inbox_mail.key.download.id
  perform     = true
  enabled     = timestamp() != "" # opened at apply only
}

# The content is written to an existing secret. It is not stored in the plan
# or the state.
resource "aws_secretsmanager_secret_version" "key" {
  secret_id                = "server-key"
  secret_string_wo         = ephemeral.privasfer_download.key.content
  secret_string_wo_version = 1 # increase to write the content again
}
