data "privasfer_inbox_mail" "key" {
  id            = "cfd4d439-8cc6-4e6d-a78a-72528c21cdcd"
  include_files = true
}

ephemeral "privasfer_download" "key" {
  download_id = data.privasfer_inbox_mail.key.download.id
  perform     = true
  enabled     = timestamp() != "" # opened at apply only

  lifecycle {
    precondition {
      condition     = length(data.privasfer_inbox_mail.key.download.files) == 1
      error_message = "The mail must have exactly one file."
    }
  }
}

resource "aws_secretsmanager_secret_version" "key" {
  secret_id                = "server-key"
  secret_string_wo         = ephemeral.privasfer_download.key.content
  secret_string_wo_version = 1 # increase to write the content again
}
