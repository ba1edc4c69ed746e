package privasfer

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// flightsTest has an API that responds after a second, and a client.
type flightsTest struct {
	*testing.T
	client             *Client
	requests, canceled atomic.Int32
}

// testFlights runs a subtest and checks that no flight is left at its end.
func testFlights(t *testing.T, name string, status int, test func(f *flightsTest)) {
	t.Helper()
	bubble(t, name, func(t *testing.T) {
		f := &flightsTest{T: t}
		f.client = newClientOver(t, func(r *http.Request) (*http.Response, error) {
			f.requests.Add(1)
			select {
			case <-time.After(time.Second):
				return newResponse(status, emptyMail), nil
			case <-r.Context().Done():
				f.canceled.Add(1)
				time.Sleep(300 * time.Millisecond) // the cancellation takes time
				return nil, r.Context().Err()
			}
		})
		f.client.gate.responded = true // so that the gate is open
		test(f)
		synctest.Wait()
		if n := len(f.client.flights.callers); n != 0 {
			t.Errorf("%d flights are left", n)
		}
	})
}

func (f *flightsTest) sent(requests, canceled int32) {
	f.Helper()
	if synctest.Wait(); f.requests.Load() != requests || f.canceled.Load() != canceled {
		f.Errorf("%d requests, %d of them canceled, want %d and %d", f.requests.Load(), f.canceled.Load(), requests, canceled)
	}
}

// read starts to read a mail; cancel cancels it. wait checks how long it takes, and its
// error, "" for none.
func (f *flightsTest) read(id string) (wait func(took time.Duration, want string), cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(f.Context())
	start, result := time.Now(), make(chan error, 1)
	go func() {
		_, err := f.client.InboxMail(ctx, id, false)
		result <- err
	}()
	synctest.Wait()
	return func(took time.Duration, want string) {
		f.Helper()
		checkText(f.T, <-result, want)
		if got := time.Since(start); got != took {
			f.Errorf("it took %s, want %s", got, took)
		}
	}, cancel
}

func TestFlights(t *testing.T) {
	t.Parallel()
	const canceled = "GET /api/inbox/m: context canceled"
	for status, want := range map[int]string{200: "", 404: "GET /api/inbox/m returned 404 Not Found"} {
		testFlights(t, "identical reads: "+want, status, func(f *flightsTest) {
			first, _ := f.read("m")
			time.Sleep(900 * time.Millisecond)
			second, _ := f.read("m")
			first(time.Second, want)
			second(100*time.Millisecond, want)
			f.sent(1, 0)
			third, _ := f.read("m") // nothing is cached
			third(time.Second, want)
			f.sent(2, 0)
		})
	}
	testFlights(t, "other reads, and creations", 200, func(f *flightsTest) {
		var calls sync.WaitGroup
		for range 5 {
			for _, id := range []string{"a", "b", "a/b"} {
				calls.Go(func() { _, _ = f.client.InboxMail(f.Context(), id, false) })
				calls.Go(func() { _, _ = f.client.InboxMail(f.Context(), id, true) })
			}
			calls.Go(func() { _, _, _ = f.client.CreateDownload(f.Context(), []string{"f"}) })
		}
		calls.Wait()
		f.sent(3*2+5, 0)
	})
	for name, first := range map[string]bool{"the first leaves": true, "another leaves": false} {
		testFlights(t, name, 200, func(f *flightsTest) {
			leaves, cancel := f.read("m")
			stays, cancelOther := f.read("m")
			if !first {
				leaves, stays, cancel = stays, leaves, cancelOther
			}
			time.Sleep(300 * time.Millisecond)
			cancel()
			leaves(300*time.Millisecond, canceled)
			late, _ := f.read("m") // joins the caller that stays
			stays(time.Second, "")
			late(700*time.Millisecond, "")
			f.sent(1, 0)
		})
	}
	testFlights(t, "all leave", 200, func(f *flightsTest) {
		first, cancelFirst := f.read("m")
		second, cancelSecond := f.read("m")
		other, _ := f.read("n")
		cancelFirst()
		first(0, canceled)
		f.sent(2, 0)
		cancelSecond()
		second(0, canceled)
		f.sent(2, 1)
		// New callers share a new request, even after the canceled one has ended.
		third, _ := f.read("m")
		time.Sleep(400 * time.Millisecond)
		fourth, _ := f.read("m")
		third(time.Second, "")
		fourth(600*time.Millisecond, "")
		other(time.Second, "")
		f.sent(3, 1)
	})
	testFlights(t, "many come and go", 200, func(f *flightsTest) {
		var calls sync.WaitGroup
		for i := range 500 {
			calls.Go(func() {
				time.Sleep(time.Duration(i%7) * time.Second / 4)
				ctx, cancel := context.WithTimeout(f.Context(), time.Duration(i%6)*time.Second/4)
				defer cancel()
				if _, err := f.client.InboxMail(ctx, "m", false); err != nil && ctx.Err() == nil {
					f.Errorf("canceled by others: %v", err)
				}
			})
		}
		calls.Wait()
	})
}
