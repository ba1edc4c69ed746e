package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

const (
	token = "the-only-token"
	pin   = "1a2s3d"
)

// clock is set by tests.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// newClock returns a clock at 2024-02-29 23:59:30 UTC, in another time zone because
// responses are in UTC.
func newClock() *clock {
	return &clock{now: time.Date(2024, 3, 1, 1, 59, 30, 0, time.FixedZone("", 2*60*60))}
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
	options.Token, options.PIN = token, pin
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

// newRequest returns a request as in the documentation. Headers come in pairs; an empty
// value removes the header.
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

// post creates an object and returns its id or key.
func post(t *testing.T, web *httptest.Server, target, body string) struct{ ID, Key string } {
	t.Helper()
	got := call(t, web, "POST", target, body)
	var made struct{ Data struct{ ID, Key string } }
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || got.status != 201 {
		t.Fatalf("POST %s: %d %s: %v", target, got.status, got.body, err)
	}
	return made.Data
}

// publish creates a public key for a download, and returns the path at which that is
// performed.
func publish(t *testing.T, web *httptest.Server, downloadID string) (target string) {
	t.Helper()
	temporary := post(t, web, "/api/keys", `{"pin":"`+pin+`"}`).Key
	return "/download/" + post(t, web, "/api/downloads/"+downloadID+"/keys", `{"pinKey":"`+temporary+`"}`).Key
}

// create creates a download, and returns the path at which it is performed.
func create(t *testing.T, web *httptest.Server, fileIDs ...string) (target string) {
	t.Helper()
	return publish(t, web, post(t, web, "/api/downloads", `{"files":["`+strings.Join(fileIDs, `","`)+`"]}`).ID)
}

// message is the body of an error response.
func message(text string) string { return `{"message":"` + text + `"}` }

// noModel is the body of a 404.
func noModel(model, id string) string {
	return message(`No query results for model [App\\Models\\` + model + `] ` + id)
}

// invalid is the body of a 422 about one field.
func invalid(field, text string) string {
	return `{"errors":{"` + field + `":["` + text + `"]},"message":"The given data was invalid."}`
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
