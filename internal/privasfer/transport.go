package privasfer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// maxIdleConnections per host covers Terraform's default parallelism of 10
// and a raised one, so that reads reuse connections instead of opening new
// ones; net/http keeps 2.
const maxIdleConnections = 32

// maxRefusalBytes is how much of an error's body is read. A server in debug mode
// puts a stack trace beside the message.
const maxRefusalBytes = 1 << 20

// call follows one call to the API through the layers below it.
type call struct {
	method   string
	limit    int64     // bytes of the answer at most
	attempts int       // requests sent so far
	sent     time.Time // when the latest attempt was
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
	wait    time.Duration // after a 429 that names none
	now     func() time.Time
	gate    gate
}

func newTransport(config Config) *transport {
	// The clone keeps the proxy settings of the environment and HTTP/2.
	inner := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented as *http.Transport
	inner.MaxIdleConnsPerHost = maxIdleConnections
	inner.TLSClientConfig = tlsConfig(config.CACertPEM)

	t := &transport{
		inner:   inner,
		timeout: cmp.Or(config.RequestTimeout, DefaultRequestTimeout),
		wait:    cmp.Or(config.RetryWait, defaultRetryWait),
		now:     config.Now,
	}
	if t.now == nil {
		t.now = time.Now
	}
	return t
}

// RoundTrip implements http.RoundTripper. The wait at the gate is no part of
// the attempt's time.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	current, ok := request.Context().Value(callKey{}).(*call)
	if !ok {
		return nil, errors.New("a request that is no call")
	}
	admitted, err := t.gate.enter(request.Context())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(request.Context(), t.timeout, &timeoutError{t.timeout})
	defer cancel()

	current.attempts++
	current.sent = t.now()
	current.status = 0
	started := time.Now()
	response, err := t.inner.RoundTrip(request.WithContext(ctx))
	wait, ok := askedWait(response)
	if !ok {
		wait = t.wait
	}
	t.gate.leave(admitted, response, wait)
	if err == nil {
		current.status = response.StatusCode
		// A redirect is never followed: the API documents none, and the usual
		// one leads to a login page. Without its Location, http.Client takes it
		// for an answer like any other.
		response.Header.Del("Location")
		err = readBody(response, current.limit)
	}
	logAttempt(request, current, response, time.Since(started))
	if err != nil {
		return nil, cause(ctx, err)
	}
	return response, nil
}

// logAttempt leaves out what may be secret: headers, bodies and queries.
func logAttempt(request *http.Request, current *call, response *http.Response, took time.Duration) {
	fields := map[string]any{
		"method":      request.Method,
		"path":        request.URL.EscapedPath(),
		"status":      current.status,
		"attempt":     current.attempts,
		"duration_ms": took.Milliseconds(),
	}
	if response != nil {
		fields["request_id"] = requestID(response)
	}
	tflog.Debug(request.Context(), "Privasfer API request", fields)
}

// tlsConfig trusts the machine's certificates and the given ones.
func tlsConfig(caCertPEM []byte) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(caCertPEM) > 0 {
		config.RootCAs = certPool(caCertPEM)
	}
	return config
}

// readBody puts an answer's body into memory, at most limit bytes of it. Of a
// refusal it takes what may hold the message and leaves the rest.
func readBody(response *http.Response, limit int64) error {
	received := response.Body
	defer func() { _ = received.Close() }()
	refused := response.StatusCode < 200 || response.StatusCode > 299
	if refused {
		limit = maxRefusalBytes
	}
	body, err := io.ReadAll(io.LimitReader(received, limit+1))
	switch {
	case refused: // the status says enough where the rest does not come
		body = body[:min(int64(len(body)), limit)]
	case int64(len(body)) > limit:
		return &tooLargeError{limit}
	case err != nil:
		return fmt.Errorf("the answer was cut short: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return nil
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

// cause says plainly why an attempt failed: the transport's own words for a
// context that has ended or a closed connection are Go's.
func cause(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF):
		return errors.New("the connection was closed before an answer came")
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
