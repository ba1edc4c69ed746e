package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

const faulted = "/api/inbox/" + simulator.MailFull

// leave sends a request, waits until it has arrived, cancels it, and waits
// until the server is done with it.
func leave(t *testing.T, s *simulator.Server, web *httptest.Server, method, target, body string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := newRequest(t, method, web.URL+target, body).WithContext(ctx)
	go func() {
		for len(s.Requests()) == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond)
		cancel()
	}()
	if _, err := do(web, r); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	web.Close() // returns when no request is left
}

func TestRespondingFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault   simulator.Fault
		accept  string
		status  int
		body    string
		headers []string
	}{
		"Status": {fault: simulator.Status(418, http.Header{"Retry-After": {"7"}, "X-Two": {"a", "b"}}, "tea"), status: 418, body: "tea",
			headers: []string{"Retry-After", "7", "X-Two", "a|b", "X-RateLimit-Limit", ""}},
		"Status without content": {fault: simulator.Status(204, nil, ""), status: 204},
		"JSONError": {fault: simulator.JSONError(403, `This "action" is unauthorized.`), accept: "text/html", status: 403,
			body: `{"message":"This \"action\" is unauthorized."}`, headers: []string{"Content-Type", "application/json"}},
		"Answer": {fault: simulator.Answer(`{"data":`), status: 200, body: `{"data":`, headers: []string{"Content-Type", "application/json"}},
		"HTML": {fault: simulator.HTML(), status: 200, body: "<!DOCTYPE html>\n<title>Privasfer</title>\n<p>Please log in.</p>\n",
			headers: []string{"Content-Type", "text/html; charset=UTF-8"}},
		"Redirect": {fault: simulator.Redirect(307, "https://elsewhere.invalid/"), status: 307, headers: []string{"Location", "https://elsewhere.invalid/"}},
		"Huge":     {fault: simulator.Huge(3), status: 200, body: `{"data":{"id":"aaa"}}`, headers: []string{"Content-Type", "application/json"}},
		"Maintenance": {fault: simulator.Maintenance("Thu, 01 Feb 2024 00:00:00 GMT"), status: 503, body: `{"message":"Service Unavailable"}`,
			headers: []string{"Retry-After", "Thu, 01 Feb 2024 00:00:00 GMT"}},
		"Maintenance without end": {fault: simulator.Maintenance(""), status: 503, body: `{"message":"Service Unavailable"}`, headers: []string{"Retry-After", "", "X-RateLimit-Limit", ""}},
		"Maintenance as HTML":     {fault: simulator.Maintenance("3"), accept: "*/*", status: 503, body: "<!DOCTYPE html>\n<title>Service Unavailable</title>\n"},
		"EchoToken": {fault: simulator.EchoToken(), status: 422,
			body: `{"errors":{"files":["Could not use the header Authorization: Bearer ` + token + `."]},"message":"Could not use the header Authorization: Bearer ` + token + `."}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{})
			s.Inject("GET /api/inbox/", 1, test.fault)
			accept := test.accept
			if accept == "" {
				accept = "application/json"
			}
			got := call(t, web, "GET", faulted, "", "Accept", accept)
			want(t, got, test.status, test.body)
			for i := 0; i < len(test.headers); i += 2 {
				wantHeader(t, got, test.headers[i], test.headers[i+1])
			}
			if r := s.Requests(); len(r) != 1 || r[0].Status != test.status || len(s.Unexpected()) != 0 {
				t.Errorf("recorded %+v", r)
			}
			if got := call(t, web, "GET", faulted, ""); got.status != 200 {
				t.Errorf("after the fault: %d", got.status)
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
	s.Inject("", 1, simulator.JSONError(503, ""))
	for i, step := range []struct {
		method, target string
		status         int
	}{
		{"GET", "/api/inbox/x", 500},
		{"GET", "/api/inbox/y", 501},
		{"GET", "/api/inbox/x", 500},
		{"POST", "/api/downloads", 502},
		{"GET", "/anything", 503},
		{"GET", "/api/inbox/x", 404},
		{"POST", "/api/downloads", 502},
		{"POST", "/api/downloads", 502},
		{"PUT", "/api/downloads", 405},
	} {
		if got := call(t, web, step.method, step.target, ""); got.status != step.status {
			t.Errorf("step %d: %d, want %d", i, got.status, step.status)
		}
	}
	if u := s.Unexpected(); len(u) != 2 || u[0].Path != "/anything" || u[1].Method != "PUT" {
		t.Errorf("unexpected: %+v", u)
	}
}

// serve starts a server over plain HTTP, TLS, or HTTP/2.
func serve(t *testing.T, protocol string) (*simulator.Server, *httptest.Server) {
	t.Helper()
	s := simulator.New(simulator.Options{Token: token})
	web := httptest.NewUnstartedServer(s)
	switch protocol {
	case "plain":
		web.Start()
	case "TLS":
		web.StartTLS()
	default:
		web.EnableHTTP2 = true
		web.StartTLS()
	}
	t.Cleanup(web.Close)
	return s, web
}

// wasReset tells that the other side has reset the connection. Windows has a
// number of its own for that, WSAECONNRESET.
func wasReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.Errno(10054))
}

func TestBreakingFaults(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"plain", "TLS", "HTTP/2"} {
		for name, test := range map[string]struct {
			fault simulator.Fault
			made  int
		}{
			"Reset":       {simulator.Reset(), 0},
			"After Reset": {simulator.After(simulator.Reset()), 1},
		} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				t.Parallel()
				s, web := serve(t, protocol)
				s.Inject("", -1, test.fault)
				// POST, which net/http never retries by itself over HTTP/1.1.
				got, err := do(web, newRequest(t, "POST", web.URL+"/api/downloads", `{"files":["`+simulator.FileKey+`"]}`))
				if err == nil || got.status != 0 {
					t.Fatalf("%+v %v", got, err)
				}
				if protocol != "HTTP/2" && !wasReset(err) {
					t.Errorf("error %v", err)
				}
				if r := s.Requests(); len(r) != 1 || r[0].Status != 0 || len(s.Downloads()) != test.made {
					t.Errorf("recorded %+v", r)
				}
			})
		}
		t.Run("ResetMidBody over "+protocol, func(t *testing.T) {
			t.Parallel()
			s, web := serve(t, protocol)
			whole := call(t, web, "GET", faulted, "")
			s.Inject("", -1, simulator.ResetMidBody())
			got, err := do(web, newRequest(t, "GET", web.URL+faulted, ""))
			if err == nil || got.status != 200 || got.body != whole.body[:len(whole.body)/2] {
				t.Fatalf("%+v %v", got, err)
			}
			if protocol != "HTTP/2" && !wasReset(err) {
				t.Errorf("error %v", err)
			}
			wantHeader(t, got, "X-RateLimit-Remaining", "298")
		})
		t.Run("Truncate over "+protocol, func(t *testing.T) {
			t.Parallel()
			s, web := serve(t, protocol)
			s.Inject("POST ", 1, simulator.Truncate())
			got, err := do(web, newRequest(t, "POST", web.URL+"/api/downloads", `{"files":["`+simulator.FileKey+`"]}`))
			if !errors.Is(err, io.ErrUnexpectedEOF) || got.status != 201 || !strings.HasPrefix(got.body, `{"data":{`) || json.Valid([]byte(got.body)) {
				t.Errorf("%+v %v", got, err)
			}
			if len(s.Downloads()) != 1 {
				t.Error("the download was not made")
			}
		})
	}
}

// TestCuts shows where net/http's client sees that a body ended early.
func TestCuts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault          simulator.Fault
		close, chunked bool
		err            error
	}{
		"CutWithoutLength":   {fault: simulator.CutWithoutLength()},
		"CutByApache":        {fault: simulator.CutByApache(), chunked: true, err: io.ErrUnexpectedEOF},
		"CutByApache, close": {fault: simulator.CutByApache(), close: true},
	} {
		for _, protocol := range []string{"plain", "TLS"} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				t.Parallel()
				s, web := serve(t, protocol)
				d := create(t, s, web, simulator.FileLicence)
				s.Inject("GET ", 1, test.fault)
				r := newRequest(t, "GET", web.URL+"/download/"+d.ID, "", identity...)
				r.Close = test.close
				resp, err := web.Client().Transport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				licence := simulator.DefaultData().Files[1].Content
				if !errors.Is(err, test.err) || string(body) != string(licence[:len(licence)/2]) {
					t.Errorf("%q: %v", body, err)
				}
				if resp.StatusCode != 200 || resp.ContentLength != -1 || resp.Close == test.chunked || len(resp.TransferEncoding) == 1 != test.chunked {
					t.Errorf("%+v", resp)
				}
				if s.Downloads()[0].State != simulator.Performed {
					t.Error("the download was not performed")
				}
			})
		}
	}
}

func TestWaitingFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"Hang":  simulator.Hang(),
		"Drip":  simulator.Drip(time.Millisecond),
		"Delay": simulator.Delay(time.Hour),
		"Huge":  simulator.Huge(1 << 40),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{})
			s.Inject("", 1, fault)
			leave(t, s, web, "POST", "/api/downloads", `{"files":["`+simulator.FileKey+`"]}`)
			if len(s.Downloads()) != 0 {
				t.Error("a download was made")
			}
		})
	}
}

func TestSwitchingProtocols(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"plain", "TLS"} {
		s, web := serve(t, protocol)
		left := make(chan struct{})
		s.Inject("", 1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			defer close(left)
			simulator.SwitchingProtocols()(w, r, next)
		})
		resp, err := web.Client().Transport.RoundTrip(newRequest(t, "POST", web.URL+"/api/downloads", "{}"))
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "websocket" || s.Requests()[0].Status != 101 {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		silence := time.AfterFunc(20*time.Millisecond, func() { resp.Body.Close() })
		if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err == nil || silence.Stop() {
			t.Errorf("%s: read %d bytes: %v", protocol, n, err)
		}
		<-left
	}
}

func TestDripSendsHeadersFirst(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	s.Inject("", 1, simulator.Drip(10*time.Millisecond))
	response, err := web.Client().Do(newRequest(t, "GET", web.URL+faulted, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	begin, some := time.Now(), make([]byte, 3)
	_, err = io.ReadFull(response.Body, some)
	if took := time.Since(begin); err != nil || string(some) != "   " || took < 15*time.Millisecond {
		t.Errorf("%q after %s: %v", some, took, err)
	}
}

func TestHugeIsAsLargeAsSaid(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	s.Inject("", 1, simulator.Huge(1<<20+1))
	got := call(t, web, "GET", faulted, "")
	wantHeader(t, got, "Content-Length", "")
	if len(got.body) != 1<<20+1+len(`{"data":{"id":""}}`) || !json.Valid([]byte(got.body)) {
		t.Errorf("%d bytes", len(got.body))
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	s.Inject("", 1, simulator.Delay(30*time.Millisecond))
	begin := time.Now()
	got := call(t, web, "GET", faulted, "")
	if took := time.Since(begin); got.status != 200 || took < 30*time.Millisecond {
		t.Errorf("%d after %s", got.status, took)
	}
}

func TestBefore(t *testing.T) {
	t.Parallel()
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now})
	d := create(t, s, web, simulator.FileKey)
	s.Inject("GET /download/", 1, simulator.Before(func() { now.Advance(time.Minute) }))
	want(t, call(t, web, "GET", "/download/"+d.ID, ""), 404, `{"message":"No query results for model [App\\Models\\Download] `+d.ID+`"}`)
}

func TestResetWithoutConnection(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Token: token})
	s.Inject("", 1, simulator.Reset())
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("panicked with %v", err)
		}
	}()
	s.ServeHTTP(newMemory(), newRequest(t, "GET", "http://localhost"+faulted, ""))
}
