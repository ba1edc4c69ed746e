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
	// spareRequests are left of the limit's remainder to others behind the
	// same address: another plan beside this one, at Terraform's default
	// parallelism of 10.
	spareRequests = 10

	// firstResponseWait bounds how long requests wait for the first response.
	firstResponseWait = time.Second
)

// gate holds requests back so that the API's rate limit (300 requests a minute
// and IP address, says its introduction) is used up without being run into.
// One gate serves all calls of a client. Its rules:
//
//   - Until the first response one request goes alone, and the others wait for
//     its headers, for a second at most. Where they name no limit, the gate opens.
//   - Else at most max(1, X-RateLimit-Remaining - 10) requests are in flight:
//     even if the server has counted none of them yet they fit into what
//     remains, and ten are left to another plan beside this one.
//   - A response lowers what is known to remain. It raises it only if its request
//     was sent after that was learned: responses overtake each other.
//   - After a 429 nobody is let in for as long as it names, and for a second at
//     least. Then one request probes. Where responses name no limit, each success
//     doubles what may be in flight.
//   - Only the 429 of a request sent after the last one was learned is another one,
//     a burst counts once. After more in a row than a call may have retries, all
//     who wait fail.
//   - Those who wait are let in by the order in which their calls began: a call
//     that was rejected is the next to probe.
//
// So at most one request per window is rejected, or two where the server counts
// Retry-After down to 0. With more than one other plan it is best effort.
type gate struct {
	maxRejections int           // in a row
	minWait       time.Duration // after a 429

	mu      sync.Mutex
	waiting list.List // of *visitor, in the order of their calls

	calls    int64
	inFlight int
	events   int64 // counts what is sent and what is learned, to order the two

	firstSent time.Time // zero: nothing was sent yet
	responded bool

	limited   bool  // what may be in flight is bounded by remaining
	remaining int   // as learned at the event learned
	learned   int64 // of events

	until      time.Time     // nobody is let in before
	asked      time.Duration // by the latest 429; 0: no time named
	rejections int           // 429s in a row, a burst counted once
	rejectedAt int64         // of events: when the latest 429 was learned

	wake *time.Timer // runs admit when time has let somebody in; nil until needed
}

type visitor struct { // waits at the gate
	order    int64
	admitted chan *APIError // nil lets its owner in
}

// pass is the right to send one request.
type pass struct{ sent int64 }

// enter waits until a request may be sent. It fails where the context ends, or
// the gate gives up. Every pass must be handed back by leave. The order is the
// call's, 0 at its first request.
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
		if failure == nil { // let in at the same moment: hand it on
			g.inFlight--
			g.admit()
		}
	default:
	}
	return pass{}, ended(ctx)
}

// leave hands a pass back and learns from the response's headers. The response
// is nil where none came.
func (g *gate) leave(p pass, response *http.Response) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	if response != nil {
		g.learn(p, response)
	}
	g.admit()
}

// givesUp reports that waiting is of no use, or takes too long.
func (g *gate) givesUp() bool { return g.rejections > g.maxRejections || g.asked > maxWait }

// failure reports what the API asked for.
func (g *gate) failure() *APIError {
	text := fmt.Sprintf("the API responded with 429 Too Many Requests %d times in a row", g.rejections)
	if g.rejections == 1 {
		text = "the API responded with 429 Too Many Requests"
	}
	if g.asked > 0 {
		text += fmt.Sprintf(", with a Retry-After of %s", g.asked.Round(time.Second))
	}
	return &APIError{Kind: RateLimited, Err: errors.New(text), RetryAfter: g.asked}
}

func (g *gate) learn(p pass, response *http.Response) {
	remaining, err := strconv.Atoi(response.Header.Get("X-RateLimit-Remaining"))
	if err != nil && response.StatusCode >= http.StatusInternalServerError {
		return // perhaps a proxy's response, which knows of no limit
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
	g.asked, named = retryAfter(response)
	wait := max(g.asked, g.minWait)
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

// admit lets in as many as may go. Where only time can let in the next, it
// comes back when it is time.
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

// allowance is how many requests may be in flight now, and after which time
// it will be more without a response; 0 is never.
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
