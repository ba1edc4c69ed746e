package privasfer

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// gateTest is a gate and what comes to it, in a bubble of synctest.
type gateTest struct {
	t     *testing.T
	gate  gate
	start time.Time
}

// visitor is a request that comes to a gate.
type visitor struct {
	cancel context.CancelFunc

	ended atomic.Bool // its wait has, and how is in what follows
	pass  pass
	err   error
	after time.Duration // since the test's start
}

func (v *visitor) String() string {
	switch {
	case !v.ended.Load():
		return "still waiting"
	case v.err != nil:
		return fmt.Sprintf("failed after %s: %v", v.after, v.err)
	}
	return fmt.Sprintf("in after %s", v.after)
}

// testGate runs a test of a gate in a bubble, where time passes only when
// everybody waits for it.
func testGate(t *testing.T, test func(g *gateTest)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(&gateTest{t: t, start: time.Now()}) })
}

// arrive lets a request come, and returns when it is let in or waits.
func (g *gateTest) arrive() *visitor {
	ctx, cancel := context.WithCancel(g.t.Context())
	v := &visitor{cancel: cancel}
	go func() {
		v.pass, v.err = g.gate.enter(ctx)
		v.after = time.Since(g.start)
		v.ended.Store(true)
	}()
	synctest.Wait()
	return v
}

func (g *gateTest) arriveMany(n int) []*visitor {
	visitors := make([]*visitor, n)
	for i := range visitors {
		visitors[i] = g.arrive()
	}
	return visitors
}

// answer brings the answer of a request that was let in.
func (g *gateTest) answer(v *visitor, response *http.Response, wait time.Duration) {
	g.t.Helper()
	if !v.ended.Load() || v.err != nil {
		g.t.Fatalf("a request that was not sent is answered: %s", v)
	}
	g.gate.leave(v.pass, response, wait)
	synctest.Wait()
}

// remains brings an answer that tells what remains of the limit.
func (g *gateTest) remains(v *visitor, remaining int) {
	g.t.Helper()
	g.answer(v, gateAnswer(http.StatusOK, strconv.Itoa(remaining)), 0)
}

// refuse brings a 429 that asks to wait.
func (g *gateTest) refuse(v *visitor, wait time.Duration) {
	g.t.Helper()
	g.answer(v, gateAnswer(http.StatusTooManyRequests, "0"), wait)
}

// sleepUntil returns at a time since the test's start, when everything that
// happens then has happened.
func (g *gateTest) sleepUntil(after time.Duration) {
	time.Sleep(after - time.Since(g.start))
	synctest.Wait()
}

// letIn checks how many of the visitors are in, and that these are the first.
func (g *gateTest) letIn(visitors []*visitor, want int) {
	g.t.Helper()
	got := 0
	for i, v := range visitors {
		if !v.ended.Load() {
			continue
		}
		if v.err != nil {
			g.t.Errorf("number %d failed: %v", i, v.err)
		}
		if got++; got != i+1 {
			g.t.Errorf("number %d overtook another", i)
		}
	}
	if got != want {
		g.t.Errorf("%d are in, want %d", got, want)
	}
}

// endedAfter checks when a visitor's wait ended, and how.
func (g *gateTest) endedAfter(v *visitor, after time.Duration, err error) {
	g.t.Helper()
	if !v.ended.Load() || v.after != after || !errors.Is(v.err, err) {
		g.t.Errorf("%s, want after %s with %v", v, after, err)
	}
}

// gateAnswer is what a gate looks at of an answer; "": without the header.
func gateAnswer(status int, remaining string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{}}
	if remaining != "" {
		response.Header.Set("X-RateLimit-Remaining", remaining)
	}
	return response
}

func TestGateFirstRequestGoesAlone(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		visitors := g.arriveMany(5)
		g.sleepUntil(300 * time.Millisecond)
		g.letIn(visitors, 1)
		g.endedAfter(visitors[0], 0, nil)

		g.remains(visitors[0], 299)
		g.letIn(visitors, 5)
		g.endedAfter(visitors[4], 300*time.Millisecond, nil)
	})
}

func TestGateWaitsForTheFirstAnswerForASecond(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		visitors := g.arriveMany(3)
		g.sleepUntil(time.Second - 1)
		visitors = append(visitors, g.arrive())
		g.letIn(visitors, 1)
		g.sleepUntil(time.Minute)
		for _, v := range visitors[1:] {
			g.endedAfter(v, time.Second, nil)
		}
		// The first answer counts, late as it is.
		g.remains(visitors[0], 5)
		g.letIn(g.arriveMany(1), 0)
	})
}

