package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// timeNote ends the description of every time.
const timeNote = "in the form `YYYY-MM-DD HH:MM:SS`. The API does not name the time zone."

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
	description: "Reads the metadata of a file. " +
		"To find a file by its name, use `privasfer_files`.",
	attributes: fileAttributes(),
	read: func(client *privasfer.Client, ctx context.Context, id string, _ bool) (*privasfer.File, error) {
		return client.File(ctx, id)
	},
	values: fileValues,
}.prepared()

var fileListing = listing[privasfer.File]{
	name:    "files",
	objects: "files",
	description: "Lists the metadata of files. " +
		"Use it to find a file by its name, for example to create a download of it.",
	attributes: fileAttributes(),
	sortKeys:   privasfer.FileSortKeys,
	searched:   "the file names",
	list:       (*privasfer.Client).Files,
	values:     fileValues,
}.prepared()

// fileAttributes returns the attributes of a file.
func fileAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id":                       computedString("The id of the file."),
		"filename":                 computedString("The name of the file without its extension."),
		"type":                     computedString("The media type of the file, such as `application/pdf`."),
		"extension":                computedString("The extension of the file, without a dot."),
		"full_filename":            computedString("The name of the file with its extension."),
		"size":                     computedInt64("The size of the file in bytes."),
		"formatted_size":           computedString("The formatted size of the file, such as `42.37 KB`."),
		"encrypted_size":           computedInt64("The size of the encrypted file in bytes."),
		"formatted_encrypted_size": computedString("The formatted size of the encrypted file."),
		"created_by": data.SingleNestedAttribute{
			MarkdownDescription: "The person who created the file.",
			Computed:            true,
			Attributes:          personAttributes(),
		},
		"created_at": computedString("The time at which the file was created, " + timeNote),
		"disk":       computedString("The name of the disk that stores the file."),
		"trashed":    computedBool("Whether the API reports the file as trashed."),
	}
}

func personAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"name":      computedString("The name."),
		"initials":  computedString("The initials, such as `Author N.`."),
		"email":     computedString("The email address."),
		"photo_url": computedString("The URL of a photo. Can be empty."),
		"timezone":  computedString("The time zone of the person, such as `Europe/Vilnius`."),
	}
}

// filesValue returns a list of files in the API's order. A nil slice, which means
// that the files were not included in the response, becomes null.
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
