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

	if s.Count("", "/api/inbox/") != 2 || s.Count("POST", "") != 2 || s.Count("GET", "/inbox") != 0 {
		t.Error("the counts are wrong")
	}
	if u := s.Unexpected(); len(u) != 2 || u[0].Status != 405 || u[1].Status != 404 || u[1].Path != "/api/nothing" {
		t.Errorf("unexpected requests: %+v", u)
	}

	// Changes to copies do not change the record.
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
