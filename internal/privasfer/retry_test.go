package privasfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// plainAnswer is an answer as a transport returns it; headers are names and
// values in turn.
func plainAnswer(status int, body string, headers ...string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(headers); i += 2 {
		response.Header.Set(headers[i], headers[i+1])
	}
	return response
}

// newClientOver returns a client that sends its requests to a function in place
// of a network, for bubbles of synctest.
func newClientOver(t *testing.T, inner roundTripper, changes ...func(*Config)) *Client {
	t.Helper()
	client := newClientAt(t, plainBase, changes...)
	transportOf(t, client.http).inner = inner
	return client
}

func fourRetries(config *Config) { config.MaxRetries = 4 }

// callWith makes a call of either method, with an answer of 64 KiB at most.
func callWith(ctx context.Context, t *testing.T, client *Client, method string) (time.Time, error) {
	t.Helper()
	target, err := client.endpoint(nil, "inbox", "m")
	if err != nil {
		t.Fatal(err)
	}
	r := request{method: method, url: target, limit: 64 << 10}
	if method == http.MethodPost {
		r.body = map[string][]string{"files": {"f"}}
	}
	return client.do(ctx, r, func(body []byte) error {
		_, err := decode[InboxMail](body)
		return err
	})
}

// What is repeated, over a network: the rows count the requests of a call that
// fails every time with four retries.
func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	headers := func(status int, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			answer(status, "")(w, r)
		}
	}
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tests := map[string]struct {
		handler   http.HandlerFunc
		get, post int
		err       string // after method and path; "": whatever it is
	}{
		"closed":    {handler: abort, get: 5, post: 1, err: ": the connection was closed before an answer came"},
		"reset":     {handler: resetConnection, get: 5, post: 1},
		"cut short": {handler: headers(200, "Content-Length", "100"), get: 5, post: 1, err: " was answered 200 OK: the answer was cut short: unexpected EOF"},

		"429":                          {handler: headers(429), get: 5, post: 5, err: " was answered 429 Too Many Requests"},
		"429 with Retry-After":         {handler: headers(429, "Retry-After", "0"), get: 5, post: 5, err: " was answered 429 Too Many Requests"},
		"429 with a time":              {handler: headers(429, "X-RateLimit-Reset", "1"), get: 5, post: 5, err: " was answered 429 Too Many Requests"},
		"429 that asks for too much":   {handler: headers(429, "Retry-After", "91"), get: 1, post: 1, err: " was answered 429 Too Many Requests"},
		"500":                          {handler: headers(500), get: 5, post: 1, err: " was answered 500 Internal Server Error"},
		"500 with Retry-After":         {handler: headers(500, "Retry-After", "300"), get: 5, post: 1, err: " was answered 500 Internal Server Error"},
		"502":                          {handler: headers(502), get: 5, post: 1, err: " was answered 502 Bad Gateway"},
		"503":                          {handler: headers(503), get: 5, post: 1, err: " was answered 503 Service Unavailable"},
		"503 with Retry-After":         {handler: headers(503, "Retry-After", "0"), get: 5, post: 5, err: " was answered 503 Service Unavailable"},
		"503 with a date":              {handler: headers(503, "Retry-After", "Mon, 20 May 2019 14:39:29 GMT"), get: 5, post: 5, err: " was answered 503 Service Unavailable"},
		"503 that asks for too much":   {handler: headers(503, "Retry-After", "91"), get: 1, post: 1, err: " was answered 503 Service Unavailable"},
		"504":                          {handler: headers(504), get: 5, post: 1, err: " was answered 504 Gateway Timeout"},
		"501":                          {handler: headers(501), get: 1, post: 1, err: " was answered 501 Not Implemented"},
		"505":                          {handler: headers(505), get: 1, post: 1, err: " was answered 505 HTTP Version Not Supported"},
		"302":                          {handler: headers(302, "Location", "/login"), get: 1, post: 1, err: " was answered 302 Found"},
		"400":                          {handler: headers(400), get: 1, post: 1, err: " was answered 400 Bad Request"},
		"401":                          {handler: headers(401), get: 1, post: 1, err: " was answered 401 Unauthorized"},
		"403":                          {handler: headers(403), get: 1, post: 1, err: " was answered 403 Forbidden"},
		"404":                          {handler: headers(404), get: 1, post: 1, err: " was answered 404 Not Found"},
		"408":                          {handler: headers(408), get: 1, post: 1, err: " was answered 408 Request Timeout"},
		"419":                          {handler: headers(419), get: 1, post: 1, err: " was answered 419"},
		"422":                          {handler: headers(422), get: 1, post: 1, err: " was answered 422 Unprocessable Entity"},
		"422 with Retry-After":         {handler: headers(422, "Retry-After", "300"), get: 1, post: 1, err: " was answered 422 Unprocessable Entity"},
		"200 and not usable":           {handler: headers(200), get: 1, post: 1, err: " was answered 200 OK: the answer is empty"},
		"too large":                    {handler: answer(200, strings.Repeat(" ", 64<<10+1)), get: 1, post: 1, err: " was answered 200 OK: " + (&tooLargeError{limit: 64 << 10}).Error()},
		"the body of a 500 cut short":  {handler: headers(500, "Content-Length", "100"), get: 5, post: 1, err: " was answered 500 Internal Server Error"},
		"the body of a 404 cut short":  {handler: headers(404, "Content-Length", "100"), get: 1, post: 1, err: " was answered 404 Not Found"},
		"the body of a 429 cut short":  {handler: headers(429, "Content-Length", "100", "Retry-After", "0"), get: 5, post: 5, err: " was answered 429 Too Many Requests"},
		"the body of a 500 is too big": {handler: answer(500, strings.Repeat(" ", 128<<10)), get: 5, post: 1, err: " was answered 500 Internal Server Error"},
	}
	for name, test := range tests {
		for method, want := range map[string]int{http.MethodGet: test.get, http.MethodPost: test.post} {
			for _, retries := range []int{4, 0} {
				want := min(want, 1+retries)
				t.Run(fmt.Sprintf("%s %s, %d retries", method, name, retries), func(t *testing.T) {
					t.Parallel()
					var requests atomic.Int32
					client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
						requests.Add(1)
						_, _ = io.Copy(io.Discard, r.Body)
						test.handler(w, r)
					}, func(config *Config) {
						config.MaxRetries = retries
						config.RetryWait = time.Millisecond
					})
					_, err := callWith(t.Context(), t, client, method)
					apiError := asAPIError(t, err)
					if got := int(requests.Load()); got != want || apiError.Attempts != want {
						t.Errorf("%d requests, %d attempts, want %d", got, apiError.Attempts, want)
					}
					text := method + " /api/inbox/m" + test.err
					if want > 1 {
						text += fmt.Sprintf(" (after %d attempts)", want)
					}
					if apiError.RetryAfter > 0 {
						text += " (the API asked to wait 1m31s)"
					}
					if test.err != "" {
						checkText(t, err, text)
					}
				})
			}
		}
	}
}

