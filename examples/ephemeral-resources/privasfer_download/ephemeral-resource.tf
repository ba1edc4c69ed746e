data "privasfer_inbox_mail" "offer" {
  id            = "2ef14b84-87d0-4abb-813f-2351a4251345"
  include_files = true
}

ephemeral "privasfer_download" "offer" {
  file_ids = [for file in data.privasfer_inbox_mail.offer.download.files : file.id]
  enabled  = terraform.applying # no download is created by a plan
}

# Whatever uses the download gets its id within the minute, once.
resource "terraform_data" "offer" {
  provisioner "local-exec" {
    command = "./use-the-download"
    environment = {
      DOWNLOAD_ID = ephemeral.privasfer_download.offer.id
    }
  }
}
