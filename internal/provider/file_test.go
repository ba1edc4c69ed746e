package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// The other files of the simulator's data set, besides those of
// inbox_mail_test.go.
var (
	keyFile = knownvalue.ObjectExact(map[string]knownvalue.Check{
		"id":                       text(simulator.FileKey),
		"filename":                 text("server-key"),
		"type":                     text("application/x-pem-file"),
		"extension":                text("pem"),
		"full_filename":            text("server-key.pem"),
		"size":                     knownvalue.Int64Exact(111),
		"formatted_size":           text("111 B"),
		"encrypted_size":           knownvalue.Int64Exact(160),
		"formatted_encrypted_size": text("160 B"),
		"created_by":               author,
		"created_at":               text("2019-05-10 17:05:59"),
		"disk":                     text("local-spaces"),
		"trashed":                  knownvalue.Bool(false),
	})
	// backupFile has sizes beyond 32 bits.
	backupFile = knownvalue.ObjectExact(map[string]knownvalue.Check{
		"id":                       text(simulator.FileBackup),
		"filename":                 text("backup.tar"),
		"type":                     text("application/gzip"),
		"extension":                text("gz"),
		"full_filename":            text("backup.tar.gz"),
		"size":                     knownvalue.Int64Exact(5368709120),
		"formatted_size":           text("5.00 GB"),
		"encrypted_size":           knownvalue.Int64Exact(7158278861),
		"formatted_encrypted_size": text("6.67 GB"),
		"created_by":               author,
		"created_at":               text("2019-05-11 23:59:59"),
		"disk":                     text("local-spaces"),
		"trashed":                  knownvalue.Bool(true),
	})
	namesFile = knownvalue.ObjectExact(map[string]knownvalue.Check{
		"id":                       text(simulator.FileNFD),
		"filename":                 text("names"),
		"type":                     text("text/plain"),
		"extension":                text("txt"),
		"full_filename":            text("names.txt"),
		"size":                     knownvalue.Int64Exact(50),
		"formatted_size":           text("50 B"),
		"encrypted_size":           knownvalue.Int64Exact(96),
		"formatted_encrypted_size": text("96 B"),
		"created_by":               author,
		"created_at":               text("2019-05-12 12:00:00"),
		"disk":                     text("local-spaces"),
		"trashed":                  knownvalue.Bool(false),
	})

	// allFiles is the whole data set, in the API's order.
	allFiles = []knownvalue.Check{invoiceFile, licenceFile, keyFile, backupFile, bareFile, namesFile}
)

// TestAccFileDataSource checks every attribute by its exact value, and the
// request, which has no query.
func TestAccFileDataSource(t *testing.T) {
	t.Parallel()
	one := func(id string, want knownvalue.Check) reading {
		return reading{kind: "file", arguments: fmt.Sprintf("id = %q", id), requests: []string{"GET /api/files/" + id}, want: want}
	}
	data := simulator.DefaultData()
	// An id is the API's to choose: whatever is no danger to a path arrives as it is.
	strange := "50%25~ž:;,=&@+(x)"
	data.Files = append(data.Files, simulator.File{ID: strange, Filename: "", FullFilename: "", CreatedBy: &simulator.Person{}})
	checkReadings(t, simulator.Options{Data: data}, map[string]reading{
		"full":    one(simulator.FileInvoice, invoiceFile),
		"text":    one(simulator.FileLicence, licenceFile),
		"key":     one(simulator.FileKey, keyFile),
		"huge":    one(simulator.FileBackup, backupFile),
		"bare":    one(simulator.FileBare, bareFile),
		"strings": one(simulator.FileNFD, namesFile),
		"empty": one(strange, knownvalue.ObjectExact(map[string]knownvalue.Check{
			"id":                       text(strange),
			"filename":                 text(""),
			"type":                     null,
			"extension":                text(""),
			"full_filename":            text(""),
			"size":                     knownvalue.Int64Exact(0),
			"formatted_size":           text(""),
			"encrypted_size":           knownvalue.Int64Exact(0),
			"formatted_encrypted_size": text(""),
			"created_by":               personCheck(text(""), text(""), text(""), text(""), text("")),
			"created_at":               null, // "" is no time
			"disk":                     text(""),
			"trashed":                  knownvalue.Bool(false),
		})),
	})
}

// TestAccFilesDataSource checks every attribute of every file, and the
// arguments by the query that arrives.
func TestAccFilesDataSource(t *testing.T) {
	t.Parallel()
	files := func(keyword, sort knownvalue.Check, ids []string, files ...knownvalue.Check) knownvalue.Check {
		return knownvalue.ObjectExact(map[string]knownvalue.Check{
			"keyword": keyword, "sort": sort, "ids": texts(ids...), "files": knownvalue.ListExact(files)})
	}
	data := simulator.DefaultData()
	checkReadings(t, simulator.Options{Data: data}, map[string]reading{
		"all": {kind: "files", requests: []string{"GET /api/files"},
			want: files(null, null, fileIDs, allFiles...)},
		"found": {kind: "files", arguments: `keyword = "licence"`, requests: []string{"GET /api/files?keyword=licence"},
			want: files(text("licence"), null, []string{simulator.FileLicence}, licenceFile)},
		"found_and_sorted": {kind: "files", arguments: "keyword = \"a\"\nsort = \"-size\"", requests: []string{"GET /api/files?keyword=a&sort=-size"},
			want: files(text("a"), text("-size"), []string{simulator.FileBackup, simulator.FileNFD, simulator.FileBare}, backupFile, namesFile, bareFile)},
		"nothing": {kind: "files", arguments: `keyword = "pdf"`, requests: []string{"GET /api/files?keyword=pdf"}, // an extension
			want: files(text("pdf"), null, nil)},
	})
}

// fileIDs are those of the data set, in the API's order.
var fileIDs = []string{simulator.FileInvoice, simulator.FileLicence, simulator.FileKey, simulator.FileBackup, simulator.FileBare, simulator.FileNFD}
