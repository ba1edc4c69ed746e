package privasfer

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowAPI answers every request after a second, and says what it saw.
type slowAPI struct {
	answer func() *http.Response

	mu        sync.Mutex
	targets   []string
	cancelled int
}

func (a *slowAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.targets = append(a.targets, r.Method+" "+r.URL.RequestURI())
	a.mu.Unlock()
	select {
	case <-time.After(time.Second):
		return a.answer(), nil
	case <-r.Context().Done():
		a.mu.Lock()
		a.cancelled++
		a.mu.Unlock()
		time.Sleep(300 * time.Millisecond) // it ends, in its own time
		return nil, r.Context().Err()
	}
}

// seen is how many requests there were, and how many of them were cancelled.
func (a *slowAPI) seen(t *testing.T, requests, cancelled int) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.targets) != requests || a.cancelled != cancelled {
		t.Errorf("%d requests, %d cancelled, want %d and %d: %v", len(a.targets), a.cancelled, requests, cancelled, a.targets)
	}
}

// testFlights runs a test in a bubble against an API with one answer, behind a
// gate that is open already.
func testFlights(t *testing.T, answer func() *http.Response, test func(t *testing.T, client *Client, api *slowAPI)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		api := &slowAPI{answer: answer}
		client := newClientOver(t, api.RoundTrip)
		transportOf(t, client.http).gate.answered = true
		test(t, client, api)
	})
}

func goodMail() *http.Response { return plainAnswer(http.StatusOK, emptyMail) }

// reading is a call under way.
type reading struct {
	cancel context.CancelFunc
	start  time.Time
	done   chan struct{}

	// What it came to, once it is done.
	mail *InboxMail
	err  error
	took time.Duration
}

func read(t *testing.T, client *Client, id string) *reading {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &reading{cancel: cancel, start: time.Now(), done: make(chan struct{})}
	go func() {
		r.mail, r.err = client.InboxMail(ctx, id, false)
		r.took = time.Since(r.start)
		close(r.done)
	}()
	synctest.Wait()
	return r
}

func (r *reading) check(t *testing.T, took time.Duration, err error) {
	t.Helper()
	<-r.done
	if r.took != took || !errors.Is(r.err, err) || (r.err == nil) != (r.mail != nil) {
		t.Errorf("got %+v, %v after %s, want %v after %s", r.mail, r.err, r.took, err, took)
	}
}

func TestSameReadsAreOneRequest(t *testing.T) {
	t.Parallel()
	testFlights(t, goodMail, func(t *testing.T, client *Client, api *slowAPI) {
		var readings []*reading
		for range 50 {
			readings = append(readings, read(t, client, "m"))
			time.Sleep(10 * time.Millisecond)
		}
		for i, r := range readings {
			r.check(t, time.Second-time.Duration(i)*10*time.Millisecond, nil)
			if r.mail.ID != "m" {
				t.Errorf("got %+v", r.mail)
			}
		}
		api.seen(t, 1, 0)

		// Nothing is kept.
		again := read(t, client, "m")
		again.check(t, time.Second, nil)
		api.seen(t, 2, 0)
		if len(client.flights.callers) != 0 {
			t.Errorf("%d are remembered", len(client.flights.callers))
		}
	})
}

