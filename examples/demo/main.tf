# The main job of this provider, as `make demo` runs it: read a mail of the
# inbox, and use a file of it once, with nothing of the download kept.

terraform {
  required_version = ">= 1.10"

  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

# The token and the API's URL are in the environment, as PRIVASFER_TOKEN and
# PRIVASFER_BASE_URL.
provider "privasfer" {}

data "privasfer_inbox_mail" "demo" {
  id            = var.mail_id
  include_files = true
}

# A download is for a single use and lives one minute. It is created in apply,
# where it is used, and not in plan. It is in no plan file and in no state.
ephemeral "privasfer_download" "demo" {
  file_ids = [for file in data.privasfer_inbox_mail.demo.download.files : file.id if file.extension == "pdf"]
  enabled  = terraform.applying
}

resource "terraform_data" "first_use" {
  provisioner "local-exec" {
    # With an interpreter there is no shell: this runs `helper fetch URL`.
    interpreter = [var.helper, "fetch"]
    command     = var.download_url

    environment = {
      DOWNLOAD_ID = ephemeral.privasfer_download.demo.id
      DELAY       = var.delay
      REPORT      = var.report
    }
  }
}

# The same again. A download can be used once, so this one is refused.
resource "terraform_data" "second_use" {
  depends_on = [terraform_data.first_use]

  provisioner "local-exec" {
    interpreter = [var.helper, "fetch"]
    command     = var.download_url

    environment = {
      DOWNLOAD_ID = ephemeral.privasfer_download.demo.id
      REPORT      = var.report
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
  value = { for file in data.privasfer_inbox_mail.demo.download.files : file.full_filename => file.formatted_size }
}
