package simulator

import "encoding/json"

// The sent mails of DefaultData.
const (
	// SentFull has all its values and was opened. Its download holds
	// FileInvoice and FileLicence.
	SentFull = "5d0b8f3e-61a7-4c29-9e84-f2c7b1a6d035"
	// SentUnopened has the values of the API documentation, and an empty opened_at. Its
	// download holds FileKey.
	SentUnopened = "97e2c4a8-3f5d-4b10-8a6c-0e9d7b2f4c61"
	// SentBare has null, an empty time or no key where possible, and no download.
	SentBare = "c8a61d74-0b2e-4f93-b5d7-3e9f8c1a2064"
	// SentSparse has only its id, its body, a sender without a name, a recipient with
	// nothing but an email, and the id of its download.
	SentSparse = "1f7e9b05-d4c3-4862-a0f1-8b6d5e2c9a73"
	// SentEmpty has empty strings, and a download without files.
	SentEmpty = "e46d2b98-7a1c-4d5f-9b03-c1f8a7e06d52"
)

// The texts of the bodies of mails, without markup. Each occurs nowhere else, so that a
// test can search a state, a plan or a log for it.
const (
	BodySentFull     = "MARKER-BODY-SENT-FULL-4b7d"
	BodySentUnopened = "MARKER-BODY-SENT-UNOPENED-c93a"
	BodySentSparse   = "MARKER-BODY-SENT-SPARSE-18fe"
	// BodyMany is in the bodies of ManyInboxMails, before the mail's number.
	BodyMany = "MARKER-BODY-MANY-e652"
)

// The downloads of the sent mails of DefaultData.
const (
	DownloadSentFull     = "2b9c7e40-5f18-4a6d-b3c2-7d0e1f9a8456"
	DownloadSentUnopened = "83d5f1a9-c6e2-4704-9b8d-e4a27c5f1b30"
	DownloadSentSparse   = "f06a3c8e-1d97-4b52-8e4f-95b7d2c0a618"
	DownloadSentEmpty    = "47c1e8d2-a3b6-4f09-ad75-1c8e6f0b2d94"
)

// Mail is a sent mail as the API describes it. A nil pointer is null.
type Mail struct {
	ID             string
	Identifier     *string
	Subject        *string
	Body           *string
	Sender         *Sender
	Recipient      *Person
	RecipientEmail *string
	CreatedAt      string
	SentAt         string
	Status         *string
	// OpenedAt is empty while the mail is unopened.
	OpenedAt string
	Download *MailDownload

	// Extra and Omit work as in InboxMail.
	Extra map[string]json.RawMessage
	Omit  []string
}

func defaultMails() []Mail {
	sender := &Sender{Name: "Author Name", Email: "author@email.address"}
	return []Mail{
		{
			ID: SentFull, Identifier: new("3Np5"), Subject: new("Invoice for May"), Body: new("<p>" + BodySentFull + "</p>"),
			Sender: sender,
			Recipient: &Person{
				Name: "Recipient Name", Initials: "Recipient N.", Email: "recipient@email.address",
				PhotoURL: "https://photos.invalid/recipient.png", Timezone: "Europe/Vilnius",
			},
			RecipientEmail: new("recipient@email.address"),
			CreatedAt:      "2019-05-20 14:39:29", SentAt: "2019-05-20 14:39:31", Status: new("success"), OpenedAt: "2019-05-21 07:00:59",
			Download: &MailDownload{
				ID: DownloadSentFull, CreatedAt: "2019-05-20 14:39:30", FileIDs: []string{FileInvoice, FileLicence},
			},
		},
		{
			ID: SentUnopened, Identifier: new("4Qr8"), Subject: new("Raktas \u2013 rytoj"), Body: new("<p>" + BodySentUnopened + " &amp; iki</p>"),
			Sender:         sender,
			Recipient:      &Person{Name: "Rūta Žukė", Initials: "Rūta Ž.", Email: "ruta@email.address", Timezone: "UTC"},
			RecipientEmail: new("ruta@email.address"),
			CreatedAt:      "2019-05-08 16:21:47", SentAt: "2019-05-08 16:21:48", Status: new("success"),
			Download: &MailDownload{ID: DownloadSentUnopened, CreatedAt: "2019-05-08 16:21:47", FileIDs: []string{FileKey}},
		},
		{
			ID: SentBare, Omit: []string{"body"},
		},
		{
			ID: SentSparse, Body: new(BodySentSparse), Sender: &Sender{Email: "author@email.address"},
			Recipient: &Person{Email: "recipient@email.address"},
			Extra: map[string]json.RawMessage{
				"sender":    json.RawMessage(`{"email":"author@email.address"}`),
				"recipient": json.RawMessage(`{"email":"recipient@email.address"}`),
				"download":  json.RawMessage(`{"id":"` + DownloadSentSparse + `"}`),
			},
			Omit: []string{"identifier", "subject", "recipient_email", "created_at", "sent_at", "status", "opened_at"},
		},
		{
			ID: SentEmpty, Identifier: new(""), Subject: new(""), Body: new(""), Sender: &Sender{}, Recipient: &Person{},
			RecipientEmail: new(""), Status: new(""), Download: &MailDownload{ID: DownloadSentEmpty},
		},
	}
}
