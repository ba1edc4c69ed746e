terraform {
  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
    privasfer = {
      source = "privasfer/privasfer"
    }
  }
}

data "privasfer_files" "kubeconfig" {
  keyword = "kubeconfig"
}

# Without enabled: the kubernetes provider is configured at plan too, so each plan
# and each apply uses a download.
ephemeral "privasfer_download" "kubeconfig" {
  file_ids = [one([for file in data.privasfer_files.kubeconfig.files : file.id if file.full_filename == "kubeconfig.yaml"])]
  perform  = true
}

locals {
  kubeconfig = yamldecode(ephemeral.privasfer_download.kubeconfig.content)
}

provider "kubernetes" {
  host                   = local.kubeconfig.clusters[0].cluster.server
  cluster_ca_certificate = base64decode(local.kubeconfig.clusters[0].cluster["certificate-authority-data"])
  token                  = local.kubeconfig.users[0].user.token
}

resource "kubernetes_namespace_v1" "partner" {
  metadata {
    name = "partner"
  }
}
