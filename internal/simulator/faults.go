package simulator

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
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

// Answer is a success with any body: the API has changed, or a cache serves
// something old.
func Answer(body string) Fault {
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

// Reset drops the connection before any response: a server process that was
// killed, or a firewall that rejects the connection half way.
func Reset() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		resetConnection(w)
	}
}

// ResetMidBody sends the headers and half of the real response and drops the
// connection: a server or load balancer that restarts while it responds. The
// request has been carried out.
func ResetMidBody() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		writeHalf(w, r, next)
		_ = http.NewResponseController(w).Flush()
		// Some systems drop what the client has not read yet when a
		// connection is reset, the headers included.
		sleep(r.Context(), 20*time.Millisecond)
		resetConnection(w)
	}
}

// Truncate sends half of the real response and closes the connection in an
// orderly way, short of its Content-Length: a proxy that ran out of space or
// time. The request has been carried out.
func Truncate() Fault {
	return writeHalf
}

// writeHalf sends half of the real response with the Content-Length of the whole,
// after which net/http closes the connection.
func writeHalf(w http.ResponseWriter, r *http.Request, next http.Handler) {
	whole := captureResponse(w.Header(), r, next)
	w.Header().Set("Content-Length", strconv.Itoa(whole.body.Len()))
	w.WriteHeader(whole.status)
	_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
}

// CutWithoutLength sends half of the real response and closes the connection,
// which alone marks the end of the body: a server or proxy that speaks HTTP/1.0.
// The half looks whole. Over TLS the close_notify alert is missing, but Go's
// client accepts that between two records. The request has been carried out.
func CutWithoutLength() Fault {
	return cut(func(*http.Request) bool { return true })
}

// CutByApache is CutWithoutLength for a client that sends Connection: close. Any
// other gets chunks without the last one, which shows the cut: Apache frames a
// body of unknown length only where the connection stays open.
func CutByApache() Fault {
	return cut(func(r *http.Request) bool { return r.Close })
}

func cut(unframed func(*http.Request) bool) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := captureResponse(w.Header(), r, next)
		w.Header().Del("Content-Length")
		if unframed(r) {
			// net/http then neither chunks the body nor keeps the connection.
			w.Header().Set("Transfer-Encoding", "identity")
		}
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		_ = takeConnection(w).Close()
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

// SwitchingProtocols responds with 101 and then keeps silent, until the client
// leaves: a proxy that takes the request for a WebSocket's.
func SwitchingProtocols() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn := takeConnection(w)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
}

// Drip sends headers and then one byte per interval, until the client leaves:
// a link that is all but dead. A timeout that only watches for silence never
// ends it.
func Drip(interval time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		controller := http.NewResponseController(w)
		_ = controller.Flush()
		for sleep(r.Context(), interval) {
			_, err := io.WriteString(w, " ")
			if err != nil || controller.Flush() != nil {
				break
			}
		}
		panic(http.ErrAbortHandler)
	}
}

// Delay holds the request back before the real handler sees it: a queue before
// an overloaded server. If the client leaves first, the request does nothing.
func Delay(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !sleep(r.Context(), d) {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	}
}

// Huge streams a JSON object of at least the given size without announcing its
// length: a wrong address that serves a file, or a hostile server that wants
// the client's memory.
func Huge(size int64) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_, err := io.WriteString(w, `{"data":{"id":"`)
		block := bytes.Repeat([]byte("a"), 64<<10)
		for left := size; left > 0 && err == nil; left -= int64(len(block)) {
			_, err = w.Write(block[:min(left, int64(len(block)))])
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `"}}`)
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

// EchoToken is a 422 that quotes the Authorization header in its message and in
// a field's: a server in debug mode, or a proxy that explains what it saw.
func EchoToken() Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		message := fmt.Sprintf("Could not use the header Authorization: %s.", r.Header.Get("Authorization"))
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{
			"message": message,
			"errors":  map[string]any{"files": []string{message}},
		})
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

// takeConnection returns the TCP connection, below TLS: closing the TLS layer
// would send a close_notify alert first. HTTP/2 has no connection to take over;
// aborting the handler resets the stream.
func takeConnection(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

// resetConnection closes so that the client gets a TCP reset.
func resetConnection(w http.ResponseWriter) {
	conn := takeConnection(w)
	if tcp, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
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
