package privasfer

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/hashicorp/go-retryablehttp"
)

// testToken is no token that anybody has, with a character that a URL would
// escape.
const testToken = "17|never-to-be-shown"

const testUserAgent = "privasfer-test/1.2.3 (+go)"

// emptyMail is the smallest answer that is a mail.
const emptyMail = `{"data":{"id":"m"}}`

// newClient returns a client of an API that the handler plays at the path /api
// of a server of its own.
func newClient(t *testing.T, handler http.HandlerFunc, changes ...func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClientAt(t, server.URL+"/api", changes...)
}

// newClientAt returns a client of the API at a base URL.
func newClientAt(t *testing.T, base string, changes ...func(*Config)) *Client {
	t.Helper()
	config := Config{BaseURL: parseBaseURL(t, base), Token: testToken, UserAgent: testUserAgent}
	for _, change := range changes {
		change(&config)
	}
	client := New(config)
	t.Cleanup(innerTransport(t, client).CloseIdleConnections)
	return client
}

func parseBaseURL(t *testing.T, text string) *url.URL {
	t.Helper()
	base, err := ParseBaseURL(text)
	if err != nil {
		t.Fatalf("ParseBaseURL(%q): %v", text, err)
	}
	return base
}

// rawServer answers each connection by these bytes, HTTP or not, and returns
// its URL.
func rawServer(t *testing.T, raw string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = conn.Write([]byte(raw))
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// transportOf is the transport of one of the client's two HTTP clients.
func transportOf(t *testing.T, client *retryablehttp.Client) *transport {
	t.Helper()
	own, ok := client.HTTPClient.Transport.(*transport)
	if !ok {
		t.Fatalf("the client's transport is a %T", client.HTTPClient.Transport)
	}
	return own
}

// innerTransport is what performs the client's HTTP.
func innerTransport(t *testing.T, client *Client) *http.Transport {
	t.Helper()
	inner, ok := transportOf(t, client.http).inner.(*http.Transport)
	if !ok {
		t.Fatalf("the inner transport is a %T", transportOf(t, client.http).inner)
	}
	return inner
}

// answer plays an API that has one answer.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// asAPIError is the error of a call that was made. Whatever the test is about,
// its text must be fit to be shown.
func asAPIError(t *testing.T, err error) *APIError {
	t.Helper()
	var apiError *APIError
	if !errors.As(err, &apiError) {
		t.Fatalf("got %T (%v), want an *APIError", err, err)
	}
	text := apiError.Error()
	if strings.Contains(text, testToken) {
		t.Errorf("the error shows the token: %s", text)
	}
	if strings.Contains(text, "://") {
		t.Errorf("the error shows a whole URL: %s", text)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("the error has control characters: %q", text)
	}
	return apiError
}

// checkError compares the text of the error of a call that was made.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	checkText(t, asAPIError(t, err), want)
}

// checkText compares an error's text; "" means no error.
func checkText(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("wrong error\n got: %s\nwant: %s", got, want)
	}
}
