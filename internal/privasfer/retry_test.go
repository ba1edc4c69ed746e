package privasfer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// getContent makes callBy perform a download, whose GET may not be sent twice either.
const getContent = "GET content"

// callBy makes a call with method, for which emptyMail is a valid response.
func callBy(ctx context.Context, client *Client, method string) (sent time.Time, err error) {
	switch method {
	case http.MethodPost:
		_, sent, err = client.CreateDownload(ctx, []string{"f"})
		return sent, err
	case getContent:
		_, err = client.PerformDownload(ctx, Performance{Download: &Download{ID: contentID}, Limit: 1 << 20}, io.Discard)
		return time.Time{}, err
	}
	_, err = client.InboxMail(ctx, "m", false)
	return time.Time{}, err
}

// connect reports a connection for a request, as http.Transport does.
func connect(r *http.Request) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
}

// with returns a server with one response, whose body is emptyMail.
func with(status int, headers ...string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		connect(r)
		return newResponse(status, emptyMail, headers...), nil
	}
}

// unreachable simulates a network that never connects.
func unreachable(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// silent simulates a server that never responds.
func silent(r *http.Request) (*http.Response, error) {
	connect(r)
	return unreachable(r)
}

// TestWhatIsRetried counts the requests of a call that always fails, with four retries
// and with none.
func TestWhatIsRetried(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		api          roundTripper
		get, post    int
		kind         Kind
		notProcessed bool
	}{
		"429":                         {with(429), 5, 5, Rejected, true},
		"429 with a long Retry-After": {with(429, "Retry-After", "91"), 1, 1, Rejected, true},
		"500":                         {with(500, "Retry-After", "91"), 5, 1, Rejected, false},
		"502":                         {with(502), 5, 1, Rejected, false},
		"503":                         {with(503), 5, 1, Rejected, false},
		"503 with Retry-After":        {with(503, "Retry-After", "0"), 5, 5, Rejected, true},
		"503 with a long Retry-After": {with(503, "Retry-After", "91"), 1, 1, Rejected, true},
		"504":                         {with(504), 5, 1, Rejected, false},
		"404":                         {with(404), 1, 1, Rejected, true},
		"422":                         {with(422), 1, 1, Rejected, true},
		"302":                         {with(302, "Location", "/login"), 1, 1, Redirected, true},
		"no response in time":         {silent, 5, 1, TimedOut, false},
		"no connection in time":       {unreachable, 5, 5, Unreachable, true},
		"no connection in place of a lost one": {func(r *http.Request) (*http.Response, error) {
			connect(r)
			httptrace.ContextClientTrace(r.Context()).GetConn("")
			return nil, io.EOF
		}, 5, 5, Unreachable, true},
		"no response": {func(r *http.Request) (*http.Response, error) {
			connect(r)
			return nil, io.EOF
		}, 5, 1, Disconnected, false},
		"a response that is cut short": {func(r *http.Request) (*http.Response, error) {
			response, err := with(200)(r)
			response.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			return response, err
		}, 5, 1, Disconnected, false},
		"101, whose body has no end": {func(*http.Request) (*http.Response, error) {
			body, _ := io.Pipe()
			return &http.Response{StatusCode: 101, Body: body}, nil
		}, 1, 1, Unusable, false},
		"too large": {func(*http.Request) (*http.Response, error) {
			return newResponse(200, strings.Repeat(" ", maxObjectBytes+1)), nil
		}, 1, 1, TooLarge, false},
	}
	for name, test := range tests {
		for method, want := range map[string]int{http.MethodGet: test.get, http.MethodPost: test.post, getContent: test.post} {
			if method == getContent && test.kind == Redirected {
				continue // it is followed
			}
			bubble(t, method+" "+name, func(t *testing.T) {
				for maxRetries, want := range map[int]int{4: want, 0: 1} {
					requests := 0
					client := contentOver(t, func(r *http.Request) (*http.Response, error) {
						requests++
						if method == http.MethodPost { // each attempt sends the whole body
							if body, _ := io.ReadAll(r.Body); string(body) != `{"files":["f"]}` {
								t.Errorf("the body is %s", body)
							}
						}
						return test.api(r)
					}, retries(maxRetries))
					_, err := callBy(t.Context(), client, method)
					failure := asAPIError(t, err)
					if requests != want || failure.Attempts != want ||
						method != getContent && (failure.Kind != test.kind || failure.NotProcessed != test.notProcessed) {
						t.Errorf("%d requests, want %d: %+v", requests, want, failure)
					}
				}
			})
		}
	}
}

