package privasfer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type gateTest struct {
	*testing.T
	gate gate
}

// visit is a request at the gate.
type visit struct {
	order   int64       // of its call
	done    atomic.Bool // whether the wait is over, with:
	pass    pass
	failure *APIError
}

// bubble runs a subtest in which time passes only while all goroutines wait.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

// testGate runs a subtest of a gate that gives up after more than two rejections in a row.
func testGate(t *testing.T, name string, test func(g *gateTest)) {
	t.Helper()
	bubble(t, name, func(t *testing.T) {
		test(&gateTest{T: t, gate: gate{maxRejections: 2, minWait: time.Second}})
	})
}

func (g *gateTest) enter(ctx context.Context, v *visit) *visit {
	v.done.Store(false)
	go func() {
		v.pass, v.failure = g.gate.enter(ctx, &v.order)
		v.done.Store(true)
	}()
	synctest.Wait()
	return v
}

// arrive sends the first requests of n calls to the gate.
func (g *gateTest) arrive(n int) []*visit {
	visits := make([]*visit, n)
	for i := range visits {
		visits[i] = g.enter(g.Context(), &visit{})
	}
	return visits
}

// respond delivers the response to an admitted request; 0 means no response.
func (g *gateTest) respond(v *visit, status int, headers ...string) {
	g.Helper()
	if synctest.Wait(); !v.done.Load() || v.failure != nil {
		g.Fatal("a response to a request that was not sent")
	}
	var response *http.Response
	if status != 0 {
		response = newResponse(status, "", headers...)
	}
	g.gate.leave(v.pass, response)
}

// remains delivers a success with the remaining limit.
func (g *gateTest) remains(v *visit, remaining int) {
	g.Helper()
	g.respond(v, http.StatusOK, "X-RateLimit-Remaining", strconv.Itoa(remaining))
}

// reject delivers a 429.
func (g *gateTest) reject(v *visit, retryAfter string) {
	g.Helper()
	g.respond(v, http.StatusTooManyRequests, "X-RateLimit-Remaining", "0", "Retry-After", retryAfter)
}

// in checks that the first want visits were admitted, and that the others wait.
func (g *gateTest) in(visits []*visit, want int) {
	g.Helper()
	synctest.Wait()
	for i, v := range visits {
		if done := v.done.Load(); done != (i < want) || done && v.failure != nil {
			g.Errorf("visit %d is done: %t, want the first %d: %+v", i, done, want, v.failure)
		}
	}
}

// failed checks that the visits were rate limited without a request.
func (g *gateTest) failed(visits []*visit, text string) {
	g.Helper()
	synctest.Wait()
	for i, v := range visits {
		if !v.done.Load() || v.failure == nil || v.failure.Kind != RateLimited || v.failure.Err.Error() != text {
			g.Errorf("visit %d: got %+v, want %s", i, v.failure, text)
		}
	}
}

func TestGateBegins(t *testing.T) {
	t.Parallel()
	testGate(t, "one goes alone until its response", func(g *gateTest) {
		visits := g.arrive(5)
		time.Sleep(300 * time.Millisecond)
		g.in(visits, 1)
		g.remains(visits[0], 299)
		g.in(visits, 5)
	})
	testGate(t, "for a second at most", func(g *gateTest) {
		visits := g.arrive(1)
		time.Sleep(400 * time.Millisecond)
		visits = append(visits, g.arrive(4)...)
		time.Sleep(600*time.Millisecond - 1)
		g.in(visits, 1)
		time.Sleep(time.Nanosecond)
		g.in(visits, 5)
		g.in(g.arrive(5), 5)
		g.remains(visits[0], 5) // late, but it counts
		g.in(g.arrive(1), 0)
	})
	for _, header := range []string{"", "many", "1.5", "99999999999999999999"} {
		testGate(t, "open where no limit is named: "+header, func(g *gateTest) {
			visits := g.arrive(100)
			g.respond(visits[0], http.StatusNotFound, "X-RateLimit-Remaining", header)
			g.in(visits, 100)
		})
	}
}

