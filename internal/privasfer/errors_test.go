package privasfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"
)

// One row is one answer with an error status, and what remains of it. Method,
// path and attempts are the same in all.
func TestRefusals(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	var fields []string
	for name := range strings.SplitSeq("abcdefghijkl", "") {
		fields = append(fields, fmt.Sprintf("%q:%q", name, long))
	}

	tests := map[string]struct {
		status    int
		requestID string
		body      string
		want      APIError
		text      string // after "POST /api/downloads was answered "
	}{
		"as documented": {
			status: 422,
			body:   `{"message":"The given data was invalid.","errors":{"files":["The files field is required."]}}`,
			want:   APIError{Message: "The given data was invalid.", Fields: []FieldError{{"files", "The files field is required."}}},
			text:   "422 Unprocessable Entity: The given data was invalid. [files: The files field is required.]",
		},
		"several fields, in order": {
			status: 422,
			body:   `{"message":"Invalid.","errors":{"files.1":["Unknown."],"files.0":["Unknown.","Trashed."]}}`,
			want:   APIError{Message: "Invalid.", Fields: []FieldError{{"files.0", "Unknown. Trashed."}, {"files.1", "Unknown."}}},
			text:   "422 Unprocessable Entity: Invalid. [files.0: Unknown. Trashed.] [files.1: Unknown.]",
		},
		"the token is bad": {
			status: 401, body: `{"message":"Unauthenticated."}`,
			want: APIError{Message: "Unauthenticated."},
			text: "401 Unauthorized: Unauthenticated.",
		},
		"a message alone": {
			status: 403, body: `{"message":"This action is unauthorized."}`,
			want: APIError{Message: "This action is unauthorized."},
			text: "403 Forbidden: This action is unauthorized.",
		},
		"too many requests": {
			status: 429, body: `{"message":"Too Many Attempts."}`,
			want: APIError{Message: "Too Many Attempts."},
			text: "429 Too Many Requests: Too Many Attempts.",
		},
		"fields alone": {
			status: 400, body: `{"errors":{"files":"Required."}}`,
			want: APIError{Fields: []FieldError{{"files", "Required."}}},
			text: "400 Bad Request [files: Required.]",
		},

		"errors is a string": {
			status: 422, body: `{"message":"No.","errors":"The files are gone."}`,
			want: APIError{Message: "No.", Fields: []FieldError{{"errors", "The files are gone."}}},
			text: "422 Unprocessable Entity: No. [errors: The files are gone.]",
		},
		"errors is a list": {
			status: 422, body: `{"message":"No.","errors":["One.",2,"Three.",null]}`,
			want: APIError{Message: "No.", Fields: []FieldError{{"errors", "One. Three."}}},
			text: "422 Unprocessable Entity: No. [errors: One. Three.]",
		},
		"errors is nested": {
			status: 422, body: `{"message":"No.","errors":{"files":{"b":["Two."],"a":{"x":[["One."]]}}}}`,
			want: APIError{Message: "No.", Fields: []FieldError{{"files", "One. Two."}}},
			text: "422 Unprocessable Entity: No. [files: One. Two.]",
		},
		"errors is an empty object": {
			status: 422, body: `{"message":"No.","errors":{}}`,
			want: APIError{Message: "No."}, text: "422 Unprocessable Entity: No.",
		},
		"errors is an empty list": {
			status: 422, body: `{"message":"No.","errors":[]}`,
			want: APIError{Message: "No."}, text: "422 Unprocessable Entity: No.",
		},
		"errors without texts": {
			status: 422, body: `{"message":"No.","errors":{"files":[],"x":null,"y":1}}`,
			want: APIError{Message: "No."}, text: "422 Unprocessable Entity: No.",
		},
		"errors is a number": {
			status: 422, body: `{"message":"No.","errors":3}`,
			want: APIError{Message: "No."}, text: "422 Unprocessable Entity: No.",
		},
		"errors is null": {
			status: 422, body: `{"message":"No.","errors":null}`,
			want: APIError{Message: "No."}, text: "422 Unprocessable Entity: No.",
		},
		"message is an object": {
			status: 422, body: `{"message":{"en":"No."},"errors":{"files":["Required."]}}`,
			want: APIError{Fields: []FieldError{{"files", "Required."}}},
			text: "422 Unprocessable Entity [files: Required.]",
		},
		"message is a number": {status: 400, body: `{"message":7}`, text: "400 Bad Request"},
		"message is empty":    {status: 400, body: `{"message":""}`, text: "400 Bad Request"},

		"a stack trace": {
			status: 500,
			body: `{"message":"Server Error","exception":"PDOException","file":"/var/www/app.php","line":3,` +
				`"trace":[{"file":"/var/www/vendor/x.php","function":"connect"}]}`,
			want: APIError{Message: "Server Error"}, text: "500 Internal Server Error: Server Error",
		},
		"a long stack trace": {
			status: 500, body: `{"message":"Server Error","trace":["` + strings.Repeat("x", maxRefusalBytes) + `"]}`,
			text: "500 Internal Server Error",
		},
		"HTML":              {status: 502, body: "<html><h1>Bad Gateway</h1></html>", text: "502 Bad Gateway"},
		"text":              {status: 503, body: "Down for maintenance", text: "503 Service Unavailable"},
		"empty":             {status: 404, body: "", text: "404 Not Found"},
		"JSON cut short":    {status: 400, body: `{"message":"No.`, text: "400 Bad Request"},
		"a list":            {status: 400, body: `["No."]`, text: "400 Bad Request"},
		"null":              {status: 400, body: `null`, text: "400 Bad Request"},
		"invalid UTF-8":     {status: 400, body: "{\"message\":\"\xff\"}", text: "400 Bad Request"},
		"many levels":       {status: 400, body: strings.Repeat("[", 60_000), text: "400 Bad Request"},
		"levels of errors":  {status: 400, body: `{"errors":` + strings.Repeat("[", 9_000) + `"x"` + strings.Repeat("]", 9_000) + `}`, want: APIError{Fields: []FieldError{{"errors", "x"}}}, text: "400 Bad Request [errors: x]"},
		"a good one inside": {status: 500, body: emptyMail, text: "500 Internal Server Error"},

		"the token in every text": {
			status: 422, requestID: "req-" + testToken,
			body: fmt.Sprintf(`{"message":"Bearer %[1]s is bad.","errors":{"%[1]s":["%[1]s %[1]s"]}}`, testToken),
			want: APIError{
				RequestID: "req-***",
				Message:   "Bearer *** is bad.",
				Fields:    []FieldError{{"***", "*** ***"}},
			},
			text: "422 Unprocessable Entity: Bearer *** is bad. [***: *** ***] (request id req-***)",
		},
		"the token, escaped": {
			status: 401, body: `{"message":"17\u007cnever\u002dto\u002dbe\u002dshown is bad."}`,
			want: APIError{Message: "*** is bad."}, text: "401 Unauthorized: *** is bad.",
		},
		"the token where the message is cut": {
			status: 401, body: `{"message":"` + strings.Repeat("x", 296) + testToken + `"}`,
			want: APIError{Message: strings.Repeat("x", 296) + "***"},
			text: "401 Unauthorized: " + strings.Repeat("x", 296) + "***",
		},
		"control characters": {
			status: 400, body: `{"message":"one\ntwo\r\u001b[31mred\u0007\u200b","errors":{"a\tb":["c\u0000d\u202e"]}}`,
			want: APIError{Message: "one two  [31mred", Fields: []FieldError{{"a b", "c d"}}},
			text: "400 Bad Request: one two  [31mred [a b: c d]",
		},
		"a message of 300 characters": {
			status: 400, body: `{"message":"` + long + `"}`,
			want: APIError{Message: long}, text: "400 Bad Request: " + long,
		},
		"a message of 301 characters": {
			status: 400, body: `{"message":"` + long + `x","errors":{"` + long + `":["` + long + `x"]}}`,
			want: APIError{Message: long + "…", Fields: []FieldError{{strings.Repeat("é", 120) + "…", long + "…"}}},
			text: "400 Bad Request: " + long + "… [" + strings.Repeat("é", 120) + "…: " + long + "…]",
		},
		"twelve fields": {
			status: 422, body: `{"errors":{"k":"k","l":"l","a":"a","b":"b","c":"c","d":"d","e":"e","f":"f","g":"g","h":"h","i":"i","j":"j"}}`,
			want: APIError{Fields: []FieldError{
				{"a", "a"}, {"b", "b"}, {"c", "c"}, {"d", "d"}, {"e", "e"},
				{"f", "f"}, {"g", "g"}, {"h", "h"}, {"i", "i"}, {"j", "j"},
			}},
			text: "422 Unprocessable Entity [a: a] [b: b] [c: c] [d: d] [e: e] [f: f] [g: g] [h: h] [i: i] [j: j] [and 2 more]",
		},
		"more fields than are kept, and longer": {
			status: 422, body: `{"errors":{` + strings.Join(fields, ",") + `}}`,
			want: APIError{Fields: []FieldError{{"a", long}}},
			text: "422 Unprocessable Entity [a: " + long + "] [and 11 more]",
		},
		"a request id": {
			status: 500, requestID: "b7a1-42", body: `{"message":"Server Error"}`,
			want: APIError{RequestID: "b7a1-42", Message: "Server Error"},
			text: "500 Internal Server Error: Server Error (request id b7a1-42)",
		},
		"a long request id": {
			status: 500, requestID: strings.Repeat("7", 121),
			want: APIError{RequestID: strings.Repeat("7", 120) + "…"},
			text: "500 Internal Server Error (request id " + strings.Repeat("7", 120) + "…)",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				if test.requestID != "" {
					w.Header().Set("X-Request-Id", test.requestID)
				}
				answer(test.status, test.body)(w, r)
			})
			_, _, err := client.CreateDownload(t.Context(), []string{"f"})
			checkError(t, err, "POST /api/downloads was answered "+test.text)
			got := asAPIError(t, err)
			if got.Method != http.MethodPost || got.Path != "/api/downloads" || got.Status != test.status || got.Attempts != 1 || got.Err != nil {
				t.Errorf("got %+v", got)
			}
			if got.RequestID != test.want.RequestID || got.Message != test.want.Message || !slices.Equal(got.Fields, test.want.Fields) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// A path is shown without its query, cut, and without the token, should
// somebody take this for an id.
func TestErrorPath(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ token, id, path string }{
		"an id":         {testToken, "2ef14b84", "/api/inbox/2ef14b84"},
		"an escaped id": {testToken, "a/b c", "/api/inbox/a%2Fb%20c"},
		"a long id":     {testToken, strings.Repeat("a", 10_000), "/api/inbox/" + strings.Repeat("a", 109) + "…"},
		"the token":     {"never-to-be-shown", "never-to-be-shown", "/api/inbox/***"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, answer(http.StatusNotFound, ""), func(config *Config) { config.Token = test.token })
			_, err := client.InboxMail(t.Context(), test.id, true)
			checkError(t, err, "GET "+test.path+" was answered 404 Not Found")
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  APIError
		want string
	}{
		"no answer": {
			APIError{Method: "GET", Path: "/api/inbox/m", Attempts: 1, Err: io.ErrUnexpectedEOF},
			"GET /api/inbox/m: unexpected EOF",
		},
		"several attempts": {
			APIError{Method: "GET", Path: "/api/inbox/m", Status: 503, Attempts: 5},
			"GET /api/inbox/m was answered 503 Service Unavailable (after 5 attempts)",
		},
		"everything": {
			APIError{
				Method: "POST", Path: "/api/downloads", Status: 422, RequestID: "r", Message: "No.",
				Fields: []FieldError{{"files", "Required."}, {"x", "Unknown."}}, Attempts: 2,
			},
			"POST /api/downloads was answered 422 Unprocessable Entity: No. [files: Required.] [x: Unknown.] (request id r) (after 2 attempts)",
		},
		"the cause, not the message": {
			APIError{Method: "GET", Path: "/x", Status: 200, Message: "OK", Err: errors.New("the answer is empty")},
			"GET /x was answered 200 OK: the answer is empty",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkText(t, &test.err, test.want)
			if !errors.Is(&test.err, test.err.Err) && test.err.Err != nil {
				t.Error("the cause is out of reach")
			}
		})
	}
}

