# The main job of this provider, as `make demo` runs it: read a mail of the
# inbox, and use its files once, in both ways, with nothing of them kept.

terraform {
  required_version = ">= 1.10"

  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

# The token and the API's URL are in the environment, as PRIVASFER_TOKEN and
# PRIVASFER_BASE_URL. Only perform needs a download URL.
provider "privasfer" {
  download_url = var.download_url
}

data "privasfer_inbox_mail" "demo" {
  id            = var.mail_id
  include_files = true
}

# The one way: the id, and its consumer fetches the file. A download is for a
# single use and lives one minute. It is created in apply, where it is used, and
# not in plan. It is in no plan file and in no state.
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

# The other way: the content. The provider uses the download at once, so that
# nothing of it can come too late.
ephemeral "privasfer_download" "content" {
  file_ids = [for file in data.privasfer_inbox_mail.demo.download.files : file.id if file.extension == "txt"]
  perform  = true
  enabled  = terraform.applying
}

resource "terraform_data" "consumer" {
  provisioner "local-exec" {
    # This runs `helper receive licence.txt`.
    interpreter = [var.helper, "receive"]
    command     = "licence.txt"

    environment = {
      CONTENT = ephemeral.privasfer_download.content.content_base64 # the exact bytes
      REPORT  = var.report
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
