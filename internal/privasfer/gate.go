package privasfer

import (
	"container/list"
	"context"
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

	// firstAnswerWait bounds how long requests wait for the first answer to
	// tell the limit.
	firstAnswerWait = time.Second

	// maxWait bounds a single wait that the API asks for. Its limit is counted
	// by the minute, so a longer one means something else, and a run should
	// not sit through it.
	maxWait = 90 * time.Second
)

// gate holds requests back so that the API's rate limit (300 requests a minute
// and IP address, says its introduction) is used up without being run into.
// One gate serves all calls of a client. Its rules:
//
//   - Until the first answer one request goes alone, and the others wait for
//     its headers, for a second at most. Where they tell no limit, the gate is
//     open from then on.
//   - Else at most max(1, X-RateLimit-Remaining - 10) requests are in flight:
//     even if the server has counted none of them yet they fit into what
//     remains, and ten are left to another plan beside this one. Where all that
//     is used of X-RateLimit-Limit can be this gate's own, nobody else is there,
//     and none are left over.
//   - An answer lowers what is known to remain. It raises it only if its request
//     was sent after that was learned: answers overtake each other.
//   - After a 429 nobody is let in until the time it names. Then one request
//     probes, and its answer decides.
//   - After more refusals in a row than a call may have, nobody is made to wait
//     any longer: somebody else uses the limit up.
//   - Those who wait are let in by the order in which they came.
//
// So at most one request per window is refused in a process, with one other
// plan beside it. Against more of them it is best effort.
type gate struct {
	patience int // refusals in a row; 0: without end

	mu      sync.Mutex
	waiting list.List // of chan error: nil lets its owner in

	inFlight int
	events   int64 // counts what is sent and what is learned, to order the two

	firstSent time.Time // zero: nothing was sent yet
	answered  bool

	limited   bool  // the API tells what remains
	remaining int   // as learned at the event learned
	learned   int64 // of events
	until     time.Time
	refusals  int // since the latest answer that was none

	sent  int  // requests since the window began, as far as answers show
	alone bool // they account for all that is used of the limit

	wake *time.Timer // runs admit when time has let somebody in; nil until needed
}

// pass is the right to send one request.
type pass struct{ sent int64 }

// enter waits until a request may be sent. It fails where the context ends, or
// at once where the API has asked for a wait longer than maxWait. Every pass
// must be handed back by leave.
func (g *gate) enter(ctx context.Context) (pass, error) {
	g.mu.Lock()
	if wait := time.Until(g.until); wait > maxWait || wait > 0 && g.exhausted() {
		g.mu.Unlock()
		return pass{}, &longWaitError{wait}
	}
	admitted := make(chan error, 1)
	place := g.waiting.PushBack(admitted)
	g.admit()
	g.mu.Unlock()

	select {
	case err := <-admitted:
		if err != nil {
			return pass{}, err
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.events++
		g.sent++
		return pass{sent: g.events}, nil
	case <-ctx.Done():
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting.Remove(place)
	select {
	case err := <-admitted:
		if err == nil { // let in at the same moment: hand it on
			g.inFlight--
			g.admit()
		}
	default:
	}
	return pass{}, context.Cause(ctx)
}

// leave hands a pass back and learns from the answer's headers. The response
// is nil where none came. The wait is what a 429 asks for. It tells whether the
// API has refused so often that asking again is of no use.
func (g *gate) leave(p pass, response *http.Response, wait time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	if response != nil {
		g.learn(p, response, wait)
	}
	g.admit()
	return g.exhausted()
}

func (g *gate) exhausted() bool { return g.patience > 0 && g.refusals > g.patience }

func (g *gate) learn(p pass, response *http.Response, wait time.Duration) {
	remaining, err := strconv.Atoi(response.Header.Get("X-RateLimit-Remaining"))
	if err != nil && response.StatusCode >= http.StatusInternalServerError {
		return // perhaps a proxy's answer, which knows of no limit
	}
	g.answered = true
	g.events++
	if response.StatusCode == http.StatusTooManyRequests {
		g.refused(wait)
		return
	}
	g.refusals = 0
	newer := p.sent > g.learned
	switch {
	case err == nil && (newer || g.limited && remaining < g.remaining):
		if newer && remaining > g.remaining { // a new window, with at most what is under way
			g.sent = g.inFlight + 1
		}
		limit, err := strconv.Atoi(response.Header.Get("X-RateLimit-Limit"))
		g.alone = err == nil && limit-remaining <= g.sent
		g.limited, g.remaining, g.learned = true, max(remaining, 0), g.events
	case err != nil && newer:
		g.limited = false
	}
}

// refused closes the gate after a 429. Who would wait for longer than maxWait,
// or in vain, is told at once.
func (g *gate) refused(wait time.Duration) {
	if until := time.Now().Add(wait); until.After(g.until) {
		g.until = until
	}
	g.limited, g.remaining, g.learned = true, 0, g.events
	g.refusals++
	if wait <= maxWait && !g.exhausted() {
		return
	}
	for g.waiting.Len() > 0 {
		g.pop() <- &longWaitError{wait}
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

func (g *gate) pop() chan<- error {
	return g.waiting.Remove(g.waiting.Front()).(chan error) //nolint:forcetypeassert // nothing else is put in
}

// allowance tells how many requests may be in flight now, and after which time
// it will be more without an answer; 0 is never.
func (g *gate) allowance(now time.Time) (int, time.Duration) {
	switch {
	case now.Before(g.until):
		return 0, g.until.Sub(now)
	case g.firstSent.IsZero():
		return 1, 0
	case !g.answered && now.Sub(g.firstSent) < firstAnswerWait:
		return 1, firstAnswerWait - now.Sub(g.firstSent)
	case !g.limited:
		return math.MaxInt, 0
	}
	spare := spareRequests
	if g.alone {
		spare = 0
	}
	return max(1, g.remaining-spare), 0
}

// longWaitError is a wait that the API asks for and nobody should sit through.
type longWaitError struct{ wait time.Duration }

func (e *longWaitError) Error() string {
	return fmt.Sprintf("the API asks to wait %s before the next request", e.wait.Round(time.Second))
}
