package privasfer

import "context"

// Mail is a mail that the token's owner has sent. A nil pointer is a null in
// the response, or a key that it leaves out. Times are the API's text; OpenedAt is
// "" while the mail is unopened.
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
	Download       Nullable[MailDownload] `json:"download"` // there only where included
}

// Mail reads one sent mail with its download; includeFiles asks for the files
// in that download too. A mail that does not exist is an [*APIError] with status
// 404.
func (c *Client) Mail(ctx context.Context, id string, includeFiles bool) (*Mail, error) {
	return get[Mail](ctx, c, includeDownload(includeFiles), "mails", id)
}

// Mails lists sent mails with their downloads. The keyword is searched in their
// identifier and subject, in the recipient's email and name, and in the sender's
// name; the keys to sort by are MailSortKeys.
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