func TestWhatAnErrorTellsOfTheAPI(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	noSuchHost := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}

	tests := map[string]struct {
		err          APIError
		unusable     bool
		mayHaveActed bool
	}{
		"refused connection":      {err: APIError{Err: dial}},
		"refused, wrapped":        {err: APIError{Err: fmt.Errorf("trying: %w", dial)}},
		"no such host":            {err: APIError{Err: noSuchHost}},
		"reset":                   {err: APIError{Err: reset}, mayHaveActed: true},
		"no answer in time":       {err: APIError{Err: &timeoutError{1}}, mayHaveActed: true},
		"cancelled":               {err: APIError{Err: context.Canceled}, mayHaveActed: true},
		"no answer at all":        {err: APIError{Err: io.EOF}, mayHaveActed: true},
		"200, not usable":         {err: APIError{Status: 200, Err: io.EOF}, unusable: true, mayHaveActed: true},
		"201, not usable":         {err: APIError{Status: 201}, unusable: true, mayHaveActed: true},
		"204":                     {err: APIError{Status: 204}, unusable: true, mayHaveActed: true},
		"299":                     {err: APIError{Status: 299}, unusable: true, mayHaveActed: true},
		"300":                     {err: APIError{Status: 300}},
		"302":                     {err: APIError{Status: 302}},
		"400":                     {err: APIError{Status: 400}},
		"401":                     {err: APIError{Status: 401}},
		"404":                     {err: APIError{Status: 404}},
		"419":                     {err: APIError{Status: 419}},
		"422":                     {err: APIError{Status: 422}},
		"422, its body cut short": {err: APIError{Status: 422, Err: io.ErrUnexpectedEOF}},
		"429":                     {err: APIError{Status: 429}},
		"499":                     {err: APIError{Status: 499}},
		"500":                     {err: APIError{Status: 500}, mayHaveActed: true},
		"502":                     {err: APIError{Status: 502}, mayHaveActed: true},
		"503":                     {err: APIError{Status: 503}, mayHaveActed: true},
		"504":                     {err: APIError{Status: 504}, mayHaveActed: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.err.Unusable(); got != test.unusable {
				t.Errorf("Unusable is %t", got)
			}
			if got := test.err.MayHaveActed(); got != test.mayHaveActed {
				t.Errorf("MayHaveActed is %t", got)
			}
		})
	}
}