func TestOtherReadsAreOtherRequests(t *testing.T) {
	t.Parallel()
	testFlights(t, goodMail, func(t *testing.T, client *Client, api *slowAPI) {
		var calls sync.WaitGroup
		for range 5 {
			for _, id := range []string{"a", "b", "a/b"} {
				for _, files := range []bool{false, true} {
					calls.Go(func() {
						if _, err := client.InboxMail(t.Context(), id, files); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
		calls.Wait()
		api.seen(t, 6, 0)
	})
}

// Each creation is one, however alike they are.
func TestCreationsAreNotShared(t *testing.T) {
	t.Parallel()
	testFlights(t, func() *http.Response { return plainAnswer(http.StatusCreated, `{"data":{"id":"d"}}`) },
		func(t *testing.T, client *Client, api *slowAPI) {
			var calls sync.WaitGroup
			for range 5 {
				calls.Go(func() {
					if _, _, err := client.CreateDownload(t.Context(), []string{"f"}); err != nil {
						t.Error(err)
					}
				})
			}
			calls.Wait()
			api.seen(t, 5, 0)
		})
}

func TestErrorIsShared(t *testing.T) {
	t.Parallel()
	testFlights(t, func() *http.Response { return plainAnswer(http.StatusNotFound, `{"message":"No such mail."}`) },
		func(t *testing.T, client *Client, api *slowAPI) {
			readings := []*reading{read(t, client, "m"), read(t, client, "m"), read(t, client, "m")}
			for _, r := range readings {
				<-r.done
				checkError(t, r.err, "GET /api/inbox/m was answered 404 Not Found: No such mail.")
			}
			api.seen(t, 1, 0)
		})
}

// One caller's cancellation is its own, the first one's too.
func TestLeavingASharedRead(t *testing.T) {
	t.Parallel()
	for leaver := range 3 {
		t.Run(strconv.Itoa(leaver), func(t *testing.T) {
			t.Parallel()
			testFlights(t, goodMail, func(t *testing.T, client *Client, api *slowAPI) {
				readings := []*reading{read(t, client, "m"), read(t, client, "m"), read(t, client, "m")}
				time.Sleep(300 * time.Millisecond)
				readings[leaver].cancel()
				readings[leaver].check(t, 300*time.Millisecond, context.Canceled)
				checkError(t, readings[leaver].err, "GET /api/inbox/m: context canceled")

				late := read(t, client, "m") // joins those who stay
				for i, r := range readings {
					if i != leaver {
						r.check(t, time.Second, nil)
					}
				}
				late.check(t, 700*time.Millisecond, nil)
				api.seen(t, 1, 0)
			})
		})
	}
}

// A caller's own deadline is no other's.
func TestDeadlineOfASharedRead(t *testing.T) {
	t.Parallel()
	testFlights(t, goodMail, func(t *testing.T, client *Client, api *slowAPI) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		var first sync.WaitGroup
		first.Go(func() {
			_, err := client.InboxMail(ctx, "m", false)
			checkError(t, err, "GET /api/inbox/m: context deadline exceeded")
		})
		synctest.Wait()
		second := read(t, client, "m")
		first.Wait()
		second.check(t, time.Second, nil)
		api.seen(t, 1, 0)
	})
}

func TestLastToLeaveCancels(t *testing.T) {
	t.Parallel()
	testFlights(t, goodMail, func(t *testing.T, client *Client, api *slowAPI) {
		readings := []*reading{read(t, client, "m"), read(t, client, "m")}
		other := read(t, client, "n")
		readings[0].cancel()
		synctest.Wait()
		api.seen(t, 2, 0)
		readings[1].cancel()
		readings[0].check(t, 0, context.Canceled)
		readings[1].check(t, 0, context.Canceled)
		synctest.Wait()
		api.seen(t, 2, 1)
		// Whoever comes now gets an answer of their own, even though the cancelled
		// request takes its time to end.
		after := read(t, client, "m")
		api.seen(t, 3, 1)
		time.Sleep(400 * time.Millisecond)
		afterwards := read(t, client, "m")
		after.check(t, time.Second, nil)
		afterwards.check(t, 600*time.Millisecond, nil)
		other.check(t, time.Second, nil)
		api.seen(t, 3, 1)
		if len(client.flights.callers) != 0 {
			t.Errorf("%d are remembered", len(client.flights.callers))
		}
	})
}

// The same when those who leave and those who come do so at once, many times.
func TestComingAndGoing(t *testing.T) {
	t.Parallel()
	var f flights
	var running atomic.Int32
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range 300 {
				ctx, cancel := context.WithCancel(t.Context())
				if (caller+i)%3 == 0 {
					go cancel()
				}
				value, err := f.do(ctx, "key", func(ctx context.Context) (any, error) {
					running.Add(1)
					defer running.Add(-1)
					select {
					case <-time.After(50 * time.Microsecond):
						return i, nil
					case <-ctx.Done():
						return nil, errors.New("the request of others was cancelled")
					}
				})
				switch {
				case err == nil && value != nil:
				case errors.Is(err, context.Canceled) && ctx.Err() != nil:
				case ctx.Err() == nil:
					t.Errorf("got %v, %v", value, err)
				}
				cancel()
			}
		})
	}
	callers.Wait()
	if len(f.callers) != 0 {
		t.Errorf("%d are remembered", len(f.callers))
	}
}

// A server sees that the last has left.
func TestLastToLeaveHangsUp(t *testing.T) {
	t.Parallel()
	asked, gone := make(chan struct{}), make(chan struct{})
	client := newClient(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			if _, err := client.InboxMail(ctx, "m", false); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
	<-asked
	cancel()
	callers.Wait()
	<-gone
}
