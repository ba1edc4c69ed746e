package privasfer

import (
	"net/http"
	"reflect"
	"slices"
	"testing"
)

func TestFile(t *testing.T) {
	t.Parallel()
	client, api := newPaged(t, map[string]string{
		"/api/files/fad2027a-ac89-4ef4-baab-95b2fb316cf1": `{"data": ` + documentedFile + `}`,
	})
	want := wantFile()
	got, err := client.File(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	api.check(t, "/api/files/"+want.ID)
}

// Null and a missing key are nil; "", 0 and false are values.
func TestFileTellsNullFromEmpty(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data string
		want File
	}{
		"missing": {`{"id":"f"}`, File{ID: "f"}},
		"null": {
			`{"id":"f","filename":null,"type":null,"extension":null,"full_filename":null,"size":null,"formatted_size":null,` +
				`"encrypted_size":null,"formatted_encrypted_size":null,"created_by":null,"created_at":null,"disk":null,"trashed":null}`,
			File{ID: "f"},
		},
		"empty": {
			`{"id":"f","filename":"","type":"","extension":"","full_filename":"","size":0,"formatted_size":"",` +
				`"encrypted_size":0,"formatted_encrypted_size":"","created_by":{},"created_at":"","disk":"","trashed":false}`,
			File{
				ID: "f", Filename: new(""), Type: new(""), Extension: new(""), FullFilename: new(""), Size: new(int64(0)),
				FormattedSize: new(""), EncryptedSize: new(int64(0)), FormattedEncryptedSize: new(""), CreatedBy: &Person{},
				CreatedAt: new(""), Disk: new(""), Trashed: new(false),
			},
		},
		"huge": {
			`{"id":"f","size":4294967296,"encrypted_size":9223372036854775807}`,
			File{ID: "f", Size: new(int64(1 << 32)), EncryptedSize: new(int64(1<<63 - 1))},
		},
		"more than is documented": {
			`{"id":"f","category":{"id":1},"url":"x","created_by":{"id":7,"name":"N"}}`,
			File{ID: "f", CreatedBy: &Person{Name: new("N")}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Alone and in a list a file is the same.
			client, _ := newPaged(t, map[string]string{
				"/api/files/f": `{"data":` + test.data + `}`,
				"/api/files":   `{"data":[` + test.data + `]}`,
			})
			file, err := client.File(t.Context(), "f")
			if err != nil || !reflect.DeepEqual(*file, test.want) {
				t.Errorf("got %+v, %v, want %+v", file, err, test.want)
			}
			files, err := client.Files(t.Context(), ListOptions{})
			if err != nil || !reflect.DeepEqual(files, []File{test.want}) {
				t.Errorf("got %+v, %v, want %+v", files, err, test.want)
			}
		})
	}
}

func TestFileNotFound(t *testing.T) {
	t.Parallel()
	client := newClient(t, answer(http.StatusNotFound, `{"message":"No query results for model."}`))
	file, err := client.File(t.Context(), "fad2027a")
	if file != nil {
		t.Errorf("got %v", file)
	}
	checkError(t, err, "GET /api/files/fad2027a was answered 404 Not Found: No query results for model.")
	if status := asAPIError(t, err).Status; status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}

// An empty id would list all files.
func TestFileWithoutAnID(t *testing.T) {
	t.Parallel()
	client, api := newPaged(t, nil)
	_, err := client.File(t.Context(), "")
	checkText(t, err, `"" cannot be part of a path of the API`)
	api.check(t)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options ListOptions
		uri     string
	}{
		"all":            {ListOptions{}, "/api/files"},
		"by keyword":     {ListOptions{Keyword: "invoice"}, "/api/files?keyword=invoice"},
		"sorted":         {ListOptions{Sort: "size"}, "/api/files?sort=size"},
		"sorted down":    {ListOptions{Sort: "-encrypted_size"}, "/api/files?sort=-encrypted_size"},
		"all the two of": {ListOptions{Keyword: "a", Sort: "-created_at"}, "/api/files?keyword=a&sort=-created_at"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, api := newPaged(t, map[string]string{test.uri: `{"data": [` + documentedFile + `, {"id": "b"}]}`})
			got, err := client.Files(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if want := []File{wantFile(), {ID: "b"}}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			api.check(t, test.uri)
		})
	}
}

func TestNoFiles(t *testing.T) {
	t.Parallel()
	client, api := newPaged(t, map[string]string{"/api/files?keyword=none": `{"data":[]}`})
	files, err := client.Files(t.Context(), ListOptions{Keyword: "none"})
	if err != nil || files == nil || len(files) != 0 {
		t.Errorf("got %v, %v", files, err)
	}
	api.check(t, "/api/files?keyword=none")
}

// A list that is not there means a wrong base URL, not an empty list.
func TestFilesNotFound(t *testing.T) {
	t.Parallel()
	files, err := newClient(t, answer(http.StatusNotFound, `{"message":"Not Found"}`)).Files(t.Context(), ListOptions{Keyword: "x"})
	if files != nil {
		t.Errorf("got %v", files)
	}
	checkError(t, err, "GET /api/files was answered 404 Not Found: Not Found")
}

// The keys that the API's pages name, in their order.
func TestSortKeys(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want []string }{
		{FileSortKeys, []string{"filename_original", "size", "encrypted_size", "created_at"}},
		{MailSortKeys, []string{"subject", "recipient_email", "created_at", "sent_at"}},
		{InboxMailSortKeys, []string{"subject", "created_by_email", "received_at"}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
