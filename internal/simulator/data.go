package simulator

import (
	"bytes"
	"encoding/json"
)

// The files of DefaultData.
const (
	// FileInvoice is invoice.pdf, with all the values of the file in the API
	// documentation. Its content is not UTF-8.
	FileInvoice = "fad2027a-ac89-4ef4-baab-95b2fb316cf1"
	// FileLicence is licence.txt, plain text with letters beyond ASCII.
	FileLicence = "811f216d-eb8f-46fc-a263-08387c70a4a4"
	// FileKey is server-key.pem, the kind of file that must be kept out of a state. Its
	// content is not a real key.
	FileKey = "3f0c6f4e-7d0b-4b51-9c57-0d6a2f1f8e21"
	// FileBackup is backup.tar.gz, whose sizes do not fit into 32 bits. Its content is
	// only a stand-in for the 5 GiB that it claims.
	FileBackup = "c2a4e6d8-1b3f-4a5c-8d7e-9f0a1b2c3d4e"
	// FileBare has nulls, empty strings and missing keys where possible.
	FileBare = "90d5a1b7-52c8-4e0f-a6b3-7c1d2e3f4a5b"
	// FileNFD is names.txt, text with decomposed letters (NFD). Terraform composes the
	// letters of strings, so only exact bytes show whether it is intact.
	FileNFD = "a75f29c3-8e14-4d06-b9f2-5c3e7a10d864"
)

// The received files of DefaultData, which belong to the inbox mails.
const (
	// ReceivedLicence is FileLicence with another id.
	ReceivedLicence = "5e0d9b7a-3c18-4f62-8a94-b17c6d2e0f53"
	// ReceivedKey is FileKey with another id.
	ReceivedKey = "d4b8f1c0-96e2-4a37-bd05-2f7a8c3e6149"
)

// The inbox mails of DefaultData.
const (
	// MailFull is the mail in the API documentation, with all its values. Its download
	// holds ReceivedLicence.
	MailFull = "2ef14b84-87d0-4abb-813f-2351a4251345"
	// MailUnopened has not been opened. Its download holds ReceivedKey.
	MailUnopened = "cfd4d439-8cc6-4e6d-a78a-72528c21cdcd"
	// MailBare has null, an empty time or no key where possible, and no download.
	MailBare = "7b9e1c52-6a0d-4f38-b1e4-58c2d7f0a963"
	// MailSparse has only its id, a sender without a name, and the id of its download.
	MailSparse = "e81d3f06-94b7-4c2a-8f5d-20a6b9c4e7d1"
	// MailEmpty has empty strings, and a download without files.
	MailEmpty = "0a4c8e6f-d2b1-4937-9e85-b6f3c1a7d502"
)

// The downloads of the mails of DefaultData. Server.Downloads does not include them,
// only those created with POST /downloads.
const (
	DownloadFull     = "15c00595-6474-4ea9-aac2-bb3729d0aa79"
	DownloadUnopened = "48f7a2c6-0e9d-4b13-a5c8-d1e6f2b7903a"
	DownloadSparse   = "b35d8e17-2c4f-4a60-97b1-6e0f9a8d7c42"
	DownloadEmpty    = "6c1f0b94-a8e3-4d75-8b2e-f37d5c9a1e08"
)

// Data holds the objects of an account.
type Data struct {
	// Files are the files that the user has uploaded.
	Files []File
	// ReceivedFiles are the files of the mails in the inbox. Only the downloads of these
	// mails show and hold them, because the API documentation describes no other access.
	ReceivedFiles []File
	InboxMails    []InboxMail
	Mails         []Mail
}

// File is a file as the API describes it. A nil pointer is null.
type File struct {
	ID                     string
	Filename               string
	Type                   *string
	Extension              string
	FullFilename           string
	Size                   int64
	FormattedSize          string
	EncryptedSize          int64
	FormattedEncryptedSize string
	CreatedBy              *Person
	CreatedAt              string
	Disk                   string
	Trashed                bool

	// Content is the body of the response that performs a download of the file.
	Content []byte

	// Extra sets keys to any JSON, and Omit then removes keys. They express what the
	// fields above cannot, such as a wrong type or a missing key. They change only the
	// response: lists sort and search the fields above.
	Extra map[string]json.RawMessage
	Omit  []string
}

// Person is the creator of a file or the recipient of a mail.
type Person struct {
	Name, Initials, Email, PhotoURL, Timezone string
}

// InboxMail is a mail in the inbox as the API describes it. A nil pointer is
// null.
type InboxMail struct {
	ID         string
	Identifier *string
	Subject    *string
	Body       *string
	Sender     *Sender
	Download   *MailDownload
	ReceivedAt string
	Opened     bool

	// Extra and Omit work as in File. Neither can show a download that the request did
	// not include.
	Extra map[string]json.RawMessage
	Omit  []string
}

// Sender is the sender of a mail.
type Sender struct {
	Name, Email string
}

func (s *Sender) name() *string {
	if s == nil {
		return nil
	}
	return &s.Name
}

func (s *Sender) email() *string {
	if s == nil {
		return nil
	}
	return &s.Email
}

// MailDownload is the download of a mail.
type MailDownload struct {
	ID        string
	CreatedAt string
	FileIDs   []string
}

// DefaultData returns a new copy of the data to which the constants of this package
// refer. Every call returns the same values.
func DefaultData() *Data {
	received := defaultFiles()[1:3]
	received[0].ID, received[1].ID = ReceivedLicence, ReceivedKey
	return &Data{Files: defaultFiles(), ReceivedFiles: received, InboxMails: defaultInboxMails(), Mails: defaultMails()}
}

