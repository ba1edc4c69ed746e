// Package privasfer is a client for the API of Privasfer, a secure file transfer
// service. It uses nothing of Terraform but its library for logs.
//
// A method for each object of the API (inbox.go, downloads.go) names the path and the
// type. [get], [send] and [readList] make a call (call.go), which sends the request and
// retries it if that is safe. Then decode.go or list.go decodes the response. Within a
// call, gate.go delays requests to respect the API's rate limit, and transport.go sends
// them. A call that fails returns an [*APIError], created where the failure occurs.
package privasfer

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

const (
	// DefaultBaseURL is the base URL that the API's introduction names.
	DefaultBaseURL = "https://privasfer.com/api"

	// DefaultRequestTimeout bounds one attempt unless Config says otherwise.
	DefaultRequestTimeout = 30 * time.Second

	// maxObjectBytes bounds the response for one object, such as a mail with its body.
	maxObjectBytes = 16 << 20
)

// Config configures a [Client]. BaseURL and Token are required. They must come from
// [ParseBaseURL] and [ParseToken], which validate them.
type Config struct {
	BaseURL *url.URL
	Token   string

	// UserAgent is sent with every request.
	UserAgent string

	// RequestTimeout bounds one attempt, from the dial to the last byte of
	// the response. Zero means DefaultRequestTimeout.
	RequestTimeout time.Duration

	// MaxRetries is the maximum number of retries of a call, for any reason. Zero means
	// none.
	MaxRetries int

	// RetryWait bounds the first wait before a retry if the API names none. The bound
	// doubles with each retry, up to 30 s. After a 429 the wait is usually at least
	// twice RetryWait. Zero means half a second.
	RetryWait time.Duration

	// PIN is the user's PIN, from ParsePIN. It is needed to perform downloads by their
	// keys. Empty means that there is none.
	PIN string

	// DownloadURL is where downloads are performed, from ParseDownloadURL. The API
	// publishes no such URL. Nil means that none can be performed.
	DownloadURL *DownloadURL

	// CACertPEM holds certificates to trust in addition to the system's.
	CACertPEM []byte

	// Now is the clock for the times of requests. Nil means time.Now.
	Now func() time.Time
}

// Client calls the API. It is safe for concurrent use. A configured provider uses one
// for everything.
type Client struct {
	base      *url.URL
	token     string
	userAgent string

	requestTimeout time.Duration
	maxRetries     int
	retryWait      time.Duration
	now            func() time.Time

	transport http.RoundTripper
	gate      gate
	flights   flights

	// Performs each download on a new connection.
	contentTransport http.RoundTripper
	downloadURL      *DownloadURL // nil if not configured

	pin          string
	temporaryKey temporaryKey
}

// New returns a client. It makes no request.
func New(config Config) *Client {
	c := &Client{
		base:           config.BaseURL,
		token:          config.Token,
		userAgent:      config.UserAgent,
		requestTimeout: cmp.Or(config.RequestTimeout, DefaultRequestTimeout),
		maxRetries:     config.MaxRetries,
		retryWait:      cmp.Or(config.RetryWait, defaultRetryWait),
		now:            config.Now,
		transport:      newTransport(config.CACertPEM, maxIdleConnections),
		downloadURL:    config.DownloadURL,
		pin:            config.PIN,
		temporaryKey:   temporaryKey{turn: make(chan struct{}, 1)},
		// A negative number keeps no idle connections. DisableKeepAlives would also ask
		// the server to close the connection: Apache then ends the body by closing it,
		// and content that is cut short would look complete.
		contentTransport: newTransport(config.CACertPEM, -1),
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.gate.maxRejections = max(1, config.MaxRetries)
	c.gate.minWait = 2 * c.retryWait
	return c
}

// get reads one object.
func get[T any, P object[T]](ctx context.Context, c *Client, query url.Values, path ...string) (P, error) {
	return shared(ctx, c, query, path, func(ctx context.Context, target *url.URL) (P, error) {
		return send[T, P](ctx, c.newCall(http.MethodGet, target, maxObjectBytes), nil)
	})
}

// send makes a call whose response is one object.
func send[T any, P object[T]](ctx context.Context, call *call, body any) (P, error) {
	if err := call.do(ctx, body); err != nil {
		return nil, err
	}
	value, err := decode[T, P](call.body.Bytes())
	if err != nil {
		return nil, call.unusable(err)
	}
	return value, nil
}

// shared calls read with a URL. Callers that read the same URL at the same time get the
// same result, which they must not change.
func shared[R any](ctx context.Context, c *Client, query url.Values, path []string, read func(context.Context, *url.URL) (R, error)) (R, error) {
	var none R
	target, err := c.endpoint(query, path...)
	if err != nil {
		return none, err
	}
	result, err := c.flights.do(ctx, target.String(), func(ctx context.Context) (any, error) { return read(ctx, target) })
	var failure *APIError
	switch {
	case err == nil:
		return result.(R), nil //nolint:forcetypeassert // read returns an R
	case !errors.As(err, &failure): // this caller's context has ended
		return none, c.newCall(http.MethodGet, target, 0).failed(&APIError{Kind: Canceled, Err: err})
	}
	return none, err
}