func FuzzRefusal(f *testing.F) {
	for _, body := range []string{
		"", "<html>", `{"message":"The given data was invalid.","errors":{"files":["The files field is required."]}}`,
		`{"message":"` + testToken + `","errors":{"` + testToken + `":[["\u001b[31m"],{"x":"\u2028"}]}}`, `{"errors":"x"}`, `{"message":1}`,
		`{"message":"17\u200b|never-to-be-shown"}`, `{"errors":{"":[""]}}`, "\xff", `{"message":"\ud800"}`,
	} {
		f.Add(422, []byte(body), "req-7")
		f.Add(500, []byte(body), testToken+"\x1b\xff")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, id string) {
		apiError := refusal(&http.Response{StatusCode: status, Header: http.Header{"X-Request-Id": {id}}}, body)
		apiError.Method, apiError.Path, apiError.Attempts = http.MethodGet, "/api/inbox/m", 1
		apiError.scrub(testToken)

		if len(apiError.Fields) > maxFieldErrors {
			t.Errorf("%d field errors", len(apiError.Fields))
		}
		text := apiError.Error()
		if strings.Contains(text, testToken) {
			t.Errorf("the token is shown: %q", text)
		}
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not fit to be shown: %q", text)
		}
		const around = 200 // method, path, status, brackets
		longest := around + maxMessageLength + maxPathLength + maxFieldErrors*(maxPathLength+maxMessageLength+10)
		if got := utf8.RuneCountInString(text); got > longest {
			t.Errorf("%d characters", got)
		}
	})
}