// A wait lasts exactly as long as the response says, and does not count towards the 30 s
// of an attempt. The time of a call is when the successful request was sent, not when
// its response arrived, a minute later on the injected clock.
func TestWaits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		api       roundTripper
		retryWait time.Duration
		want      time.Duration
	}{
		"429":                            {with(429), 0, time.Second},
		"429 with a retry wait of 3 s":   {with(429, "Retry-After", "0"), 3 * time.Second, 6 * time.Second},
		"429 with Retry-After":           {with(429, "Retry-After", "90"), 0, 90 * time.Second},
		"503 with Retry-After":           {with(503, "Retry-After", "90"), 0, 90 * time.Second},
		"503 with a date of its clock's": {with(503, "Retry-After", "Sat, 01 Jan 2000 01:00:10 GMT", "Date", "Sat, 01 Jan 2000 01:00:00 GMT"), 0, 10 * time.Second},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			bubble(t, method+" "+name, func(t *testing.T) {
				start, requests := time.Now(), 0
				now := func() time.Time { return time.Now().Add(time.Duration(requests) * time.Minute) }
				client := newClientOver(t, func(r *http.Request) (*http.Response, error) {
					if requests++; requests == 1 {
						return test.api(r)
					}
					return with(http.StatusOK)(r)
				}, retries(4), func(config *Config) { config.RetryWait, config.Now = test.retryWait, now })
				sent, err := callBy(t.Context(), client, method)
				if took := time.Since(start); err != nil || took != test.want || method == http.MethodPost && !sent.Equal(now().Add(-time.Minute)) {
					t.Errorf("it took %s, and the request was sent %s after the start: %v", took, sent.Sub(start), err)
				}
			})
		}
	}
}

// If the response names no wait, the wait is random, and its limit doubles.
func TestRandomWaits(t *testing.T) {
	t.Parallel()
	client := newClientAt(t, DefaultBaseURL)
	call := client.newCall(http.MethodGet, client.base, 0)
	call.failure = &APIError{Status: http.StatusServiceUnavailable}
	for attempt, limit := range map[int]time.Duration{0: time.Second / 2, 1: time.Second, 4: 8 * time.Second, 6: maxBackoff, 1000: maxBackoff} {
		waits := make([]time.Duration, 500)
		for i := range waits {
			waits[i] = call.backoff(0, 0, attempt, nil)
		}
		if least, most := slices.Min(waits), slices.Max(waits); least < 0 || least > limit/10 || most < limit-limit/10 || most > limit {
			t.Errorf("retry %d waits %s to %s, want up to %s", attempt, least, most, limit)
		}
	}
	call.target = parseBaseURL(t, "https://files.example") // which the gate does not cover
	for named, want := range map[time.Duration]time.Duration{0: time.Second, time.Minute: time.Minute} {
		call.failure = &APIError{Status: http.StatusTooManyRequests, RetryAfter: named}
		if wait := call.backoff(0, 0, 0, nil); wait != want {
			t.Errorf("after a Retry-After of %s it waits %s", named, wait)
		}
	}
}

// A POST with a deadline of one minute is canceled after 5 s. The error says whether the
// server may have acted. A wait that would end after the deadline does not begin.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		api          roundTripper
		closed       time.Duration // how long the gate is closed
		took         time.Duration
		kind         Kind
		attempts     int
		notProcessed bool
	}{
		"429":                  {with(429, "Retry-After", "59"), 0, 5 * time.Second, Canceled, 1, true},
		"503":                  {with(503, "Retry-After", "59"), 0, 5 * time.Second, Canceled, 1, true},
		"at the gate":          {silent, time.Minute, 5 * time.Second, Canceled, 0, true},
		"without a connection": {unreachable, 0, 5 * time.Second, Canceled, 1, true},
		"without a response":   {silent, 0, 5 * time.Second, Canceled, 1, false},
		"429 for as long":      {with(429, "Retry-After", "60"), 0, 5 * time.Second, Canceled, 1, true},
		"429 for longer":       {with(429, "Retry-After", "61"), 0, 0, Rejected, 1, true},
		"503 for longer":       {with(503, "Retry-After", "61"), 0, 0, Rejected, 1, true},
	} {
		bubble(t, name, func(t *testing.T) {
			client := newClientOver(t, test.api, retries(4))
			client.gate.until = time.Now().Add(test.closed)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			time.AfterFunc(5*time.Second, cancel)
			start := time.Now()
			_, err := callBy(ctx, client, http.MethodPost)
			failure := asAPIError(t, err)
			if took := time.Since(start); took != test.took || failure.Attempts != test.attempts || failure.NotProcessed != test.notProcessed ||
				failure.Kind != test.kind || errors.Is(err, context.Canceled) != (test.kind == Canceled) {
				t.Errorf("after %s: %+v", took, failure)
			}
		})
	}
}

