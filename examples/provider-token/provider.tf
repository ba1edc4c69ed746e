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
  ephemeral = true # not stored in the plan file
}

variable "privasfer_pin" {
  type      = string
  default   = null # only required to create a download key
  sensitive = true
  ephemeral = true
}

provider "privasfer" {
  token = var.privasfer_token
  pin   = var.privasfer_pin
}
