package privasfer

import (
	"net/http"
	"reflect"
	"testing"
)

// documentedMail is the example of the API's page, with the files that it
// adds where they are included.
const documentedMail = `{"data": {
	"id": "2ef14b84-87d0-4abb-813f-2351a4251345",
	"identifier": "1Kh2",
	"subject": "Secure files",
	"body": "<p>Mail body</p>",
	"sender": {"name": "Sender Name", "email": "sender@email.address"},
	"download": {
		"id": "15c00595-6474-4ea9-aac2-bb3729d0aa79",
		"created_at": "2019-05-15 14:11:00",
		"files": [` + documentedFile + `]
	},
	"received_at": "2019-05-15 14:11:00",
	"opened": true
}}`

func TestInboxMail(t *testing.T) {
	t.Parallel()
	want := &InboxMail{
		ID:         "2ef14b84-87d0-4abb-813f-2351a4251345",
		Identifier: new("1Kh2"),
		Subject:    new("Secure files"),
		Body:       new("<p>Mail body</p>"),
		Sender:     &Contact{Name: new("Sender Name"), Email: new("sender@email.address")},
		Download: &MailDownload{
			ID:        "15c00595-6474-4ea9-aac2-bb3729d0aa79",
			CreatedAt: new("2019-05-15 14:11:00"),
			Files:     []File{wantFile()},
		},
		ReceivedAt: new("2019-05-15 14:11:00"),
		Opened:     new(true),
	}
	got, err := newClient(t, answer(http.StatusOK, documentedMail)).InboxMail(t.Context(), want.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The query is what the API's pages show, with a comma that is not escaped.
func TestInboxMailRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		includeFiles bool
		uri          string
	}{
		"with its download":               {false, "/api/inbox/2ef14b84?include=download"},
		"with the files of this download": {true, "/api/inbox/2ef14b84?include=download,download.files"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.RequestURI != test.uri {
					t.Errorf("got %s %s, want GET %s", r.Method, r.RequestURI, test.uri)
				}
				if r.ContentLength != 0 {
					t.Errorf("the request has a body of %d bytes", r.ContentLength)
				}
				answer(http.StatusOK, emptyMail)(w, r)
			})
			if _, err := client.InboxMail(t.Context(), "2ef14b84", test.includeFiles); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestInboxMailNotFound(t *testing.T) {
	t.Parallel()
	client := newClient(t, answer(http.StatusNotFound, `{"message":"No query results for model."}`))
	mail, err := client.InboxMail(t.Context(), "2ef14b84", false)
	if mail != nil {
		t.Errorf("got %v", mail)
	}
	checkError(t, err, "GET /api/inbox/2ef14b84 was answered 404 Not Found: No query results for model.")
	if status := asAPIError(t, err).Status; status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}
