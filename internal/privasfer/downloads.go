package privasfer

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DownloadLifetime is how long a download created by [Client.CreateDownload] lives,
// according to the API's page on downloads. The page also says that such a download is
// for a single use, and documents no route to extend, read or delete one.
//
// It is one second less than the documented minute: servers store whole seconds, so a
// download ends up to a second early (measured with a Laravel application: 59.1 to 59.8
// s).
const DownloadLifetime = 59 * time.Second

// Download is a download as the API returns it on creation.
//
// https://privasfer.com/api: POST /downloads
type Download struct {
	ID        string  `json:"id"`
	Files     []File  `json:"files"`
	CreatedAt *string `json:"created_at"`
}

// CreateDownload creates a download of one or more files. The returned time is when the
// request was sent, by the client's clock: the download cannot have begun to live
// earlier. An error about the files is an [*APIError] with the fields "files", or
// "files.N" with the file's id as their value.
func (c *Client) CreateDownload(ctx context.Context, fileIDs []string) (*Download, time.Time, error) {
	body := struct {
		Files []string `json:"files"`
	}{fileIDs}
	target, err := c.endpoint(nil, "downloads")
	if err != nil {
		return nil, time.Time{}, err
	}
	call := c.newCall(http.MethodPost, target, maxObjectBytes)
	download, err := send[Download](ctx, call, body)
	var failure *APIError
	if errors.As(err, &failure) {
		for i := range failure.Fields {
			field := &failure.Fields[i]
			number, ok := strings.CutPrefix(field.Field, "files.")
			if n, err := strconv.Atoi(number); ok && err == nil && n >= 0 && n < len(fileIDs) {
				field.Value = fileIDs[n]
			}
		}
		failure.scrub(c.token) // the token may have been given as an id
		return nil, time.Time{}, failure
	}
	return download, call.sent, nil
}

func (d *Download) check() error {
	if d.ID == "" {
		return missingID("data")
	}
	return checkFiles("data.files", d.Files)
}
