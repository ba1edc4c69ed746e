package simulator

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// Request is one request as it arrived. Tests assert on it what no response can
// show: the headers sent, the number of calls, that there was none at all.
type Request struct {
	Method   string
	Path     string // decoded
	RawQuery string
	Header   http.Header
	Body     []byte
	// Status is that of the response, 0 as long as there is none.
	Status int
	// Time is when it arrived, by the server's clock.
	Time       time.Time
	RemoteAddr string

	unexpected bool
}

// record keeps a request on arrival, before any fault, so that one which never
// gets a response is seen too.
func (s *Server) record(r *http.Request, body []byte) *Request {
	rt, _, _ := s.match(r)
	request := &Request{
		Method:     r.Method,
		Path:       r.URL.Path,
		RawQuery:   r.URL.RawQuery,
		Header:     r.Header.Clone(),
		Body:       body,
		Time:       s.options.Now(),
		RemoteAddr: r.RemoteAddr,
		unexpected: rt == nil,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request)
	return request
}

// Requests returns copies of all recorded requests in order of arrival.
func (s *Server) Requests() []Request {
	return s.selectRequests(func(*Request) bool { return true })
}

// Unexpected returns the requests that hit no route or a route's wrong method.
// No test of a well-behaved client has any, whatever else it asserts.
func (s *Server) Unexpected() []Request {
	return s.selectRequests(func(r *Request) bool { return r.unexpected })
}

// Count returns how many requests had the method, or any if it is empty, and a
// path that starts with the prefix.
func (s *Server) Count(method, pathPrefix string) int {
	return len(s.selectRequests(func(r *Request) bool {
		return (method == "" || r.Method == method) && strings.HasPrefix(r.Path, pathPrefix)
	}))
}

// ResetRequests forgets the recorded requests, so that a test can count from a
// step on. Downloads, rate windows and faults stay.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

func (s *Server) selectRequests(wanted func(*Request) bool) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var selected []Request
	for _, r := range s.requests {
		if !wanted(r) {
			continue
		}
		c := *r
		c.Header = r.Header.Clone()
		c.Body = bytes.Clone(r.Body)
		selected = append(selected, c)
	}
	return selected
}

// response is the ResponseWriter of every request. It records the status, and
// holds the response back for the latency, those of faults included.
type response struct {
	http.ResponseWriter
	server  *Server
	request *http.Request
	record  *Request
	begun   bool
}

// WriteHeader records the status before the client can see it.
func (w *response) WriteHeader(status int) {
	if !w.begun {
		w.begun = true
		select {
		case <-time.After(w.server.options.Latency):
		case <-w.request.Context().Done():
		}
		w.server.mu.Lock()
		w.record.Status = status
		w.server.mu.Unlock()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