// resetConnection ends a connection as a crashed server does.
func resetConnection(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func TestRefusedConnectionIsRepeated(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(nil)
			server.Close()
			client := newClientAt(t, server.URL+"/api", fourRetries, func(config *Config) { config.RetryWait = time.Millisecond })
			var dials atomic.Int32
			inner := innerTransport(t, client)
			dial := inner.DialContext
			inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials.Add(1)
				return dial(ctx, network, address)
			}
			_, err := callWith(t.Context(), t, client, method)
			apiError := asAPIError(t, err)
			if dials.Load() != 5 || apiError.Attempts != 5 || apiError.MayHaveActed() {
				t.Errorf("%d dials, %+v", dials.Load(), apiError)
			}
			if !strings.Contains(err.Error(), ": dial tcp ") || !strings.HasSuffix(err.Error(), " (after 5 attempts)") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A server that is not trusted was asked nothing, and would not be the next time.
func TestUntrustedServerIsAskedOnce(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int32
			server := httptest.NewUnstartedServer(answer(200, emptyMail))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			server.StartTLS()
			t.Cleanup(server.Close)
			client := newClientAt(t, server.URL+"/api", fourRetries, func(config *Config) { config.RetryWait = time.Millisecond })
			_, err := callWith(t.Context(), t, client, method)
			apiError := asAPIError(t, err)
			if connections.Load() != 1 || apiError.Attempts != 1 {
				t.Errorf("%d connections, %v", connections.Load(), err)
			}
			if apiError.MayHaveActed() {
				t.Errorf("a request that was never sent may have acted: %v", err)
			}
		})
	}
}

