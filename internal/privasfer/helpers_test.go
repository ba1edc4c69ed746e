package privasfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// testToken is a made-up token with a character that is escaped in URLs.
const testToken = "17|never-to-be-shown"

const testUserAgent = "privasfer-test/1.2.3 (+go)"

// emptyMail is the smallest valid response for a mail.
const emptyMail = `{"data":{"id":"m"}}`

// newClient returns a client of a new server, where the handler is the API at /api.
func newClient(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClientAt(t, server.URL+"/api")
}

// newClientAt returns a client of the API at a base URL.
func newClientAt(t *testing.T, base string, changes ...func(*Config)) *Client {
	t.Helper()
	config := Config{BaseURL: parseBaseURL(t, base), Token: testToken, UserAgent: testUserAgent}
	for _, change := range changes {
		change(&config)
	}
	client := New(config)
	if transport, ok := client.transport.(*http.Transport); ok {
		t.Cleanup(transport.CloseIdleConnections)
	}
	return client
}

// roundTripper serves the API and downloads without a network, for tests in a synctest
// bubble.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newClientOver returns a client whose requests go to api.
func newClientOver(t *testing.T, api roundTripper, changes ...func(*Config)) *Client {
	t.Helper()
	client := newClientAt(t, "https://api.example/api", changes...)
	client.transport, client.contentTransport = api, api
	return client
}

// newResponse returns a response with header fields by name and value.
func newResponse(status int, body string, headers ...string) *http.Response {
	response := &http.Response{
		StatusCode: status, Header: http.Header{}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
	for i := 0; i < len(headers); i += 2 {
		response.Header.Set(headers[i], headers[i+1])
	}
	return response
}

func retries(n int) func(*Config) { return func(config *Config) { config.MaxRetries = n } }

func parseBaseURL(t *testing.T, text string) *url.URL {
	t.Helper()
	base, err := ParseBaseURL(text)
	if err != nil {
		t.Fatalf("ParseBaseURL(%q): %v", text, err)
	}
	return base
}

// rawServer starts a server that responds to each connection with raw, HTTP or not, and
// returns its URL.
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

// respond returns a handler that always gives the same response.
func respond(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// asAPIError returns err as an *APIError. In every test, its text must be safe to show:
// of a URL it has at most the scheme and host.
func asAPIError(t *testing.T, err error) *APIError {
	t.Helper()
	var failure *APIError
	if !errors.As(err, &failure) {
		t.Fatalf("got %T (%v), want an *APIError", err, err)
	}
	text := failure.Error()
	if strings.Contains(text, testToken) {
		t.Errorf("the error shows the token: %s", text)
	}
	if _, after, found := strings.Cut(text, "://"); found && strings.Contains(after, "/") {
		t.Errorf("the error shows a whole URL: %s", text)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("the error has control characters: %q", text)
	}
	return failure
}

// checkError compares the kind and text of the error of a call.
func checkError(t *testing.T, err error, kind Kind, want string) {
	t.Helper()
	failure := asAPIError(t, err)
	if failure.Kind != kind {
		t.Errorf("kind %d, want %d: %s", failure.Kind, kind, failure)
	}
	checkText(t, failure, want)
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
