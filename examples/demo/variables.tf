variable "mail_id" {
  description = "The id of the mail."
  type        = string
}

variable "download_url" {
  description = "The simulator's URL at which a download is performed, with the placeholder {key}."
  type        = string
}

variable "helper" {
  description = "The path of the program that fetches a download or receives the content of a file: the demo itself."
  type        = string
}

variable "report" {
  description = "The path of the file to which the helper adds its results."
  type        = string
}

variable "delay" {
  description = "How long the first use waits before it fetches the download."
  type        = string
  default     = "0s"
}
