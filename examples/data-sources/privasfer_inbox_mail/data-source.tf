data "privasfer_inbox_mail" "offer" {
  id            = "2ef14b84-87d0-4abb-813f-2351a4251345"
  include_files = true
}

output "files_of_the_offer" {
  value = {
    for file in data.privasfer_inbox_mail.offer.download.files :
    file.full_filename => file.formatted_size
  }
}