// A text that is cut or cleaned is still the error that it was.
func TestCleanedErrorKeepsItsCause(t *testing.T) {
	t.Parallel()
	e := &APIError{Err: fmt.Errorf("%s %s: %w", testToken, strings.Repeat("x", 400), context.Canceled)}
	e.scrub(testToken)
	if want := "*** " + strings.Repeat("x", 296) + "…"; e.Err.Error() != want || !errors.Is(e, context.Canceled) {
		t.Errorf("got %v, want %s", e.Err, want)
	}
}

// A secret is found after its characters have been made fit to be shown, too.
func TestUnprintableSecret(t *testing.T) {
	t.Parallel()
	e := &APIError{Message: "There is no 0a1b\r\n2c3d."}
	e.scrub("0a1b\r\n2c3d")
	if want := "There is no ***."; e.Message != want {
		t.Errorf("got %q, want %q", e.Message, want)
	}
}

// Only 503 with Retry-After says that nothing was done.
func TestMayHaveActedWithRetryAfter(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{500: true, 502: true, 503: false, 504: true} {
		_, _, err := newClientOver(t, func(*http.Request) (*http.Response, error) {
			return plainAnswer(status, "", "Retry-After", "0"), nil
		}).CreateDownload(t.Context(), []string{"f"})
		if got := asAPIError(t, err).MayHaveActed(); got != want {
			t.Errorf("%d: MayHaveActed is %t", status, got)
		}
	}
}

