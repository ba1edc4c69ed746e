package privasfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// Each row has the body of an error response and the resulting error text.
func TestRejection(t *testing.T) {
	t.Parallel()
	é300 := strings.Repeat("é", maxMessageLength)
	tests := map[string]struct{ body, want string }{
		"as documented":       {`{"message":"The data was invalid.","errors":{"files":["Required."]}}`, ": The data was invalid. [files: Required.]"},
		"fields, in order":    {`{"message":"No.","errors":{"files.1":["Two."],"files.0":["One.","Three."]}}`, ": No. [files.0: One. Three.] [files.1: Two.]"},
		"fields alone":        {`{"errors":{"files":"Required."}}`, " [files: Required.]"},
		"errors is a string":  {`{"message":"No.","errors":"Gone."}`, ": No. [errors: Gone.]"},
		"errors is a list":    {`{"errors":["One.",2,"Three.",null]}`, " [errors: One. Three.]"},
		"errors is nested":    {`{"errors":{"files":{"b":["Two."],"a":{"x":[["One."]]}}}}`, " [files: One. Two.]"},
		"errors has no texts": {`{"message":"No.","errors":{"files":[],"x":null,"y":1,"z":[""," \n"]}}`, ": No."},
		"errors is a number":  {`{"message":"No.","errors":3}`, ": No."},
		"message is no text":  {`{"message":{"en":"No."},"errors":{"files":["Required."]}}`, " [files: Required.]"},
		"message is empty":    {`{"message":""}`, ""},
		"a stack trace":       {`{"message":"Server Error","exception":"PDOException","trace":[{"file":"/var/www/x.php"}]}`, ": Server Error"},

		"HTML":           {" <html><h1>Bad Gateway</h1></html>", ": the response is an HTML page, not JSON"},
		"text":           {"Down for maintenance", ""},
		"empty":          {"", ""},
		"JSON cut short": {`{"message":"No.`, ""},
		"a list":         {`["No."]`, ""},
		"invalid UTF-8":  {"{\"message\":\"\xff\"}", ""},
		"too deep":       {strings.Repeat("[", 60_000), ""},
		"deep":           {`{"errors":` + strings.Repeat("[", 9_000) + `"x"` + strings.Repeat("]", 9_000) + `}`, " [errors: x]"},

		"ten texts":             {`{"errors":["1","2","3","4","5","6","7","8","9","10","11"]}`, " [errors: 1 2 3 4 5 6 7 8 9 10]"},
		"twelve fields":         {`{"errors":{"l":"l","k":"k","j":"j","a":"a","b":"b","c":"c","d":"d","e":"e","f":"f","g":"g","h":"h","i":"i"}}`, " [a: a] [b: b] [c: c] [d: d] [e: e] [f: f] [g: g] [h: h] [i: i] [j: j] [and 2 more]"},
		"as long as it may be":  {`{"message":"` + é300 + `"}`, ": " + é300},
		"longer than it may be": {`{"message":"` + é300 + `x","errors":{"` + é300 + `":"` + é300 + `x"}}`, ": " + é300 + "… [" + é300[:2*maxPathLength] + "…: " + é300 + "…]"},
		"control characters":    {`{"message":"one\ntwo\r\u001b[31mred\u0007\u200b","errors":{"a\tb":["c\u0000d\u202e"]}}`, ": one two  [31mred [a b: c d]"},

		"the token": {
			`{"message":"Bearer ` + testToken + ` is bad.","errors":{"` + testToken + `":["` + url.PathEscape(testToken) + `","` + url.QueryEscape(testToken) + `"]}}`,
			": Bearer *** is bad. [***: *** ***]",
		},
		"the token in JSON's escapes": {`{"message":"17\u007cnever\u002dto\u002dbe\u002dshown is bad."}`, ": *** is bad."},
		"the token across the cut":    {`{"message":"` + é300[:2*290] + testToken + `"}`, ": " + é300[:2*290] + "***"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failure := &APIError{Kind: Rejected, Method: http.MethodPost, Path: "/api/downloads", Status: 422, Attempts: 1}
			failure.rejection([]byte(test.body))
			failure.scrub(testToken)
			checkText(t, failure, "POST /api/downloads returned 422 Unprocessable Entity"+test.want)
		})
	}
}

