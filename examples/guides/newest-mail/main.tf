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
  # The keyword is also searched for in subjects, so the sender is compared
  # here. try() leaves out mails without a sender, a download or a time.
  mails_by_time = {
    for mail in data.privasfer_inbox_mails.from_the_sender.mails :
    "${mail.received_at} ${mail.id}" => mail
    if try(
      mail.sender.email == "sender@email.address"
      && length(mail.download.files) == 1
      && mail.received_at != null,
      false,
    )
  }
  # An error if there is no such mail.
  newest = local.mails_by_time[reverse(sort(keys(local.mails_by_time)))[0]]
}

ephemeral "privasfer_download" "newest" {
  download_id = local.newest.download.id
  perform     = true
  enabled     = timestamp() != "" # opened at apply only
}

resource "terraform_data" "newest" {
  # A newer mail replaces the resource, and the program runs again.
  triggers_replace = local.newest.id

  provisioner "local-exec" {
    command = "./install-the-licence"
    environment = {
      LICENCE = ephemeral.privasfer_download.newest.content_base64
    }
  }
}