func TestTimeoutIsRepeated(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{http.MethodGet: 5, http.MethodPost: 1} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := newClientOver(t, func(r *http.Request) (*http.Response, error) {
					requests++
					<-r.Context().Done()
					return nil, r.Context().Err()
				}, fourRetries)
				start := time.Now()
				_, err := callWith(t.Context(), t, client, method)
				text := method + " /api/inbox/m: no complete answer within 30s"
				if want > 1 {
					text += " (after 5 attempts)"
				}
				checkError(t, err, text)
				if requests != want {
					t.Errorf("%d requests", requests)
				}
				least := time.Duration(want) * DefaultRequestTimeout
				if took := time.Since(start); took < least || took > least+7500*time.Millisecond {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// A request that got through in the end is a call like any other.
func TestRepeatSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		client := newClientOver(t, func(*http.Request) (*http.Response, error) {
			if requests++; requests <= 4 {
				return plainAnswer(http.StatusBadGateway, ""), nil
			}
			return plainAnswer(http.StatusOK, emptyMail), nil
		}, fourRetries)
		mail, err := client.InboxMail(t.Context(), "m", false)
		if err != nil || mail.ID != "m" || requests != 5 {
			t.Errorf("got %+v, %v after %d requests", mail, err, requests)
		}
	})
}

// max_retries counts every repeat, whatever it is for.
func TestEveryRepeatCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		client := newClientOver(t, func(*http.Request) (*http.Response, error) {
			requests++
			return []func() (*http.Response, error){
				func() (*http.Response, error) { return plainAnswer(429, "", "Retry-After", "1"), nil },
				func() (*http.Response, error) { return plainAnswer(500, ""), nil },
				func() (*http.Response, error) { return nil, io.EOF },
				func() (*http.Response, error) { return plainAnswer(429, ""), nil },
				func() (*http.Response, error) {
					return plainAnswer(503, `{"message":"Be right back."}`, "Retry-After", "7", "X-Request-Id", "r-5"), nil
				},
				func() (*http.Response, error) { return plainAnswer(200, emptyMail), nil },
			}[requests-1]()
		}, fourRetries)
		_, err := client.InboxMail(t.Context(), "m", false)
		checkError(t, err, "GET /api/inbox/m was answered 503 Service Unavailable: Be right back. (request id r-5) "+
			"(after 5 attempts) (the API asked to wait 7s)")
		apiError := asAPIError(t, err)
		if apiError.Attempts != 5 || apiError.RetryAfter != 7*time.Second || apiError.Status != 503 {
			t.Errorf("got %+v", apiError)
		}
	})
}

