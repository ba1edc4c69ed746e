data "privasfer_inbox_mails" "from_the_sender" {
  keyword = "sender@email.address"
  sort    = "-received_at" # by time of receipt, in reverse order
}

output "subjects" {
  value = {
    for mail in data.privasfer_inbox_mails.from_the_sender.mails :
    mail.id => mail.subject
  }
}