// The second counts from the first request, whoever came later.
func TestGateOpensAfterASecondForLateComers(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.arrive()
		g.sleepUntil(5 * time.Second)
		g.letIn(g.arriveMany(20), 20)
	})
}

func TestGateIsOpenWhereNoLimitIsTold(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"no header": "", "no number": "many", "a fraction": "1.5", "too long a number": "99999999999999999999"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				visitors := g.arriveMany(100)
				g.sleepUntil(20 * time.Millisecond)
				g.answer(visitors[0], gateAnswer(http.StatusOK, header), 0)
				g.letIn(visitors, 100)
				g.endedAfter(visitors[99], 20*time.Millisecond, nil)

				// It stays open.
				for _, v := range visitors[1:] {
					g.answer(v, gateAnswer(http.StatusOK, header), 0)
				}
				more := g.arriveMany(100)
				g.letIn(more, 100)
				g.endedAfter(more[99], 20*time.Millisecond, nil)
			})
		})
	}
}

func TestGateLeavesTenSpare(t *testing.T) {
	t.Parallel()
	for remaining, want := range map[int]int{-7: 1, 0: 1, 1: 1, 9: 1, 10: 1, 11: 1, 12: 2, 13: 3, 20: 10, 40: 30, 49: 39, 50: 40, 51: 40, 299: 40} {
		t.Run(strconv.Itoa(remaining), func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				first := g.arrive()
				visitors := g.arriveMany(40)
				g.remains(first, remaining)
				g.letIn(visitors, want)
				g.sleepUntil(time.Hour) // no time changes it
				g.letIn(visitors, want)
			})
		})
	}
}

// Those in flight keep their places as what remains gets less.
func TestGateCountsDown(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		first := g.arrive()
		visitors := g.arriveMany(20)
		g.remains(first, 13)
		g.letIn(visitors, 3)
		g.remains(visitors[0], 12) // two may be in flight, and two are
		g.letIn(visitors, 3)
		g.remains(visitors[1], 11) // one, and one is
		g.letIn(visitors, 3)
		for i := range 11 {
			g.remains(visitors[2+i], 10-i)
			g.letIn(visitors, 4+i)
		}
	})
}

func TestGateLearnsFromAnswersOutOfOrder(t *testing.T) {
	t.Parallel()
	// Three requests are in flight, in the order of their sending, and 13 are
	// known to remain. The answers come in another order; what is known then is
	// what a fourth request, sent after all of them, would have to follow.
	type told struct{ number, remaining int }
	tests := map[string]struct {
		answers []told
		allowed int
	}{
		"in order":                         {[]told{{0, 32}, {1, 31}, {2, 30}}, 20},
		"the last overtakes":               {[]told{{2, 30}, {1, 31}, {0, 32}}, 20},
		"an older one lowers":              {[]told{{2, 40}, {0, 30}}, 20},
		"an older one does not raise":      {[]told{{2, 30}, {0, 40}}, 20},
		"nor does it after one that lower": {[]told{{2, 40}, {0, 30}, {1, 40}}, 20},
		"the same again":                   {[]told{{1, 30}, {2, 30}, {0, 30}}, 20},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				first := g.arrive()
				g.remains(first, 13)
				sent := g.arriveMany(3)
				g.letIn(sent, 3)
				answered := 0
				for _, answer := range test.answers {
					g.remains(sent[answer.number], answer.remaining)
					answered++
				}
				g.letIn(g.arriveMany(50), test.allowed-(3-answered))
			})
		})
	}
}

// A request that was sent after something was learned raises what is known: a
// new window has begun.
func TestGateRaisesWithANewerRequest(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.remains(g.arrive(), 12)
		old := g.arriveMany(2)
		g.remains(old[0], 5)
		waiting := g.arriveMany(30)
		g.letIn(waiting, 0)
		g.remains(old[1], 99) // sent before the 5 was learned
		g.letIn(waiting, 1)
		g.remains(waiting[0], 25) // sent after
		g.letIn(waiting, 16)
	})
}

