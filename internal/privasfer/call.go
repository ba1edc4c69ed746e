package privasfer

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// DefaultMaxRetries is how many times a call is retried at most unless Config
	// says otherwise.
	DefaultMaxRetries = 4

	defaultRetryWait = 500 * time.Millisecond
	maxBackoff       = 30 * time.Second

	// maxWait bounds a single wait that the API asks for. Its limit is counted
	// by the minute, so a run should not sit through a longer one.
	maxWait = 90 * time.Second

	// maxRejectionBytes of an error response are read: a debug mode adds a trace.
	maxRejectionBytes = 1 << 20
)

// call is one call: a request, its attempts and the response to the last of
// them. It is the round tripper, the retry policy and the redirect policy of an
// HTTP client of its own, so what one attempt learns the next one knows.
//
//	do ─► retryablehttp ─► RoundTrip ─► gate ─► transport ─► read ─► body or *APIError
//	          └── checkRetry, backoff ◄──────────────────────────────────────┘
type call struct {
	client  *Client
	method  string
	target  *url.URL
	path    string // in errors and logs; it holds no secret
	safe    bool   // may be retried although the server may have acted
	headers http.Header
	secrets []string // hidden in errors, and in logs in case of a mistake

	transport http.RoundTripper
	limit     int64 // bytes of the response at most
	oversize  Kind  // what a larger one is

	// Of a content alone, which may be kept elsewhere than at the API.
	performed *Performance
	sink      *sink       // where the content goes
	deadline  time.Time   // of the download's life; zero: it has no end
	over      *time.Timer // ends the call at the deadline; nil: there is none
	streaming atomic.Bool // only a pause ends the attempt

	// Of the latest attempt.
	sent     time.Time
	conn     atomic.Pointer[net.Conn] // nil: it waits for a connection to be sent on
	failure  *APIError
	response *http.Response // without its body
	body     bytes.Buffer

	attempts   int
	order      int64 // among those who wait at the gate
	redirected bool  // the first server has acted, whatever the next one does
}

func (c *Client) newCall(method string, target *url.URL, limit int64) *call {
	return &call{
		client: c, method: method, target: target, path: target.EscapedPath(), safe: method == http.MethodGet,
		headers: http.Header{
			// Every example of the API's documentation sends both.
			"Accept":       {"application/json"},
			"Content-Type": {"application/json"},
			"User-Agent":   {c.userAgent},
		},
		secrets: []string{c.token}, transport: c.transport, limit: limit, oversize: TooLarge,
	}
}

// do sends the request, with a value as JSON unless that is nil, and again where
// that is right, until its response is in body. An error is an [*APIError].
func (c *call) do(ctx context.Context, value any) error {
	for _, secret := range c.secrets {
		ctx = tflog.MaskLogStrings(ctx, secret, url.PathEscape(secret), url.QueryEscape(secret))
	}
	var body any // nil, or bytes that can be sent again
	if value != nil {
		encoded, err := json.Marshal(value)
		if err != nil {
			return c.failed(&APIError{Kind: Invalid, Err: err, NotProcessed: true})
		}
		body = encoded
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, c.method, c.target.String(), body)
	if err != nil {
		return c.failed(&APIError{Kind: Invalid, Err: errors.New("the request has no valid URL"), NotProcessed: true})
	}
	request.Header = c.headers
	c.authorize(request.Request)

	retrying := retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: c, CheckRedirect: c.checkRedirect},
		RetryMax:     c.client.maxRetries,
		CheckRetry:   c.checkRetry,
		Backoff:      c.backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		Logger:       nil, // it would be given URLs
	}
	response, err := retrying.Do(request)
	if err == nil {
		return response.Body.Close() // empty, the call has the body
	}
	var failure *APIError
	if !errors.As(err, &failure) {
		// Interrupted in the wait before a retry, for which nothing was done.
		failure = ended(ctx)
		failure.NotProcessed = true
	}
	return c.failed(failure)
}

// failed completes an error and makes it fit to be shown.
func (c *call) failed(failure *APIError) *APIError {
	failure.Method, failure.Path, failure.Attempts = c.method, c.path, c.attempts
	failure.scrub(c.secrets...)
	return failure
}

// unusable is the error of a whole response that is not what the API documents.
func (c *call) unusable(err error) *APIError {
	return c.failed(&APIError{Kind: Unusable, Status: c.response.StatusCode, RequestID: requestID(c.response), Err: err})
}

