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

locals {
  kubeconfig_id = one([
    for file in data.privasfer_files.kubeconfig.files : file.id
    if file.full_filename == "kubeconfig.yaml"
  ])
}

# The kubernetes provider is configured at plan too, so enabled is not set:
# each plan and each apply creates and uses a download.
ephemeral "privasfer_download" "kubeconfig" {
  file_ids = [local.kubeconfig_id]
  perform  = true
}

locals {
  kubeconfig = yamldecode(ephemeral.privasfer_download.kubeconfig.content)
  cluster    = local.kubeconfig.clusters[0].cluster
  cluster_ca = base64decode(local.cluster["certificate-authority-data"])
}

provider "kubernetes" {
  host                   = local.cluster.server
  cluster_ca_certificate = local.cluster_ca
  token                  = local.kubeconfig.users[0].user.token
}

resource "kubernetes_namespace_v1" "partner" {
  metadata {
    name = "partner"
  }
}