func TestGateClosesAfterA429(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		first := g.arrive()
		waiting := g.arriveMany(20)
		g.refuse(first, 30*time.Second)
		g.sleepUntil(30*time.Second - 1)
		waiting = append(waiting, g.arriveMany(20)...)
		g.letIn(waiting, 0)

		g.sleepUntil(30 * time.Second)
		g.letIn(waiting, 1) // the probe
		g.endedAfter(waiting[0], 30*time.Second, nil)
		g.sleepUntil(50 * time.Second)
		g.letIn(waiting, 1)

		g.remains(waiting[0], 40)
		g.letIn(waiting, 31)
		g.endedAfter(waiting[30], 50*time.Second, nil)
	})
}

func TestGateProbesAgainAfterAnother429(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		first := g.arrive()
		waiting := g.arriveMany(3)
		g.refuse(first, 4*time.Second)
		g.sleepUntil(5 * time.Second)
		g.refuse(waiting[0], 2*time.Second)
		g.sleepUntil(time.Minute)
		g.letIn(waiting, 2)
		g.endedAfter(waiting[0], 4*time.Second, nil)
		g.endedAfter(waiting[1], 7*time.Second, nil)
		g.answer(waiting[1], gateAnswer(http.StatusOK, ""), 0) // no limit any more
		g.letIn(waiting, 3)
	})
}

// Of several 429s the one that asks for the latest time counts, and no answer to
// an older request opens the gate.
func TestGateWaitsForTheLatestTime(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.remains(g.arrive(), 15)
		old := g.arriveMany(5)
		g.letIn(old, 5)
		g.refuse(old[0], 10*time.Second)
		g.refuse(old[1], 20*time.Second)
		g.refuse(old[2], 5*time.Second)
		g.remains(old[3], 200)
		waiting := g.arriveMany(3)
		g.answer(old[4], nil, 0)
		g.sleepUntil(20*time.Second - 1)
		g.letIn(waiting, 0)
		g.sleepUntil(time.Minute)
		g.letIn(waiting, 1)
		g.endedAfter(waiting[0], 20*time.Second, nil)
	})
}

// While the probe is under way, older answers neither end the probing nor
// count for more than they say.
func TestGateProbeDecides(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.remains(g.arrive(), 12)
		old := g.arriveMany(2)
		waiting := g.arriveMany(30)
		g.refuse(old[0], time.Second)
		g.remains(old[1], 200)
		g.sleepUntil(time.Second)
		g.letIn(waiting, 1)
		g.remains(waiting[0], 20)
		g.letIn(waiting, 11)
	})
}

func TestGateLetsInByTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		first := g.arrive()
		waiting := g.arriveMany(50)
		g.remains(first, 0)
		for i, v := range waiting {
			time.Sleep(time.Millisecond)
			g.endedAfter(v, time.Duration(i)*time.Millisecond, nil)
			g.remains(v, 0)
		}
	})
}

func TestGateRefusesALongWait(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		first := g.arrive()
		waiting := g.arriveMany(3)
		g.sleepUntil(time.Millisecond)
		g.refuse(first, maxWait+time.Second)
		for _, v := range append(waiting, g.arrive()) {
			var long *longWaitError
			if !v.ended.Load() || v.after != time.Millisecond || !errors.As(v.err, &long) || long.wait != 91*time.Second {
				t.Errorf("got %s", v)
			}
			checkText(t, v.err, "the API asks to wait 1m31s before the next request")
		}
		// A second later it is no longer too long.
		g.sleepUntil(1001 * time.Millisecond)
		v := g.arrive()
		if v.ended.Load() {
			t.Errorf("got %s", v)
		}
		g.sleepUntil(time.Hour)
		g.endedAfter(v, 91*time.Second+time.Millisecond, nil)
	})
}

func TestGateWaitsForAMinuteAndAHalf(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		first := g.arrive()
		waiting := g.arriveMany(3)
		g.refuse(first, maxWait)
		v := g.arrive()
		g.letIn(append(waiting, v), 0)
		g.sleepUntil(time.Hour)
		g.letIn(append(waiting, v), 1)
		g.endedAfter(waiting[0], 90*time.Second, nil)
	})
}

func TestGateStandsTheLongestWait(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.refuse(g.arrive(), 1<<63-1)
		var long *longWaitError
		if v := g.arrive(); !errors.As(v.err, &long) || long.wait <= maxWait {
			t.Errorf("got %s", v)
		}
	})
}

