// Package privasfer is a client for the API of Privasfer, a secure file
// transfer service. It knows nothing of Terraform.
//
// A call goes one way: an area's method (inbox.go, downloads.go) names the path
// and the type, [get], [send] and [readList] make a call (call.go), which sends
// its request, again where that is right, and decode.go or list.go reads what
// came back. Within a call, gate.go holds a request back where the API's rate
// limit demands it, and transport.go sends it. What goes wrong is an [*APIError],
// made where it goes wrong.
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
	// DefaultBaseURL is where the API's introduction says the API is.
	DefaultBaseURL = "https://privasfer.com/api"

	// DefaultRequestTimeout bounds one attempt unless Config says otherwise.
	DefaultRequestTimeout = 30 * time.Second

	// maxObjectBytes bounds the response for one object, such as a mail's body.
	maxObjectBytes = 16 << 20
)

// Config is what a [Client] needs. BaseURL and Token are required; take them
// from [ParseBaseURL] and [ParseToken], which have the rules.
type Config struct {
	BaseURL *url.URL
	Token   string

	// UserAgent is sent with every request.
	UserAgent string

	// RequestTimeout bounds one attempt, from the dial to the last byte of
	// the response. Zero means DefaultRequestTimeout.
	RequestTimeout time.Duration

	// MaxRetries is the maximum number of retries of a call, for whatever reason.
	MaxRetries int

	// RetryWait bounds the first wait before a retry where the API asks for
	// none; it doubles with each. After a 429 the wait is at least twice as long.
	// Zero means half a second.
	RetryWait time.Duration

	// PIN is the user's PIN, which a download that is performed by its key needs;
	// from ParsePIN. Empty means that there is none.
	PIN string

	// DownloadURL is where a download is performed, from ParseDownloadURL. The
	// API publishes no such URL. Nil means that none can be performed.
	DownloadURL *DownloadURL

	// CACertPEM holds certificates to trust beside the machine's own.
	CACertPEM []byte

	// Now is the clock that dates a request. Nil means time.Now.
	Now func() time.Time
}

// Client calls the API. It is safe for concurrent use; the data sources and
// ephemeral resources of one configured provider share one.
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

	// A download is performed on a connection of its own.
	contentTransport http.RoundTripper
	downloadURL      *DownloadURL // nil: not given

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
		// Fewer than none keeps no connection, and does not ask the server to
		// close it, as DisableKeepAlives would: asked so, an Apache ends the body
		// by closing, and a content that is cut short would look whole.
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

// shared runs what reads a URL. Callers that read the same URL at the same
// moment get the same result: it must not be changed.
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
	case !errors.As(err, &failure): // this caller has left
		return none, c.newCall(http.MethodGet, target, 0).failed(&APIError{Kind: Canceled, Err: err})
	}
	return none, err
}
