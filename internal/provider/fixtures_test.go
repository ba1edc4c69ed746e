package provider

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// null, text and texts are shorthands for exact values.
var null knownvalue.Check = knownvalue.Null()

func text(value string) knownvalue.Check { return knownvalue.StringExact(value) }

func texts(values ...string) knownvalue.Check {
	checks := make([]knownvalue.Check, len(values))
	for i, value := range values {
		checks[i] = text(value)
	}
	return knownvalue.ListExact(checks)
}

// attributes are the expected attributes of an object.
type attributes map[string]knownvalue.Check

// and returns a copy with more attributes.
func (a attributes) and(more attributes) attributes {
	result := maps.Clone(a)
	maps.Copy(result, more)
	return result
}

func (a attributes) exactly() knownvalue.Check { return knownvalue.ObjectExact(a) }

func personCheck(name, initials, email, photoURL, timezone knownvalue.Check) knownvalue.Check {
	return attributes{"name": name, "initials": initials, "email": email, "photo_url": photoURL, "timezone": timezone}.exactly()
}

// The files of the simulator's data set, as attributes of a download.
var (
	author = personCheck(text("Author Name"), text("Author N."), text("author@email.address"), text(""), text("Europe/Vilnius"))

	invoiceFile = attributes{
		"id": text(simulator.FileInvoice), "filename": text("invoice"), "type": text("application/pdf"), "extension": text("pdf"),
		"full_filename": text("invoice.pdf"), "size": knownvalue.Int64Exact(43389), "formatted_size": text("42.37 KB"),
		"encrypted_size": knownvalue.Int64Exact(78508), "formatted_encrypted_size": text("76.67 KB"), "created_by": author,
		"created_at": text("2019-05-08 00:18:03"), "disk": text("local-spaces"), "trashed": knownvalue.Bool(false),
	}.exactly()
	licenceFile = attributes{
		"id": text(simulator.FileLicence), "filename": text("licence"), "type": text("text/plain"), "extension": text("txt"),
		"full_filename": text("licence.txt"), "size": knownvalue.Int64Exact(77), "formatted_size": text("77 B"),
		"encrypted_size": knownvalue.Int64Exact(124), "formatted_encrypted_size": text("124 B"), "created_by": author,
		"created_at": text("2019-05-09 09:30:00"), "disk": text("local-spaces"), "trashed": knownvalue.Bool(false),
	}.exactly()

	// bareFile has null or an empty string wherever possible.
	bareFile = attributes{
		"id": text(simulator.FileBare), "filename": text("README"), "type": null, "extension": text(""),
		"full_filename": text("README"), "size": knownvalue.Int64Exact(0), "formatted_size": text(""),
		"encrypted_size": null, "formatted_encrypted_size": null, "created_by": null,
		"created_at": null, // "" in the response
		"disk":       null, "trashed": null,
	}.exactly()
)
