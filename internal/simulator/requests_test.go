package simulator_test

import (
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

func TestRecording(t *testing.T) {
	t.Parallel()
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now})
	call(t, web, "GET", "/api/inbox/a%20b?include=download", "", "X-Request", "1")
	now.Advance(time.Second)
	call(t, web, "POST", "/api/downloads", `{}`)
	call(t, web, "POST", "/api/inbox/x", "")
	call(t, web, "GET", "/api/nothing", "")

	requests := s.Requests()
	if len(requests) != 4 {
		t.Fatalf("recorded %d requests", len(requests))
	}
	first := requests[0]
	if first.Method != "GET" || first.Path != "/api/inbox/a b" || first.RawQuery != "include=download" ||
		first.Header.Get("X-Request") != "1" || first.Header.Get("Authorization") != "Bearer "+token ||
		first.Status != 404 || !first.Time.Equal(now.Now().Add(-time.Second)) || first.RemoteAddr == "" || len(first.Body) != 0 {
		t.Errorf("first request: %+v", first)
	}
	if second := requests[1]; string(second.Body) != `{}` || second.Status != 422 || !second.Time.Equal(now.Now()) {
		t.Errorf("second request: %+v", second)
	}
	if requests[2].RemoteAddr != requests[3].RemoteAddr {
		t.Error("a kept-alive connection has two addresses")
	}

	counts := []struct {
		method, prefix string
		count          int
	}{
		{"", "", 4}, {"GET", "", 2}, {"POST", "/api/downloads", 1}, {"GET", "/api/inbox/", 1}, {"", "/api/inbox/", 2}, {"get", "", 0}, {"GET", "/inbox", 0},
	}
	for _, c := range counts {
		if got := s.Count(c.method, c.prefix); got != c.count {
			t.Errorf("Count(%q, %q) is %d, want %d", c.method, c.prefix, got, c.count)
		}
	}
	if u := s.Unexpected(); len(u) != 2 || u[0].Status != 405 || u[1].Status != 404 || u[1].Path != "/api/nothing" {
		t.Errorf("unexpected requests: %+v", u)
	}

	// What a test does with its copies stays there.
	first.Header.Set("X-Request", "2")
	requests[1].Body[0] = 'x'
	if again := s.Requests(); again[0].Header.Get("X-Request") != "1" || string(again[1].Body) != `{}` {
		t.Error("the record was changed through a copy")
	}
	s.ResetRequests()
	if len(s.Requests()) != 0 || len(s.Unexpected()) != 0 {
		t.Error("requests after a reset")
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{Latency: 30 * time.Millisecond})
	s.Inject("GET /api/inbox/faulted", 1, simulator.HTML())
	for _, target := range []string{"/api/inbox/" + simulator.MailFull, "/api/nothing", "/api/inbox/faulted"} {
		begin := time.Now()
		call(t, web, "GET", target, "")
		if took := time.Since(begin); took < 30*time.Millisecond {
			t.Errorf("%s took %s", target, took)
		}
	}
}

func TestLatencyEndsWithTheClient(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{Latency: time.Hour})
	leave(t, s, web, "POST", "/api/downloads", `{"files":["`+simulator.FileInvoice+`"]}`)
	if len(s.Downloads()) != 1 {
		t.Error("the request was not carried out before its response was held back")
	}
}
