package provider

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
)

// TestProgress checks the messages and their times.
func TestProgress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		length int64
		want   []string
	}{
		"announced": {200, []string{"0s Saving x, 200 bytes", "5s 50 of 200 bytes, 25%", "10s 100 of 200 bytes, 50%", "12s Saved"}},
		"not":       {-1, []string{"0s Saving x, size unknown", "5s 50 bytes", "10s 100 bytes", "12s Saved"}},
		"empty":     {0, []string{"0s Saving x, 0 bytes", "5s 50 bytes", "10s 100 bytes", "12s Saved"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				started := time.Now()
				var got []string
				p := startProgress(t.Context(), func(e action.InvokeProgressEvent) {
					got = append(got, time.Since(started).String()+" "+e.Message)
				}, progressInterval)
				p.begin("x", test.length, func() int64 { return int64(10 * time.Since(started).Seconds()) })
				time.Sleep(12 * time.Second)
				p.send("Saved")
				p.stop()
				if !slices.Equal(got, test.want) {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		})
	}
}

// TestProgress_blocked checks that send does not wait for a blocked function, and that
// stop waits for it at most maxProgressWait, so that the last messages can be sent.
func TestProgress_blocked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		blocks    time.Duration
		interrupt bool
		stops     time.Duration
		sent      int // in the end: the first message, and the buffered ones unless interrupted
	}{
		"for ever":              {blocks: time.Hour, stops: maxProgressWait, sent: 17},
		"for a while":           {blocks: 11 * time.Second, stops: time.Second, sent: 17},
		"for ever, interrupted": {blocks: time.Hour, interrupt: true, stops: 0, sent: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				sent, began := 0, time.Now()
				p := startProgress(ctx, func(action.InvokeProgressEvent) {
					if sent++; sent == 1 {
						time.Sleep(test.blocks)
					}
				}, progressInterval)
				p.begin("x", 1, func() int64 { return 1 })
				synctest.Wait()
				for range 30 {
					p.send("a message")
				}
				if waited := time.Since(began); waited != 0 {
					t.Errorf("the messages waited for %s", waited)
				}
				time.Sleep(10 * time.Second)
				if test.interrupt {
					interrupt()
				}
				stopping := time.Now()
				p.stop()
				if took := time.Since(stopping); took != test.stops {
					t.Errorf("the end took %s, want %s", took, test.stops)
				}
				time.Sleep(2 * test.blocks)
				synctest.Wait()
				if sent != test.sent {
					t.Errorf("%d messages were sent, want %d", sent, test.sent)
				}
			})
		})
	}
}
