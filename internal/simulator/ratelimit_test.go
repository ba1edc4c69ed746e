package simulator_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := newClock() // 23:59:30 on a whole second
	s, web := start(t, simulator.Options{Now: now.Now, RateLimit: 3, RateWindow: 4 * time.Second, LateRateLimit: time.Second})
	base := now.Now().Unix()
	const mail, unknown = "/api/inbox/" + simulator.MailFull, "/api/inbox/x"

	for i, step := range []struct {
		advance              time.Duration
		method, target, auth string
		status               int
		headers              string // limit, remaining, Retry-After and reset, in seconds from the first
	}{
		// The window starts with its first request, half a second in.
		{500 * time.Millisecond, "GET", mail, token, 200, "3 2"},
		{time.Second, "GET", unknown, token, 404, "3 1"},
		// Without a route, a request is not counted.
		{0, "GET", "/api/nothing", token, 404, ""},
		{0, "DELETE", mail, token, 405, ""},
		{0, "GET", "/download/x", token, 404, ""},
		// Rejected before it is counted, within the limit and beyond it.
		{0, "GET", mail, "wrong", 401, ""},
		{0, "GET", mail, token, 200, "3 0"},
		{0, "GET", mail, "wrong", 401, ""},
		{500 * time.Millisecond, "POST", "/api/downloads", token, 429, "3 0 3 5"},
		{2499 * time.Millisecond, "GET", mail, token, 429, "3 0 1 5"},
		// The reported end has passed.
		{time.Millisecond, "GET", mail, token, 429, "3 0 0 4"},
		{999 * time.Millisecond, "GET", mail, token, 429, "3 0 0 5"},
		{time.Millisecond, "GET", mail, token, 200, "3 2"},
		// The next window starts with the next request, not when the last ended.
		{10 * time.Second, "POST", "/api/downloads", token, 422, "3 2"},
		{4999 * time.Millisecond, "GET", mail, token, 200, "3 1"},
		{time.Millisecond, "GET", mail, token, 200, "3 2"},
	} {
		now.Advance(step.advance)
		got := call(t, web, step.method, step.target, "", "Authorization", "Bearer "+step.auth)
		h, reset := got.header, ""
		if at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			reset = strconv.FormatInt(at-base, 10)
		}
		headers := strings.TrimSpace(strings.Join([]string{h.Get("X-RateLimit-Limit"), h.Get("X-RateLimit-Remaining"), h.Get("Retry-After"), reset}, " "))
		if got.status != step.status || headers != step.headers || got.status == 429 && got.body != message("Too Many Attempts.") {
			t.Fatalf("step %d: %d, headers %q, %s", i, got.status, headers, got.body)
		}
	}
	if len(s.Downloads()) != 0 {
		t.Error("a limited request made a download")
	}
}

func TestLimitReq(t *testing.T) {
	t.Parallel()
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now})
	s.Inject("", -1, s.LimitReq(2, 1))
	for i, step := range []struct {
		advance time.Duration
		status  int
	}{
		// One request, and a burst of one more.
		{0, 404}, {0, 404}, {0, 429}, {0, 429},
		// Half a second drains one.
		{499 * time.Millisecond, 429}, {time.Millisecond, 404}, {0, 429},
		{time.Hour, 404}, {0, 404}, {0, 429},
	} {
		now.Advance(step.advance)
		got := call(t, web, "GET", "/api/inbox/x", "")
		if got.status != step.status {
			t.Errorf("step %d: status %d, want %d", i, got.status, step.status)
		}
		if got.status == 429 {
			wantHeader(t, got, "Content-Type", "text/html")
			wantHeader(t, got, "Retry-After", "")
			wantHeader(t, got, "X-RateLimit-Limit", "")
		}
	}
}