// A server error without the header is a proxy's, which knows of no limit.
func TestGateLearnsNothingFromAProxysError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{500, 502, 503, 504} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				g.remains(g.arrive(), 12)
				waiting := g.arriveMany(20)
				g.letIn(waiting, 2)
				for i := range 5 {
					g.answer(waiting[i], gateAnswer(status, ""), 0)
					g.letIn(waiting, 3+i) // two in flight, still
				}
			})
			// Nor does it end the probing.
			testGate(t, func(g *gateTest) {
				g.refuse(g.arrive(), time.Second)
				waiting := g.arriveMany(20)
				g.sleepUntil(time.Second)
				for i := range 5 {
					g.letIn(waiting, 1+i)
					g.answer(waiting[i], gateAnswer(status, ""), 0)
				}
			})
		})
	}
}

func TestGateLearnsFromTheAPIsOwnError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 422, 500, 503} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				waiting := g.arriveMany(20)
				g.answer(waiting[0], gateAnswer(status, "15"), 0)
				g.letIn(waiting, 6)
			})
		})
	}
}

func TestGateLearnsNothingWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before func(g *gateTest)
		max    int // in flight
	}{
		"at the start":  {func(*gateTest) {}, 1},
		"with a limit":  {func(g *gateTest) { g.remains(g.arrive(), 13) }, 3},
		"while probing": {func(g *gateTest) { g.refuse(g.arrive(), 0) }, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				test.before(g)
				waiting := g.arriveMany(20)
				for i := range 10 {
					g.letIn(waiting, test.max+i)
					g.answer(waiting[i], nil, 0) // hands its place on
				}
			})
		})
	}
}

func TestGateCancelledWhileWaiting(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		first := g.arrive()
		waiting := g.arriveMany(4)
		g.sleepUntil(7 * time.Millisecond)
		waiting[0].cancel()
		waiting[2].cancel()
		synctest.Wait()
		g.endedAfter(waiting[0], 7*time.Millisecond, context.Canceled)
		g.endedAfter(waiting[2], 7*time.Millisecond, context.Canceled)

		g.remains(first, 0)
		left := []*visitor{waiting[1], waiting[3]}
		g.letIn(left, 1)
		g.remains(left[0], 0)
		g.letIn(left, 2)
		g.remains(left[1], 0)
		if g.gate.inFlight != 0 || g.gate.waiting.Len() != 0 {
			t.Errorf("%d are in and %d wait", g.gate.inFlight, g.gate.waiting.Len())
		}
	})
}

// The reason of a cancellation comes through.
func TestGateCancelledForAReason(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.arrive()
		reason := errors.New("the plan is over")
		ctx, cancel := context.WithTimeoutCause(g.t.Context(), time.Millisecond, reason)
		defer cancel()
		if _, err := g.gate.enter(ctx); !errors.Is(err, reason) {
			t.Errorf("got %v", err)
		}
	})
}

// A waiter's context may end in the moment in which it is let in. Whichever
// of the two it notices, its place is not lost.
func TestGateCancelledInTheMomentOfAdmission(t *testing.T) {
	t.Parallel()
	const rounds = 200
	tests := map[string]func(g *gateTest, first, second *visitor){
		"cancelled, then let in": func(g *gateTest, first, second *visitor) {
			second.cancel()
			g.gate.leave(first.pass, gateAnswer(http.StatusOK, "0"), 0)
		},
		"let in, then cancelled": func(g *gateTest, first, second *visitor) {
			g.gate.leave(first.pass, gateAnswer(http.StatusOK, "0"), 0)
			second.cancel()
		},
		"let in by the clock": func(g *gateTest, first, second *visitor) {
			g.gate.leave(first.pass, gateAnswer(http.StatusTooManyRequests, "0"), time.Second)
			time.AfterFunc(time.Second, second.cancel)
			time.Sleep(time.Second)
		},
	}
	for name, race := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				for range rounds {
					visitors := g.arriveMany(3)
					g.letIn(visitors, 1)
					race(g, visitors[0], visitors[1])
					synctest.Wait()
					second, third := visitors[1], visitors[2]
					switch {
					case !second.ended.Load():
						t.Fatal("the cancelled one waits")
					case second.err == nil:
						g.remains(second, 0)
					case !errors.Is(second.err, context.Canceled):
						t.Fatal(second.err)
					}
					if !third.ended.Load() || third.err != nil {
						t.Fatal("the place is lost")
					}
					g.remains(third, 0)
				}
			})
		})
	}
}

// windows is a server's count of requests: a window starts with its first
// request and ends a while later, however the requests are spread in it. What it
// refuses it does not count. It is not safe for concurrent use.
type windows struct {
	limit  int
	length time.Duration

	start time.Time
	used  int
	begun int
}

