package simulator_test

import (
	"net/http"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestFaults performs a download with each fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	const live, performed = simulator.Live, simulator.Performed
	const page = "<!DOCTYPE html>\n<title>Privasfer</title>\n<p>Please log in.</p>\n"
	licence := string(simulator.DefaultData().Files[1].Content)
	asks := func(name string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.Header.Get(name) != "" }
	}
	type headers = map[string]string
	for name, test := range map[string]struct {
		fault   simulator.Fault
		status  int // 0: the connection breaks
		body    string
		headers headers
		state   simulator.State
	}{
		"Status":              {simulator.Status(418, http.Header{"X-Two": {"a", "b"}}, "tea"), 418, "tea", headers{"X-Two": "a|b"}, live},
		"JSONError":           {simulator.JSONError(403, `"No"`), 403, `{"message":"\"No\""}`, headers{"Content-Type": "application/json"}, live},
		"Respond":             {simulator.Respond(`{"data":`), 200, `{"data":`, headers{"Content-Type": "application/json"}, live},
		"HTML":                {simulator.HTML(), 200, page, headers{"Content-Type": "text/html; charset=UTF-8"}, live},
		"Redirect, performed": {simulator.After(simulator.Redirect(302, "https://x.invalid/")), 302, "", headers{"Location": "https://x.invalid/", "Content-Disposition": ""}, performed},
		"When":                {simulator.When(asks("Accept"), simulator.JSONError(502, "")), 502, message(""), nil, live},
		"When not":            {simulator.When(asks("X-Other"), simulator.JSONError(502, "")), 200, licence, nil, performed},
		"Truncate":            {simulator.Truncate(), 0, licence[:38], nil, performed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{})
			target := create(t, web, simulator.FileLicence)
			s.ResetRequests()
			web.Client().CloseIdleConnections() // on a reused one, net/http retries
			s.Inject("GET /download/", 1, test.fault)
			got, err := do(web, newRequest(t, "GET", web.URL+target, ""))
			if (err != nil) != (test.status == 0) {
				t.Fatalf("%+v: %v", got, err)
			}
			for name, value := range test.headers {
				wantHeader(t, got, name, value)
			}
			if got.body != test.body || err == nil && got.status != test.status || s.Downloads()[0].State != test.state {
				t.Errorf("got %d %q, and the download is %s", got.status, got.body, s.Downloads()[0].State)
			}
			if r := s.Requests(); len(r) != 1 || err == nil && r[0].Status != test.status {
				t.Errorf("recorded %+v", r)
			}
		})
	}
}

func TestInject(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	s.Inject("GET /api/inbox/x", 0, simulator.JSONError(599, ""))
	s.Inject("GET /api/inbox/x", 2, simulator.JSONError(500, ""))
	s.Inject("GET /api/inbox/", 1, simulator.JSONError(501, ""))
	s.Inject("POST /api/downloads", -1, simulator.JSONError(502, ""))
	hooked := false
	s.Inject("", 1, simulator.Before(func() { hooked = true }))
	for i, step := range []struct {
		method, target string
		status         int
	}{
		{"GET", "/api/inbox/x", 500},
		{"GET", "/api/inbox/y", 501},
		{"GET", "/api/inbox/x", 500},
		{"POST", "/api/downloads", 502},
		{"GET", "/anything", 404},
		{"GET", "/api/inbox/x", 404},
		{"POST", "/api/downloads", 502},
		{"PUT", "/api/downloads", 405},
	} {
		if got := call(t, web, step.method, step.target, ""); got.status != step.status || hooked != (i > 3) {
			t.Errorf("step %d: %d, want %d", i, got.status, step.status)
		}
	}
}
