package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// window is a fixed window. It starts with its first request, and its reported end is
// RateWindow later, however the requests are distributed.
type window struct {
	start time.Time
	used  int
}

// throttle counts a request to the API, sets the X-RateLimit headers, and reports
// whether the request is within the limit. The API counts by IP address, and all clients
// of a simulator share this machine's. Rejected requests are not counted.
func (s *Server) throttle(w http.ResponseWriter) bool {
	if s.options.HideRateLimit {
		return true
	}
	now := s.options.Now()
	remaining, end, ok := s.countRequest(now)

	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.options.RateLimit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	if ok {
		return true
	}
	if now.Before(end) {
		// Rounded up, so that a client that obeys either header is not early.
		end = end.Add(time.Second - 1)
	} else {
		// The reported end has passed: see LateRateLimit.
		end = now
	}
	h.Set("Retry-After", strconv.FormatInt(int64(end.Sub(now)/time.Second), 10))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(end.Unix(), 10))
	return false
}

// countRequest counts a request in the window, or in a new one if the last is over. It
// returns the remaining requests, the reported end, and whether the request is within
// the limit.
func (s *Server) countRequest(now time.Time) (remaining int, end time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !now.Before(s.window.start.Add(s.options.RateWindow + s.options.LateRateLimit)) {
		s.window = window{start: now}
	}
	if s.window.used < s.options.RateLimit {
		s.window.used++
		ok = true
	}
	return s.options.RateLimit - s.window.used, s.window.start.Add(s.options.RateWindow), ok
}

// LimitReq simulates nginx's limit_req in front of the application, with nodelay and
// limit_req_status 429: a leaky bucket that drains rate requests per second, by the
// server's clock, and holds burst of them. Requests beyond that get a web page with
// status 429, without the headers of Laravel's limit. All clients share one bucket.
func (s *Server) LimitReq(rate float64, burst int) Fault {
	rejected := Status(http.StatusTooManyRequests, http.Header{"Content-Type": {"text/html"}},
		"<html>\n<head><title>429 Too Many Requests</title></head>\n</html>\n")
	var excess float64
	var last time.Time
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		now := s.options.Now()
		s.mu.Lock()
		after := max(0, excess-rate*now.Sub(last).Seconds()+1)
		within := after <= float64(burst)
		if within {
			excess, last = after, now
		}
		s.mu.Unlock()
		if !within {
			rejected(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}
