terraform {
  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

variable "privasfer_token" {
  type      = string
  sensitive = true
  ephemeral = true # in no plan file either
}

provider "privasfer" {
  token = var.privasfer_token
}
