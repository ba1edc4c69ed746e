package privasfer

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// spareRequests is how many of the remaining requests are left to others behind the
	// same address: another plan at Terraform's default parallelism of 10.
	spareRequests = 10

	// firstResponseWait bounds how long requests wait for the first response.
	firstResponseWait = time.Second
)

// gate delays requests so that they use up the API's rate limit (300 requests per minute
// and IP address, says its introduction) without exceeding it. One gate serves all calls
// of a client. Its rules:
//
//   - Until the first response, one request is sent alone. The others wait for its
//     headers, for a second at most. If the headers name no limit, the gate opens.
//   - After that, at most max(1, X-RateLimit-Remaining - 10) requests are in flight.
//     Even if the server has counted none of them yet, they fit into the remaining
//     limit and leave ten to another plan.
//   - Any response can lower the known remainder. Only one whose request was sent after
//     it was learned can raise it, because responses can arrive out of order.
//   - After a 429, no request is admitted for the time that it names, or for a time that
//     doubles if it names none, and for at least minWait. Then one request probes. If
//     responses name no limit, each success doubles the number of requests in flight.
//   - A 429 counts as another one only if its request was sent after the last one was
//     learned, so a burst counts once. After more than maxRejections in a row, or a
//     wait of more than maxWait, all waiting requests fail.
//   - Waiting requests are admitted in the order in which their calls began, so a
//     rejected call is the next to probe.
//
// If responses name the limit, at most one request per window and plan is rejected, or
// two if the server counts Retry-After down to 0. With more than one other plan, or if
// others use up the limit during a pause, this is best effort.
type gate struct {
	maxRejections int           // in a row
	minWait       time.Duration // after a 429

	mu      sync.Mutex
	waiting list.List // of *visitor, in the order of their calls

	calls    int64
	inFlight int
	events   int64 // numbers requests sent and responses learned from, to order them

	firstSent time.Time // zero until the first request
	responded bool

	limited   bool  // remaining bounds the requests in flight
	remaining int   // as of the event learned
	learned   int64 // the event at which remaining was learned

	until      time.Time     // no request is admitted before this time
	retryAfter time.Duration // the wait named by the latest 429; 0 if none
	rejections int           // 429s in a row, a burst counted once
	rejectedAt int64         // the event at which the latest 429 was learned

	wake *time.Timer // runs admit after a wait; nil until needed
}

type visitor struct { // a request that waits at the gate
	order    int64
	admitted chan *APIError // receives nil on admission, or an error
}

// pass is the permission to send one request.
type pass struct{ sent int64 }