// Three requests are in flight. Each row has the order of their responses, and how many
// requests may be in flight after them.
func TestGateLearns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		responses [][2]int // request, remaining limit
		want      int
	}{
		"12 remain":                   {[][2]int{{0, 14}, {1, 13}, {2, 12}}, 2},
		"11 remain":                   {[][2]int{{0, 13}, {1, 12}, {2, 11}}, 1},
		"10 remain":                   {[][2]int{{0, 12}, {1, 11}, {2, 10}}, 1},
		"less than none":              {[][2]int{{0, 1}, {1, 0}, {2, -7}}, 1},
		"the last overtakes":          {[][2]int{{2, 30}, {1, 31}, {0, 32}}, 20},
		"an older one lowers":         {[][2]int{{2, 40}, {1, 30}, {0, 31}}, 20},
		"an older one does not raise": {[][2]int{{2, 30}, {1, 40}, {0, 50}}, 20},
	} {
		testGate(t, name, func(g *gateTest) {
			g.remains(g.arrive(1)[0], 13)
			sent := g.arrive(3)
			for _, response := range test.responses {
				g.remains(sent[response[0]], response[1])
			}
			visits := g.arrive(50)
			time.Sleep(time.Hour) // without a response nothing changes
			g.in(visits, test.want)
		})
	}
	testGate(t, "a newer one raises", func(g *gateTest) {
		g.remains(g.arrive(1)[0], 12)
		old := g.arrive(2)
		g.remains(old[0], 5)
		visits := g.arrive(30)
		g.remains(old[1], 99) // sent before the 5 was known
		g.in(visits, 1)
		g.remains(visits[0], 25) // sent after: a new window
		g.in(visits, 1+15)
	})
	for _, status := range []int{0, 500, 502, 503} {
		testGate(t, fmt.Sprintf("nothing from %d without the header", status), func(g *gateTest) {
			visits := g.arrive(20)
			g.respond(visits[0], status)
			g.in(visits, 2)
			g.remains(visits[1], 12)
			g.in(visits, 4)
			g.respond(visits[2], status)
			g.in(visits, 5)
			g.respond(visits[3], 500, "X-RateLimit-Remaining", "15") // from the API itself
			g.in(visits, 4+5)
		})
	}
}

func TestGateRejected(t *testing.T) {
	t.Parallel()
	testGate(t, "it closes, and one probes", func(g *gateTest) {
		g.remains(g.arrive(1)[0], 16)
		old := g.arrive(6)
		visits := g.arrive(40)
		g.reject(old[0], "10")
		g.reject(old[1], "30")
		g.reject(old[2], "5")
		g.remains(old[3], 200)
		g.respond(old[4], http.StatusNotFound)
		g.respond(old[5], 0)
		time.Sleep(30*time.Second - 1)
		g.in(visits, 0)
		time.Sleep(time.Hour)
		g.in(visits, 1)
		g.respond(visits[0], http.StatusBadGateway)
		g.in(visits, 2)
		g.remains(visits[1], 30)
		g.in(visits, 2+20)
	})
	for retryAfter, waits := range map[string][]int{ // in seconds
		"":                              {1, 2, 4, 8, 16, 30, 30},
		"0":                             {1, 1, 1},
		"Fri, 31 Dec 1999 23:00:00 GMT": {1, 1, 1},
		"90":                            {90, 90, 90},
	} {
		testGate(t, "it stays closed, Retry-After: "+retryAfter, func(g *gateTest) {
			g.gate.maxRejections = 10
			visits := g.arrive(10)
			for i, wait := range waits {
				g.reject(visits[i], retryAfter)
				time.Sleep(time.Duration(wait)*time.Second - 1)
				g.in(visits, 1+i)
				time.Sleep(time.Nanosecond)
				g.in(visits, 2+i)
			}
		})
	}
	testGate(t, "no limit is named: it doubles", func(g *gateTest) {
		visits := g.arrive(200)
		g.respond(visits[0], http.StatusTooManyRequests)
		time.Sleep(time.Second)
		in := 2
		for responses, inFlight := range []int{2, 4, 8, 16, 32} {
			g.in(visits, in)
			g.respond(visits[in-1], http.StatusOK)
			in = 2 + responses + inFlight
		}
		g.respond(visits[2], http.StatusOK) // sent before the latest success was known
		g.in(visits, in+1)
		g.respond(visits[in], http.StatusOK)
		g.in(visits, 200)
	})
	testGate(t, "calls keep their order", func(g *gateTest) {
		g.remains(g.arrive(1)[0], 13)
		visits := g.arrive(6)
		for _, v := range visits[:3] {
			g.reject(v, "1")
		}
		for _, i := range []int{2, 0, 1} { // they retry
			g.enter(g.Context(), visits[i])
		}
		time.Sleep(time.Second)
		for i, v := range visits {
			g.in(visits, 1+i)
			g.remains(v, 0)
		}
	})
	const text = "the API responded with 429 Too Many Requests %d times in a row, with a Retry-After of 4s"
	testGate(t, "it gives up after some in a row", func(g *gateTest) {
		g.remains(g.arrive(1)[0], 30)
		old := g.arrive(20)
		visits := g.arrive(3)
		for _, v := range old[1:] { // a burst is one rejection
			g.reject(v, "4")
		}
		g.remains(old[0], 200) // older, so it does not end the row
		time.Sleep(4 * time.Second)
		g.reject(visits[0], "4")
		time.Sleep(4 * time.Second)
		g.in(visits, 2)
		g.reject(visits[1], "4")
		g.failed(append(visits[2:], g.arrive(2)...), fmt.Sprintf(text, 3))

		time.Sleep(4 * time.Second) // then one may try again
		visits = g.arrive(2)
		g.reject(visits[0], "4")
		g.failed(visits[1:], fmt.Sprintf(text, 4))

		time.Sleep(4 * time.Second)
		g.remains(g.arrive(1)[0], 0) // a success ends the row
		visits = g.arrive(3)
		for _, v := range visits[:2] {
			g.reject(v, "4")
			time.Sleep(4 * time.Second)
		}
		g.in(visits, 3)
	})
	testGate(t, "it gives up where no time is named", func(g *gateTest) {
		visits := g.arrive(4)
		for _, v := range visits[:3] {
			g.respond(v, http.StatusTooManyRequests)
			time.Sleep(4 * time.Second)
		}
		g.failed(visits[3:], "the API responded with 429 Too Many Requests 3 times in a row")
	})
	testGate(t, "it gives up where the wait is longer than 90 s", func(g *gateTest) {
		visits := g.arrive(4)
		g.reject(visits[0], "91")
		g.failed(append(visits[1:], g.arrive(1)...), "the API responded with 429 Too Many Requests, with a Retry-After of 1m31s")
		time.Sleep(91 * time.Second)
		g.in(g.arrive(2), 1)
	})
}