// count takes a request, and returns what remains and, where the request is
// refused, for how many seconds.
func (w *windows) count() (remaining int, retryAfter time.Duration) {
	now := time.Now()
	if w.begun == 0 || now.Sub(w.start) >= w.length {
		w.start, w.used = now, 0
		w.begun++
	}
	if w.used == w.limit {
		left := w.start.Add(w.length).Sub(now)
		return 0, (left + time.Second - 1).Truncate(time.Second)
	}
	w.used++
	return w.limit - w.used, 0
}

// plan is a run of Terraform as a gate sees it: callers that make one call
// after the other.
type plan struct {
	gate  gate
	calls int // left to make

	// What the gate may know: the rules once more, from the answers alone.
	sent, learned int
	known         int // what remains; -1: nothing yet
	inFlight      int
	firstSent     time.Time
	closed        time.Time // until then

	waits     []gateWait
	cancels   int         // left, of requests in flight
	refused   map[int]int // 429s by window
	succeeded int
	given     int // up, being cancelled
}

type gateWait struct{ arrived, admitted time.Time }

// gateModel is a server and the plans at it.
type gateModel struct {
	t  *testing.T
	mu sync.Mutex
	windows
	plans    []*plan
	random   func(limit time.Duration) time.Duration // 0 to below the limit
	latency  func() time.Duration                    // of one way
	exact    bool                                    // no two things happen at the same time
	trouble  bool                                    // cancellations, requests that never arrive
	parallel int
}

func (m *gateModel) run() {
	var callers sync.WaitGroup
	for _, p := range m.plans {
		p.known, p.refused = -1, map[int]int{}
		for range m.parallel {
			first := m.latency()
			callers.Go(func() {
				time.Sleep(first)
				for m.next(p) {
					m.call(p)
				}
			})
		}
	}
	callers.Wait()
}

func (m *gateModel) next(p *plan) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.calls--
	return p.calls >= 0
}

// call makes one call: a request, and others after a refusal.
func (m *gateModel) call(p *plan) {
	ctx := m.t.Context()
	if m.trouble && m.random(10) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.random(m.random(3*m.length)+1))
		defer cancel()
	}
	for {
		again, ok := m.request(ctx, p)
		switch {
		case ok:
			p.succeeded++ // under the lock, see request
			m.mu.Unlock()
			return
		case again == 0:
			p.given++
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		time.Sleep(again)
	}
}

// request sends a request, and returns with the lock held.
func (m *gateModel) request(ctx context.Context, p *plan) (again time.Duration, ok bool) {
	arrived := time.Now()
	admitted, err := p.gate.enter(ctx)
	m.mu.Lock()
	if err != nil {
		if !errors.Is(err, context.DeadlineExceeded) {
			m.t.Error(err)
		}
		return 0, false
	}
	p.waits = append(p.waits, gateWait{arrived, time.Now()})
	m.checkAdmission(p)
	p.sent++
	number := p.sent
	lost := m.trouble && m.random(40) == 0
	up, down := m.latency(), m.latency()
	m.mu.Unlock()

	time.Sleep(up)
	m.mu.Lock()
	if lost {
		m.leave(p, admitted, nil, 0)
		return 1, false
	}
	remaining, wait := m.count()
	window := m.begun
	if ctx.Err() != nil && p.cancels > 0 {
		p.cancels--
		m.leave(p, admitted, nil, 0)
		return 0, false
	}
	m.mu.Unlock()

	time.Sleep(down)
	m.mu.Lock()
	status := http.StatusOK
	if wait > 0 {
		status = http.StatusTooManyRequests
		p.refused[window]++
		if until := time.Now().Add(wait); until.After(p.closed) {
			p.closed = until
		}
	}
	m.leave(p, admitted, gateAnswer(status, strconv.Itoa(remaining)), wait)
	p.sent++
	if wait > 0 || number > p.learned || remaining < p.known {
		p.known, p.learned = remaining, p.sent
	}
	return wait, wait == 0
}

func (m *gateModel) leave(p *plan, admitted pass, response *http.Response, wait time.Duration) {
	p.inFlight--
	p.gate.leave(admitted, response, wait)
}

