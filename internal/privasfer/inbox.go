package privasfer

import (
	"context"
	"net/url"
)

// InboxMail is a mail that was sent to the token's owner. A nil pointer is null in the
// response, or missing from it. Times are the API's text.
//
// https://privasfer.com/api: GET /inbox/{id}
type InboxMail struct {
	ID         string                 `json:"id"`
	Identifier *string                `json:"identifier"`
	Subject    *string                `json:"subject"`
	Body       *string                `json:"body"`
	Sender     Nullable[Contact]      `json:"sender"`
	Download   Nullable[MailDownload] `json:"download"` // present only if included
	ReceivedAt *string                `json:"received_at"`
	Opened     *bool                  `json:"opened"`
}

// Contact is the sender of a mail.
type Contact struct {
	Name  *string `json:"name"`
	Email *string `json:"email"`
}

// MailDownload is the download of a mail. The API creates it with the mail, and does not
// say that it is for a single use.
type MailDownload struct {
	ID        string  `json:"id"`
	CreatedAt *string `json:"created_at"`
	Files     []File  `json:"files"` // nil if not included
}

// InboxMail returns an inbox mail with its download, and with the download's files if
// includeFiles is set. For a mail that does not exist, the error is an [*APIError] with
// status 404.
func (c *Client) InboxMail(ctx context.Context, id string, includeFiles bool) (*InboxMail, error) {
	return get[InboxMail](ctx, c, includeDownload(includeFiles), "inbox", id)
}

// InboxMails lists inbox mails with their downloads. The API searches their identifier
// and subject and the sender's email and name for the keyword, and sorts by
// InboxMailSortKeys.
func (c *Client) InboxMails(ctx context.Context, options ListOptions) (*List[InboxMail], error) {
	return readList[InboxMail](ctx, c, options.addTo(includeDownload(options.IncludeFiles)), "inbox")
}

// InboxMailSortKeys are the keys by which the API sorts the inbox.
var InboxMailSortKeys = []string{"subject", "created_by_email", "received_at"}

// includeDownload returns the query that includes a mail's download, and its files if
// set.
func includeDownload(files bool) url.Values {
	include := "download"
	if files {
		include = "download,download.files"
	}
	return url.Values{"include": {include}}
}

func (m *InboxMail) id() string { return m.ID }

func (m *InboxMail) check() error {
	if m.ID == "" {
		return missingID("data")
	}
	return m.Download.Value.check()
}

func (d *MailDownload) check() error {
	if d == nil {
		return nil
	}
	if d.ID == "" {
		return missingID("data.download")
	}
	return checkFiles("data.download.files", d.Files)
}
