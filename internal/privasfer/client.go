// Package privasfer is a client for the API of Privasfer, a secure file
// transfer service. It knows nothing of Terraform.
//
// A call travels one way: an area's method (inbox.go, downloads.go) names the
// path and the answer's type, [get] and [post] build the request, retry.go
// repeats it where that is right, gate.go holds it back where the API's rate
// limit demands it, the transport (transport.go) performs one attempt, and
// decode.go reads the answer. What goes wrong with a call comes back as an
// [*APIError].
package privasfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// DefaultBaseURL is where the API's introduction says the API is.
	DefaultBaseURL = "https://privasfer.com/api"

	// DefaultRequestTimeout bounds one attempt unless Config says otherwise.
	DefaultRequestTimeout = 30 * time.Second

	// maxObjectBytes bounds the answer for one object. The largest part of it
	// is a mail's body, for which the API names no limit.
	maxObjectBytes = 16 << 20
)

// Config is what a [Client] needs. BaseURL and Token are required; take them
// from [ParseBaseURL] and [ParseToken], which hold the rules.
type Config struct {
	BaseURL *url.URL
	Token   string

	// UserAgent is sent with every request.
	UserAgent string

	// RequestTimeout bounds one attempt, from the dial to the last byte of
	// the answer. Zero means DefaultRequestTimeout.
	RequestTimeout time.Duration

	// MaxRetries is how often a call is repeated at most, for whatever reason.
	MaxRetries int

	// RetryWait bounds the first wait before a repeat where the API asks for
	// none; it doubles with each. Zero means half a second.
	RetryWait time.Duration

	// DownloadURL is where a download is performed, from ParseDownloadURL. The
	// API publishes no such URL. Nil means that none can be performed.
	DownloadURL *url.URL

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
	http      *retryablehttp.Client
	flights   flights

	content     *retryablehttp.Client // performs downloads
	downloadURL *url.URL              // where, with idPlace for the id; nil: nobody has said
}

// New returns a client. It makes no request.
func New(config Config) *Client {
	own := newTransport(config)
	firstWait := cmp.Or(config.RetryWait, defaultRetryWait)
	c := &Client{
		base:        config.BaseURL,
		token:       config.Token,
		userAgent:   config.UserAgent,
		http:        newRetrying(&http.Client{Transport: own}, config.MaxRetries, firstWait),
		downloadURL: config.DownloadURL,
	}
	c.content = newRetrying(c.newContentClient(own, config), config.MaxRetries, firstWait)
	return c
}

// request is one call to the API.
type request struct {
	method string
	url    *url.URL
	body   any   // sent as JSON; nil: no body
	limit  int64 // bytes of the answer at most
}

// get reads one object.
func get[T any, P object[T]](ctx context.Context, c *Client, query url.Values, path ...string) (P, error) {
	return shared(ctx, c, query, path, func(ctx context.Context, target *url.URL) (value P, err error) {
		_, err = c.do(ctx, request{method: http.MethodGet, url: target, limit: maxObjectBytes}, func(body []byte) (err error) {
			value, err = decode[T, P](body)
			return err
		})
		return value, err
	})
}

// post creates one object. The time is when the request that was answered was
// sent.
func post[T any, P object[T]](ctx context.Context, c *Client, body any, path ...string) (value P, sent time.Time, err error) {
	target, err := c.endpoint(nil, path...)
	if err != nil {
		return nil, time.Time{}, err
	}
	r := request{method: http.MethodPost, url: target, body: body, limit: maxObjectBytes}
	sent, err = c.do(ctx, r, func(body []byte) (err error) {
		value, err = decode[T, P](body)
		return err
	})
	return value, sent, err
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
	var apiError *APIError
	switch {
	case err == nil:
		return result.(R), nil //nolint:forcetypeassert // read returns an R
	case !errors.As(err, &apiError): // this caller has left
		return none, c.failed(&APIError{Err: err}, http.MethodGet, target)
	}
	return none, err
}

// do performs a call and hands the body of its answer to read. The time is when
// the request that was answered was sent.
func (c *Client) do(ctx context.Context, r request, read func(body []byte) error) (time.Time, error) {
	current := &call{path: r.url.EscapedPath(), safe: r.method == http.MethodGet, limit: r.limit}
	apiError := c.send(context.WithValue(c.masked(ctx), callKey{}, current), current, r, read)
	if apiError != nil {
		apiError.follow(current)
		return time.Time{}, c.failed(apiError, r.method, r.url)
	}
	return current.sent, nil
}

func (c *Client) send(ctx context.Context, current *call, r request, read func(body []byte) error) *APIError {
	httpRequest, err := c.newRequest(ctx, r)
	if err != nil {
		return &APIError{Err: err}
	}
	response, err := c.http.Do(httpRequest)
	if err != nil {
		return noAnswer(err)
	}
	_ = response.Body.Close() // empty, see transport
	if !succeeded(response) {
		return refusal(response, current.body)
	}
	if err := read(current.body); err != nil {
		return &APIError{RequestID: requestID(response), Err: err}
	}
	return nil
}

// failed completes an error and makes it fit to be shown.
func (c *Client) failed(apiError *APIError, method string, target *url.URL) *APIError {
	apiError.Method, apiError.Path = method, target.EscapedPath()
	apiError.scrub(c.token)
	return apiError
}

// Hide takes the token out of a text of the user's that an error is to repeat:
// somebody may have taken it for an id.
func (c *Client) Hide(text string) string { return strings.ReplaceAll(text, c.token, "***") }

// masked takes the token out of whatever is logged below. The client logs
// nothing that holds it; this is for a mistake, of its own or of a library's.
func (c *Client) masked(ctx context.Context) context.Context {
	return tflog.MaskLogStrings(ctx, c.token, url.PathEscape(c.token))
}

// newRequest builds the HTTP request of a call. It is the one place that sets
// headers, the token among them: a redirect or another host never sees it.
func (c *Client) newRequest(ctx context.Context, r request) (*retryablehttp.Request, error) {
	var body any // nil, or bytes that can be sent again
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		body = encoded
	}
	httpRequest, err := retryablehttp.NewRequestWithContext(ctx, r.method, r.url.String(), body)
	if err != nil {
		return nil, withoutURL(err)
	}
	httpRequest.Header.Set("Authorization", "Bearer "+c.token)
	// Every example of the API's documentation sends both.
	httpRequest.Header.Set("Accept", "application/json")
	httpRequest.Header.Set("Content-Type", "application/json")
	httpRequest.Header.Set("User-Agent", c.userAgent)
	return httpRequest, nil
}

// endpoint returns the URL of a path below the base URL. Each element is
// escaped, so that no id can reach another route; an element that a server or
// proxy would resolve away ("", ".", "..") is refused.
func (c *Client) endpoint(query url.Values, elements ...string) (*url.URL, error) {
	var escaped strings.Builder
	escaped.WriteString(c.base.EscapedPath())
	for _, element := range elements {
		if element == "" || element == "." || element == ".." {
			return nil, fmt.Errorf("%q cannot be part of a path of the API", element)
		}
		escaped.WriteString("/" + url.PathEscape(element))
	}
	target := *c.base
	target.RawPath = escaped.String()
	path, err := url.PathUnescape(target.RawPath)
	if err != nil {
		return nil, errors.New("the path of the base URL is not properly escaped")
	}
	target.Path = path
	target.RawQuery = encodeQuery(query)
	return &target, nil
}

// encodeQuery writes lists with plain commas, as the API's pages do.
func encodeQuery(query url.Values) string { return strings.ReplaceAll(query.Encode(), "%2C", ",") }
