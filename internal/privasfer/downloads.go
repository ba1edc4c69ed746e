package privasfer

import (
	"context"
	"time"
)

// DownloadLifetime is how long a download lives that [Client.CreateDownload]
// makes, as the API's page on downloads says. It says too that such a download
// is for a single use, and documents no route to extend, read or delete one.
const DownloadLifetime = time.Minute

// Download is the answer to the creation of a download.
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
// fields "files" or "files.N", N counting fileIDs.
func (c *Client) CreateDownload(ctx context.Context, fileIDs []string) (*Download, time.Time, error) {
	body := struct {
		Files []string `json:"files"`
	}{fileIDs}
	return post[Download](ctx, c, body, "downloads")
}

func (d *Download) check() error {
	if d.ID == "" {
		return missingID("data")
	}
	return checkFiles("data.files", d.Files)
}
