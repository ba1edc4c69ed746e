package privasfer

import "fmt"

// File is a file as the API describes it. A nil pointer is a null in the
// answer, or a key that it leaves out. Sizes are bytes; times are the API's
// text.
type File struct {
	ID                     string  `json:"id"`
	Filename               *string `json:"filename"`
	Type                   *string `json:"type"`
	Extension              *string `json:"extension"`
	FullFilename           *string `json:"full_filename"`
	Size                   *int64  `json:"size"`
	FormattedSize          *string `json:"formatted_size"`
	EncryptedSize          *int64  `json:"encrypted_size"`
	FormattedEncryptedSize *string `json:"formatted_encrypted_size"`
	CreatedBy              *Author `json:"created_by"`
	CreatedAt              *string `json:"created_at"`
	Disk                   *string `json:"disk"`
	Trashed                *bool   `json:"trashed"`
}

// Author is a user of Privasfer as files name the one who uploaded them.
type Author struct {
	Name     *string `json:"name"`
	Initials *string `json:"initials"`
	Email    *string `json:"email"`
	PhotoURL *string `json:"photo_url"`
	Timezone *string `json:"timezone"`
}

// checkFiles finds the first file without an id in a list at the given place.
func checkFiles(place string, files []File) error {
	for i := range files {
		if files[i].ID == "" {
			return missingID(fmt.Sprintf("%s.%d", place, i))
		}
	}
	return nil
}