// What net/http says of an answer that is not HTTP repeats it: cleaned as well.
func TestForeignTextInTransportErrors(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no HTTP":           testToken + "\r\n\r\n",
		"status":            "HTTP/1.1 " + testToken + " OK\r\n\r\n",
		"header":            "HTTP/1.1 200 OK\r\n" + testToken + "\r\n\r\n",
		"transfer encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + testToken + "\r\n\r\n",
		"long header":       "HTTP/1.1 200 OK\r\n" + strings.Repeat("x", 50_000) + "\r\n\r\n",
		"location":          "HTTP/1.1 302 Found\r\nLocation: https://" + testToken + "/%zz\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClientAt(t, rawServer(t, raw)+"/api").InboxMail(t.Context(), "m", false)
			text := asAPIError(t, err).Error()
			if n := utf8.RuneCountInString(text); n > 500 {
				t.Errorf("%d characters", n)
			}
		})
	}
}

// Whatever is nested in a complaint costs no more than it has bytes.
func TestDeepComplaint(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat("[", 9000) + strings.Repeat(`"",`, 300_000) + `"x"` + strings.Repeat("]", 9000)
	_, err := newClient(t, answer(422, `{"message":"No.","errors":`+nested+`}`)).InboxMail(t.Context(), "m", false)
	checkError(t, err, "GET /api/inbox/m was answered 422 Unprocessable Entity: No.")
}

// What cannot be read of an answer may be part of a mail.
func TestUnreadableAnswerIsNotShown(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nhunter2 line\r\n\r\n", "HTTP/1.1 200 OK\r\nhunter2 line\r\n\r\n", "HTTP/1.1 hunter2 OK\r\n\r\n", "hunter2\r\n\r\n"} {
		_, err := newClientAt(t, rawServer(t, raw)+"/api").InboxMail(t.Context(), "m", false)
		if text := asAPIError(t, err).Error(); strings.Contains(text, "hunter2") {
			t.Errorf("the error shows the answer: %s", text)
		}
	}
}

// 419 is no status of HTTP's own.
func TestStatusWithoutAName(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, answer(419, `{"message":"CSRF token mismatch."}`)).InboxMail(t.Context(), "m", false)
	checkError(t, err, "GET /api/inbox/m was answered 419: CSRF token mismatch.")
	_, err = newClient(t, answer(419, ``)).InboxMail(t.Context(), "m", false)
	checkError(t, err, "GET /api/inbox/m was answered 419")
}

// A user who mixes up the two does not see the token in an error.
func TestTokenAsID(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, answer(404, "")).InboxMail(t.Context(), testToken, false)
	checkError(t, err, "GET /api/inbox/*** was answered 404 Not Found")
}

// Cleaning a text must not make a token of what was none.
func TestTokenPutTogether(t *testing.T) {
	t.Parallel()
	e := &APIError{Status: 401, Message: "a\u00a0b"}
	e.scrub("a b")
	if e.Message == "a b" {
		t.Error("token shown")
	}
}

func TestEmptyFieldMessage(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, answer(422, `{"message":"No.","errors":{"files":[""],"x":["\n"]}}`)).InboxMail(t.Context(), "m", false)
	checkError(t, err, "GET /api/inbox/m was answered 422 Unprocessable Entity: No.")
}