func (m *gateModel) checkAdmission(p *plan) {
	now := time.Now()
	if p.firstSent.IsZero() {
		p.firstSent = now
	}
	p.inFlight++
	allowed := max(1, p.known-spareRequests)
	if p.known < 0 && now.Sub(p.firstSent) >= firstAnswerWait {
		allowed = m.parallel
	}
	if m.exact && p.inFlight > allowed {
		m.t.Errorf("%d are in flight where %d remain", p.inFlight, p.known)
	}
	if now.Before(p.closed) {
		m.t.Errorf("one is let in %s before the time", p.closed.Sub(now))
	}
}

// check looks back at a plan that is over.
func (m *gateModel) check(p *plan, calls int) {
	if got := p.succeeded + p.given; got != calls {
		m.t.Errorf("%d of %d calls have ended", got, calls)
	}
	if !m.trouble && p.given > 0 {
		m.t.Errorf("%d calls failed", p.given)
	}
	for window, refused := range p.refused {
		if refused > 1 {
			m.t.Errorf("%d requests were refused in window %d", refused, window)
		}
	}
	slices.SortStableFunc(p.waits, func(a, b gateWait) int { return a.arrived.Compare(b.arrived) })
	latest, before := time.Time{}, time.Time{} // admission of those who arrived before
	for i, wait := range p.waits {
		if i > 0 && wait.arrived.After(p.waits[i-1].arrived) {
			before = latest
		}
		if wait.admitted.Before(before) {
			m.t.Error("one was overtaken")
		}
		if wait.admitted.After(latest) {
			latest = wait.admitted
		}
	}
	if p.gate.inFlight != 0 || p.gate.waiting.Len() != 0 {
		m.t.Errorf("in the end %d are in and %d wait", p.gate.inFlight, p.gate.waiting.Len())
	}
}

// gateRounds is for how many servers the rules are tried, each with a limit, a
// window, callers and delays of its own.
const gateRounds = 150

var gateSeed = flag.Uint64("gate.seed", rand.Uint64(), "where the random numbers of the gate's tests begin")

// testGateModel tries the rules against random servers.
func testGateModel(t *testing.T, set func(m *gateModel)) {
	t.Helper()
	for round := range gateRounds {
		if t.Failed() {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			numbers := rand.New(rand.NewPCG(*gateSeed, uint64(round)))
			m := &gateModel{t: t, random: func(limit time.Duration) time.Duration {
				mu.Lock()
				defer mu.Unlock()
				return time.Duration(numbers.Int64N(int64(limit)))
			}}
			set(m)
			// Somebody else has used up nothing of the first window, a part, or all.
			for range []int{0, m.number(m.limit), m.limit}[m.random(3)] {
				m.count()
			}
			var calls []int
			for _, p := range m.plans {
				p.calls = m.number(120)
				calls = append(calls, p.calls)
			}
			m.run()
			for i, p := range m.plans {
				m.check(p, calls[i])
			}
			if t.Failed() {
				t.Logf("-gate.seed=%d, round %d: limit %d per %s, %v calls at a parallelism of %d, trouble %t",
					*gateSeed, round, m.limit, m.length, calls, m.parallel, m.trouble)
			}
		})
	}
}

// Alone, whatever the server: never more in flight than is allowed, nobody is
// overtaken or forgotten, and one request is refused per window at most.
func TestGateProperties(t *testing.T) {
	t.Parallel()
	testGateModel(t, func(m *gateModel) {
		m.windows = windows{limit: m.number(m.number(100)), length: 200*time.Millisecond + m.random(5*time.Second)}
		m.plans = []*plan{{cancels: 5}}
		slowest := time.Millisecond + m.random(25*time.Millisecond)
		m.latency = func() time.Duration { return 1 + m.random(slowest) }
		m.exact = true
		m.trouble = m.random(2) == 0
		m.parallel = m.number(20)
	})
}

// The same with another plan beside it, both at Terraform's usual parallelism.
func TestGatePropertiesOfTwoPlans(t *testing.T) {
	t.Parallel()
	testGateModel(t, func(m *gateModel) {
		m.windows = windows{limit: m.number(m.number(100)), length: time.Second + m.random(5*time.Second)}
		m.plans = []*plan{{}, {}}
		way := time.Millisecond + m.random(25*time.Millisecond)
		m.latency = func() time.Duration { return way }
		m.parallel = 10
	})
}

// number is a random one from 1 to the limit.
func (m *gateModel) number(limit int) int { return 1 + int(m.random(time.Duration(limit))) }