// RoundTrip performs one attempt, to the last byte of its response: so its
// timeout covers all of it, and a response that is cut short is a failure like
// any other. What it returns is a success without a body, a redirect to follow,
// or an [*APIError].
func (c *call) RoundTrip(request *http.Request) (*http.Response, error) {
	leave, failure := c.enter(request)
	if failure != nil {
		return nil, failure
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	defer cancel(nil)
	timeout := time.AfterFunc(c.client.requestTimeout, func() {
		what := "no complete response"
		if c.streaming.Load() {
			what = "no further byte of the response"
		}
		cancel(&APIError{Kind: TimedOut, Err: fmt.Errorf("%s within %s", what, c.client.requestTimeout)})
	})
	defer timeout.Stop()

	if !c.redirected {
		c.attempts++
	}
	c.sent = c.client.now()
	c.body.Reset()
	c.conn.Store(nil)
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.conn.Store(nil) },
		GotConn: func(info httptrace.GotConnInfo) { c.conn.Store(&info.Conn) },
	})
	started := time.Now()
	response, err := c.transport.RoundTrip(request.WithContext(traced))
	leave(response)
	if err != nil {
		failure = noResponse(ctx, err, c.conn.Load() == nil)
	} else if failure = c.read(response, timeout); failure != nil {
		if failure.Kind == Disconnected && ctx.Err() != nil {
			failure = ended(ctx)
		}
		failure.Status, failure.RequestID = response.StatusCode, requestID(response)
	}
	c.log(request, response, time.Since(started))
	if failure == nil {
		return response, nil
	}
	failure.NotProcessed = failure.NotProcessed && !c.redirected
	c.failure = failure
	return nil, failure
}

// enter waits at the gate, which is for the API's own origin and no part of an
// attempt's time.
func (c *call) enter(request *http.Request) (leave func(*http.Response), failure *APIError) {
	if originOf(request.URL) != originOf(c.client.base) {
		return func(*http.Response) {}, nil
	}
	admitted, failure := c.client.gate.enter(request.Context(), &c.order)
	if failure != nil {
		failure.NotProcessed = !c.redirected
		return nil, failure
	}
	return func(response *http.Response) {
		if c.performed != nil && response != nil && response.StatusCode != http.StatusTooManyRequests &&
			response.Header.Get("X-RateLimit-Remaining") == "" {
			response = nil // not the API's: it has X-RateLimit headers on every response
		}
		c.client.gate.leave(admitted, response)
	}, nil
}

// ended is the failure of what ended with its context, whose cause may be one.
func ended(ctx context.Context) *APIError {
	var failure *APIError
	if errors.As(context.Cause(ctx), &failure) {
		return &APIError{Kind: failure.Kind, Err: failure.Err}
	}
	return &APIError{Kind: Canceled, Err: context.Cause(ctx)}
}

// noResponse is the failure of an attempt that no response came to. With no
// connection nothing was sent.
func noResponse(ctx context.Context, err error, unconnected bool) *APIError {
	failure := &APIError{Kind: Disconnected, Err: plain(err)}
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		failure = ended(ctx)
	case errors.As(err, &certificate):
		failure.Kind, failure.Err = Untrusted, err
	case errors.Is(err, io.EOF):
		failure.Err = errors.New("the connection was closed before a response arrived")
	case unconnected:
		failure.Err = err
	}
	if unconnected && (failure.Kind == TimedOut || failure.Kind == Disconnected) {
		failure.Kind = Unreachable
	}
	failure.NotProcessed = unconnected
	return failure
}

// read reads the response into the call.
func (c *call) read(response *http.Response, timeout *time.Timer) *APIError {
	defer func() {
		_ = response.Body.Close()
		response.Body = http.NoBody
	}()
	c.response = response
	switch status := response.StatusCode; {
	case status == http.StatusSwitchingProtocols: // its body is a connection without an end
		return &APIError{Kind: Unusable, Err: errors.New("the server switched to another protocol than HTTP")}
	case status/100 == 3:
		return c.readRedirect(response)
	case status/100 != 2:
		return c.readRejection(response)
	case c.performed != nil && status != http.StatusOK: // a part of the file, or none
		return &APIError{Kind: Unusable, Err: errors.New("the response is not the whole file")}
	}
	return c.readBody(response, timeout)
}

// readRedirect reports the redirect of a call to the API: it documents none, and
// the usual one leads to a login page. http.Client follows that of a content.
func (c *call) readRedirect(response *http.Response) *APIError {
	failure := &APIError{Kind: Redirected, Err: errors.New("the response is a redirect"), NotProcessed: c.performed == nil}
	to, err := response.Location()
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if c.performed != nil && err == nil {
			return nil
		}
	}
	if err == nil && to.Host != "" { // its path or query may hold a key
		failure.Err = fmt.Errorf("the response is a redirect to %s://%s", to.Scheme, to.Host)
	}
	return failure
}

