data "privasfer_mails" "sent" {
  sort = "-sent_at" # by time of sending, in reverse order
}

output "unopened" {
  value = [
    for mail in data.privasfer_mails.sent.mails : mail.recipient_email
    if mail.opened_at == null
  ]
}
