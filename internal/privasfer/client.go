// Package privasfer is a client for the API of Privasfer, a secure file
// transfer service. It knows nothing of Terraform.
//
// A call travels one way: an area's method (inbox.go, downloads.go) names the
// path and the answer's type, [get] and [post] build the request, the
// transport (transport.go) performs it, and decode.go reads the answer. What
// goes wrong anywhere on that way comes back as an [*APIError].
package privasfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
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

	// Now is the clock that dates a request. Nil means time.Now.
	Now func() time.Time
}

// Client calls the API. It is safe for concurrent use; the data sources and
// ephemeral resources of one configured provider share one.
type Client struct {
	base      *url.URL
	token     string
	userAgent string
	http      *http.Client
}

// New returns a client. It makes no request.
func New(config Config) *Client {
	return &Client{
		base:      config.BaseURL,
		token:     config.Token,
		userAgent: config.UserAgent,
		http: &http.Client{
			Transport: newTransport(config),
			// A redirect is never followed: the API documents none, and the
			// usual one leads to a login page, away from the API.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// request is one call to the API.
type request struct {
	method string
	path   []string   // unescaped elements below the base URL
	query  url.Values // nil: none
	body   any        // sent as JSON; nil: no body
	limit  int64      // bytes of the answer at most
}

// get reads one object.
func get[T any, P object[T]](ctx context.Context, c *Client, query url.Values, path ...string) (P, error) {
	value, _, err := do[T, P](ctx, c, request{method: http.MethodGet, path: path, query: query, limit: maxObjectBytes})
	return value, err
}

// post creates one object. The time is when the request that was answered was
// sent.
func post[T any, P object[T]](ctx context.Context, c *Client, body any, path ...string) (P, time.Time, error) {
	return do[T, P](ctx, c, request{method: http.MethodPost, path: path, body: body, limit: maxObjectBytes})
}

// do performs a call and decodes the object in its answer.
func do[T any, P object[T]](ctx context.Context, c *Client, r request) (P, time.Time, error) {
	sent := &call{limit: r.limit}
	httpRequest, err := c.newRequest(context.WithValue(ctx, callKey{}, sent), r)
	if err != nil {
		return nil, time.Time{}, err
	}
	failed := func(apiError *APIError) (P, time.Time, error) {
		apiError.Method, apiError.Path = r.method, httpRequest.URL.EscapedPath()
		apiError.Attempts = sent.attempts
		apiError.scrub(c.token)
		return nil, time.Time{}, apiError
	}

	response, err := c.http.Do(httpRequest)
	if err != nil {
		return failed(&APIError{Status: sent.status, Err: withoutURL(err)})
	}
	body, err := io.ReadAll(response.Body) // in memory already, see transport
	_ = response.Body.Close()
	if err != nil {
		return failed(&APIError{Status: response.StatusCode, Err: err})
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return failed(refusal(response, body))
	}
	value, err := decode[T, P](body)
	if err != nil {
		return failed(&APIError{Status: response.StatusCode, RequestID: requestID(response), Err: err})
	}
	return value, sent.at, nil
}

// newRequest builds the HTTP request of a call. It is the one place that sets
// headers, the token among them: a redirect or another host never sees it.
func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	target, err := c.endpoint(r.path...)
	if err != nil {
		return nil, err
	}
	// The API's pages write lists in a query with plain commas.
	target.RawQuery = strings.ReplaceAll(r.query.Encode(), "%2C", ",")

	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, target.String(), body)
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
func (c *Client) endpoint(elements ...string) (*url.URL, error) {
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
	return &target, nil
}
