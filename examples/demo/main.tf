# The configuration of `make demo`: the file of a mail and an uploaded file are
# passed to their consumers, and not stored in the plan or the state.

terraform {
  required_version = ">= 1.10"

  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

# The token, the PIN and the API's URL are in the environment, as
# PRIVASFER_TOKEN, PRIVASFER_PIN and PRIVASFER_BASE_URL.
provider "privasfer" {
  download_url = var.download_url
}

# A mail in the inbox. The provider performs the mail's download.
data "privasfer_inbox_mail" "demo" {
  id            = var.mail_id
  include_files = true
}

ephemeral "privasfer_download" "received" {
  download_id = data.privasfer_inbox_mail.demo.download.id
  perform     = true
  enabled     = timestamp() != "" # opened at apply only
}

resource "terraform_data" "consumer" {
  provisioner "local-exec" {
    # This runs `helper receive licence.txt`.
    interpreter = [var.helper, "receive"]
    command     = "licence.txt"

    environment = {
      CONTENT = ephemeral.privasfer_download.received.content_base64
      REPORT  = var.report
    }
  }
}

# An uploaded file. Its download is for a single use and lives one minute. The
# consumer performs it, at its URL.
data "privasfer_files" "own" {
  keyword = "invoice"
}

ephemeral "privasfer_download" "own" {
  file_ids   = data.privasfer_files.own.ids
  create_key = true
  enabled    = timestamp() != "" # opened at apply only
}

resource "terraform_data" "first_use" {
  provisioner "local-exec" {
    # This runs `helper fetch 1`, without a shell.
    interpreter = [var.helper, "fetch"]
    command     = "1"

    environment = {
      DOWNLOAD_URL = ephemeral.privasfer_download.own.url
      DELAY        = var.delay
      REPORT       = var.report
    }
  }
}

# The second use is rejected, because the download is for a single use.
resource "terraform_data" "second_use" {
  depends_on = [terraform_data.first_use]

  provisioner "local-exec" {
    interpreter = [var.helper, "fetch"]
    command     = "2"

    environment = {
      DOWNLOAD_URL = ephemeral.privasfer_download.own.url
      REPORT       = var.report
    }
  }
}

output "mail" {
  value = {
    subject     = data.privasfer_inbox_mail.demo.subject
    sender      = data.privasfer_inbox_mail.demo.sender
    received_at = data.privasfer_inbox_mail.demo.received_at
  }
}

output "files" {
  value = {
    for file in data.privasfer_inbox_mail.demo.download.files :
    file.full_filename => file.formatted_size
  }
}