// limitedAPI plays an API of the windows, at a distance.
type limitedAPI struct {
	mu sync.Mutex
	windows
	latency            time.Duration // there and back
	requests, refusals int
}

func (a *limitedAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(a.latency / 2):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	a.mu.Lock()
	a.requests++
	remaining, wait := a.count()
	if wait > 0 {
		a.refusals++
	}
	a.mu.Unlock()
	time.Sleep(a.latency / 2)

	response := plainAnswer(http.StatusOK, emptyMail)
	response.Header.Set("X-RateLimit-Limit", strconv.Itoa(a.limit))
	response.Header.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	if wait > 0 {
		response.StatusCode = http.StatusTooManyRequests
		response.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	}
	return response, nil
}

// Plans of 300 reads at Terraform's usual parallelism, against 100 requests per
// 4 seconds.
func TestPlanOverTheLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		usedBefore bool
		plans      int
		refusals   int // at most
		within     time.Duration
	}{
		"alone":                           {plans: 1, refusals: 2, within: planOverTheLimit},
		"the first window was used up":    {usedBefore: true, plans: 1, refusals: 3, within: planOverTheLimit + 4*time.Second},
		"two plans":                       {plans: 2, refusals: 12, within: 30 * time.Second},
		"two plans, with a used up first": {usedBefore: true, plans: 2, refusals: 14, within: 34 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api := &limitedAPI{windows: windows{limit: 100, length: 4 * time.Second}, latency: 20 * time.Millisecond}
				if test.usedBefore {
					for range api.limit {
						api.count()
					}
				}
				start := time.Now()
				var plans sync.WaitGroup
				for range test.plans {
					client := newClientOver(t, api.RoundTrip, fourRetries)
					ids := make(chan string, 300)
					for i := range cap(ids) {
						ids <- strconv.Itoa(i)
					}
					close(ids)
					for range 10 {
						plans.Go(func() {
							for id := range ids {
								if _, err := client.InboxMail(t.Context(), id, false); err != nil {
									t.Error(err)
								}
							}
						})
					}
				}
				plans.Wait()
				took := time.Since(start)
				t.Logf("%s, %d windows, %d of %d requests refused", took, api.begun, api.refusals, api.requests)
				if took > test.within {
					t.Errorf("it took %s", took)
				}
				if api.refusals > test.refusals || api.refusals > api.begun*test.plans {
					t.Errorf("%d requests were refused in %d windows", api.refusals, api.begun)
				}
			})
		})
	}
}

// planOverTheLimit is how long three windows' worth of requests take at most: two
// waits of 4 s, for Retry-After is in whole seconds, and three times the requests
// themselves.
const planOverTheLimit = 9 * time.Second

func TestLongWaitErrorText(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		91 * time.Second:                   "1m31s",
		91*time.Second - time.Nanosecond:   "1m31s",
		time.Hour + 400*time.Millisecond:   "1h0m0s",
		90*time.Second + time.Second/2 + 1: "1m31s",
	} {
		if got := (&longWaitError{wait}).Error(); !strings.Contains(got, " "+want+" ") {
			t.Errorf("%s: %s", wait, got)
		}
	}
}

// TestGateGivesUp: where somebody else uses the limit up for good, nobody waits
// longer than a call may be repeated, and those who may not repeat at all wait
// for one probe.
func TestGateGivesUp(t *testing.T) {
	t.Parallel()
	for maxRetries, want := range map[int]struct {
		took     time.Duration
		requests int
	}{
		0: {time.Minute, 2},
		4: {4 * time.Minute, 5},
	} {
		t.Run(strconv.Itoa(maxRetries), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := newClientOver(t, func(*http.Request) (*http.Response, error) {
					requests++
					return plainAnswer(http.StatusTooManyRequests, "", "Retry-After", "60"), nil
				}, func(config *Config) { config.MaxRetries = maxRetries })
				start := time.Now()
				var callers sync.WaitGroup
				for i := range 10 {
					callers.Go(func() {
						if _, err := client.InboxMail(t.Context(), strconv.Itoa(i), false); err == nil {
							t.Error("no error")
						}
					})
				}
				callers.Wait()
				if took := time.Since(start); took != want.took || requests != want.requests {
					t.Errorf("it took %s and %d requests, want %s and %d", took, requests, want.took, want.requests)
				}
			})
		})
	}
}