func (c *call) readRejection(response *http.Response) *APIError {
	failure := &APIError{Kind: Rejected}
	failure.RetryAfter, _ = retryAfter(response)
	switch response.StatusCode {
	case http.StatusTooManyRequests:
		failure.NotProcessed = true
	case http.StatusServiceUnavailable:
		failure.NotProcessed = response.Header.Get("Retry-After") != ""
	default: // a download that is not found may have been used
		failure.NotProcessed = response.StatusCode < http.StatusInternalServerError && c.performed == nil
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxRejectionBytes)) // the status says enough
	failure.rejection(body)
	if c.redirected {
		// Another server's words may repeat its URL, whose query is a key more often than not.
		failure.Message, failure.Fields, failure.MoreFields = "", nil, 0
	}
	return failure
}

// readBody reads the body of a success to its end: into memory, or as a content
// to where it goes.
func (c *call) readBody(response *http.Response, timeout *time.Timer) *APIError {
	body, to := io.Reader(response.Body), io.Writer(&c.body)
	if c.performed != nil {
		var failure *APIError
		if body, failure = c.beginContent(response, timeout); failure != nil {
			return failure
		}
		to = c.sink
	} else if length := response.ContentLength; length > 0 && length <= c.limit {
		c.body.Grow(int(length) + bytes.MinRead)
	}
	read, err := io.Copy(to, io.LimitReader(body, c.limit+1))
	// Only the end of the connection ends a body without a length.
	unframed := response.ContentLength < 0 && len(response.TransferEncoding) == 0 && !response.Uncompressed
	switch {
	case c.sink != nil && c.sink.err != nil:
		return &APIError{Kind: Unwritable, Err: c.sink.err}
	case read > c.limit:
		return c.oversize.tooLarge(c.limit, 0)
	case err != nil:
		return cutShort(plain(err))
	case unframed && cutBelowTLS(c.conn.Load()):
		return cutShort(errors.New("the TLS connection was closed without notice"))
	}
	return nil
}

// log leaves out what may be secret: headers, bodies and queries.
func (c *call) log(request *http.Request, response *http.Response, took time.Duration) {
	fields := map[string]any{
		"method":      request.Method,
		"path":        c.path,
		"status":      0,
		"attempt":     c.attempts,
		"duration_ms": took.Milliseconds(),
	}
	if response != nil {
		fields["status"] = response.StatusCode
		fields["request_id"] = clean(requestID(response), c.secrets, maxPathLength)
	}
	tflog.Debug(request.Context(), "Privasfer API request", fields)
}

// checkRetry implements retryablehttp.CheckRetry.
func (c *call) checkRetry(ctx context.Context, _ *http.Response, err error) (bool, error) {
	var failure *APIError
	return errors.As(err, &failure) && ctx.Err() == nil && !c.redirected &&
		failure.retryable(c.safe) && c.mayWait(ctx, failure.RetryAfter), nil
}

// mayWait reports that a wait is one that a run should sit through, and that is
// over before the call is.
func (c *call) mayWait(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	if !c.deadline.IsZero() {
		deadline, ok = c.deadline, true
	}
	return wait <= maxWait && (!ok || wait <= time.Until(deadline))
}

// backoff implements retryablehttp.Backoff: as long as the API asks, else
// exponential with full jitter, so that callers do not come back together.
func (c *call) backoff(_, _ time.Duration, attempt int, _ *http.Response) time.Duration {
	first := c.client.retryWait
	wait := rand.N(min(first<<min(attempt, 16), maxBackoff) + 1)
	switch {
	case c.failure.Status == http.StatusTooManyRequests && originOf(c.target) == originOf(c.client.base):
		return 0 // the gate has closed, and knows for how long
	case c.failure.Status == http.StatusTooManyRequests:
		return max(c.failure.RetryAfter, wait, 2*first)
	case c.failure.RetryAfter > 0:
		return c.failure.RetryAfter
	}
	return wait
}

// retryAfter reads how long a response asks to wait before the next request:
// Retry-After in seconds or as a date, else X-RateLimit-Reset as Unix time.
// Dates are the server's, so they are compared with the server's own Date where
// it sends one. A number out of range counts as the largest, or the least, in it.
func retryAfter(response *http.Response) (time.Duration, bool) {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	now, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now)), true
	}
	// More bits than these hold times that package time computes wrongly.
	reset, err := strconv.ParseInt(response.Header.Get("X-RateLimit-Reset"), 10, 40)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return max(0, time.Unix(reset, 0).Sub(now)), true
	}
	return 0, false
}

// requestID is the response's request id. The API documents none; where a proxy
// or the service sets the customary header, support can find the request by it.
func requestID(response *http.Response) string { return response.Header.Get("X-Request-Id") }

// plain keeps an error that is the system's or the connection's. Other errors
// of net/http and its like quote what they could not read of the response.
func plain(err error) error {
	var operation *net.OpError
	var errno syscall.Errno
	if errors.As(err, &operation) || errors.As(err, &errno) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) {
		return err
	}
	return errors.New("the response is not valid HTTP, or the connection broke")
}