// If the connection breaks before a response, a GET is retried and a POST is not. The
// server offers HTTP/2, over which net/http would retry a POST by itself.
func TestReset(t *testing.T) {
	t.Parallel()
	var resets atomic.Int32
	server := newServer(t, tls.VersionTLS13, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/inbox/") {
			respond(http.StatusOK, emptyMail)(w, r)
			return
		}
		resets.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil { // it fails over HTTP/2
			_ = conn.(*tls.Conn).NetConn().(*net.TCPConn).SetLinger(0) //nolint:forcetypeassert // the server's own
			_ = conn.(*tls.Conn).NetConn().Close()                     //nolint:forcetypeassert // the server's own
		}
	})
	quick := func(config *Config) { config.MaxRetries, config.RetryWait = 4, time.Millisecond }
	check := func(err error, requests int) {
		t.Helper()
		failure := asAPIError(t, err)
		if got := int(resets.Swap(0)); got != requests || failure.Kind != Disconnected || failure.Attempts != requests || failure.NotProcessed {
			t.Errorf("%d requests: %+v", got, failure)
		}
	}
	client := newClientAt(t, server.URL, trusting(server), quick)
	_, err := client.Mail(t.Context(), "m", false)
	check(err, 5)
	if _, err := client.InboxMail(t.Context(), "m", false); err != nil { // leaves an idle connection
		t.Error(err)
	}
	_, _, err = client.CreateDownload(t.Context(), []string{"f"})
	check(err, 1)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where the clock of a bubble starts
	date := func(after time.Duration) string { return start.Add(after).Format(http.TimeFormat) }
	unix := func(after time.Duration) string { return strconv.FormatInt(start.Add(after).Unix(), 10) }
	const none, long = -1, 1 << 31 * time.Second
	for name, test := range map[string]struct {
		retryAfter, reset, date string
		want                    time.Duration
	}{
		"nothing":              {"", "", date(0), none},
		"seconds":              {"17", "", "", 17 * time.Second},
		"no second":            {"0", "", "", 0},
		"a date":               {date(20 * time.Second), "", "", 20 * time.Second},
		"a date in the past":   {date(-time.Hour), "", "", 0},
		"a date, a clock fast": {date(time.Hour + 20*time.Second), "", date(time.Hour), 20 * time.Second},
		"a date, a clock slow": {date(20*time.Second - time.Hour), "", date(-time.Hour), 20 * time.Second},
		"a date in 9999":       {"Fri, 31 Dec 9999 23:59:59 GMT", "", "", long},
		"reset":                {"", unix(45 * time.Second), "", 45 * time.Second},
		"reset, a clock fast":  {"", unix(time.Hour + 20*time.Second), date(time.Hour), 20 * time.Second},
		"both":                 {"3", unix(time.Minute), "", 3 * time.Second},
		"garbage and reset":    {"soon", unix(time.Minute), "", time.Minute},
		"garbage":              {"soon", "later", "", none},
		"huge":                 {"4294967296", "", "", long},
		"huge reset":           {"", "99999999999999999999", "", long},
	} {
		bubble(t, name, func(t *testing.T) {
			for status, says := range map[int]bool{429: true, 503: true, 200: false, 422: false, 500: false} {
				want := test.want
				if says = says && want != none; !says {
					want = 0
				}
				wait, ok := retryAfter(newResponse(status, "", "Retry-After", test.retryAfter, "X-RateLimit-Reset", test.reset, "Date", test.date))
				if ok != says || min(wait, long) != want {
					t.Errorf("%d: got %s, %t, want %s, %t", status, wait, ok, want, says)
				}
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "17", "-5", "9223372036854775807", "99999999999999999999", "1e9", "Mon, 20 May 2019 14:39:29 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "\xff"} {
		f.Add(503, "", seed, "Sat, 01 Jan 2000 00:00:00 GMT")
		f.Add(429, seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, status int, seconds, reset, date string) {
		response := newResponse(status, "", "Retry-After", seconds, "X-RateLimit-Reset", reset, "Date", date)
		if wait, ok := retryAfter(response); wait < 0 || !ok && wait != 0 || ok && status != 429 && status != 503 {
			t.Errorf("got %s, %t", wait, ok)
		}
		g := gate{minWait: time.Minute}
		if g.leave(pass{sent: 1}, response); time.Now().Before(g.until) != (status == 429) {
			t.Errorf("the gate is closed until %s", g.until)
		}
	})
}
