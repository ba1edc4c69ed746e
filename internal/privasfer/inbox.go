package privasfer

import (
	"context"
	"net/url"
)

// InboxMail is a mail that was sent to the token's owner. A nil pointer is a
// null in the response, or a key that it leaves out. Times are the API's text.
//
// https://privasfer.com/api: GET /inbox/{id}
type InboxMail struct {
	ID         string                 `json:"id"`
	Identifier *string                `json:"identifier"`
	Subject    *string                `json:"subject"`
	Body       *string                `json:"body"`
	Sender     Nullable[Contact]      `json:"sender"`
	Download   Nullable[MailDownload] `json:"download"` // there only where included
	ReceivedAt *string                `json:"received_at"`
	Opened     *bool                  `json:"opened"`
}

// Contact is how a mail names its sender.
type Contact struct {
	Name  *string `json:"name"`
	Email *string `json:"email"`
}

// MailDownload is the download that comes with a mail: the API made it with
// the mail, and does not say that it is for a single use.
type MailDownload struct {
	ID        string  `json:"id"`
	CreatedAt *string `json:"created_at"`
	Files     []File  `json:"files"` // nil: not included
}

// InboxMail reads one mail of the inbox with its download; includeFiles asks
// for the files in that download too. A mail that does not exist is an
// [*APIError] with status 404.
func (c *Client) InboxMail(ctx context.Context, id string, includeFiles bool) (*InboxMail, error) {
	return get[InboxMail](ctx, c, includeDownload(includeFiles), "inbox", id)
}

// InboxMails lists mails of the inbox with their downloads. The keyword is
// searched in their identifier and subject and in the sender's email and name;
// the keys to sort by are InboxMailSortKeys.
func (c *Client) InboxMails(ctx context.Context, options ListOptions) (*List[InboxMail], error) {
	return readList[InboxMail](ctx, c, options.addTo(includeDownload(options.IncludeFiles)), "inbox")
}

// InboxMailSortKeys are the keys by which the API sorts the inbox.
var InboxMailSortKeys = []string{"subject", "created_by_email", "received_at"}

// includeDownload is the query that asks for a mail's download.
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
