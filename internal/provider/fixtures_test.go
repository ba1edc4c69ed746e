package provider

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// What the tests of several files compare with.

// null, text and texts shorten the tables of exact values.
var null knownvalue.Check = knownvalue.Null()

func text(value string) knownvalue.Check { return knownvalue.StringExact(value) }

func texts(values ...string) knownvalue.Check {
	checks := make([]knownvalue.Check, len(values))
	for i, value := range values {
		checks[i] = text(value)
	}
	return knownvalue.ListExact(checks)
}

// attributes are the exact values of an object's attributes.
type attributes map[string]knownvalue.Check

// and adds attributes.
func (a attributes) and(more attributes) attributes {
	result := maps.Clone(a)
	maps.Copy(result, more)
	return result
}

func (a attributes) exactly() knownvalue.Check { return knownvalue.ObjectExact(a) }

func contactCheck(name, email knownvalue.Check) knownvalue.Check {
	return knownvalue.ObjectExact(map[string]knownvalue.Check{"name": name, "email": email})
}

func personCheck(name, initials, email, photoURL, timezone knownvalue.Check) knownvalue.Check {
	return knownvalue.ObjectExact(map[string]knownvalue.Check{
		"name": name, "initials": initials, "email": email, "photo_url": photoURL, "timezone": timezone})
}

func downloadCheck(id string, createdAt, files knownvalue.Check) knownvalue.Check {
	return knownvalue.ObjectExact(map[string]knownvalue.Check{"id": text(id), "created_at": createdAt, "files": files})
}

// The files of the simulator's data set as every data source and ephemeral
// resource shows them.
var (
	author = knownvalue.ObjectExact(map[string]knownvalue.Check{
		"name":      knownvalue.StringExact("Author Name"),
		"initials":  knownvalue.StringExact("Author N."),
		"email":     knownvalue.StringExact("author@email.address"),
		"photo_url": knownvalue.StringExact(""),
		"timezone":  knownvalue.StringExact("Europe/Vilnius"),
	})
	invoiceFile = knownvalue.ObjectExact(map[string]knownvalue.Check{
		"id":                       knownvalue.StringExact(simulator.FileInvoice),
		"filename":                 knownvalue.StringExact("invoice"),
		"type":                     knownvalue.StringExact("application/pdf"),
		"extension":                knownvalue.StringExact("pdf"),
		"full_filename":            knownvalue.StringExact("invoice.pdf"),
		"size":                     knownvalue.Int64Exact(43389),
		"formatted_size":           knownvalue.StringExact("42.37 KB"),
		"encrypted_size":           knownvalue.Int64Exact(78508),
		"formatted_encrypted_size": knownvalue.StringExact("76.67 KB"),
		"created_by":               author,
		"created_at":               knownvalue.StringExact("2019-05-08 00:18:03"),
		"disk":                     knownvalue.StringExact("local-spaces"),
		"trashed":                  knownvalue.Bool(false),
	})
	licenceFile = knownvalue.ObjectExact(map[string]knownvalue.Check{
		"id":                       knownvalue.StringExact(simulator.FileLicence),
		"filename":                 knownvalue.StringExact("licence"),
		"type":                     knownvalue.StringExact("text/plain"),
		"extension":                knownvalue.StringExact("txt"),
		"full_filename":            knownvalue.StringExact("licence.txt"),
		"size":                     knownvalue.Int64Exact(77),
		"formatted_size":           knownvalue.StringExact("77 B"),
		"encrypted_size":           knownvalue.Int64Exact(124),
		"formatted_encrypted_size": knownvalue.StringExact("124 B"),
		"created_by":               author,
		"created_at":               knownvalue.StringExact("2019-05-09 09:30:00"),
		"disk":                     knownvalue.StringExact("local-spaces"),
		"trashed":                  knownvalue.Bool(false),
	})
	// bareFile has nulls and empty strings wherever a file can.
	bareFile = knownvalue.ObjectExact(map[string]knownvalue.Check{
		"id":                       knownvalue.StringExact(simulator.FileBare),
		"filename":                 knownvalue.StringExact("README"),
		"type":                     knownvalue.Null(),
		"extension":                knownvalue.StringExact(""),
		"full_filename":            knownvalue.StringExact("README"),
		"size":                     knownvalue.Int64Exact(0),
		"formatted_size":           knownvalue.StringExact(""),
		"encrypted_size":           knownvalue.Null(),
		"formatted_encrypted_size": knownvalue.Null(),
		"created_by":               knownvalue.Null(),
		"created_at":               knownvalue.Null(), // "" is no time
		"disk":                     knownvalue.Null(),
		"trashed":                  knownvalue.Null(),
	})
)
