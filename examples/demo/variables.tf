variable "mail_id" {
  description = "The id of the mail."
  type        = string
}

variable "download_url" {
  description = "The URL at which a download is performed, with {key}. Here it is the simulator's own: the API publishes none."
  type        = string
}

variable "helper" {
  description = "The path of a program that fetches a download, or receives a content: the demo itself."
  type        = string
}

variable "report" {
  description = "The path of the file to which the helper adds what it got."
  type        = string
}

variable "delay" {
  description = "How long the first use waits before it fetches the download."
  type        = string
  default     = "0s"
}
