package privasfer

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

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
	for _, raw := range []string{"HTTP/1.1 200 OK\r\nhunter2 line\r\n\r\n", "HTTP/1.1 hunter2 OK\r\n\r\n", "hunter2\r\n\r\n"} {
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

// A server that is not trusted was asked nothing.
func TestCertificateMayHaveActed(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(answer(200, emptyMail))
	t.Cleanup(server.Close)
	_, _, err := newClientAt(t, server.URL).CreateDownload(t.Context(), []string{"f"})
	if asAPIError(t, err).MayHaveActed() {
		t.Errorf("a request that was never sent may have acted: %v", err)
	}
}
