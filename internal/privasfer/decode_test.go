package privasfer

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	const (
		empty     = "the response is empty"
		html      = "the response is an HTML page, not JSON"
		notUTF8   = "the response is not valid UTF-8"
		noData    = `the response has no "data"`
		noID      = `the response has no %q`
		syntax    = "the response is not valid JSON: error at byte %d of %d"
		wrongType = "%q has the type %s instead of %s"
		whole     = "64-bit integer"
	)
	download := func(text string) string { return `{"data":{"id":"m","download":{"id":"d",` + text + `}}}` }
	file := func(text string) string { return download(`"files":[{"id":"e"},{"id":"f",` + text + `}]`) }
	deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)

	tests := map[string]struct{ body, err string }{
		"empty":           {"", empty},
		"white space":     {" \r\n\t", empty},
		"HTML":            {"\n<!DOCTYPE html><title>Log in</title>", html},
		"text":            {"Forbidden", fmt.Sprintf(syntax, 1, 9)},
		"byte-order mark": {"\ufeff" + emptyMail, fmt.Sprintf(syntax, 1, 22)},
		"cut in a text":   {`{"data":{"id":"m","subject":"Sec`, fmt.Sprintf(syntax, 32, 32)},
		"cut at its end":  {`{"data":{"id":"m"}`, fmt.Sprintf(syntax, 18, 18)},
		"more after it":   {emptyMail + emptyMail, fmt.Sprintf(syntax, 20, 38)},
		"invalid UTF-8":   {"{\"data\":{\"id\":\"m\"},\"x\":\"\xc3\x28\"}", notUTF8},
		"nested too deep": {`{"data":{"id":"m","x":` + deep + `}}`, fmt.Sprintf(syntax, 10_021, 20_026)},

		"no data":    {`{"message":"Server Error"}`, noData},
		"data: null": {`{"data":null}`, noData},
		"data: []":   {`{"data": [ ]}`, noData},
		"data: {}":   {`{"data":{}}`, fmt.Sprintf(noID, "data.id")},
		"id: null":   {`{"data":{"id":null}}`, fmt.Sprintf(noID, "data.id")},

		"download: {}":     {`{"data":{"id":"m","download":{}}}`, fmt.Sprintf(noID, "data.download.id")},
		"file: null":       {download(`"files":[{"id":"f"},null]`), fmt.Sprintf(noID, "data.download.files.1.id")},
		"list":             {`[]`, fmt.Sprintf(wrongType, "the response", "array", "object")},
		"list of one":      {`{"data":[{"id":"m"}]}`, fmt.Sprintf(wrongType, "data", "array", "object")},
		"data: true":       {`{"data":true}`, fmt.Sprintf(wrongType, "data", "bool", "object")},
		"id a number":      {`{"data":{"id":1.5}}`, fmt.Sprintf(wrongType, "data.id", "number", "string")},
		"opened a number":  {`{"data":{"id":"m","opened":1}}`, fmt.Sprintf(wrongType, "data.opened", "number", "bool")},
		"sender a text":    {`{"data":{"id":"m","sender":"hidden"}}`, fmt.Sprintf(wrongType, "data.sender", "string", "object")},
		"sender a list":    {`{"data":{"id":"m","sender":[1]}}`, fmt.Sprintf(wrongType, "data.sender", "array", "object")},
		"download.id":      {`{"data":{"id":"m","download":{"id":{}}}}`, fmt.Sprintf(wrongType, "data.download.id", "object", "string")},
		"files an object":  {download(`"files":{"0":{"id":"f"}}`), fmt.Sprintf(wrongType, "data.download.files", "object", "array")},
		"size a fraction":  {file(`"size":1.5`), fmt.Sprintf(wrongType, "data.download.files.size", "number", whole)},
		"size too large":   {file(`"size":9223372036854775808`), fmt.Sprintf(wrongType, "data.download.files.size", "number", whole)},
		"created_by.email": {file(`"created_by":{"email":7}`), fmt.Sprintf(wrongType, "data.download.files.created_by.email", "number", "string")},
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
	for data, place := range map[string]string{`{"files":[]}`: "data.id", `{"id":"d","files":[{}]}`: "data.files.0.id"} {
		_, err := decode[Download]([]byte(`{"data":` + data + `}`))
		checkText(t, err, fmt.Sprintf(noID, place))
	}
}

