package privasfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxIdleConnections per host covers Terraform's default parallelism of 10
// and a raised one, so that reads reuse connections instead of opening new
// ones; net/http keeps 2.
const maxIdleConnections = 32

// maxRefusalBytes is how much of an error's body is read: its message is
// wanted, not a stack trace.
const maxRefusalBytes = 64 << 10

// call follows one call to the API through the transport.
type call struct {
	limit    int64     // bytes of the answer at most
	attempts int       // requests sent so far
	at       time.Time // when the latest attempt was sent
	status   int       // of the latest attempt; 0 without an answer
}

// callKey carries the *call in a request's context.
type callKey struct{}

// transport performs one attempt of a call, to the last byte of its answer:
// the body it returns is in memory. So the timeout covers the whole attempt,
// and an answer cut short is an error of the attempt like any other.
type transport struct {
	inner   http.RoundTripper
	timeout time.Duration
	now     func() time.Time
}

func newTransport(config Config) *transport {
	// The clone keeps the proxy settings of the environment and HTTP/2.
	inner := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented as *http.Transport
	inner.MaxIdleConnsPerHost = maxIdleConnections

	t := &transport{inner: inner, timeout: config.RequestTimeout, now: config.Now}
	if t.timeout <= 0 {
		t.timeout = DefaultRequestTimeout
	}
	if t.now == nil {
		t.now = time.Now
	}
	return t
}

// RoundTrip implements http.RoundTripper. Waiting before an attempt, whatever
// for, belongs above the line that starts its timeout.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	current, ok := request.Context().Value(callKey{}).(*call)
	if !ok {
		return nil, errors.New("a request that is no call")
	}
	ctx, cancel := context.WithTimeoutCause(request.Context(), t.timeout, &timeoutError{t.timeout})
	defer cancel()

	current.attempts++
	current.at = t.now()
	current.status = 0
	response, err := t.inner.RoundTrip(request.WithContext(ctx))
	if err != nil {
		return nil, cause(ctx, err)
	}
	current.status = response.StatusCode
	// Without it http.Client takes a redirect for an answer like any other; it
	// would fail on one that it cannot parse, and repeat it.
	response.Header.Del("Location")
	body, err := readBody(response, current.limit)
	_ = response.Body.Close()
	if err != nil {
		return nil, cause(ctx, err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// readBody reads an answer's body, at most limit bytes of it. Of a refusal it
// reads what may hold the message and leaves the rest.
func readBody(response *http.Response, limit int64) ([]byte, error) {
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return io.ReadAll(io.LimitReader(response.Body, maxRefusalBytes))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case int64(len(body)) > limit:
		return nil, &tooLargeError{limit}
	case err != nil:
		return nil, fmt.Errorf("the answer was cut short: %w", err)
	}
	return body, nil
}

// timeoutError is the end of an attempt that took too long.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("no complete answer within %s", e.after)
}

// tooLargeError is the end of an answer that is larger than any that the API
// could mean.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d MiB", e.limit>>20)
}

// cause prefers the reason why a context ended to what the transport made of
// it ("context deadline exceeded").
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// withoutURL takes off the wrapping that net/http and net/url put around an
// error: it repeats the whole URL.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
