data "privasfer_inbox_mail" "offer" {
  id = "2ef14b84-87d0-4abb-813f-2351a4251345"
}

output "received_at" {
  value = provider::privasfer::rfc3339(
    data.privasfer_inbox_mail.offer.received_at,
    "Europe/Vilnius",
  )
}
