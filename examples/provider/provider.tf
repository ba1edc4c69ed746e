terraform {
  required_providers {
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

# The token comes from the environment variable PRIVASFER_TOKEN.
provider "privasfer" {}
