package privasfer

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const (
		empty     = "the answer is empty"
		html      = "the answer is a page of HTML, not JSON"
		notUTF8   = "the answer is not valid UTF-8"
		noData    = `the answer has no "data"`
		noID      = `the answer has no "data.id"`
		badSyntax = "the answer is not valid JSON: it errs or breaks off at byte %d of %d"
		wrongType = "%q is of type %s where %s was expected"
	)
	deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)

	tests := map[string]struct{ body, err string }{
		"empty":                  {"", empty},
		"white space":            {" \r\n\t", empty},
		"HTML":                   {"<!DOCTYPE html><title>Log in</title>", html},
		"HTML after a line":      {"\n<html>", html},
		"text":                   {"Forbidden", fmt.Sprintf(badSyntax, 1, 9)},
		"a byte order mark":      {"\ufeff" + emptyMail, fmt.Sprintf(badSyntax, 1, 22)},
		"cut short":              {`{"data":{"id":"m","subject":"Sec`, fmt.Sprintf(badSyntax, 32, 32)},
		"cut before the end":     {`{"data":{"id":"m"}`, fmt.Sprintf(badSyntax, 18, 18)},
		"garbage after it":       {emptyMail + "x", fmt.Sprintf(badSyntax, 20, 20)},
		"a second answer":        {emptyMail + emptyMail, fmt.Sprintf(badSyntax, 20, 38)},
		"invalid UTF-8":          {"{\"data\":{\"id\":\"m\",\"subject\":\"\xff\"}}", notUTF8},
		"invalid UTF-8 anywhere": {"{\"data\":{\"id\":\"m\"},\"x\":\"\xc3\x28\"}", notUTF8},
		"too many levels":        {`{"data":{"id":"m","x":` + deep + `}}`, fmt.Sprintf(badSyntax, 10_021, 20_026)},
		"nothing but levels":     {strings.Repeat("[", 1_000_000), fmt.Sprintf(badSyntax, 10_001, 1_000_000)},

		"an empty object":    {`{}`, noData},
		"null":               {`null`, noData},
		"data: null":         {`{"data":null}`, noData},
		"an error after all": {`{"message":"Server Error"}`, noData},
		"data: {}":           {`{"data":{}}`, noID},
		"no id":              {`{"data":{"subject":"x"}}`, noID},
		"id: null":           {`{"data":{"id":null}}`, noID},
		"an empty id":        {`{"data":{"id":""}}`, noID},

		"no id of the download":    {`{"data":{"id":"m","download":{}}}`, `the answer has no "data.download.id"`},
		"no id of the second file": {`{"data":{"id":"m","download":{"id":"d","files":[{"id":"f"},{"filename":"x"}]}}}`, `the answer has no "data.download.files.1.id"`},
		"null for a file":          {`{"data":{"id":"m","download":{"id":"d","files":[null]}}}`, `the answer has no "data.download.files.0.id"`},

		"a list":         {`[]`, fmt.Sprintf(wrongType, "the answer", "array", "object")},
		"a list of data": {`{"data":[]}`, fmt.Sprintf(wrongType, "data", "array", "object")},
		"a string":       {`"m"`, fmt.Sprintf(wrongType, "the answer", "string", "object")},
		"data: string":   {`{"data":"m"}`, fmt.Sprintf(wrongType, "data", "string", "object")},
		"data: true":     {`{"data":true}`, fmt.Sprintf(wrongType, "data", "bool", "object")},
		"data: number":   {`{"data":1.5}`, fmt.Sprintf(wrongType, "data", "number", "object")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mail, err := decode[InboxMail]([]byte(test.body))
			if mail != nil {
				t.Errorf("got %+v", mail)
			}
			checkText(t, err, test.err)
		})
	}
}

