package simulator_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := newClock() // 23:59:30 on a whole second
	s, web := start(t, simulator.Options{Now: now.Now, RateLimit: 3, RateWindow: 4 * time.Second})
	base := now.Now().Unix()
	const mail, unknown = "/api/inbox/" + simulator.MailFull, "/api/inbox/x"

	steps := []struct {
		advance                      time.Duration
		method, target, auth         string
		status                       int
		remaining, retryAfter, reset string
	}{
		// The window starts with its first request, half a second in.
		{500 * time.Millisecond, "GET", mail, token, 200, "2", "", ""},
		{time.Second, "GET", unknown, token, 404, "1", "", ""},
		// No route, no count.
		{0, "GET", "/api/nothing", token, 404, "", "", ""},
		{0, "DELETE", mail, token, 405, "", "", ""},
		{0, "GET", "/download/x", token, 404, "", "", ""},
		// Rejected before it is counted, within the limit and beyond it.
		{0, "GET", mail, "wrong", 401, "", "", ""},
		{0, "GET", mail, token, 200, "0", "", ""},
		{0, "GET", mail, "wrong", 401, "", "", ""},
		{0, "GET", mail, token, 429, "0", "3", strconv.FormatInt(base+5, 10)},
		{500 * time.Millisecond, "POST", "/api/downloads", token, 429, "0", "3", strconv.FormatInt(base+5, 10)},
		{2499 * time.Millisecond, "GET", mail, token, 429, "0", "1", strconv.FormatInt(base+5, 10)},
		{time.Millisecond, "GET", mail, token, 200, "2", "", ""},
		// The next starts with the next request, not when the last ended.
		{10 * time.Second, "POST", "/api/downloads", token, 422, "2", "", ""},
		{3999 * time.Millisecond, "GET", mail, token, 200, "1", "", ""},
		{time.Millisecond, "GET", mail, token, 200, "2", "", ""},
	}
	for i, step := range steps {
		now.Advance(step.advance)
		got := call(t, web, step.method, step.target, "", "Authorization", "Bearer "+step.auth)
		if got.status != step.status {
			t.Errorf("step %d: status %d, want %d", i, got.status, step.status)
		}
		limit := "3"
		if step.remaining == "" {
			limit = ""
		}
		wantHeader(t, got, "X-RateLimit-Limit", limit)
		wantHeader(t, got, "X-RateLimit-Remaining", step.remaining)
		wantHeader(t, got, "Retry-After", step.retryAfter)
		wantHeader(t, got, "X-RateLimit-Reset", step.reset)
		if step.status == 429 {
			want(t, got, 429, `{"message":"Too Many Attempts."}`)
		}
		if t.Failed() {
			t.Fatalf("step %d", i)
		}
	}
	if len(s.Downloads()) != 0 {
		t.Error("a limited request made a download")
	}
}

func TestLateRateLimit(t *testing.T) {
	t.Parallel()
	now := newClock()
	_, web := start(t, simulator.Options{Now: now.Now, RateLimit: 1, RateWindow: 2 * time.Second, LateRateLimit: time.Second})
	begin := now.Now()
	end := strconv.FormatInt(begin.Add(2*time.Second).Unix(), 10)
	for _, step := range []struct {
		after             time.Duration
		status            int
		retryAfter, reset string
	}{
		{0, 404, "", ""},
		{500 * time.Millisecond, 429, "2", end},
		{time.Second, 429, "1", end},
		{2*time.Second - 1, 429, "1", end},
		{2 * time.Second, 429, "0", end},
		{3*time.Second - 1, 429, "0", end},
		{3 * time.Second, 404, "", ""},
	} {
		now.Advance(begin.Add(step.after).Sub(now.Now()))
		got := call(t, web, "GET", "/api/inbox/x", "")
		if got.status != step.status {
			t.Errorf("after %s: status %d, want %d", step.after, got.status, step.status)
		}
		wantHeader(t, got, "Retry-After", step.retryAfter)
		wantHeader(t, got, "X-RateLimit-Reset", step.reset)
	}
}

func TestRateLimitAsHTML(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{RateLimit: 1})
	call(t, web, "GET", "/api/inbox/x", "")
	got := call(t, web, "GET", "/api/inbox/x", "", "Accept", "")
	want(t, got, 429, "<!DOCTYPE html>\n<title>Too Many Requests</title>\n")
	wantHeader(t, got, "X-RateLimit-Remaining", "0")
}

func TestRateLimitDefaults(t *testing.T) {
	t.Parallel()
	now := newClock()
	_, web := start(t, simulator.Options{Now: now.Now})
	for i := range 300 {
		got := call(t, web, "GET", "/api/inbox/x", "")
		wantHeader(t, got, "X-RateLimit-Limit", "300")
		wantHeader(t, got, "X-RateLimit-Remaining", strconv.Itoa(299-i))
	}
	got := call(t, web, "GET", "/api/inbox/x", "")
	want(t, got, 429, `{"message":"Too Many Attempts."}`)
	wantHeader(t, got, "Retry-After", "60")
	now.Advance(time.Minute)
	wantHeader(t, call(t, web, "GET", "/api/inbox/x", ""), "X-RateLimit-Remaining", "299")
}

func TestRateLimitByAddress(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Token: token, RateLimit: 1})
	for _, step := range []struct {
		address string
		status  int
	}{
		{"192.0.2.1:1000", 404}, {"192.0.2.1:2000", 429}, {"192.0.2.2:1000", 404}, {"[2001:db8::1]:1", 404}, {"[2001:db8::1]:2", 429},
	} {
		r := newRequest(t, http.MethodGet, "http://localhost/api/inbox/x", "")
		r.RemoteAddr = step.address
		w := newMemory()
		s.ServeHTTP(w, r)
		if w.status != step.status {
			t.Errorf("%s: status %d, want %d", step.address, w.status, step.status)
		}
	}
}

func TestHideRateLimit(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{RateLimit: 1, HideRateLimit: true})
	for range 3 {
		got := call(t, web, "GET", "/api/inbox/"+simulator.MailFull, "")
		if got.status != 200 {
			t.Errorf("status %d", got.status)
		}
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"} {
			wantHeader(t, got, name, "")
		}
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
