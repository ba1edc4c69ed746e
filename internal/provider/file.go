package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// timeNote is what every time's description ends with.
const timeNote = "as the API writes it: `YYYY-MM-DD HH:MM:SS`, in a zone that the API does not name."

var (
	fileType   = objectType(fileAttributes())
	personType = objectType(personAttributes())
)

func newFileDataSource() datasource.DataSource { return &lookupDataSource{lookup: fileLookup} }

func newFilesDataSource() datasource.DataSource {
	return &listDataSource[privasfer.File]{listing: fileListing}
}

var fileLookup = lookup{
	name:        "file",
	object:      "file",
	description: "A file, as the API describes it. Its content is not read.",
	attributes:  fileAttributes(),
	read: func(ctx context.Context, client *privasfer.Client, id string, _ bool) (map[string]attr.Value, error) {
		file, err := client.File(ctx, id)
		if err != nil {
			return nil, err
		}
		return fileValues(file), nil
	},
}.prepared()

var fileListing = listing[privasfer.File]{
	name:        "files",
	objects:     "files",
	description: "Files, as the API describes them. Where there is none, the lists are empty.",
	attributes:  fileAttributes(),
	sortKeys:    privasfer.FileSortKeys,
	searched:    "the file names",
	list: func(ctx context.Context, client *privasfer.Client, options privasfer.ListOptions, _ bool) ([]privasfer.File, error) {
		return client.Files(ctx, options)
	},
	values: fileValues,
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
func filesValue(files []privasfer.File) types.List {
	if files == nil {
		return types.ListNull(fileType)
	}
	values := make([]attr.Value, len(files))
	for i := range files {
		values[i] = types.ObjectValueMust(fileType.AttrTypes, fileValues(&files[i]))
	}
	return types.ListValueMust(fileType, values)
}

func fileValues(f *privasfer.File) map[string]attr.Value {
	return map[string]attr.Value{
		"id":                       types.StringValue(f.ID),
		"filename":                 types.StringPointerValue(f.Filename),
		"type":                     types.StringPointerValue(f.Type),
		"extension":                types.StringPointerValue(f.Extension),
		"full_filename":            types.StringPointerValue(f.FullFilename),
		"size":                     types.Int64PointerValue(f.Size),
		"formatted_size":           types.StringPointerValue(f.FormattedSize),
		"encrypted_size":           types.Int64PointerValue(f.EncryptedSize),
		"formatted_encrypted_size": types.StringPointerValue(f.FormattedEncryptedSize),
		"created_by":               personValue(f.CreatedBy),
		"created_at":               timeValue(f.CreatedAt),
		"disk":                     types.StringPointerValue(f.Disk),
		"trashed":                  types.BoolPointerValue(f.Trashed),
	}
}

func personValue(a *privasfer.Person) types.Object {
	if a == nil {
		return types.ObjectNull(personType.AttrTypes)
	}
	return types.ObjectValueMust(personType.AttrTypes, map[string]attr.Value{
		"name":      types.StringPointerValue(a.Name),
		"initials":  types.StringPointerValue(a.Initials),
		"email":     types.StringPointerValue(a.Email),
		"photo_url": types.StringPointerValue(a.PhotoURL),
		"timezone":  types.StringPointerValue(a.Timezone),
	})
}