func defaultFiles() []File {
	author := &Person{
		Name:     "Author Name",
		Initials: "Author N.",
		Email:    "author@email.address",
		Timezone: "Europe/Vilnius",
	}
	return []File{
		{
			ID: FileInvoice, Filename: "invoice", Type: new("application/pdf"), Extension: "pdf", FullFilename: "invoice.pdf",
			Size: 43389, FormattedSize: "42.37 KB", EncryptedSize: 78508, FormattedEncryptedSize: "76.67 KB",
			CreatedBy: author, CreatedAt: "2019-05-08 00:18:03", Disk: "local-spaces",
			Content: invoiceContent(43389),
		},
		{
			ID: FileLicence, Filename: "licence", Type: new("text/plain"), Extension: "txt", FullFilename: "licence.txt",
			Size: 77, FormattedSize: "77 B", EncryptedSize: 124, FormattedEncryptedSize: "124 B",
			CreatedBy: author, CreatedAt: "2019-05-09 09:30:00", Disk: "local-spaces",
			Content: []byte(licenceContent),
		},
		{
			ID: FileKey, Filename: "server-key", Type: new("application/x-pem-file"), Extension: "pem", FullFilename: "server-key.pem",
			Size: 111, FormattedSize: "111 B", EncryptedSize: 160, FormattedEncryptedSize: "160 B",
			CreatedBy: author, CreatedAt: "2019-05-10 17:05:59", Disk: "local-spaces",
			Content: []byte(keyContent),
		},
		{
			ID: FileBackup, Filename: "backup.tar", Type: new("application/gzip"), Extension: "gz", FullFilename: "backup.tar.gz",
			Size: 5368709120, FormattedSize: "5.00 GB", EncryptedSize: 7158278861, FormattedEncryptedSize: "6.67 GB",
			CreatedBy: author, CreatedAt: "2019-05-11 23:59:59", Disk: "local-spaces", Trashed: true,
			Content: []byte("\x1f\x8bstand-in"),
		},
		{
			ID: FileBare, Filename: "README", FullFilename: "README", Content: []byte{},
			Extra: map[string]json.RawMessage{
				"encrypted_size":           json.RawMessage("null"),
				"formatted_encrypted_size": json.RawMessage("null"),
			},
			Omit: []string{"disk", "trashed"},
		},
		{
			ID: FileNFD, Filename: "names", Type: new("text/plain"), Extension: "txt", FullFilename: "names.txt",
			Size: 50, FormattedSize: "50 B", EncryptedSize: 96, FormattedEncryptedSize: "96 B",
			CreatedBy: author, CreatedAt: "2019-05-12 12:00:00", Disk: "local-spaces",
			Content: []byte(nfdContent),
		},
	}
}

func defaultInboxMails() []InboxMail {
	return []InboxMail{
		{
			ID: MailFull, Identifier: new("1Kh2"), Subject: new("Secure files"), Body: new("<p>Mail body</p>"),
			Sender: &Sender{Name: "Sender Name", Email: "sender@email.address"},
			Download: &MailDownload{
				ID: DownloadFull, CreatedAt: "2019-05-15 14:11:00", FileIDs: []string{ReceivedLicence},
			},
			ReceivedAt: "2019-05-15 14:11:00", Opened: true,
		},
		{
			ID: MailUnopened, Identifier: new("2Lm7"), Subject: new("Raktas \u2013 šiandien"), Body: new("<p>Ačiū &amp; iki</p>"),
			Sender:     &Sender{Name: "Rūta Žukė", Email: "ruta@email.address"},
			Download:   &MailDownload{ID: DownloadUnopened, CreatedAt: "2019-05-16 08:00:01", FileIDs: []string{ReceivedKey}},
			ReceivedAt: "2019-05-16 08:00:00",
		},
		{
			ID: MailBare, Omit: []string{"body"},
		},
		{
			ID: MailSparse, Sender: &Sender{Email: "sender@email.address"}, Download: &MailDownload{ID: DownloadSparse},
			Extra: map[string]json.RawMessage{
				"sender":   json.RawMessage(`{"email":"sender@email.address"}`),
				"download": json.RawMessage(`{"id":"` + DownloadSparse + `"}`),
			},
			Omit: []string{"identifier", "subject", "body", "received_at", "opened"},
		},
		{
			ID: MailEmpty, Identifier: new(""), Subject: new(""), Body: new(""), Sender: &Sender{},
			Download: &MailDownload{ID: DownloadEmpty}, Opened: true,
		},
	}
}

const licenceContent = "Licence\n\nYou may read this file – and so may čia, 日本, naïve readers.\n"

// nfdContent ends with the angstrom sign, which composition replaces with a letter.
const nfdContent = "Re\u0301ne\u0301e\nZ\u030cuke\u0307\nBjo\u0308rn\n\u1112\u1161\u11ab\u1100\u1173\u11af\n\u212b\n"

const keyContent = `-----BEGIN PRIVATE KEY-----
dGhpcyBpcyBub3QgYSBrZXksIG9ubHkgdGhlIHNoYXBlIG9mIG9uZQ==
-----END PRIVATE KEY-----
`

// invoiceContent returns content of the documented size with the first and last lines of
// a PDF file. As in real PDF files, the second line is not UTF-8.
func invoiceContent(size int) []byte {
	head, line, tail := []byte("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []byte("% simulated invoice\n"), []byte("%%EOF\n")
	content := bytes.Repeat(line, size/len(line)+1)
	copy(content, head)
	content = content[:size]
	copy(content[size-len(tail):], tail)
	return content
}
