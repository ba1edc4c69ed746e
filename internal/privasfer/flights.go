package privasfer

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"
)

// flights merges identical requests that run at the same time into one, such as those of
// a for_each over mails that share a file. It caches nothing.
type flights struct {
	group singleflight.Group

	mu      sync.Mutex
	callers map[string]*flight
}

// flight is a request under way. It belongs to no single caller, and ends when the last
// one leaves.
type flight struct {
	callers int
	cancel  context.CancelFunc
	ctx     context.Context // shared by all callers
}

// do returns the result of fn, or the cause if the caller's context ends first.
func (f *flights) do(ctx context.Context, key string, fn func(context.Context) (any, error)) (any, error) {
	f.mu.Lock()
	shared := f.callers[key]
	if shared == nil {
		shared = &flight{}
		shared.ctx, shared.cancel = context.WithCancel(context.WithoutCancel(ctx))
		if f.callers == nil {
			f.callers = map[string]*flight{}
		}
		f.callers[key] = shared
	}
	shared.callers++
	result := f.group.DoChan(key, func() (any, error) { return fn(shared.ctx) })
	f.mu.Unlock()

	defer f.leave(key, shared)
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case r := <-result:
		return r.Val, r.Err
	}
}

func (f *flights) leave(key string, shared *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	shared.callers--
	if shared.callers > 0 {
		return
	}
	shared.cancel()
	delete(f.callers, key)
	f.group.Forget(key) // a new caller must not get the result of the cancelled request
}