// Null, a missing key, and [] in place of an object decode to nil; empty strings, false,
// zero, {} and an empty list are values. Of duplicate keys, the last one counts.
func TestDecodeValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data string
		want InboxMail
	}{
		"missing": {`{"id":"m"}`, InboxMail{ID: "m"}},
		"null":    {`{"id":"m","body":null,"sender":null,"download":null,"received_at":null,"opened":null}`, InboxMail{ID: "m"}},
		"[]":      {`{"id":"m","sender":[],"download":[ ]}`, InboxMail{ID: "m"}},
		"empty": {
			`{"id":"m","identifier":"","sender":{},"download":{"id":"d","files":[]},"received_at":"","opened":false}`,
			InboxMail{
				ID: "m", Identifier: new(""), Sender: Nullable[Contact]{&Contact{}},
				Download: Nullable[MailDownload]{&MailDownload{ID: "d", Files: []File{}}}, ReceivedAt: new(""), Opened: new(false),
			},
		},
		"sizes": {
			`{"id":"m","download":{"id":"d","files":[{"id":"f","size":0,"encrypted_size":9223372036854775807}]}}`,
			InboxMail{ID: "m", Download: Nullable[MailDownload]{&MailDownload{ID: "d", Files: []File{
				{ID: "f", Size: new(int64(0)), EncryptedSize: new(int64(1<<63 - 1))},
			}}}},
		},
		"texts": {
			`{"id":"\u006d","body":"\u0000 <b> \ud83d\ude00 \"\\\n é"}`, InboxMail{ID: "m", Body: new("\x00 <b> 😀 \"\\\n é")},
		},
		"unknown keys": {
			`{"author":{"id":1},"id":"m","sender":{"id":7},"x":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`,
			InboxMail{ID: "m", Sender: Nullable[Contact]{&Contact{}}},
		},
		"data twice":   {`{"id":"a","subject":"old"},"data":{"id":"m"}`, InboxMail{ID: "m"}},
		"text twice":   {`{"id":"m","subject":"old","subject":"new"}`, InboxMail{ID: "m", Subject: new("new")}},
		"text, null":   {`{"id":"m","subject":"old","subject":null}`, InboxMail{ID: "m"}},
		"object, []":   {`{"id":"m","sender":{"name":"old"},"sender":[]}`, InboxMail{ID: "m"}},
		"object twice": {`{"id":"m","sender":{"name":"old"},"sender":{}}`, InboxMail{ID: "m", Sender: Nullable[Contact]{&Contact{}}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode[InboxMail]([]byte(" \n{\"data\":" + test.data + "}\n"))
			if err != nil || !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "<html>", "\xff", emptyMail, `{"data":null}`, `{"data":[]}`, `{"data":` + documentedInboxMail + `}`,
		`{"data":` + documentedMail + `}`, `{"data":` + documentedDownload + `}`, `{"data":{"id":"m","id":1}}`,
		`{"data":{"id":"m","download":{"files":[null]}}}`, `{"data":{"id":"\ud800","sender":[ ],"recipient":[0]}}`,
		`{"data":{"id":"m","download":{"id":"d","files":[{"id":"f","size":1e400}]}}}`, strings.Repeat(`{"data":`, 99),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		inboxMail, err := decode[InboxMail](body)
		checkDecoded(t, inboxMail != nil && inboxMail.ID != "", err)
		mail, err := decode[Mail](body)
		checkDecoded(t, mail != nil && mail.ID != "", err)
		download, err := decode[Download](body)
		checkDecoded(t, download != nil && download.ID != "", err)
	})
}

// checkDecoded checks that there is either a complete object or a short error of one
// line.
func checkDecoded(t *testing.T, whole bool, err error) {
	t.Helper()
	if whole == (err != nil) {
		t.Fatalf("whole: %t, error: %v", whole, err)
	}
	if err != nil && (len(err.Error()) > 200 || strings.ContainsFunc(err.Error(), unicode.IsControl)) {
		t.Errorf("not fit to be shown: %q", err)
	}
}
