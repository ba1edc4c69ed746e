data "privasfer_mails" "sent" {
  sort = "-sent_at" # by time of sending, in reverse order
}

data "privasfer_mail" "first" {
  id = data.privasfer_mails.sent.ids[0] # an error if the list is empty
}

output "first" {
  value = join(", ", [
    data.privasfer_mail.first.recipient_email,
    data.privasfer_mail.first.status,
  ])
}