// Who comes after the gate has lost its patience is told so at once, until the
// time that the API has named: then one probes again.
func TestGateWithoutPatience(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.gate.patience = 1
		g.refuse(g.arrive(), 10*time.Second)
		probe := g.arrive()
		g.sleepUntil(10 * time.Second)
		g.refuse(probe, 10*time.Second) // the second in a row
		late := g.arrive()
		var long *longWaitError
		if !late.ended.Load() || !errors.As(late.err, &long) || long.wait != 10*time.Second {
			t.Errorf("got %s", late)
		}
		g.sleepUntil(20 * time.Second)
		again := g.arrive()
		g.endedAfter(again, 20*time.Second, nil)
		g.remains(again, 40)
		g.letIn(g.arriveMany(30), 30)
	})
}

// Where all that is used of the limit is the gate's own, none is left spare:
// nobody else is there. What a window before has seen does not count.
func TestGateAlone(t *testing.T) {
	t.Parallel()
	told := func(g *gateTest, v *visitor, limit, remaining string) {
		response := gateAnswer(http.StatusOK, remaining)
		if limit != "" {
			response.Header.Set("X-RateLimit-Limit", limit)
		}
		g.answer(v, response, 0)
	}
	tests := map[string]struct {
		limit, remaining string
		want             int
	}{
		"alone":              {"30", "29", 29},
		"somebody is there":  {"30", "28", 18},
		"no limit is told":   {"", "29", 19},
		"a limit in words":   {"many", "29", 19},
		"more than there is": {"20", "29", 29},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testGate(t, func(g *gateTest) {
				first := g.arrive()
				waiting := g.arriveMany(40)
				told(g, first, test.limit, test.remaining)
				g.letIn(waiting, test.want)
			})
		})
	}
	t.Run("in a new window", func(t *testing.T) {
		t.Parallel()
		testGate(t, func(g *gateTest) {
			told(g, g.arrive(), "20", "12") // with others
			waiting := g.arriveMany(40)
			g.letIn(waiting, 2)
			told(g, waiting[0], "20", "18") // the two that are under way
			g.letIn(waiting, 19)
		})
	})
	t.Run("no longer in a new window", func(t *testing.T) {
		t.Parallel()
		testGate(t, func(g *gateTest) {
			told(g, g.arrive(), "20", "19")
			for _, v := range g.arriveMany(10) {
				told(g, v, "20", "0")
			}
			waiting := g.arriveMany(20)
			told(g, waiting[0], "20", "13") // six of them are somebody else's
			g.letIn(waiting, 4)
		})
	})
}

// An answer without the header opens the gate only if its request is newer than
// what is known.
func TestGateOlderAnswerWithoutAHeader(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		g.remains(g.arrive(), 12)
		old := g.arriveMany(2)
		g.refuse(old[0], time.Second)
		g.answer(old[1], gateAnswer(http.StatusNotFound, ""), 0)
		waiting := g.arriveMany(20)
		g.sleepUntil(time.Second)
		g.letIn(waiting, 1) // the probe
		g.answer(waiting[0], gateAnswer(http.StatusNotFound, ""), 0)
		g.letIn(waiting, 20)
	})
}

// A 429 that names no time closes the gate for as long as the first repeat
// would wait at most.
func TestRefusalThatNamesNoTime(t *testing.T) {
	t.Parallel()
	for retryWait, want := range map[time.Duration]time.Duration{0: defaultRetryWait, 7 * time.Second: 7 * time.Second} {
		t.Run(want.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := newClientOver(t, func(*http.Request) (*http.Response, error) {
					if requests++; requests == 1 {
						return plainAnswer(http.StatusTooManyRequests, ""), nil
					}
					return plainAnswer(http.StatusOK, emptyMail), nil
				}, func(config *Config) { config.RetryWait = retryWait })
				if _, err := client.InboxMail(t.Context(), "m", false); asAPIError(t, err).Status != http.StatusTooManyRequests {
					t.Errorf("got %v", err)
				}
				start := time.Now()
				_, err := client.InboxMail(t.Context(), "m", false)
				if took := time.Since(start); err != nil || took != want {
					t.Errorf("the next call took %s, %v, want %s", took, err, want)
				}
			})
		})
	}
}

// A first answer that is a proxy's error tells nothing of the limit, so the
// gate must not open.
func TestGateStaysShutAfterAProxysError(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		waiting := g.arriveMany(20)
		g.answer(waiting[0], gateAnswer(502, ""), 0)
		g.letIn(waiting, 2)
		g.remains(waiting[1], 12)
		g.letIn(waiting, 4)
	})
}
