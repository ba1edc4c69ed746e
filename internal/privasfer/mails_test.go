package privasfer

import (
	"net/http"
	"reflect"
	"testing"
)

// documentedSentMail is the example of the API's page, with a download and its
// files as they are included.
const documentedSentMail = `{
	"id": "0b5bd6cf-62a0-4f43-b5c0-bf5e4ea4d6a1",
	"identifier": "1Kh2",
	"subject": "Secure files",
	"body": "<p>Mail body</p>",
	"sender": {"name": "Sender Name", "email": "sender@email.address"},
	"recipient": {
		"name": "Recipient Name",
		"initials": "Recipient N.",
		"email": "recipient@email.address",
		"photo_url": "",
		"timezone": "Europe/Vilnius"
	},
	"recipient_email": "other@email.address",
	"created_at": "2019-05-08 16:21:47",
	"sent_at": "2019-05-08 16:21:48",
	"status": "success",
	"opened_at": "",
	"download": {
		"id": "15c00595-6474-4ea9-aac2-bb3729d0aa79",
		"created_at": "2019-05-15 14:11:00",
		"files": [` + documentedFile + `]
	}
}`

func wantSentMail() Mail {
	return Mail{
		ID:         "0b5bd6cf-62a0-4f43-b5c0-bf5e4ea4d6a1",
		Identifier: new("1Kh2"),
		Subject:    new("Secure files"),
		Body:       new("<p>Mail body</p>"),
		Sender:     &Contact{Name: new("Sender Name"), Email: new("sender@email.address")},
		Recipient: &Person{
			Name:     new("Recipient Name"),
			Initials: new("Recipient N."),
			Email:    new("recipient@email.address"),
			PhotoURL: new(""),
			Timezone: new("Europe/Vilnius"),
		},
		RecipientEmail: new("other@email.address"),
		CreatedAt:      new("2019-05-08 16:21:47"),
		SentAt:         new("2019-05-08 16:21:48"),
		Status:         new("success"),
		OpenedAt:       new(""),
		Download: &MailDownload{
			ID:        "15c00595-6474-4ea9-aac2-bb3729d0aa79",
			CreatedAt: new("2019-05-15 14:11:00"),
			Files:     []File{wantFile()},
		},
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	want := wantSentMail()
	tests := map[string]struct {
		includeFiles bool
		uri          string
	}{
		"with its download":               {false, "/api/mails/" + want.ID + "?include=download"},
		"with the files of this download": {true, "/api/mails/" + want.ID + "?include=download,download.files"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, api := newPaged(t, map[string]string{test.uri: `{"data": ` + documentedSentMail + `}`})
			got, err := client.Mail(t.Context(), want.ID, test.includeFiles)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got %+v, want %+v", *got, want)
			}
			api.check(t, test.uri)
		})
	}
}

// Null and a missing key are nil; "" is a value, of an unopened mail's
// opened_at too.
func TestMailTellsNullFromEmpty(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data string
		want Mail
	}{
		"missing": {`{"id":"m"}`, Mail{ID: "m"}},
		"null": {
			`{"id":"m","identifier":null,"subject":null,"body":null,"sender":null,"recipient":null,"recipient_email":null,` +
				`"created_at":null,"sent_at":null,"status":null,"opened_at":null,"download":null}`,
			Mail{ID: "m"},
		},
		"empty": {
			`{"id":"m","identifier":"","subject":"","body":"","sender":{},"recipient":{},"recipient_email":"",` +
				`"created_at":"","sent_at":"","status":"","opened_at":"","download":{"id":"d","files":[]}}`,
			Mail{
				ID: "m", Identifier: new(""), Subject: new(""), Body: new(""), Sender: &Contact{}, Recipient: &Person{},
				RecipientEmail: new(""), CreatedAt: new(""), SentAt: new(""), Status: new(""), OpenedAt: new(""),
				Download: &MailDownload{ID: "d", Files: []File{}},
			},
		},
		"unopened":           {`{"id":"m","opened_at":""}`, Mail{ID: "m", OpenedAt: new("")}},
		"opened":             {`{"id":"m","opened_at":"2019-05-09 08:00:00"}`, Mail{ID: "m", OpenedAt: new("2019-05-09 08:00:00")}},
		"files not included": {`{"id":"m","download":{"id":"d"}}`, Mail{ID: "m", Download: &MailDownload{ID: "d"}}},
		"more than is documented": {
			`{"id":"m","received_at":"x","opened":true,"author":{},"recipient":{"id":1,"email":"e"}}`,
			Mail{ID: "m", Recipient: &Person{Email: new("e")}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Alone and in a list a mail is the same.
			client, _ := newPaged(t, map[string]string{
				"/api/mails/m?include=download": `{"data":` + test.data + `}`,
				"/api/mails?include=download":   `{"data":[` + test.data + `]}`,
			})
			mail, err := client.Mail(t.Context(), "m", false)
			if err != nil || !reflect.DeepEqual(*mail, test.want) {
				t.Errorf("got %+v, %v, want %+v", mail, err, test.want)
			}
			mails, err := client.Mails(t.Context(), ListOptions{}, false)
			if err != nil || !reflect.DeepEqual(mails, []Mail{test.want}) {
				t.Errorf("got %+v, %v, want %+v", mails, err, test.want)
			}
		})
	}
}

