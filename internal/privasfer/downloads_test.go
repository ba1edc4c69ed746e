package privasfer

import (
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"
)

// documentedFile is the example of the API's page.
const documentedFile = `{
	"id": "fad2027a-ac89-4ef4-baab-95b2fb316cf1",
	"filename": "invoice",
	"type": "application/pdf",
	"extension": "pdf",
	"full_filename": "invoice.pdf",
	"size": 43389,
	"formatted_size": "42.37 KB",
	"encrypted_size": 78508,
	"formatted_encrypted_size": "76.67 KB",
	"created_by": {
		"name": "Author Name",
		"initials": "Author N.",
		"email": "author@email.address",
		"photo_url": "",
		"timezone": "Europe/Vilnius"
	},
	"created_at": "2019-05-08 00:18:03",
	"disk": "local-spaces",
	"trashed": false
}`

func wantFile() File {
	return File{
		ID:                     "fad2027a-ac89-4ef4-baab-95b2fb316cf1",
		Filename:               new("invoice"),
		Type:                   new("application/pdf"),
		Extension:              new("pdf"),
		FullFilename:           new("invoice.pdf"),
		Size:                   new(int64(43389)),
		FormattedSize:          new("42.37 KB"),
		EncryptedSize:          new(int64(78508)),
		FormattedEncryptedSize: new("76.67 KB"),
		CreatedBy: &Person{
			Name:     new("Author Name"),
			Initials: new("Author N."),
			Email:    new("author@email.address"),
			PhotoURL: new(""),
			Timezone: new("Europe/Vilnius"),
		},
		CreatedAt: new("2019-05-08 00:18:03"),
		Disk:      new("local-spaces"),
		Trashed:   new(false),
	}
}

// The API's page does not say whether a creation is answered 200 or 201.
func TestCreateDownload(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusCreated} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.RequestURI != "/api/downloads" {
					t.Errorf("got %s %s, want POST /api/downloads", r.Method, r.RequestURI)
				}
				body, err := io.ReadAll(r.Body)
				if want := `{"files":["fad2027a","a \"quoted\" id"]}`; err != nil || string(body) != want {
					t.Errorf("the body is %s (%v), want %s", body, err, want)
				}
				answer(status, `{"data": {
					"id": "6d3bf21d-0e10-4484-af02-81e94ff9606b",
					"files": [`+documentedFile+`],
					"created_at": "2019-05-20 14:39:29"
				}}`)(w, r)
			})
			want := &Download{
				ID:        "6d3bf21d-0e10-4484-af02-81e94ff9606b",
				Files:     []File{wantFile()},
				CreatedAt: new("2019-05-20 14:39:29"),
			}
			got, _, err := client.CreateDownload(t.Context(), []string{"fad2027a", `a "quoted" id`})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// The caller has to know whether there may be a download now.
func TestCreateDownloadFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status       int
		body         string
		err          string
		unusable     bool
		mayHaveActed bool
	}{
		"refused": {
			status: http.StatusUnprocessableEntity,
			body:   `{"message":"The given data was invalid.","errors":{"files.1":["The selected files.1 is invalid."]}}`,
			err: "POST /api/downloads was answered 422 Unprocessable Entity: The given data was invalid." +
				" [files.1: The selected files.1 is invalid.]",
		},
		"failed midway": {
			status: http.StatusInternalServerError, body: `{"message":"Server Error"}`,
			err:          "POST /api/downloads was answered 500 Internal Server Error: Server Error",
			mayHaveActed: true,
		},
		"made, but which": {
			status: http.StatusCreated, body: `{"data":{}}`,
			err:      `POST /api/downloads was answered 201 Created: the answer has no "data.id"`,
			unusable: true, mayHaveActed: true,
		},
		"no content": {
			status:   http.StatusNoContent,
			err:      "POST /api/downloads was answered 204 No Content: the answer is empty",
			unusable: true, mayHaveActed: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, answer(test.status, test.body))
			download, sent, err := client.CreateDownload(t.Context(), []string{"a", "b"})
			if download != nil || !sent.IsZero() {
				t.Errorf("got %v, %s", download, sent)
			}
			checkError(t, err, test.err)
			apiError := asAPIError(t, err)
			if got := apiError.Unusable(); got != test.unusable {
				t.Errorf("Unusable is %t", got)
			}
			if got := apiError.MayHaveActed(); got != test.mayHaveActed {
				t.Errorf("MayHaveActed is %t", got)
			}
		})
	}
}

func TestDownloadLifetimeIsTheDocumentedMinute(t *testing.T) {
	t.Parallel()
	if DownloadLifetime != 60*time.Second {
		t.Errorf("it is %s", DownloadLifetime)
	}
}
