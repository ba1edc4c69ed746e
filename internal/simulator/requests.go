package simulator

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// Request is a request as it arrived. Tests use it to check what responses cannot show:
// the headers, the number of requests, or that there was none.
type Request struct {
	Method   string
	Path     string // decoded
	RawQuery string
	Header   http.Header
	Body     []byte
	// Status is the status of the response, 0 until there is one.
	Status int
	// Time is the time of arrival, by the server's clock.
	Time       time.Time
	RemoteAddr string

	unexpected bool
}

// record records a request on arrival, before any fault, so that a request that never
// gets a response is recorded too.
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

// Unexpected returns the requests without a route, or with a wrong method for it. A
// well-behaved client makes none, whatever a test is about.
func (s *Server) Unexpected() []Request {
	return s.selectRequests(func(r *Request) bool { return r.unexpected })
}

// Count returns the number of requests with the method, or with any if it is empty, and
// with a path that starts with the prefix.
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

// response is the ResponseWriter of every request, with or without a fault. It records
// the status, and delays the response by the latency.
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
