package privasfer

import "context"

// Mail is a mail that the token's owner has sent. A nil pointer is null in the response,
// or missing from it. Times are the API's text; OpenedAt is "" while the mail is
// unopened.
//
// https://privasfer.com/api: GET /mails/{id}
type Mail struct {
	ID             string                 `json:"id"`
	Identifier     *string                `json:"identifier"`
	Subject        *string                `json:"subject"`
	Body           *string                `json:"body"`
	Sender         Nullable[Contact]      `json:"sender"`
	Recipient      Nullable[Person]       `json:"recipient"`
	RecipientEmail *string                `json:"recipient_email"`
	CreatedAt      *string                `json:"created_at"`
	SentAt         *string                `json:"sent_at"`
	Status         *string                `json:"status"`
	OpenedAt       *string                `json:"opened_at"`
	Download       Nullable[MailDownload] `json:"download"` // present only if included
}

// Mail returns a sent mail with its download, and with the download's files if
// includeFiles is set. For a mail that does not exist, the error is an [*APIError] with
// status 404.
func (c *Client) Mail(ctx context.Context, id string, includeFiles bool) (*Mail, error) {
	return get[Mail](ctx, c, includeDownload(includeFiles), "mails", id)
}

// Mails lists sent mails with their downloads. The API searches their identifier and
// subject, the recipient's email and name, and the sender's name for the keyword, and
// sorts by MailSortKeys.
func (c *Client) Mails(ctx context.Context, options ListOptions) (*List[Mail], error) {
	return readList[Mail](ctx, c, options.addTo(includeDownload(options.IncludeFiles)), "mails")
}

// MailSortKeys are the keys by which the API sorts sent mails.
var MailSortKeys = []string{"subject", "recipient_email", "created_at", "sent_at"}

func (m *Mail) id() string { return m.ID }

func (m *Mail) check() error {
	if m.ID == "" {
		return missingID("data")
	}
	return m.Download.Value.check()
}
