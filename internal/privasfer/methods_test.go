package privasfer

import (
	"io"
	"net/http"
	"reflect"
	"testing"
)

// The examples of the API documentation, with everything that can be included.
const (
	documentedFile = `{"id": "fad2027a-ac89-4ef4-baab-95b2fb316cf1", "filename": "invoice", "type": "application/pdf",
		"extension": "pdf", "full_filename": "invoice.pdf", "size": 43389, "formatted_size": "42.37 KB", "encrypted_size": 78508,
		"formatted_encrypted_size": "76.67 KB", "created_by": {"name": "Author Name", "initials": "Author N.",
		"email": "author@email.address", "photo_url": "", "timezone": "Europe/Vilnius"},
		"created_at": "2019-05-08 00:18:03", "disk": "local-spaces", "trashed": false}`

	documentedMailDownload = `{"id": "15c00595-6474-4ea9-aac2-bb3729d0aa79", "created_at": "2019-05-15 14:11:00",
		"files": [` + documentedFile + `]}`

	documentedInboxMail = `{"id": "2ef14b84-87d0-4abb-813f-2351a4251345", "identifier": "1Kh2", "subject": "Secure files",
		"body": "<p>Mail body</p>", "sender": {"name": "Sender Name", "email": "sender@email.address"},
		"download": ` + documentedMailDownload + `, "received_at": "2019-05-15 14:11:00", "opened": true}`

	documentedMail = `{"id": "0b5bd6cf-62a0-4f43-b5c0-bf5e4ea4d6a1", "identifier": "1Kh2", "subject": "Secure files",
		"body": "<p>Mail body</p>", "sender": {"name": "Sender Name", "email": "sender@email.address"},
		"recipient": {"name": "Recipient Name", "initials": "Recipient N.", "email": "recipient@email.address",
		"photo_url": "", "timezone": "Europe/Vilnius"}, "recipient_email": "other@email.address",
		"created_at": "2019-05-08 16:21:47", "sent_at": "2019-05-08 16:21:48", "status": "success", "opened_at": "",
		"download": ` + documentedMailDownload + `}`

	documentedDownload = `{"id": "6d3bf21d-0e10-4484-af02-81e94ff9606b", "files": [` + documentedFile + `],
		"created_at": "2019-05-20 14:39:29"}`
)

