terraform {
  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

data "privasfer_inbox_mails" "from_the_sender" {
  keyword       = "sender@email.address"
  include_files = true
}

locals {
  # The keyword is searched in more than the sender's address, so look again.
  by_time = {
    for mail in data.privasfer_inbox_mails.from_the_sender.mails : "${mail.received_at} ${mail.id}" => mail
    if try(mail.sender.email == "sender@email.address" && length(mail.download.files) > 0 && mail.received_at != null, false)
  }
  # An error where there is none.
  newest = local.by_time[reverse(sort(keys(local.by_time)))[0]]
}

ephemeral "privasfer_download" "newest" {
  file_ids = [for file in local.newest.download.files : file.id]
  enabled  = terraform.applying
}

resource "terraform_data" "newest" {
  provisioner "local-exec" {
    command = "./use-the-download"
    environment = {
      DOWNLOAD_ID = ephemeral.privasfer_download.newest.id
    }
  }
}