func TestMailRefuses(t *testing.T) {
	t.Parallel()
	const prefix = "GET /api/mails/m was answered 200 OK: "
	tests := map[string]struct{ data, err string }{
		"no id":                   {`{"subject":"x"}`, `the answer has no "data.id"`},
		"no id of the download":   {`{"id":"m","download":{}}`, `the answer has no "data.download.id"`},
		"no id of a file":         {`{"id":"m","download":{"id":"d","files":[null]}}`, `the answer has no "data.download.files.0.id"`},
		"a list":                  {`[{"id":"m"}]`, `"data" is of type array where object was expected`},
		"a time that is a number": {`{"id":"m","opened_at":0}`, `"data.opened_at" is of type number where string was expected`},
		"a recipient's address":   {`{"id":"m","recipient":"e"}`, `"data.recipient" is of type string where object was expected`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mail, err := newClient(t, answer(http.StatusOK, `{"data":`+test.data+`}`)).Mail(t.Context(), "m", false)
			if mail != nil {
				t.Errorf("got %v", mail)
			}
			checkError(t, err, prefix+test.err)
		})
	}
}

func TestMailNotFound(t *testing.T) {
	t.Parallel()
	client := newClient(t, answer(http.StatusNotFound, `{"message":"No query results for model."}`))
	mail, err := client.Mail(t.Context(), "2ef14b84", true)
	if mail != nil {
		t.Errorf("got %v", mail)
	}
	checkError(t, err, "GET /api/mails/2ef14b84 was answered 404 Not Found: No query results for model.")
	if status := asAPIError(t, err).Status; status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}

func TestMails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options      ListOptions
		includeFiles bool
		uri          string
	}{
		"all":         {ListOptions{}, false, "/api/mails?include=download"},
		"with files":  {ListOptions{}, true, "/api/mails?include=download,download.files"},
		"by keyword":  {ListOptions{Keyword: "a b"}, false, "/api/mails?include=download&keyword=a+b"},
		"sorted down": {ListOptions{Sort: "-sent_at"}, false, "/api/mails?include=download&sort=-sent_at"},
		"everything": {ListOptions{Keyword: "a", Sort: "recipient_email"}, true,
			"/api/mails?include=download,download.files&keyword=a&sort=recipient_email"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, api := newPaged(t, map[string]string{test.uri: `{"data": [{"id": "a"}, ` + documentedSentMail + `]}`})
			got, err := client.Mails(t.Context(), test.options, test.includeFiles)
			if err != nil {
				t.Fatal(err)
			}
			if want := []Mail{{ID: "a"}, wantSentMail()}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			api.check(t, test.uri)
		})
	}
}

// The inbox is listed in the same way.
func TestInboxMails(t *testing.T) {
	t.Parallel()
	const uri = "/api/inbox?include=download,download.files&keyword=Sender&sort=-received_at"
	client, api := newPaged(t, map[string]string{uri: `{"data":[
		{"id":"a","opened":false,"received_at":"","download":{"id":"d","files":[` + documentedFile + `]}},
		{"id":"b","body":"<p>x</p>","sender":{"email":"e"}}
	]}`})
	got, err := client.InboxMails(t.Context(), ListOptions{Keyword: "Sender", Sort: "-received_at"}, true)
	if err != nil {
		t.Fatal(err)
	}
	want := []InboxMail{
		{ID: "a", Opened: new(false), ReceivedAt: new(""), Download: &MailDownload{ID: "d", Files: []File{wantFile()}}},
		{ID: "b", Body: new("<p>x</p>"), Sender: &Contact{Email: new("e")}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	api.check(t, uri)
}
