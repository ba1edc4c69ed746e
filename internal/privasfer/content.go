package privasfer

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// maxRedirects is how many redirects of a content are followed.
const maxRedirects = 5

// idPlace stands for the download's id in a URL for downloads.
const idPlace = "{id}"

// Content is what performing a download has answered.
type Content struct {
	Bytes []byte
	Type  string // the media type as the server says it; "" where it does not
}

// ParseDownloadURL returns where a download is performed: a URL with one {id},
// in its path or its query. Like the base URL it must be https, except on a
// loopback host. The API publishes no such URL, so there is no default.
func ParseDownloadURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	escapedPlace := url.PathEscape(idPlace)
	if strings.Count(text, idPlace) != 1 || strings.Contains(strings.ToUpper(text), strings.ToUpper(escapedPlace)) {
		return nil, errors.New("it must contain {id} once, in the place of the download's id")
	}
	// A brace in a path would keep url.Parse from remembering what else is
	// escaped there; in a query it stays as it is.
	if before, after, _ := strings.Cut(text, idPlace); !strings.Contains(before, "?") {
		text = before + escapedPlace + after
	}
	return parseURL(text)
}

// PerformDownload uses a download up and returns its content. It ends when the
// remaining time of the download is over. A content of more than limit bytes is
// an error; so is one that does not come whole. An [*APIError] of it does not
// show the id.
//
// It is repeated as rarely as the creation of a download: where the first
// server did nothing. Each request takes a connection of its own, because
// net/http by itself repeats a GET on one that was used before, and the download
// would be used up.
func (c *Client) PerformDownload(ctx context.Context, id string, remaining time.Duration, limit int64) (*Content, error) {
	shown := c.downloadURL.Path // with {id} in the place of the id
	current := &call{path: shown, limit: limit}
	ctx, cancel := context.WithTimeoutCause(tflog.MaskLogStrings(c.masked(ctx), id, url.PathEscape(id), url.QueryEscape(id)), remaining, errMinuteOver)
	defer cancel()

	content, apiError := c.perform(context.WithValue(ctx, callKey{}, current), current, id)
	if apiError != nil {
		apiError.Method, apiError.Path = http.MethodGet, shown
		apiError.follow(current)
		if current.redirected {
			// Another server's words may repeat its URL, whose query is a key more often than not.
			apiError.Message, apiError.Fields, apiError.MoreFields = "", nil, 0
		}
		apiError.scrub(c.token, id)
		return nil, apiError
	}
	return content, nil
}

var errMinuteOver = errors.New("the download's minute was over before its content had come")

func (c *Client) perform(ctx context.Context, current *call, id string) (*Content, *APIError) {
	target, err := c.downloadURLOf(id)
	if err != nil {
		return nil, &APIError{Err: err}
	}
	httpRequest, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, &APIError{Err: withoutURL(err)}
	}
	httpRequest.Header.Set("Accept", "*/*")
	// The content as it is: what is compressed on the way can be larger than
	// its length says.
	httpRequest.Header.Set("Accept-Encoding", "identity")
	httpRequest.Header.Set("User-Agent", c.userAgent)
	c.authorize(httpRequest.Request)

	response, err := c.content.Do(httpRequest)
	if err != nil {
		return nil, noAnswer(cause(ctx, err))
	}
	_ = response.Body.Close() // empty, see transport
	switch {
	case !succeeded(response):
		return nil, refusal(response, current.body)
	case response.StatusCode != http.StatusOK: // a part of the file, or none
		return nil, &APIError{RequestID: requestID(response), Err: errors.New("the answer is not the whole file")}
	}
	return &Content{Bytes: current.body, Type: response.Header.Get("Content-Type")}, nil
}

// downloadURLOf puts an id into the URL for downloads, escaped for its place.
func (c *Client) downloadURLOf(id string) (string, error) {
	if id == "." || id == ".." {
		return "", errors.New("the download has an id that cannot be part of a URL")
	}
	target := *c.downloadURL
	if path := target.EscapedPath(); strings.Contains(target.Path, idPlace) {
		target.RawPath = strings.Replace(path, url.PathEscape(idPlace), url.PathEscape(id), 1)
		target.Path = strings.Replace(target.Path, idPlace, id, 1)
	}
	target.RawQuery = strings.Replace(target.RawQuery, idPlace, url.QueryEscape(id), 1)
	return target.String(), nil
}

// authorize gives the token to the API's own origin, and takes it from a
// request to any other.
func (c *Client) authorize(request *http.Request) {
	if originOf(request.URL) == originOf(c.base) {
		request.Header.Set("Authorization", "Bearer "+c.token)
		return
	}
	request.Header.Del("Authorization")
}

// newContentClient returns what performs downloads: with the API's certificates
// and rate limit, but a connection for each request.
func (c *Client) newContentClient(own *transport, config Config) *http.Client {
	inner := newInner(config)
	inner.DisableKeepAlives = true
	fresh := *own
	fresh.inner = inner
	fresh.read = readContent
	return &http.Client{Transport: &fresh, CheckRedirect: c.checkRedirect}
}

// checkRedirect lets a content be served from elsewhere, as object stores do.
func (c *Client) checkRedirect(request *http.Request, via []*http.Request) error {
	if current, ok := request.Context().Value(callKey{}).(*call); ok {
		current.redirected = true
	}
	local := isLoopback(request.URL.Hostname()) && isLoopback(via[0].URL.Hostname())
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("the content was redirected more than %d times", maxRedirects)
	case request.URL.Scheme != "https" && !local:
		return errors.New("the content was redirected to a URL that is not https")
	}
	// net/http names the URL that redirects, and with it the download.
	request.Header.Del("Referer")
	c.authorize(request)
	return nil
}

// readContent reads the content of a file, and nothing of a redirect to it.
func readContent(response *http.Response, limit int64) ([]byte, error) {
	if !succeeded(response) {
		if _, err := response.Location(); err != nil {
			response.Header.Del("Location") // http.Client would repeat it in its error
		}
		return readRefusal(response), nil
	}
	decoded := io.Reader(response.Body)
	// There may be several, in one line or in many.
	switch strings.ToLower(strings.Join(response.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
		if response.ContentLength > limit {
			discard(response)
			return nil, &tooLargeError{limit: limit, size: response.ContentLength}
		}
	case "gzip": // not asked for, and some servers send it all the same
		unzipped, err := gzip.NewReader(response.Body)
		switch {
		case errors.Is(err, io.EOF):
			decoded = http.NoBody // nothing was compressed
		case errors.Is(err, gzip.ErrHeader):
			discard(response)
			return nil, errors.New("the content says that it is compressed by gzip and is not")
		case err != nil:
			discard(response)
			return nil, fmt.Errorf("the answer was cut short: %w", plain(err))
		default:
			decoded = unzipped
		}
	default:
		discard(response)
		return nil, errors.New("the content is encoded in a way that the provider does not know, and did not ask for")
	}
	return readBody(response, decoded, limit)
}