func TestGateCanceled(t *testing.T) {
	t.Parallel()
	testGate(t, "", func(g *gateTest) {
		for i := range 100 {
			first := g.arrive(1)[0]
			ctx, cancel := context.WithCancel(g.Context())
			second, third := g.enter(ctx, &visit{}), g.arrive(1)[0]
			if cancel(); i%2 == 0 { // otherwise it leaves at the moment of its admission
				synctest.Wait()
			}
			g.gate.leave(first.pass, newResponse(http.StatusOK, "", "X-RateLimit-Remaining", "0"))
			switch synctest.Wait(); {
			case second.failure == nil:
				g.remains(second, 0)
			case second.failure.Kind != Canceled || !errors.Is(second.failure, context.Canceled):
				g.Fatalf("got %+v", second.failure)
			}
			g.remains(third, 0) // the place is not lost
		}
	})
}

// Two requests may be in flight. Each row has a response, and how many may be in flight
// after it. A download may be performed on another host, or by something other than the
// API.
func TestGateAndContent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url     string
		content bool
		closed  time.Duration
		status  int
		headers []string
		want    int
	}{
		"a call to the API":                {"https://api.example/api/inbox", false, 0, 200, nil, 4},
		"a content":                        {"https://api.example/d", true, 0, 200, nil, 2},
		"a content that names a limit":     {"https://api.example/d", true, 0, 200, []string{"X-RateLimit-Remaining", "15"}, 5},
		"a content that is rejected":       {"https://api.example/d", true, 0, 429, nil, 0},
		"from elsewhere":                   {"https://files.example/d", true, 0, 200, []string{"X-RateLimit-Remaining", "15"}, 2},
		"from elsewhere, rejected":         {"https://files.example/d", true, 0, 429, nil, 2},
		"from elsewhere, the gate is shut": {"https://files.example/d", true, time.Minute, 200, nil, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			client := newClientAt(t, "https://api.example/api")
			client.gate = gate{minWait: time.Second, limited: true, remaining: 12, responded: true, firstSent: time.Now(), until: time.Now().Add(test.closed)}
			request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
			call := client.newCall(http.MethodGet, request.URL, 0)
			if test.content {
				call.performed = &Performance{}
			}
			leave, _ := call.enter(request)
			leave(newResponse(test.status, "", test.headers...))
			if got, _ := client.gate.allowance(time.Now()); got != test.want || time.Until(client.gate.until) < test.closed {
				t.Errorf("%d may be in flight", got)
			}
		})
	}
}
