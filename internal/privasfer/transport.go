package privasfer

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
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

const dialTimeout = 10 * time.Second

// call follows one call to the API through the layers below it.
type call struct {
	path     string    // for people; it holds no secret
	safe     bool      // may be repeated although the server may have acted
	limit    int64     // bytes of the answer at most
	attempts int       // requests sent so far
	sent     time.Time // when the latest attempt was
	status   int       // of the latest attempt; 0 without an answer

	body       []byte      // of the latest answer
	over       bool        // repeating is of no use
	redirected bool        // the first server has answered, whatever the next one does
	connecting atomic.Bool // the latest attempt waits for a connection to be sent on
}

// callKey carries the *call in a request's context.
type callKey struct{}

// transport performs one attempt of a call, to the last byte of its answer: the
// body goes into the call, and what it returns has none. So the timeout covers
// the whole attempt, and an answer cut short is an error of the attempt like any
// other.
type transport struct {
	inner   http.RoundTripper
	timeout time.Duration
	wait    time.Duration // after a 429 that names none
	now     func() time.Time

	// gate holds back requests to the API's own origin, and no others.
	gate   *gate
	origin string

	// read returns the body, at most limit bytes of it.
	read func(response *http.Response, limit int64) ([]byte, error)
}

func newTransport(config Config) *transport {
	inner := newInner(config)
	inner.MaxIdleConnsPerHost = maxIdleConnections

	t := &transport{
		inner:   inner,
		gate:    &gate{patience: max(1, config.MaxRetries)},
		origin:  originOf(config.BaseURL),
		read:    readAnswer,
		timeout: cmp.Or(config.RequestTimeout, DefaultRequestTimeout),
		wait:    cmp.Or(config.RetryWait, defaultRetryWait),
		now:     config.Now,
	}
	if t.now == nil {
		t.now = time.Now
	}
	return t
}

// newInner returns what performs HTTP: the default transport with the proxy
// settings of the environment and HTTP/2, and the certificates to trust.
func newInner(config Config) *http.Transport {
	inner := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented as *http.Transport
	inner.TLSClientConfig = tlsConfig(config.CACertPEM)
	// Well within the time of an attempt, so that a dial that gets no answer
	// fails as a dial, after which any call may be repeated.
	inner.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	return inner
}

// RoundTrip implements http.RoundTripper. The wait at the gate is no part of
// the attempt's time.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	current, ok := request.Context().Value(callKey{}).(*call)
	if !ok {
		return nil, errors.New("a request that is no call")
	}
	leave := func(*http.Response) {}
	if originOf(request.URL) == t.origin {
		admitted, err := t.gate.enter(request.Context())
		if err != nil {
			return nil, err
		}
		leave = func(response *http.Response) {
			wait, ok := askedWait(response)
			if !ok {
				wait = t.wait
			}
			current.over = t.gate.leave(admitted, response, wait)
		}
	}
	ctx, cancel := context.WithTimeoutCause(request.Context(), t.timeout, &timeoutError{t.timeout})
	defer cancel()

	if !current.redirected {
		current.attempts++
	}
	current.sent = t.now()
	current.status = 0
	current.connecting.Store(false)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { current.connecting.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { current.connecting.Store(false) },
	})
	started := time.Now()
	response, err := t.inner.RoundTrip(request.WithContext(ctx))
	leave(response)
	switch {
	case err == nil:
		current.status = response.StatusCode
		current.body, err = t.read(response, current.limit)
	case !current.connecting.Load():
		err = plain(err)
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
		"path":        current.path,
		"status":      current.status,
		"attempt":     current.attempts,
		"duration_ms": took.Milliseconds(),
	}
	if response != nil {
		fields["request_id"] = clean(requestID(response), nil, maxPathLength)
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

// readAnswer reads an answer of the API.
func readAnswer(response *http.Response, limit int64) ([]byte, error) {
	// A redirect is never followed: the API documents none, and the usual one
	// leads to a login page. Without its Location, http.Client takes it for an
	// answer like any other.
	response.Header.Del("Location")
	if !succeeded(response) {
		return readRefusal(response), nil
	}
	return readBody(response, response.Body, limit)
}

// readRefusal reads what may hold a refusal's message and leaves the rest: the
// status says enough where that does not come.
func readRefusal(response *http.Response) []byte {
	defer discard(response)
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusalBytes))
	return body
}

// readBody reads the body to its end, from where it comes decoded.
func readBody(response *http.Response, decoded io.Reader, limit int64) ([]byte, error) {
	defer discard(response)
	var body bytes.Buffer
	if length := response.ContentLength; length > 0 && length <= limit {
		body.Grow(int(length) + bytes.MinRead)
	}
	_, err := body.ReadFrom(io.LimitReader(decoded, limit+1))
	switch {
	case int64(body.Len()) > limit:
		return nil, &tooLargeError{limit: limit}
	case err != nil:
		return nil, fmt.Errorf("the answer was cut short: %w", plain(err))
	}
	return body.Bytes(), nil
}

// discard closes a body that was read, and leaves an empty one for http.Client.
func discard(response *http.Response) {
	_ = response.Body.Close()
	response.Body = http.NoBody
}

func succeeded(response *http.Response) bool {
	return response.StatusCode >= 200 && response.StatusCode <= 299
}

// originOf is a URL's scheme, host and port: whom a request talks to.
func originOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// timeoutError is the end of an attempt that took too long.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("no complete answer within %s", e.after)
}

// tooLargeError is the end of an answer that is larger than what it may be.
type tooLargeError struct {
	limit int64
	size  int64 // as the server told it; not positive where it did not
}

func (e *tooLargeError) Error() string {
	limit := fmt.Sprintf("%d bytes", e.limit)
	if e.limit%(1<<20) == 0 {
		limit = fmt.Sprintf("%d MiB", e.limit>>20)
	}
	if e.size > 0 {
		return fmt.Sprintf("the answer has %d bytes and is larger than %s", e.size, limit)
	}
	return "the answer is larger than " + limit
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

// plain keeps an error that is the system's or the connection's. Other errors
// of net/http and its like quote what they could not read of the answer.
func plain(err error) error {
	var operation *net.OpError
	var errno syscall.Errno
	switch {
	case errors.As(err, &operation), errors.As(err, &errno), untrusted(err),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrSchemeMismatch),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return err
	}
	return errors.New("the answer is not valid HTTP, or the connection broke")
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
