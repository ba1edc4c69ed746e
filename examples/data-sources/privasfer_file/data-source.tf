data "privasfer_file" "invoice" {
  id = "fad2027a-ac89-4ef4-baab-95b2fb316cf1"
}

output "invoice" {
  value = join(", ", [
    data.privasfer_file.invoice.full_filename,
    data.privasfer_file.invoice.formatted_size,
  ])
}
