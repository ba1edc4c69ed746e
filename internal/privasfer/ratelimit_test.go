package privasfer

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// limitedAPI is an API with a rate limit and latency. Each window begins with its first
// request.
type limitedAPI struct {
	limit   int
	window  time.Duration
	latency time.Duration // round trip

	bare     bool          // responses do not mention the limit, like a proxy's
	down     bool          // Retry-After is rounded down, to 0 in the last second
	interval time.Duration // if set, a leaky bucket of limit requests, one more per interval

	mu                           sync.Mutex
	ends                         time.Time
	used                         int
	requests, rejected, inWindow int
	worst                        int // most rejections in a window
	level                        float64
	drained                      time.Time
}

// take counts a request.
func (a *limitedAPI) take() (remaining int, wait time.Duration, ok bool) {
	now := time.Now()
	if a.interval > 0 {
		a.level = max(0, a.level-float64(now.Sub(a.drained))/float64(a.interval))
		a.drained = now
		if a.level+1 > float64(a.limit) {
			return 0, 0, false
		}
		a.level++
		return 0, 0, true
	}
	if !now.Before(a.ends) {
		a.ends, a.used, a.inWindow = now.Add(a.window), 0, 0
	}
	if a.used >= a.limit {
		return 0, a.ends.Sub(now), false
	}
	a.used++
	return a.limit - a.used, 0, true
}

func (a *limitedAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(a.latency / 2):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	a.mu.Lock()
	a.requests++
	remaining, wait, ok := a.take()
	if !ok {
		a.rejected++
		a.inWindow++
		a.worst = max(a.worst, a.inWindow)
	}
	a.mu.Unlock()
	time.Sleep(a.latency / 2)

	response := newResponse(http.StatusOK, emptyMail)
	if !a.bare {
		response.Header.Set("X-RateLimit-Limit", strconv.Itoa(a.limit))
		response.Header.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	}
	if ok {
		return response, nil
	}
	response.StatusCode = http.StatusTooManyRequests
	if !a.bare {
		if !a.down {
			wait += time.Second - 1
		}
		response.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	}
	return response, nil
}

// plan reads mails as Terraform does: ten at a time.
func plan(t *testing.T, client *Client, reads int) {
	ids := make(chan string, reads)
	for i := range reads {
		ids <- strconv.Itoa(i)
	}
	close(ids)
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			for id := range ids {
				if _, err := client.InboxMail(t.Context(), id, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
}

// With any kind of limit, every read succeeds, and few requests are rejected.
func TestPlansUnderALimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		api      *limitedAPI
		plans    int // 0: one
		reads    int
		rejected int // at most
		worst    int // at most in one window; 0: not checked
		within   time.Duration
	}{
		"100 in 4 s":                     {api: &limitedAPI{limit: 100, window: 4 * time.Second}, reads: 300, rejected: 2, worst: 1, within: 10 * time.Second},
		"Retry-After down to 0":          {api: &limitedAPI{limit: 100, window: 4 * time.Second, down: true}, reads: 300, rejected: 4, worst: 2, within: 11 * time.Second},
		"bare 429s of a window":          {api: &limitedAPI{limit: 100, window: 4 * time.Second, bare: true}, reads: 300, rejected: 60, within: 30 * time.Second},
		"bare 429s of a bucket":          {api: &limitedAPI{limit: 5, interval: 100 * time.Millisecond, bare: true}, reads: 40, rejected: 60, within: 30 * time.Second},
		"bare 429s of a bucket of one":   {api: &limitedAPI{limit: 1, interval: time.Second / 5, bare: true}, reads: 40, rejected: 100, within: 90 * time.Second},
		"two plans behind one address":   {api: &limitedAPI{limit: 300, window: time.Minute}, plans: 2, reads: 400, rejected: 12, within: 3 * time.Minute},
		"three plans behind one address": {api: &limitedAPI{limit: 300, window: time.Minute}, plans: 3, reads: 400, rejected: 60, within: 5 * time.Minute},
		"five plans behind one address":  {api: &limitedAPI{limit: 300, window: time.Minute}, plans: 5, reads: 400, rejected: 200, within: 8 * time.Minute},
		"five plans, a low limit":        {api: &limitedAPI{limit: 60, window: 5 * time.Second, down: true}, plans: 5, reads: 80, rejected: 200, within: 90 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				test.api.latency = 20 * time.Millisecond
				started := time.Now()
				var plans sync.WaitGroup
				for range cmp.Or(test.plans, 1) {
					client := newClientOver(t, test.api.RoundTrip, retries(DefaultMaxRetries))
					plans.Go(func() { plan(t, client, test.reads) })
				}
				plans.Wait()
				took := time.Since(started)
				t.Logf("%s, %d of %d requests rejected, %d in the worst window", took, test.api.rejected, test.api.requests, test.api.worst)
				if took > test.within || test.api.rejected > test.rejected || test.worst > 0 && test.api.worst > test.worst {
					t.Errorf("more than %s, %d or %d", test.within, test.rejected, test.worst)
				}
			})
		})
	}
}

// If others use up the limit during a pause, all requests are rejected at once. This
// counts as a single rejection.
func TestPlanAfterAPause(t *testing.T) {
	t.Parallel()
	bubble(t, "", func(t *testing.T) {
		api := &limitedAPI{limit: 60, window: time.Minute, latency: 20 * time.Millisecond}
		client := newClientOver(t, api.RoundTrip, retries(DefaultMaxRetries))
		started := time.Now()
		plan(t, client, 1)
		time.Sleep(20 * time.Second)
		api.mu.Lock()
		api.used = api.limit
		api.mu.Unlock()
		plan(t, client, 10)
		if took := time.Since(started); took > 62*time.Second || api.rejected != 10 {
			t.Errorf("it took %s, and %d requests were rejected", took, api.rejected)
		}
	})
}

// If others keep using up the limit, no call waits for more than max(1, MaxRetries)
// rejections, and the error has the Retry-After.
func TestCallsWithNothingLeft(t *testing.T) {
	t.Parallel()
	for maxRetries, rejections := range map[int]int{0: 2, 1: 2, 4: 5} {
		bubble(t, strconv.Itoa(maxRetries), func(t *testing.T) {
			var requests atomic.Int32
			start := time.Now()
			client := newClientOver(t, func(*http.Request) (*http.Response, error) {
				requests.Add(1)
				return newResponse(http.StatusTooManyRequests, "", "Retry-After", "60"), nil
			}, retries(maxRetries))
			var callers sync.WaitGroup
			for i := range 10 {
				callers.Go(func() {
					_, err := client.InboxMail(t.Context(), strconv.Itoa(i), false)
					if asAPIError(t, err).Kind != Rejected { // it sent no request
						checkError(t, err, RateLimited, fmt.Sprintf("GET /api/inbox/%d: the API responded with 429 Too Many Requests "+
							"%d times in a row, with a Retry-After of 1m0s", i, rejections))
					}
				})
			}
			callers.Wait()
			if took := time.Since(start); took != time.Duration(rejections-1)*time.Minute || int(requests.Load()) != rejections {
				t.Errorf("it took %s and %d requests", took, requests.Load())
			}
		})
	}
}
