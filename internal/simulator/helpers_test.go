package simulator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

const token = "the-only-token"

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2024, 2, 29, 23, 59, 30, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// start serves a simulator until the test ends.
func start(t *testing.T, options simulator.Options) (*simulator.Server, *httptest.Server) {
	t.Helper()
	if options.Token == "" {
		options.Token = token
	}
	s := simulator.New(options)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return s, web
}

type response struct {
	status int
	header http.Header
	body   string
}

// newRequest is a request as the documentation shows it. Headers come in
// pairs; an empty value takes the header away.
func newRequest(t *testing.T, method, url, body string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

// do sends a request and follows no redirect.
func do(web *httptest.Server, r *http.Request) (response, error) {
	resp, err := web.Client().Transport.RoundTrip(r)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, string(body)}, err
}

func call(t *testing.T, web *httptest.Server, method, target, body string, headers ...string) response {
	t.Helper()
	a, err := do(web, newRequest(t, method, web.URL+target, body, headers...))
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

// want compares a response's status and body.
func want(t *testing.T, got response, status int, body string) {
	t.Helper()
	if got.status != status || got.body != body {
		t.Errorf("got %d %s\nwant %d %s", got.status, got.body, status, body)
	}
}

func wantHeader(t *testing.T, got response, name, value string) {
	t.Helper()
	if v := strings.Join(got.header.Values(name), "|"); v != value {
		t.Errorf("header %s is %q, want %q", name, v, value)
	}
}