func TestAskedWait(t *testing.T) {
	t.Parallel()
	const date = "Sat, 01 Jan 2000 00:00:00 GMT" // when a bubble's clock begins
	unix := func(after time.Duration) string {
		return strconv.FormatInt(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(after).Unix(), 10)
	}
	at := func(after time.Duration) string {
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(after).Format(http.TimeFormat)
	}
	tests := map[string]struct {
		headers []string
		want    time.Duration
		none    bool
	}{
		"nothing":          {none: true},
		"Date alone":       {headers: []string{"Date", date}, none: true},
		"seconds":          {headers: []string{"Retry-After", "17"}, want: 17 * time.Second},
		"no second":        {headers: []string{"Retry-After", "0"}},
		"leading zeros":    {headers: []string{"Retry-After", "007"}, want: 7 * time.Second},
		"many seconds":     {headers: []string{"Retry-After", "2147483647"}, want: math.MaxInt32 * time.Second},
		"negative":         {headers: []string{"Retry-After", "-17"}},
		"a date":           {headers: []string{"Retry-After", at(20 * time.Second)}, want: 20 * time.Second},
		"a date and Date":  {headers: []string{"Retry-After", at(20 * time.Second), "Date", date}, want: 20 * time.Second},
		"a date gone by":   {headers: []string{"Retry-After", at(-time.Hour)}},
		"the RFC 850 form": {headers: []string{"Retry-After", "Saturday, 01-Jan-00 00:00:09 GMT"}, want: 9 * time.Second},
		"the C form":       {headers: []string{"Retry-After", "Sat Jan  1 00:00:09 2000"}, want: 9 * time.Second},

		"the server's clock is an hour fast":          {headers: []string{"Retry-After", at(time.Hour + 20*time.Second), "Date", at(time.Hour)}, want: 20 * time.Second},
		"the server's clock is an hour slow":          {headers: []string{"Retry-After", at(-time.Hour + 20*time.Second), "Date", at(-time.Hour)}, want: 20 * time.Second},
		"the server's clock is fast, and it has Unix": {headers: []string{"X-RateLimit-Reset", unix(time.Hour + 20*time.Second), "Date", at(time.Hour)}, want: 20 * time.Second},
		"a Date that is none":                         {headers: []string{"Retry-After", at(20 * time.Second), "Date", "yesterday"}, want: 20 * time.Second},

		"X-RateLimit-Reset":                 {headers: []string{"X-RateLimit-Reset", unix(45 * time.Second)}, want: 45 * time.Second},
		"X-RateLimit-Reset gone by":         {headers: []string{"X-RateLimit-Reset", unix(-45 * time.Second)}},
		"X-RateLimit-Reset at the epoch":    {headers: []string{"X-RateLimit-Reset", "0"}},
		"X-RateLimit-Reset is negative":     {headers: []string{"X-RateLimit-Reset", "-99999999999"}},
		"X-RateLimit-Reset in 200 years":    {headers: []string{"X-RateLimit-Reset", unix(200 * 365 * 24 * time.Hour)}, want: 200 * 365 * 24 * time.Hour},
		"X-RateLimit-Reset is no number":    {headers: []string{"X-RateLimit-Reset", "soon"}, none: true},
		"X-RateLimit-Reset is a fraction":   {headers: []string{"X-RateLimit-Reset", "1.5"}, none: true},
		"both":                              {headers: []string{"Retry-After", "3", "X-RateLimit-Reset", unix(time.Minute)}, want: 3 * time.Second},
		"a date and X-RateLimit-Reset":      {headers: []string{"Retry-After", at(3 * time.Second), "X-RateLimit-Reset", unix(time.Minute)}, want: 3 * time.Second},
		"garbage":                           {headers: []string{"Retry-After", "soon"}, none: true},
		"a fraction":                        {headers: []string{"Retry-After", "1.5"}, none: true},
		"a duration":                        {headers: []string{"Retry-After", "5s"}, none: true},
		"garbage and X-RateLimit-Reset":     {headers: []string{"Retry-After", "soon", "X-RateLimit-Reset", unix(time.Minute)}, want: time.Minute},
		"garbage in both":                   {headers: []string{"Retry-After", "\xff", "X-RateLimit-Reset", "\x00"}, none: true},
		"an empty header":                   {headers: []string{"Retry-After", ""}, none: true},
		"a limit that tells no time at all": {headers: []string{"X-RateLimit-Limit", "300", "X-RateLimit-Remaining", "0"}, none: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
					wait, ok := askedWait(plainAnswer(status, "", test.headers...))
					if wait != test.want || ok == test.none {
						t.Errorf("%d: got %s, %t, want %s, %t", status, wait, ok, test.want, !test.none)
					}
				}
				// Nothing else asks for a wait.
				for _, status := range []int{200, 301, 404, 422, 500, 502, 504} {
					if wait, ok := askedWait(plainAnswer(status, "", test.headers...)); ok || wait != 0 {
						t.Errorf("%d: got %s, %t", status, wait, ok)
					}
				}
			})
		})
	}
	if wait, ok := askedWait(nil); ok || wait != 0 {
		t.Errorf("no answer: got %s, %t", wait, ok)
	}
}

func FuzzAskedWait(f *testing.F) {
	const date = "Mon, 20 May 2019 14:39:29 GMT"
	for _, seed := range []string{
		"", "0", "17", "-5", "+5", "9223372036854775807", "-9223372036854775808", "2147483648", "1e9", date,
		"Monday, 20-May-19 14:39:29 GMT", "Mon May 20 14:39:29 2019", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT", "\xff",
	} {
		f.Add(429, seed, "", "")
		f.Add(503, "", seed, date)
		f.Add(429, date, seed, seed)
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter, reset, date string) {
		response := plainAnswer(status, "", "Retry-After", retryAfter, "X-RateLimit-Reset", reset, "Date", date)
		wait, ok := askedWait(response)
		if wait < 0 {
			t.Errorf("a wait of %s", wait)
		}
		if !ok && wait != 0 {
			t.Errorf("a wait of %s that nobody asks for", wait)
		}
		if ok && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			t.Errorf("%d asks for a wait", status)
		}
		var g gate // stands whatever it is
		g.leave(pass{}, response, wait)
	})
}

