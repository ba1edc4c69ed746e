terraform {
  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

data "privasfer_inbox_mails" "all" {
  sort = "received_at"
}

resource "terraform_data" "mail" {
  for_each = {
    for mail in data.privasfer_inbox_mails.all.mails : mail.id => mail
    if mail.opened == false
  }

  input = {
    subject     = each.value.subject
    received_at = each.value.received_at
  }
}