// Each field of each type with a value of a wrong type. Lists are named
// without the place in them.
func TestDecodeRefusesWrongTypes(t *testing.T) {
	t.Parallel()
	const whole = "a whole number of at most 64 bits"
	tests := []struct{ field, value, found, expected string }{
		{"id", `1`, "number", "string"},
		{"identifier", `1.5`, "number", "string"},
		{"subject", `true`, "bool", "string"},
		{"body", `["x"]`, "array", "string"},
		{"sender", `"x"`, "string", "object"},
		{"sender.name", `{}`, "object", "string"},
		{"sender.email", `1`, "number", "string"},
		{"download", `[]`, "array", "object"},
		{"download.id", `{}`, "object", "string"},
		{"download.created_at", `1557929460`, "number", "string"},
		{"download.files", `{"0":{"id":"f"}}`, "object", "array"},
		{"received_at", `1557929460`, "number", "string"},
		{"opened", `"true"`, "string", "bool"},
		{"opened", `1`, "number", "bool"},

		{"download.files.id", `1`, "number", "string"},
		{"download.files.filename", `[]`, "array", "string"},
		{"download.files.type", `1`, "number", "string"},
		{"download.files.extension", `false`, "bool", "string"},
		{"download.files.full_filename", `{}`, "object", "string"},
		{"download.files.size", `"43389"`, "string", whole},
		{"download.files.size", `1.5`, "number", whole},
		{"download.files.size", `1e3`, "number", whole},
		{"download.files.size", `9223372036854775808`, "number", whole},
		{"download.files.size", `1` + strings.Repeat("0", 400), "number", whole},
		{"download.files.formatted_size", `42.37`, "number", "string"},
		{"download.files.encrypted_size", `{}`, "object", whole},
		{"download.files.encrypted_size", `true`, "bool", whole},
		{"download.files.formatted_encrypted_size", `76.67`, "number", "string"},
		{"download.files.created_by", `"Author Name"`, "string", "object"},
		{"download.files.created_by.name", `1`, "number", "string"},
		{"download.files.created_by.initials", `1`, "number", "string"},
		{"download.files.created_by.email", `1`, "number", "string"},
		{"download.files.created_by.photo_url", `false`, "bool", "string"},
		{"download.files.created_by.timezone", `2`, "number", "string"},
		{"download.files.created_at", `{}`, "object", "string"},
		{"download.files.disk", `[]`, "array", "string"},
		{"download.files.trashed", `"no"`, "string", "bool"},
		{"download.files.trashed", `0`, "number", "bool"},
	}
	for _, test := range tests {
		t.Run(test.field+" "+test.value[:min(len(test.value), 20)], func(t *testing.T) {
			t.Parallel()
			_, err := decode[InboxMail]([]byte(mailWith(test.field, test.value)))
			checkText(t, err, fmt.Sprintf("%q is of type %s where %s was expected", "data."+test.field, test.found, test.expected))
		})
	}
}

// mailWith is an answer with one value in it, at a path such as
// "download.files.size".
func mailWith(field, value string) string {
	elements := strings.Split("data."+field, ".")
	for i := len(elements) - 1; i >= 0; i-- {
		// An id does not hide the one that the test is about: it comes first.
		value = fmt.Sprintf(`{"id":"x",%q:%s}`, elements[i], value)
		if i > 0 && elements[i-1] == "files" {
			value = "[" + value + "]"
		}
	}
	return value
}

// Null and a missing key are nil; "" and false are values.
func TestDecodeTellsNullFromEmpty(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data string
		want InboxMail
	}{
		"missing": {`{"id":"m"}`, InboxMail{ID: "m"}},
		"null": {
			`{"id":"m","identifier":null,"subject":null,"body":null,"sender":null,"download":null,"received_at":null,"opened":null}`,
			InboxMail{ID: "m"},
		},
		"empty": {
			`{"id":"m","identifier":"","subject":"","body":"","sender":{},"download":{"id":"d","files":[]},"received_at":"","opened":false}`,
			InboxMail{
				ID: "m", Identifier: new(""), Subject: new(""), Body: new(""), Sender: &Contact{},
				Download: &MailDownload{ID: "d", Files: []File{}}, ReceivedAt: new(""), Opened: new(false),
			},
		},
		"files not included": {
			`{"id":"m","download":{"id":"d"}}`, InboxMail{ID: "m", Download: &MailDownload{ID: "d"}},
		},
		"files: null": {
			`{"id":"m","download":{"id":"d","files":null}}`, InboxMail{ID: "m", Download: &MailDownload{ID: "d"}},
		},
		"a file of nulls": {
			`{"id":"m","download":{"id":"d","files":[{"id":"f","size":null,"created_by":null,"trashed":null}]}}`,
			InboxMail{ID: "m", Download: &MailDownload{ID: "d", Files: []File{{ID: "f"}}}},
		},
		"a file of zeros": {
			`{"id":"m","download":{"id":"d","files":[{"id":"f","size":0,"created_by":{},"trashed":false}]}}`,
			InboxMail{ID: "m", Download: &MailDownload{ID: "d", Files: []File{
				{ID: "f", Size: new(int64(0)), CreatedBy: &Person{}, Trashed: new(false)},
			}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode[InboxMail]([]byte(`{"data":` + test.data + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v, want %+v", *got, test.want)
			}
		})
	}
}

func TestDecodeTakes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want Download
	}{
		"white space around": {" \r\n{\"data\":{\"id\":\"d\"}}\n", Download{ID: "d"}},
		"keys that it does not know": {
			`{"links":{},"data":{"url":["x"],"id":"d","files":[{"id":"f","category":{"id":1}}]},"meta":{"page":1}}`,
			Download{ID: "d", Files: []File{{ID: "f"}}},
		},
		"many levels in a key that it does not know": {
			`{"data":{"id":"d","x":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}}`, Download{ID: "d"},
		},
		"a value twice: the last counts": {
			`{"data":{"id":"c","created_at":"x","id":"d","created_at":"y"}}`, Download{ID: "d", CreatedAt: new("y")},
		},
		"a value, then null": {
			`{"data":{"id":"d","created_at":"x","created_at":null}}`, Download{ID: "d"},
		},
		"sizes beyond 32 bits": {
			`{"data":{"id":"d","files":[{"id":"f","size":4294967296,"encrypted_size":9223372036854775807}]}}`,
			Download{ID: "d", Files: []File{{ID: "f", Size: new(int64(1 << 32)), EncryptedSize: new(int64(1<<63 - 1))}}},
		},
		"texts as they are": {
			`{"data":{"id":"\u0064","created_at":"\u0000 <b> \ud83d\ude00 \"\\\n é é"}}`,
			Download{ID: "d", CreatedAt: new("\x00 <b> 😀 \"\\\n é é")},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode[Download]([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v, want %+v", *got, test.want)
			}
		})
	}
}

func TestDecodeDownloadRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, err string }{
		"no id":               {`{"data":{"files":[]}}`, `the answer has no "data.id"`},
		"no id of a file":     {`{"data":{"id":"d","files":[{"id":"f"},{"id":""}]}}`, `the answer has no "data.files.1.id"`},
		"files is an object":  {`{"data":{"id":"d","files":{}}}`, `"data.files" is of type object where array was expected`},
		"a file is an id":     {`{"data":{"id":"d","files":["f"]}}`, `"data.files" is of type string where object was expected`},
		"created_at a number": {`{"data":{"id":"d","created_at":1}}`, `"data.created_at" is of type number where string was expected`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode[Download]([]byte(test.body))
			checkText(t, err, test.err)
		})
	}
}

// What is wrong with an answer comes with what was asked, the status and the
// request id.
func TestUnusableAnswer(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req-7")
		answer(http.StatusOK, "<html>"+testToken)(w, r)
	})
	_, err := client.InboxMail(t.Context(), "m", false)
	checkError(t, err, "GET /api/inbox/m was answered 200 OK: the answer is a page of HTML, not JSON (request id req-7)")
	if apiError := asAPIError(t, err); !apiError.Unusable() || apiError.Status != 200 || apiError.Attempts != 1 {
		t.Errorf("got %+v", apiError)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", emptyMail, documentedMail, `{"data":{"id":"d","files":[` + documentedFile + `]}}`, `{"data":null}`, `{"data":[]}`,
		`{"data":{"id":"m","id":1}}`, `{"data":{"id":"m","download":{"files":[null]}}}`, "<html>", "\xff", `{"data":{"id":"\ud800"}}`,
		`{"data":{"id":"m","download":{"id":"d","files":[{"id":"f","size":1e400}]}}}`, strings.Repeat(`{"data":`, 99),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		mail, err := decode[InboxMail](body)
		checkDecoded(t, mail != nil && mail.ID != "", err)
		download, err := decode[Download](body)
		checkDecoded(t, download != nil && download.ID != "", err)
	})
}

// checkDecoded checks that there is either an object with its id or an error
// of a short line.
func checkDecoded(t *testing.T, object bool, err error) {
	t.Helper()
	if object == (err != nil) {
		t.Fatalf("an object: %t, an error: %v", object, err)
	}
	if err != nil && (len(err.Error()) > 200 || strings.ContainsFunc(err.Error(), unicode.IsControl)) {
		t.Errorf("not fit to be shown: %q", err)
	}
}

// Of two keys that are the same the last counts.
func TestLastObjectCounts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body string
		want InboxMail
	}{
		"data":   {`{"data":{"id":"a","subject":"old"},"data":{"id":"b"}}`, InboxMail{ID: "b"}},
		"sender": {`{"data":{"id":"a","sender":{"name":"old"},"sender":{"email":"new"}}}`, InboxMail{ID: "a", Sender: &Contact{Email: new("new")}}},
		"files": {
			`{"data":{"id":"a","download":{"id":"d","files":[{"id":"1","filename":"old"}],"files":[{"id":"2"}]}}}`,
			InboxMail{ID: "a", Download: &MailDownload{ID: "d", Files: []File{{ID: "2"}}}},
		},
		"plain value": {`{"data":{"id":"a","subject":"old","subject":"new"}}`, InboxMail{ID: "a", Subject: new("new")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode[InboxMail]([]byte(test.body))
			if err != nil || !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}