func TestJitter(t *testing.T) {
	t.Parallel()
	for _, first := range []time.Duration{time.Nanosecond, time.Millisecond, defaultRetryWait, maxBackoff, time.Hour} {
		for _, attempt := range []int{0, 1, 2, 3, 4, 10, 16, 17, 63, 64, 1000} {
			limit := maxBackoff
			if grown := float64(first) * math.Pow(2, float64(attempt)); grown < float64(maxBackoff) {
				limit = time.Duration(grown)
			}
			for range 50 {
				if wait := jitter(first, attempt); wait < 0 || wait > limit {
					t.Fatalf("jitter(%s, %d) is %s, which is not between 0 and %s", first, attempt, wait, limit)
				}
			}
		}
	}
}

// It is full jitter: any wait up to the limit comes about.
func TestJitterSpreads(t *testing.T) {
	t.Parallel()
	var thirds [3]int
	for range 3000 {
		thirds[min(2, int(3*jitter(time.Second, 2)/(4*time.Second)))]++
	}
	if slices.Min(thirds[:]) < 800 { // 1000 are expected, with a deviation of 26
		t.Errorf("of three thirds: %v", thirds)
	}
}

// An answer's wait is kept to the nanosecond, by GET and POST alike.
func TestAskedWaitIsKept(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		headers []string
		want    time.Duration
	}{
		"429 with seconds":           {429, []string{"Retry-After", "17"}, 17 * time.Second},
		"429 with the longest":       {429, []string{"Retry-After", "90"}, 90 * time.Second},
		"429 with a date":            {429, []string{"Retry-After", "Sat, 01 Jan 2000 00:00:42 GMT"}, 42 * time.Second},
		"429 with X-RateLimit-Reset": {429, []string{"X-RateLimit-Reset", "946684833"}, 33 * time.Second},
		"503 with seconds":           {503, []string{"Retry-After", "17"}, 17 * time.Second},
		"503 with a date":            {503, []string{"Retry-After", "Sat, 01 Jan 2000 01:00:10 GMT", "Date", "Sat, 01 Jan 2000 01:00:00 GMT"}, 10 * time.Second},
	}
	for name, test := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					requests := 0
					client := newClientOver(t, func(*http.Request) (*http.Response, error) {
						if requests++; requests == 1 {
							return plainAnswer(test.status, "", test.headers...), nil
						}
						return plainAnswer(http.StatusOK, emptyMail), nil
					}, fourRetries)
					start := time.Now()
					sent, err := callWith(t.Context(), t, client, method)
					if got := time.Since(start); got != test.want || err != nil || requests != 2 {
						t.Errorf("it took %s and %d requests (%v), want %s", got, requests, err, test.want)
					}
					// A call is dated by its last request.
					if !sent.Equal(start.Add(test.want)) {
						t.Errorf("sent after %s", sent.Sub(start))
					}
				})
			})
		}
	}
}

// Where the answer asks for no wait it is a random one, up to half a second,
// then a second, two, four.
func TestWaitsWithoutBeingAsked(t *testing.T) {
	t.Parallel()
	for name, response := range map[string]func() (*http.Response, error){
		"500":       func() (*http.Response, error) { return plainAnswer(500, "", "Retry-After", "60"), nil },
		"no answer": func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for range 20 {
					var sent []time.Time
					client := newClientOver(t, func(*http.Request) (*http.Response, error) {
						sent = append(sent, time.Now())
						return response()
					}, fourRetries)
					if _, err := client.InboxMail(t.Context(), "m", false); err == nil {
						t.Fatal("no error")
					}
					if len(sent) != 5 {
						t.Fatalf("%d requests", len(sent))
					}
					for i, limit := range []time.Duration{time.Second / 2, time.Second, 2 * time.Second, 4 * time.Second} {
						if wait := sent[i+1].Sub(sent[i]); wait > limit {
							t.Errorf("wait %d is %s", i, wait)
						}
					}
				}
			})
		})
	}
}

