package simulator

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Fault responds instead of the server; next is the real handler. It runs before
// routing, so the request does not count against the rate limit unless the fault calls
// next.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

type injected struct {
	match string
	left  int // negative: no limit
	fault Fault
}

// Inject applies a fault to the next times matching requests, or to all if times is
// negative. match is a method, a space and a prefix of the decoded path, as in
// "GET /api/inbox/"; if empty, it matches every request. If several faults match, the
// one injected first is used up first. Requests with faults are recorded like any other.
func (s *Server) Inject(match string, times int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &injected{match: match, left: times, fault: f})
}

func (s *Server) takeFault(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.left == 0 || !strings.HasPrefix(r.Method+" "+r.URL.Path, f.match) {
			continue
		}
		if f.left > 0 {
			f.left--
		}
		return f.fault
	}
	return nil
}

// Status responds with any status, headers and body, like a gateway, a firewall, or an
// application with its own form of errors.
func Status(code int, header http.Header, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		maps.Copy(w.Header(), header.Clone())
		w.WriteHeader(code)
		if body != "" {
			_, _ = io.WriteString(w, body)
		}
	}
}

// JSONError responds with an error in the form of Laravel, for example for an exception,
// a forbidden action or an outdated session.
func JSONError(code int, message string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		writeJSON(w, code, map[string]any{"message": message})
	}
}

// Respond responds with status 200 and any body, like a changed API or an outdated
// cache.
func Respond(body string) Fault {
	return Status(http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body)
}

// HTML responds with status 200 and a web page, like a captive portal, or a base URL of
// the web site instead of the API.
func HTML() Fault {
	return Status(http.StatusOK, http.Header{"Content-Type": {"text/html; charset=UTF-8"}},
		"<!DOCTYPE html>\n<title>Privasfer</title>\n<p>Please log in.</p>\n")
}

// Redirect redirects to location, as with a wrong scheme or host in the base URL, or to
// a login form.
func Redirect(code int, location string) Fault {
	return Status(code, http.Header{"Location": {location}}, "")
}

// Truncate carries out the request, sends half of the response and closes the connection
// in an orderly way, before the end of its Content-Length, like a proxy that ran out of
// space or time.
func Truncate() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := captureResponse(w.Header(), r, next)
		// If the body is shorter than announced, net/http closes the connection.
		w.Header().Set("Content-Length", strconv.Itoa(whole.body.Len()))
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
	}
}

// CutByApache carries out the request, sends half of the response and closes the
// connection. Apache sends a body of unknown length in chunks, which show the cut,
// unless the client asks it to close the connection: then the half looks complete.
func CutByApache() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := captureResponse(w.Header(), r, next)
		w.Header().Del("Content-Length")
		if r.Close {
			w.Header().Set("Transfer-Encoding", "identity") // no chunks
		}
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// Hang does not respond until the client leaves, like a deadlocked server behind a load
// balancer that accepts connections for it.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Before calls hook and then the real handler. It simulates events between a request and
// its response, such as the passing of time or an interrupted run.
func Before(hook func()) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		hook()
		next.ServeHTTP(w, r)
	}
}

// When applies the fault only if the condition holds. Use it if the match of Inject is
// too coarse.
func When(condition func(*http.Request) bool, f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !condition(r) {
			next.ServeHTTP(w, r)
			return
		}
		f(w, r, next)
	}
}

// After carries out the request, discards the real response and lets the fault respond,
// like a gateway that loses a response, or a server that marks a download as used and
// redirects the client to a storage service. The fault must not call the real handler,
// or the request is carried out twice.
func After(f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		captureResponse(http.Header{}, r, next)
		f(w, r, next)
	}
}

// capture keeps a response in memory instead of sending it.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func captureResponse(header http.Header, r *http.Request, next http.Handler) *capture {
	c := &capture{header: header, status: http.StatusOK}
	next.ServeHTTP(c, r)
	return c
}

func (c *capture) Header() http.Header         { return c.header }
func (c *capture) WriteHeader(status int)      { c.status = status }
func (c *capture) Write(p []byte) (int, error) { return c.body.Write(p) }
