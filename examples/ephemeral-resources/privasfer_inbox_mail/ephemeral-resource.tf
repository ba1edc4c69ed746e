ephemeral "privasfer_inbox_mail" "password" {
  id      = "2ef14b84-87d0-4abb-813f-2351a4251345"
  enabled = timestamp() != "" # opened at apply only
}

resource "terraform_data" "password" {
  provisioner "local-exec" {
    command = "./use-the-password"
    environment = {
      PASSWORD = ephemeral.privasfer_inbox_mail.password.body
    }
  }
}