// A wait of more than 90 s ends the call, and those of all who would have to
// wait with it.
func TestLongWaitEndsTheCall(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 503} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(fmt.Sprint(method, status), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					requests := 0
					client := newClientOver(t, func(*http.Request) (*http.Response, error) {
						requests++
						return plainAnswer(status, "", "Retry-After", "91"), nil
					}, fourRetries)
					start := time.Now()
					_, err := callWith(t.Context(), t, client, method)
					checkError(t, err, fmt.Sprintf("%s /api/inbox/m was answered %d %s (the API asked to wait 1m31s)",
						method, status, http.StatusText(status)))
					if apiError := asAPIError(t, err); apiError.RetryAfter != 91*time.Second || apiError.MayHaveActed() {
						t.Errorf("got %+v", apiError)
					}
					if took := time.Since(start); took != 0 || requests != 1 {
						t.Errorf("it took %s and %d requests", took, requests)
					}
					if status == http.StatusServiceUnavailable {
						return // which says nothing of the rate limit
					}
					_, err = callWith(t.Context(), t, client, method)
					apiError := asAPIError(t, err)
					if apiError.RetryAfter != 91*time.Second || apiError.Attempts != 0 || apiError.Status != 0 || apiError.MayHaveActed() {
						t.Errorf("got %+v", apiError)
					}
					if text := method + " /api/inbox/m: the API asks to wait 1m31s before the next request"; !strings.HasPrefix(err.Error(), text) {
						t.Errorf("got %v", err)
					}
					if took := time.Since(start); took != 0 || requests != 1 {
						t.Errorf("it took %s and %d requests", took, requests)
					}
				})
			})
		}
	}
}

// Whatever a call waits for, cancelling it ends the wait at once, and the
// request that was sent last says what the API did.
func TestCancelledWait(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first func() (*http.Response, error)
		post  string // the error, after method and path
	}{
		"for Retry-After": {
			func() (*http.Response, error) { return plainAnswer(503, "", "Retry-After", "60"), nil },
			" was answered 503 Service Unavailable: context canceled",
		},
		"for the rate limit": {
			func() (*http.Response, error) { return plainAnswer(429, "", "Retry-After", "60"), nil },
			" was answered 429 Too Many Requests: context canceled",
		},
	}
	for name, test := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					requests := 0
					client := newClientOver(t, func(*http.Request) (*http.Response, error) {
						requests++
						return test.first()
					}, fourRetries)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					time.AfterFunc(13*time.Second, cancel)
					start := time.Now()
					_, err := callWith(ctx, t, client, method)
					if took := time.Since(start); took != 13*time.Second || requests != 1 {
						t.Errorf("it took %s and %d requests", took, requests)
					}
					if !errors.Is(err, context.Canceled) {
						t.Errorf("got %v", err)
					}
					checkError(t, err, method+" /api/inbox/m"+test.post)
				})
			})
		}
	}
}

// A call that has not been let in yet ends at once as well, without a request.
func TestCancelledBeforeTheFirstRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		client := newClientOver(t, func(*http.Request) (*http.Response, error) {
			requests++
			return plainAnswer(429, "", "Retry-After", "60"), nil
		})
		_, err := client.InboxMail(t.Context(), "first", false)
		checkError(t, err, "GET /api/inbox/first was answered 429 Too Many Requests (the API asked to wait 1m0s)")

		ctx, cancel := context.WithTimeout(t.Context(), 13*time.Second)
		defer cancel()
		start := time.Now()
		_, _, err = client.CreateDownload(ctx, []string{"f"})
		checkError(t, err, "POST /api/downloads: context deadline exceeded")
		if took := time.Since(start); took != 13*time.Second || requests != 1 {
			t.Errorf("it took %s and %d requests", took, requests)
		}
		if apiError := asAPIError(t, err); apiError.Attempts != 0 || apiError.MayHaveActed() {
			t.Errorf("%d attempts", apiError.Attempts)
		}
	})
}

// A cancelled wait leaves the other calls their connections.
func TestCancelledWaitKeepsConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var connections, requests atomic.Int32
		client := pipeClient(t, plainBase, 0, func(conn net.Conn) {
			connections.Add(1)
			reader := bufio.NewReader(conn)
			for {
				r, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				response := "HTTP/1.1 503 \r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
				if requests.Add(1) == 2 {
					response = "HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(emptyMail)) + "\r\n\r\n" + emptyMail
				}
				if _, err := io.WriteString(conn, response); err != nil {
					return
				}
			}
		})
		client.http.RetryMax = 4
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodGet} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Second, cancel)
			_, err := callWith(ctx, t, client, method)
			if requests.Load() == 2 {
				checkText(t, err, "")
			} else if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		// Nor does a call that fails for good close them.
		client.http.RetryMax = 0
		for range 2 {
			if _, err := callWith(t.Context(), t, client, http.MethodGet); asAPIError(t, err).Status != 503 {
				t.Errorf("got %v", err)
			}
		}
		if connections.Load() != 1 || requests.Load() != 5 {
			t.Errorf("%d connections for %d requests", connections.Load(), requests.Load())
		}
	})
}

