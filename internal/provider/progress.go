package provider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
)

const (
	// progressInterval is the interval between progress messages.
	progressInterval = 5 * time.Second

	// maxProgressWait is how long stop waits for the last messages to be sent.
	maxProgressWait = 2 * time.Second
)

// progress sends the messages of an action from its own goroutine, and drops messages
// that cannot be sent: the framework's function never returns once Terraform has
// stopped listening, and the file must not wait for it. It sends none after the
// context has ended: the framework would then end the action, and Terraform would
// kill the provider before it has cleaned up.
type progress struct {
	done     <-chan struct{} // of the context
	messages chan string
	sent     chan struct{} // closed when all messages are sent

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
	default: // Terraform has stopped listening
	}
}

// begin sends the name and the length of the content, and from then on how many bytes
// have been written. A negative length is unknown.
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

// stop ends the messages. It waits until they are sent, for at most maxProgressWait.
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
