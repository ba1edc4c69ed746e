data "privasfer_mails" "sent" {
  sort = "-sent_at" # by time, reversed
}

data "privasfer_mail" "newest" {
  id = data.privasfer_mails.sent.ids[0] # an error where there is none
}

output "newest" {
  value = "${data.privasfer_mail.newest.status}, sent to ${data.privasfer_mail.newest.recipient_email}"
}
