data "privasfer_files" "invoices" {
  keyword = "invoice"
  sort    = "-created_at" # by creation time, in reverse order
}

output "invoices" {
  value = {
    for file in data.privasfer_files.invoices.files :
    file.id => file.full_filename
  }
}
