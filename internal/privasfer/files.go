package privasfer

import (
	"context"
	"fmt"
	"net/url"
)

// File is a file as the API describes it. A nil pointer is null in the response, or
// missing from it. Sizes are in bytes; times are the API's text.
//
// https://privasfer.com/api: GET /files/{id}
type File struct {
	ID                     string           `json:"id"`
	Filename               *string          `json:"filename"`
	Type                   *string          `json:"type"`
	Extension              *string          `json:"extension"`
	FullFilename           *string          `json:"full_filename"`
	Size                   *int64           `json:"size"`
	FormattedSize          *string          `json:"formatted_size"`
	EncryptedSize          *int64           `json:"encrypted_size"`
	FormattedEncryptedSize *string          `json:"formatted_encrypted_size"`
	CreatedBy              Nullable[Person] `json:"created_by"`
	CreatedAt              *string          `json:"created_at"`
	Disk                   *string          `json:"disk"`
	Trashed                *bool            `json:"trashed"`
}

// Person is a user of Privasfer: the creator of a file, or the recipient of a sent mail.
type Person struct {
	Name     *string `json:"name"`
	Initials *string `json:"initials"`
	Email    *string `json:"email"`
	PhotoURL *string `json:"photo_url"`
	Timezone *string `json:"timezone"`
}

// File returns the description of a file. For a file that does not exist, the error is
// an [*APIError] with status 404.
func (c *Client) File(ctx context.Context, id string) (*File, error) {
	return get[File](ctx, c, nil, "files", id)
}

// Files lists files. The API searches their names for the keyword, and sorts by
// FileSortKeys.
func (c *Client) Files(ctx context.Context, options ListOptions) (*List[File], error) {
	return readList[File](ctx, c, options.addTo(url.Values{}), "files")
}

// FileSortKeys are the keys by which the API sorts files.
var FileSortKeys = []string{"filename_original", "size", "encrypted_size", "created_at"}

func (f *File) id() string { return f.ID }

func (f *File) check() error {
	if f.ID == "" {
		return missingID("data")
	}
	return nil
}

// checkFiles returns an error for the first file without an id in the list at place.
func checkFiles(place string, files []File) error {
	for i := range files {
		if files[i].ID == "" {
			return missingID(fmt.Sprintf("%s.%d", place, i))
		}
	}
	return nil
}
