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
	// DefaultMaxRetries is the recommended value of Config.MaxRetries.
	DefaultMaxRetries = 4

	defaultRetryWait = 500 * time.Millisecond
	maxBackoff       = 30 * time.Second

	// maxWait is the longest wait requested by the API that a call accepts. The rate
	// limit is per minute, so a run should not wait longer.
	maxWait = 90 * time.Second

	// maxRejectionBytes bounds how much of an error response is read. Debug modes add a
	// trace.
	maxRejectionBytes = 1 << 20
)

// call is one call: a request, its attempts and the last response. It is the round
// tripper, retry policy and redirect policy of its own HTTP client, so that each attempt
// knows what earlier attempts found.
//
//	do ─► retryablehttp ─► RoundTrip ─► gate ─► transport ─► read ─► body or *APIError
//	          └── checkRetry, backoff ◄──────────────────────────────────────┘
type call struct {
	client  *Client
	method  string
	target  *url.URL
	path    string // for errors and logs, without secrets
	safe    bool   // may be retried even if the server may have acted
	headers http.Header
	secrets []string // masked in errors, and in logs as a precaution

	transport http.RoundTripper
	limit     int64 // maximum size of the response in bytes
	oversize  Kind  // the kind of error for a larger response

	// Only for the content of a download, which may be served from another host.
	performed *Performance
	sink      *sink       // receives the content
	deadline  time.Time   // end of the download's lifetime; zero if it does not end
	expiry    *time.Timer // ends the call at the deadline; nil if there is none
	streaming atomic.Bool // the timeout applies to each pause, not to the attempt

	// The latest attempt.
	sent     time.Time
	conn     atomic.Pointer[net.Conn] // nil while there is no connection to send it on
	failure  *APIError
	response *http.Response // without its body
	body     bytes.Buffer

	attempts   int
	order      int64 // sequence number at the gate; 0 before the first request
	redirected bool  // so the first server has acted, whatever the next one does
}

func (c *Client) newCall(method string, target *url.URL, limit int64) *call {
	return &call{
		client: c, method: method, target: target, path: target.EscapedPath(), safe: method == http.MethodGet,
		headers: http.Header{
			// Every example in the API documentation sends both.
			"Accept":       {"application/json"},
			"Content-Type": {"application/json"},
			"User-Agent":   {c.userAgent},
		},
		secrets: []string{c.token}, transport: c.transport, limit: limit, oversize: TooLarge,
	}
}

// do sends the request, with value as JSON unless it is nil, retries it as checkRetry
// allows, and reads the response into c. An error is an [*APIError].
func (c *call) do(ctx context.Context, value any) error {
	for _, secret := range c.secrets {
		ctx = tflog.MaskLogStrings(ctx, secret, url.PathEscape(secret), url.QueryEscape(secret))
	}
	var body any // nil, or bytes that a retry can send again
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
		Logger:       nil, // it would log URLs
	}
	response, err := retrying.Do(request)
	if err == nil {
		return response.Body.Close() // empty: read has consumed it
	}
	var failure *APIError
	if !errors.As(err, &failure) {
		// Interrupted in the wait before a retry. Unless the call is safe, the server
		// has processed no attempt of it.
		failure = ended(ctx)
		failure.NotProcessed = true
	}
	return c.failed(failure)
}

// failed adds the request to an error and makes it safe to show.
func (c *call) failed(failure *APIError) *APIError {
	failure.Method, failure.Path, failure.Attempts = c.method, c.path, c.attempts
	failure.scrub(c.secrets...)
	return failure
}

// unusable returns the error for a complete response that does not match the API
// documentation.
func (c *call) unusable(err error) *APIError {
	return c.failed(&APIError{Kind: Unusable, Status: c.response.StatusCode, RequestID: requestID(c.response), Err: err})
}

// RoundTrip performs one attempt and reads the response to its end, so that the timeout
// covers the whole response, and one that is cut short fails like any other attempt. It
// returns a success without a body, a redirect to follow, or an [*APIError].
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

// enter waits at the gate if the request is for the API's own origin. The wait does not
// count towards the timeout of the attempt.
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
			response = nil // not from the API, whose responses all have X-RateLimit headers
		}
		c.client.gate.leave(admitted, response)
	}, nil
}

// ended returns the error for an ended context: its cause if that is an [*APIError], and
// Canceled otherwise.
func ended(ctx context.Context) *APIError {
	var failure *APIError
	if errors.As(context.Cause(ctx), &failure) {
		return &APIError{Kind: failure.Kind, Err: failure.Err}
	}
	return &APIError{Kind: Canceled, Err: context.Cause(ctx)}
}

// noResponse returns the error for an attempt without a response. If unconnected,
// nothing was sent.
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

// read reads the response into c and closes its body.
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

// readRedirect returns an error for a redirect by the API, which documents none: usually
// it leads to a login page. It returns nil for a redirect of content, which http.Client
// follows.
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
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxRejectionBytes)) // on an error, the status is enough
	failure.rejection(body)
	if c.redirected {
		// Another server's message may contain its URL, whose query is often a key.
		failure.Message, failure.Fields, failure.MoreFields = "", nil, 0
	}
	return failure
}

// readBody reads the body of a success to its end: into memory, or for content into the
// sink.
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

// log logs a request without what may be secret: headers, bodies and queries.
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

// mayWait reports whether a wait is acceptable: not longer than maxWait, and over before
// the deadline.
func (c *call) mayWait(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	if !c.deadline.IsZero() {
		deadline, ok = c.deadline, true
	}
	return wait <= maxWait && (!ok || wait <= time.Until(deadline))
}

// backoff implements retryablehttp.Backoff. It returns the wait that the API names, or
// else an exponential one with full jitter, so that callers do not retry at the same
// time.
func (c *call) backoff(_, _ time.Duration, attempt int, _ *http.Response) time.Duration {
	first := c.client.retryWait
	wait := rand.N(min(first<<min(attempt, 16), maxBackoff))
	switch {
	case c.failure.Status == http.StatusTooManyRequests && originOf(c.target) == originOf(c.client.base):
		return 0 // the closed gate does the waiting
	case c.failure.Status == http.StatusTooManyRequests:
		return max(c.failure.RetryAfter, wait, 2*first)
	case c.failure.RetryAfter > 0:
		return c.failure.RetryAfter
	}
	return wait
}

// retryAfter returns the wait that a 429 or 503 response names, and whether it names
// one: Retry-After in seconds or as a date, else X-RateLimit-Reset as Unix time.
// Absolute times are the server's, so they are compared with its own Date, if it sends
// one. A number out of range counts as the nearest one in range.
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
	// More bits would allow times that package time computes wrongly.
	reset, err := strconv.ParseInt(response.Header.Get("X-RateLimit-Reset"), 10, 40)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return max(0, time.Unix(reset, 0).Sub(now)), true
	}
	return 0, false
}

// requestID returns the response's request id. The API documents none, but support can
// find a request by it if a proxy or the service sets the customary header.
func requestID(response *http.Response) string { return response.Header.Get("X-Request-Id") }

// plain returns err if it comes from the system or the connection, or reports a
// truncated or corrupt body. Other errors of net/http and similar packages quote the
// part of the response that they could not read.
func plain(err error) error {
	var operation *net.OpError
	var errno syscall.Errno
	if errors.As(err, &operation) || errors.As(err, &errno) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) {
		return err
	}
	return errors.New("the response is not valid HTTP, or the connection broke")
}