// TestErrorResponse checks the error of a call whose response is an error or a redirect.
func TestErrorResponse(t *testing.T) {
	t.Parallel()
	type header = []string
	for name, test := range map[string]struct {
		status  int
		body    string
		headers header
		want    APIError
		err     string
	}{
		"words":            {422, `{"message":"No.","errors":{"files.1":"Bad."}}`, nil, APIError{Kind: Rejected, Message: "No.", NotProcessed: true}, "422 Unprocessable Entity: No. [files.1: Bad.]"},
		"a page, 401":      {401, "<html>", nil, APIError{Kind: Rejected, Err: errHTML, NotProcessed: true}, "401 Unauthorized: the response is an HTML page, not JSON"},
		"a page, 403":      {403, "<html>", nil, APIError{Kind: Rejected, Err: errHTML, NotProcessed: true}, "403 Forbidden: the response is an HTML page, not JSON"},
		"no name":          {419, "", nil, APIError{Kind: Rejected, NotProcessed: true}, "419"},
		"limit":            {429, "", nil, APIError{Kind: Rejected, NotProcessed: true}, "429 Too Many Requests"},
		"error":            {500, "", header{"Retry-After", "7"}, APIError{Kind: Rejected}, "500 Internal Server Error"},
		"down":             {503, "", nil, APIError{Kind: Rejected}, "503 Service Unavailable"},
		"down, knows when": {503, "", header{"Retry-After", "7"}, APIError{Kind: Rejected, NotProcessed: true, RetryAfter: 7 * time.Second}, "503 Service Unavailable (Retry-After of 7s)"},
		"a request id":     {500, "", header{"X-Request-Id", "r-7"}, APIError{Kind: Rejected, RequestID: "r-7"}, "500 Internal Server Error (request id r-7)"},
		"a redirect":       {302, "hunter2", header{"Location", "https://u:hunter2@a.example:8/hunter2?hunter2#hunter2"}, APIError{Kind: Redirected, NotProcessed: true}, "302 Found: the response is a redirect to https://a.example:8"},
		"one to itself":    {301, "hunter2", header{"Location", "/hunter2"}, APIError{Kind: Redirected, NotProcessed: true}, "301 Moved Permanently: the response is a redirect"},
	} {
		client := newClientOver(t, func(*http.Request) (*http.Response, error) {
			return newResponse(test.status, test.body, test.headers...), nil
		})
		_, _, err := client.CreateDownload(t.Context(), []string{"f", "g"})
		checkError(t, err, test.want.Kind, "POST /api/downloads returned "+test.err)
		got, want := asAPIError(t, err), test.want
		if got.Status != test.status || got.Attempts != 1 || got.Message != want.Message || got.RequestID != want.RequestID ||
			got.NotProcessed != want.NotProcessed || got.RetryAfter != want.RetryAfter || errors.Is(got, errHTML) != (want.Err != nil) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for want, failure := range map[string]*APIError{
		"GET /x: unexpected EOF":      {Method: "GET", Path: "/x", Attempts: 1, Err: io.ErrUnexpectedEOF},
		"GET /x returned 200 OK: bad": {Method: "GET", Path: "/x", Status: 200, Message: "OK", Err: errors.New("bad")},
		"GET /x: not let in for 1m":   {Method: "GET", Path: "/x", RetryAfter: time.Minute, Err: errors.New("not let in for 1m")},
		"POST /x returned 429 Too Many Requests: No. [files: Bad.] [files.0: Gone.] [and 3 more] (request id r) (after 2 attempts) (Retry-After of 2s)": {
			Method: "POST", Path: "/x", Status: 429, RequestID: "r", Message: "No.", Attempts: 2, MoreFields: 3, RetryAfter: 1999 * time.Millisecond,
			Fields: []FieldError{{"files", "", "Bad."}, {"files.0", "f", "Gone."}},
		},
	} {
		checkText(t, failure, want)
	}
}

// All text of an error is made safe to show, including that of its cause, which can
// still be unwrapped.
func TestScrub(t *testing.T) {
	t.Parallel()
	const secret, other = "0a1b/\r\n2c3d", "s e"
	long := strings.Repeat("x", 400)
	for _, form := range []string{secret, url.PathEscape(secret), url.QueryEscape(secret), "0a1b/  2c3d", other, "s+e", "s%20e", "s\u00a0e"} {
		text := form + "\n" + long + " "
		e := &APIError{
			Path: text, RequestID: text, Message: text, Err: fmt.Errorf("%s: %w", text, context.Canceled),
			Fields: []FieldError{{text, text, text}, {"empty", "", "\n"}},
		}
		e.scrub(secret, "", other)
		short, full := "*** "+long[:116]+"…", "*** "+long[:296]+"…"
		if e.Path != short || e.RequestID != short || e.Message != full || len(e.Fields) != 1 || e.Fields[0] != (FieldError{short, short, full}) {
			t.Errorf("%q: got %+v", form, e)
		}
		if e.Err.Error() != full || !errors.Is(e, context.Canceled) {
			t.Errorf("%q: the cause is %v", form, e.Err)
		}
	}
}

// For any error response, the error is short, printable and without secrets.
func FuzzRejection(f *testing.F) {
	for _, body := range []string{
		"", "<html>", `{"message":"The given data was invalid.","errors":{"files":["The files field is required."]}}`,
		`{"message":"` + testToken + `","errors":{"` + testToken + `":[["\u001b[31m"],{"x":"\u2028"}]}}`, `{"errors":"x"}`, `{"message":1}`,
		`{"message":"17\u200b|never-to-be-shown"}`, `{"errors":{"":[""]}}`, "\xff", `{"message":"\ud800"}`,
	} {
		f.Add(422, []byte(body), "req-7")
		f.Add(500, []byte(body), testToken+"\x1b\xff")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, id string) {
		failure := &APIError{Kind: Rejected, Method: http.MethodGet, Path: "/api/inbox/m", Status: status, RequestID: id, Attempts: 1}
		failure.rejection(body)
		failure.scrub(testToken)
		text := failure.Error()
		if strings.Contains(text, testToken) || strings.Contains(text, url.PathEscape(testToken)) {
			t.Errorf("the token is shown: %q", text)
		}
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not fit to be shown: %q", text)
		}
		const around = 200 // method, path, status, brackets
		longest := around + maxMessageLength + maxPathLength + maxFieldErrors*(maxPathLength+maxMessageLength+10)
		if got := utf8.RuneCountInString(text); got > longest || len(failure.Fields) > maxFieldErrors {
			t.Errorf("%d fields, %d characters", len(failure.Fields), got)
		}
	})
}
