package simulator

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// window is a fixed one: it starts with its first request, and its reported end
// is RateWindow later, however the requests are spread in it.
type window struct {
	start time.Time
	used  int
}

// throttle counts a request of the API, sets the X-RateLimit headers, and
// reports whether the request is within the limit. The API counts by IP
// address. Rejected requests are not counted.
func (s *Server) throttle(w http.ResponseWriter, r *http.Request) bool {
	if s.options.HideRateLimit {
		return true
	}
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	now := s.options.Now()
	remaining, end, ok := s.countRequest(client, now)

	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.options.RateLimit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	if ok {
		return true
	}
	if now.Before(end) {
		// Rounded up: a client that obeys either header is not early.
		end = end.Add(time.Second - 1)
	} else {
		// The limit is late.
		end = now
	}
	h.Set("Retry-After", strconv.FormatInt(int64(end.Sub(now)/time.Second), 10))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(end.Unix(), 10))
	return false
}

// countRequest takes one request from the client's window, a new one if the
// last is over, and returns what is left of it and its reported end.
func (s *Server) countRequest(client string, now time.Time) (remaining int, end time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, known := s.windows[client]
	if !known || !now.Before(current.start.Add(s.options.RateWindow+s.options.LateRateLimit)) {
		current = window{start: now}
	}
	if current.used < s.options.RateLimit {
		current.used++
		ok = true
	}
	s.windows[client] = current
	return s.options.RateLimit - current.used, current.start.Add(s.options.RateWindow), ok
}
