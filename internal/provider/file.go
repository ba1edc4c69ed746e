package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// timeNote is what every time's description ends with.
const timeNote = "as the API writes it: `YYYY-MM-DD HH:MM:SS`, in a zone that the API does not name."

var (
	fileType   = objectType(fileAttributes())
	personType = objectType(personAttributes())
)

func newFileDataSource() datasource.DataSource {
	return &lookupDataSource[privasfer.File]{lookup: fileLookup}
}

func newFilesDataSource() datasource.DataSource {
	return &listDataSource[privasfer.File]{listing: fileListing}
}

var fileLookup = lookup[privasfer.File]{
	name:   "file",
	object: "file",
	description: "A file, as the API describes it. Its content is not read. " +
		"Use it where the file's id is known; `privasfer_files` finds a file by its name.",
	attributes: fileAttributes(),
	read: func(client *privasfer.Client, ctx context.Context, id string, _ bool) (*privasfer.File, error) {
		return client.File(ctx, id)
	},
	values: fileValues,
}.prepared()

var fileListing = listing[privasfer.File]{
	name:    "files",
	objects: "files",
	description: "Files, as the API describes them. Where there is none, the lists are empty. " +
		"Use it to find a file by its name, for a download of it for example.",
	attributes: fileAttributes(),
	sortKeys:   privasfer.FileSortKeys,
	searched:   "the file names",
	list:       (*privasfer.Client).Files,
	values:     fileValues,
}.prepared()

// fileAttributes describes a file, wherever the API names one.
func fileAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id":                       computedString("The file's id."),
		"filename":                 computedString("The name without its extension."),
		"type":                     computedString("The media type, such as `application/pdf`."),
		"extension":                computedString("The extension, without a dot."),
		"full_filename":            computedString("The name with its extension."),
		"size":                     computedInt64("The size in bytes."),
		"formatted_size":           computedString("The size for people, such as `42.37 KB`."),
		"encrypted_size":           computedInt64("The size of the encrypted file in bytes."),
		"formatted_encrypted_size": computedString("The size of the encrypted file for people."),
		"created_by": data.SingleNestedAttribute{
			MarkdownDescription: "Who created the file.",
			Computed:            true,
			Attributes:          personAttributes(),
		},
		"created_at": computedString("When the file was created, " + timeNote),
		"disk":       computedString("The API's name of the disk that holds the file."),
		"trashed":    computedBool("Whether the API calls the file trashed."),
	}
}

func personAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"name":      computedString("The name."),
		"initials":  computedString("The initials, as the API writes them."),
		"email":     computedString("The email address."),
		"photo_url": computedString("The URL of a photo; may be empty."),
		"timezone":  computedString("The person's own time zone, such as `Europe/Vilnius`."),
	}
}

// filesValue maps files in the API's order. None at all, a nil slice, is null:
// they were not asked for.
func filesValue(files []privasfer.File) tftypes.Value {
	list := tftypes.List{ElementType: fileType}
	if files == nil {
		return tftypes.NewValue(list, nil)
	}
	values := make([]tftypes.Value, len(files))
	for i := range files {
		values[i] = tftypes.NewValue(fileType, fileValues(&files[i]))
	}
	return tftypes.NewValue(list, values)
}

func fileValues(f *privasfer.File) map[string]tftypes.Value {
	return map[string]tftypes.Value{
		"id":                       stringValue(&f.ID),
		"filename":                 stringValue(f.Filename),
		"type":                     stringValue(f.Type),
		"extension":                stringValue(f.Extension),
		"full_filename":            stringValue(f.FullFilename),
		"size":                     int64Value(f.Size),
		"formatted_size":           stringValue(f.FormattedSize),
		"encrypted_size":           int64Value(f.EncryptedSize),
		"formatted_encrypted_size": stringValue(f.FormattedEncryptedSize),
		"created_by":               personValue(f.CreatedBy.Value),
		"created_at":               timeValue(f.CreatedAt),
		"disk":                     stringValue(f.Disk),
		"trashed":                  boolValue(f.Trashed),
	}
}

func personValue(a *privasfer.Person) tftypes.Value {
	if a == nil {
		return tftypes.NewValue(personType, nil)
	}
	return tftypes.NewValue(personType, map[string]tftypes.Value{
		"name":      stringValue(a.Name),
		"initials":  stringValue(a.Initials),
		"email":     stringValue(a.Email),
		"photo_url": stringValue(a.PhotoURL),
		"timezone":  stringValue(a.Timezone),
	})
}
