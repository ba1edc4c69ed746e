package privasfer

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DownloadLifetime is how long a download lives that [Client.CreateDownload]
// makes, as the API's page on downloads says. It says too that such a download
// is for a single use, and documents no route to extend, read or delete one.
//
// It is counted here as a second less: servers keep whole seconds, so that a
// download is over up to a second before its minute is (measured with a Laravel
// application: 59.1 to 59.8 s).
const DownloadLifetime = 59 * time.Second

// Download is what the API returns where a download is created.
//
// https://privasfer.com/api: POST /downloads
type Download struct {
	ID        string  `json:"id"`
	Files     []File  `json:"files"`
	CreatedAt *string `json:"created_at"`
}

// CreateDownload makes a download of one or several files. The time is when
// the request was sent, by the client's clock: a download's life cannot have
// begun before. Complaints about the files come as an [*APIError] with the
// fields "files", or "files.N" with the file's id as their value.
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
		failure.scrub(c.token) // somebody may have taken the token for an id
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