// A repeat sends the whole body again.
func TestBodyIsSentAgain(t *testing.T) {
	t.Parallel()
	files := slices.Repeat([]string{"2ef14b84-87d0-4abb-813f-2351a4251345"}, 5000)
	want := `{"files":["` + strings.Join(files, `","`) + `"]}`
	var mu sync.Mutex
	var bodies []string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(want)) {
			t.Errorf("a body of %d bytes, %v", r.ContentLength, err)
		}
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, string(body))
		switch len(bodies) {
		case 1:
			answer(http.StatusTooManyRequests, "")(w, r)
		case 2:
			w.Header().Set("Retry-After", "0")
			answer(http.StatusServiceUnavailable, "")(w, r)
		default:
			answer(http.StatusCreated, `{"data":{"id":"d"}}`)(w, r)
		}
	}, fourRetries, func(config *Config) { config.RetryWait = time.Millisecond })
	if _, _, err := client.CreateDownload(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 3 {
		t.Errorf("%d requests", len(bodies))
	}
	for i, body := range bodies {
		if body != want {
			t.Errorf("request %d has a body of %d bytes, want %d", i, len(body), len(want))
		}
	}
}

// The timeout is of an attempt: no wait counts.
func TestTimeoutIsNotOfTheWaits(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]*http.Response{
		"between attempts":   plainAnswer(503, "", "Retry-After", "80"),
		"for the rate limit": plainAnswer(429, "", "Retry-After", "80"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := newClientOver(t, func(r *http.Request) (*http.Response, error) {
					select {
					case <-time.After(900 * time.Millisecond):
					case <-r.Context().Done():
						return nil, r.Context().Err()
					}
					if requests++; requests == 1 {
						return first, nil
					}
					return plainAnswer(http.StatusOK, emptyMail), nil
				}, fourRetries, func(config *Config) { config.RequestTimeout = time.Second })
				start := time.Now()
				_, err := client.InboxMail(t.Context(), "m", false)
				if took := time.Since(start); took != 81800*time.Millisecond || err != nil {
					t.Errorf("it took %s: %v", took, err)
				}
			})
		})
	}
	t.Run("of others", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client := newClientOver(t, func(r *http.Request) (*http.Response, error) {
				select {
				case <-time.After(900 * time.Millisecond):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
				return plainAnswer(http.StatusOK, emptyMail, "X-RateLimit-Remaining", "0"), nil
			}, func(config *Config) { config.RequestTimeout = time.Second })
			var calls sync.WaitGroup
			start := time.Now()
			for i := range 20 { // which the gate lets in one after the other
				calls.Go(func() {
					if _, err := client.InboxMail(t.Context(), strconv.Itoa(i), false); err != nil {
						t.Error(err)
					}
				})
			}
			calls.Wait()
			if took := time.Since(start); took != 18*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	})
}

// An answer that asks for no wait gets no repeat at once: others may come back
// in the same moment.
func TestNoSecondIsARandomWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClientOver(t, func(*http.Request) (*http.Response, error) {
			return plainAnswer(http.StatusServiceUnavailable, "", "Retry-After", "0"), nil
		}, fourRetries)
		start := time.Now()
		if _, err := client.InboxMail(t.Context(), "m", false); err == nil {
			t.Fatal("no error")
		}
		if took := time.Since(start); took == 0 || took > 7500*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}

// A Retry-After beyond 2147483647 s is still one, and longer than 90 s.
func TestHugeRetryAfter(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{
		{"Retry-After", "2147483648"}, {"Retry-After", "99999999999999999999"},
		{"X-RateLimit-Reset", "9223372036854775807"}, {"X-RateLimit-Reset", "99999999999999999999"},
	} {
		if wait, ok := askedWait(plainAnswer(429, "", headers...)); !ok || wait <= maxWait {
			t.Errorf("%v: got %s, %t", headers, wait, ok)
		}
	}
}
