package provider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
)

const (
	// progressInterval is how often the progress of a file is reported.
	progressInterval = 5 * time.Second

	// maxProgressWait bounds how long the end of an action waits for its last
	// messages to be sent.
	maxProgressWait = 2 * time.Second
)

// progress reports what an action does, until its context ends: the framework
// then ends the action for Terraform with the next message, and Terraform ends the
// provider, whatever that has still to clear up. It sends from a goroutine of its
// own and drops what cannot be sent: the framework's function never returns once
// Terraform has stopped listening, and a file must not wait for it.
type progress struct {
	done     <-chan struct{} // of the context
	messages chan string
	sent     chan struct{} // closed when all messages are

	interval time.Duration
	ended    chan struct{}
	ticking  sync.WaitGroup
}

func startProgress(ctx context.Context, send func(action.InvokeProgressEvent), interval time.Duration) *progress {
	p := &progress{
		done: ctx.Done(), messages: make(chan string, 16), sent: make(chan struct{}),
		interval: interval, ended: make(chan struct{}),
	}
	go func() {
		defer close(p.sent)
		for message := range p.messages {
			if ctx.Err() == nil {
				send(action.InvokeProgressEvent{Message: message})
			}
		}
	}()
	return p
}

func (p *progress) send(message string) {
	select {
	case p.messages <- message:
	default: // nobody listens
	}
}

// begin reports a content that begins to come, and from then on how much of it
// has been written. The length is negative where it is not known.
func (p *progress) begin(name string, length int64, written func() int64) {
	if length < 0 {
		p.send(fmt.Sprintf("Saving %s, size unknown", name))
	} else {
		p.send(fmt.Sprintf("Saving %s, %d bytes", name, length))
	}
	p.ticking.Go(func() {
		ticker := time.NewTicker(p.interval)
		defer ticker.Stop()
		for {
			select {
			case <-p.ended:
				return
			case <-ticker.C:
			}
			if n := written(); length > 0 {
				p.send(fmt.Sprintf("%d of %d bytes, %d%%", n, length, 100*n/length))
			} else {
				p.send(fmt.Sprintf("%d bytes", n))
			}
		}
	})
}

// stop ends the reports. It waits for those that are under way, but not for ever.
func (p *progress) stop() {
	close(p.ended)
	p.ticking.Wait()
	close(p.messages)
	timer := time.NewTimer(maxProgressWait)
	defer timer.Stop()
	select {
	case <-p.sent:
	case <-timer.C:
	case <-p.done:
	}
}