// enter waits until a request may be sent. It fails if the context ends or the gate
// gives up. Every pass must be returned by leave. order is the call's sequence number,
// which enter sets at its first request.
func (g *gate) enter(ctx context.Context, order *int64) (pass, *APIError) {
	g.mu.Lock()
	if time.Now().Before(g.until) && g.givesUp() {
		defer g.mu.Unlock()
		return pass{}, g.failure()
	}
	if *order == 0 {
		g.calls++
		*order = g.calls
	}
	admitted := make(chan *APIError, 1)
	place := g.waiting.PushBack(&visitor{*order, admitted})
	for prev := place.Prev(); prev != nil && visitorAt(prev).order > *order; prev = place.Prev() {
		g.waiting.MoveBefore(place, prev)
	}
	g.admit()
	g.mu.Unlock()

	select {
	case failure := <-admitted:
		if failure != nil {
			return pass{}, failure
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.events++
		return pass{sent: g.events}, nil
	case <-ctx.Done():
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting.Remove(place)
	select {
	case failure := <-admitted:
		if failure == nil { // admitted at the same moment: pass it on
			g.inFlight--
			g.admit()
		}
	default:
	}
	return pass{}, ended(ctx)
}

// leave returns a pass and learns from the headers of the response, which is nil if
// there was none.
func (g *gate) leave(p pass, response *http.Response) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	if response != nil {
		g.learn(p, response)
	}
	g.admit()
}

// givesUp reports whether waiting is useless, or takes too long.
func (g *gate) givesUp() bool { return g.rejections > g.maxRejections || g.retryAfter > maxWait }

// failure returns the error for a gate that gives up.
func (g *gate) failure() *APIError {
	text := fmt.Sprintf("the API responded with 429 Too Many Requests %d times in a row", g.rejections)
	if g.rejections == 1 {
		text = "the API responded with 429 Too Many Requests"
	}
	if g.retryAfter > 0 {
		text += fmt.Sprintf(", with a Retry-After of %s", g.retryAfter.Round(time.Second))
	}
	return &APIError{Kind: RateLimited, Err: errors.New(text), RetryAfter: g.retryAfter}
}

func (g *gate) learn(p pass, response *http.Response) {
	remaining, err := strconv.Atoi(response.Header.Get("X-RateLimit-Remaining"))
	if err != nil && response.StatusCode >= http.StatusInternalServerError {
		return // perhaps from a proxy, which knows no limit
	}
	g.responded = true
	g.events++
	if response.StatusCode == http.StatusTooManyRequests {
		g.rejected(p, response)
		return
	}
	newer := p.sent > g.learned
	if newer {
		g.rejections = 0
	}
	switch {
	case err == nil && (newer || g.limited && remaining < g.remaining):
		g.limited, g.remaining, g.learned = true, max(remaining, 0), g.events
	case err != nil && newer && g.limited:
		inFlight := 2 * max(1, g.remaining-spareRequests)
		g.limited, g.remaining, g.learned = inFlight <= maxIdleConnections, inFlight+spareRequests, g.events
	}
}

// rejected closes the gate after a 429.
func (g *gate) rejected(p pass, response *http.Response) {
	if p.sent > g.rejectedAt {
		g.rejections++
	}
	g.limited, g.remaining, g.learned, g.rejectedAt = true, 0, g.events, g.events
	var named bool
	g.retryAfter, named = retryAfter(response)
	wait := max(g.retryAfter, g.minWait)
	if !named {
		wait = min(g.minWait<<min(g.rejections-1, 16), maxBackoff)
	}
	if until := time.Now().Add(wait); until.After(g.until) {
		g.until = until
	}
	if !g.givesUp() {
		return
	}
	for g.waiting.Len() > 0 {
		g.pop() <- g.failure()
	}
}

// admit admits as many requests as allowed. If the next one only has to wait, admit runs
// again after the wait.
func (g *gate) admit() {
	for g.waiting.Len() > 0 {
		allowed, wait := g.allowance(time.Now())
		if g.inFlight >= allowed {
			if wait > 0 {
				g.admitAfter(wait)
			}
			return
		}
		if g.firstSent.IsZero() {
			g.firstSent = time.Now()
		}
		g.inFlight++
		g.pop() <- nil
	}
}

func (g *gate) admitAfter(wait time.Duration) {
	if g.wake != nil {
		g.wake.Reset(wait)
		return
	}
	g.wake = time.AfterFunc(wait, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.admit()
	})
}

func (g *gate) pop() chan<- *APIError {
	first := g.waiting.Front()
	g.waiting.Remove(first)
	return visitorAt(first).admitted
}

func visitorAt(place *list.Element) *visitor {
	return place.Value.(*visitor) //nolint:forcetypeassert // nothing else is put in
}

// allowance returns how many requests may be in flight now, and how long until that
// number grows without a response; 0 means never.
func (g *gate) allowance(now time.Time) (int, time.Duration) {
	switch {
	case now.Before(g.until):
		return 0, g.until.Sub(now)
	case g.firstSent.IsZero():
		return 1, 0
	case !g.responded && now.Sub(g.firstSent) < firstResponseWait:
		return 1, firstResponseWait - now.Sub(g.firstSent)
	case !g.limited:
		return math.MaxInt, 0
	}
	return max(1, g.remaining-spareRequests), 0
}