// TestMethods checks the request of each method and every field of its response. In a
// list, [] in place of an object does not affect other objects.
func TestMethods(t *testing.T) {
	t.Parallel()
	file := File{
		ID: "fad2027a-ac89-4ef4-baab-95b2fb316cf1", Filename: new("invoice"), Type: new("application/pdf"),
		Extension: new("pdf"), FullFilename: new("invoice.pdf"), Size: new(int64(43389)), FormattedSize: new("42.37 KB"),
		EncryptedSize: new(int64(78508)), FormattedEncryptedSize: new("76.67 KB"),
		CreatedBy: Nullable[Person]{&Person{
			Name: new("Author Name"), Initials: new("Author N."), Email: new("author@email.address"), PhotoURL: new(""),
			Timezone: new("Europe/Vilnius"),
		}},
		CreatedAt: new("2019-05-08 00:18:03"), Disk: new("local-spaces"), Trashed: new(false),
	}
	mailDownload := Nullable[MailDownload]{&MailDownload{
		ID: "15c00595-6474-4ea9-aac2-bb3729d0aa79", CreatedAt: new("2019-05-15 14:11:00"), Files: []File{file},
	}}
	sender := Nullable[Contact]{&Contact{Name: new("Sender Name"), Email: new("sender@email.address")}}
	inboxMail := InboxMail{
		ID: "2ef14b84-87d0-4abb-813f-2351a4251345", Identifier: new("1Kh2"), Subject: new("Secure files"),
		Body: new("<p>Mail body</p>"), Sender: sender, Download: mailDownload, ReceivedAt: new("2019-05-15 14:11:00"), Opened: new(true),
	}
	mail := Mail{
		ID: "0b5bd6cf-62a0-4f43-b5c0-bf5e4ea4d6a1", Identifier: new("1Kh2"), Subject: new("Secure files"),
		Body: new("<p>Mail body</p>"), Sender: sender,
		Recipient: Nullable[Person]{&Person{
			Name: new("Recipient Name"), Initials: new("Recipient N."), Email: new("recipient@email.address"), PhotoURL: new(""),
			Timezone: new("Europe/Vilnius"),
		}},
		RecipientEmail: new("other@email.address"), CreatedAt: new("2019-05-08 16:21:47"), SentAt: new("2019-05-08 16:21:48"),
		Status: new("success"), OpenedAt: new(""), Download: mailDownload,
	}
	download := Download{ID: "6d3bf21d-0e10-4484-af02-81e94ff9606b", Files: []File{file}, CreatedAt: new("2019-05-20 14:39:29")}
	options := ListOptions{Keyword: "a b", Sort: "-created_at"}

	tests := map[string]struct {
		call     func(*Client) (any, error)
		request  string
		response string
		want     any
	}{
		"InboxMail": {
			func(c *Client) (any, error) { return c.InboxMail(t.Context(), "a/b", false) },
			"GET /api/inbox/a%2Fb?include=download ", documentedInboxMail, &inboxMail,
		},
		"InboxMail with files": {
			func(c *Client) (any, error) { return c.InboxMail(t.Context(), "2ef14b84", true) },
			"GET /api/inbox/2ef14b84?include=download,download.files ", documentedInboxMail, &inboxMail,
		},
		"InboxMails": {
			func(c *Client) (any, error) {
				return c.InboxMails(t.Context(), ListOptions{Keyword: options.Keyword, Sort: options.Sort, IncludeFiles: true})
			},
			"GET /api/inbox?include=download,download.files&keyword=a+b&sort=-created_at ", `[` + documentedInboxMail + `,{"id":"b","download":[]}]`,
			&List[InboxMail]{Objects: []InboxMail{inboxMail, {ID: "b"}}},
		},
		"Mail": {
			func(c *Client) (any, error) { return c.Mail(t.Context(), "0b5bd6cf", true) },
			"GET /api/mails/0b5bd6cf?include=download,download.files ", documentedMail, &mail,
		},
		"Mails": {
			func(c *Client) (any, error) { return c.Mails(t.Context(), options) },
			"GET /api/mails?include=download&keyword=a+b&sort=-created_at ", `[` + documentedMail + `,{"id":"b","recipient":[]}]`,
			&List[Mail]{Objects: []Mail{mail, {ID: "b"}}},
		},
		"File": {
			func(c *Client) (any, error) { return c.File(t.Context(), "fad2027a") },
			"GET /api/files/fad2027a ", documentedFile, &file,
		},
		"Files": {
			func(c *Client) (any, error) { return c.Files(t.Context(), options) },
			"GET /api/files?keyword=a+b&sort=-created_at ", `[` + documentedFile + `,{"id":"b","created_by":[]}]`,
			&List[File]{Objects: []File{file, {ID: "b"}}},
		},
		"no Files": {
			func(c *Client) (any, error) { return c.Files(t.Context(), ListOptions{}) },
			"GET /api/files ", `[]`, &List[File]{Objects: []File{}},
		},
		"CreateDownload": {
			func(c *Client) (any, error) {
				download, _, err := c.CreateDownload(t.Context(), []string{"fad2027a", `a "quoted" id`})
				return download, err
			},
			`POST /api/downloads {"files":["fad2027a","a \"quoted\" id"]}`, documentedDownload, &download,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if got := r.Method + " " + r.RequestURI + " " + string(body); err != nil || got != test.request {
					t.Errorf("got %s, %v\nwant %s", got, err, test.request)
				}
				respond(http.StatusOK, `{"data":`+test.response+`}`)(w, r)
			})
			if got, err := test.call(client); err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

// An error about a file names the file. The token is masked, even if it was given as an
// id.
func TestCreateDownloadFields(t *testing.T) {
	t.Parallel()
	client := newClient(t, respond(http.StatusUnprocessableEntity, `{"message": "The given data was invalid.", "errors": {
		"0": ["a"], "files": ["b"], "files.0": ["c"], "files.1": ["d"], "files.2": ["e"], "files.-1": ["f"], "files.x": ["g"]
	}}`))
	download, sent, err := client.CreateDownload(t.Context(), []string{"fad2027a", testToken})
	if download != nil || !sent.IsZero() {
		t.Errorf("got %v, %s", download, sent)
	}
	want := []FieldError{
		{"0", "", "a"}, {"files", "", "b"}, {"files.-1", "", "f"}, {"files.0", "fad2027a", "c"}, {"files.1", "***", "d"},
		{"files.2", "", "e"}, {"files.x", "", "g"},
	}
	if got := asAPIError(t, err).Fields; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
