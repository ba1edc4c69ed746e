package simulator

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Fault responds in the server's place; next is the real handler. It runs
// before routing, so a faulted request takes nothing from the rate limit
// unless the fault calls next.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

type injected struct {
	match string
	left  int // below zero: for ever
	fault Fault
}

// Inject lets the next requests that match meet a fault, times of them, or all
// if times is negative. A match is a method, a space and a prefix of the
// decoded path, as in "GET /api/inbox/"; an empty one matches every request.
// Where several faults match, the one injected first is used up first. A
// faulted request is recorded like any other.
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

// Status responds with any status, headers and body: a gateway, a firewall, or
// an application that errs in a way of its own.
func Status(code int, header http.Header, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		maps.Copy(w.Header(), header.Clone())
		w.WriteHeader(code)
		if body != "" {
			_, _ = io.WriteString(w, body)
		}
	}
}

// JSONError responds with a Laravel error: an exception in the application, a
// forbidden action, an outdated session.
func JSONError(code int, message string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		writeJSON(w, code, map[string]any{"message": message})
	}
}

// Respond is a success with any body: the API has changed, or a cache serves
// something old.
func Respond(body string) Fault {
	return Status(http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body)
}

// HTML is a success that is a web page: a captive portal, or a base URL that
// points at the web site instead of the API.
func HTML() Fault {
	return Status(http.StatusOK, http.Header{"Content-Type": {"text/html; charset=UTF-8"}},
		"<!DOCTYPE html>\n<title>Privasfer</title>\n<p>Please log in.</p>\n")
}

// Redirect points elsewhere: a base URL with the wrong scheme or host, or a
// login form.
func Redirect(code int, location string) Fault {
	return Status(code, http.Header{"Location": {location}}, "")
}

// Truncate sends half of the real response and closes the connection in an
// orderly way, short of its Content-Length: a proxy that ran out of space or
// time. The request has been carried out.
func Truncate() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := captureResponse(w.Header(), r, next)
		// Short of what was announced, net/http closes the connection.
		w.Header().Set("Content-Length", strconv.Itoa(whole.body.Len()))
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
	}
}

// CutByApache carries the request out, sends half of the real response and closes
// the connection. An Apache frames a body of unknown length by chunks, which show
// the cut, only where the client does not ask it to close the connection: else
// the half looks whole.
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

// Hang never responds, until the client leaves: a deadlocked server behind a
// load balancer that accepts connections for it.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Maintenance is Laravel's maintenance mode, with Retry-After as given: whole
// seconds, an HTTP date, or none if empty.
func Maintenance(retryAfter string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		writeError(w, r, http.StatusServiceUnavailable, "Service Unavailable", nil)
	}
}

// Before runs a function and then the real handler: whatever happens in the
// world between a request and its response, such as a clock that moves on or a
// run that is interrupted.
func Before(hook func()) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		hook()
		next.ServeHTTP(w, r)
	}
}

// When lets a request meet the fault only if the condition holds, where a match
// of Inject is too coarse.
func When(condition func(*http.Request) bool, f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !condition(r) {
			next.ServeHTTP(w, r)
			return
		}
		f(w, r, next)
	}
}

// After carries the request out, throws the real response away and lets the
// fault respond: a gateway that loses a response, or a server that marks a
// download as used and sends the client to a storage service for it. The fault
// must not call the real handler, or the request is carried out twice.
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
