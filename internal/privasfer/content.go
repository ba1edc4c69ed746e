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
)

// maxRedirects is how many redirects of a content are followed.
const maxRedirects = 5

// idPlace stands for the download's id in a URL for downloads.
const idPlace = "{id}"

// Content is what performing a download returned.
type Content struct {
	Bytes []byte
	Type  string // the media type as the server says it; "" where it does not
}

// ParseDownloadURL returns where a download is performed: a URL with one {id},
// in its path or its query. Like the base URL it must be https, except on a
// loopback host. The API publishes no such URL, so there is no default.
func ParseDownloadURL(text string) (*url.URL, error) {
	text = trim(text)
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
// an error; so is one that does not come whole, and a web page where no file of
// the download is one. An [*APIError] of it does not show the id.
//
// It is retried as rarely as the creation of a download: where the first server
// did nothing. Each request takes a connection of its own, because net/http by
// itself retries a GET on one that was used before, and the download would be
// used up.
func (c *Client) PerformDownload(ctx context.Context, download *Download, remaining time.Duration, limit int64) (*Content, error) {
	target, err := c.downloadURLOf(download.ID)
	if err != nil {
		return nil, &APIError{Kind: Invalid, Method: http.MethodGet, Path: idPlace, Err: err, NotProcessed: true}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, remaining,
		&APIError{Kind: DownloadOver, Err: errors.New("the download's minute was over before its content had come")})
	defer cancel()

	call := c.newCall(http.MethodGet, target, limit)
	call.path = c.downloadURL.Path // with {id} in the place of the id
	call.content, call.safe, call.transport, call.oversize = true, false, c.contentTransport, ContentTooLarge
	call.noHTML = download.hasNoHTML()
	call.secrets = append(call.secrets, download.ID)
	call.headers = http.Header{
		// With */* alone a Laravel application sends a web page for an error.
		"Accept": {"application/json, */*;q=0.8"},
		// The content as it is: what is compressed on the way can be larger
		// than its length says.
		"Accept-Encoding": {"identity"},
		"User-Agent":      {c.userAgent},
	}
	if err := call.do(ctx, nil); err != nil {
		return nil, err
	}
	return &Content{Bytes: call.body.Bytes(), Type: call.response.Header.Get("Content-Type")}, nil
}

// downloadURLOf puts an id into the URL for downloads, escaped for its place.
func (c *Client) downloadURLOf(id string) (*url.URL, error) {
	switch {
	case c.downloadURL == nil:
		return nil, errors.New("the client was not given the URL at which a download is performed")
	case id == "." || id == "..":
		return nil, errors.New("the download has an id that cannot be part of a URL")
	}
	target := *c.downloadURL
	if path := target.EscapedPath(); strings.Contains(target.Path, idPlace) {
		target.RawPath = strings.Replace(path, url.PathEscape(idPlace), url.PathEscape(id), 1)
		target.Path = strings.Replace(target.Path, idPlace, id, 1)
	}
	target.RawQuery = strings.Replace(target.RawQuery, idPlace, url.QueryEscape(id), 1)
	return &target, nil
}

// authorize gives the token to the API's own origin, and takes it from a
// request to any other.
func (c *call) authorize(request *http.Request) {
	if originOf(request.URL) == originOf(c.client.base) {
		request.Header.Set("Authorization", "Bearer "+c.client.token)
		return
	}
	request.Header.Del("Authorization")
}

// checkRedirect lets a content be served from elsewhere, as object stores do.
func (c *call) checkRedirect(request *http.Request, via []*http.Request) error {
	c.redirected = true
	local := isLoopback(request.URL.Hostname()) && isLoopback(via[0].URL.Hostname())
	switch {
	case len(via) > maxRedirects:
		return &APIError{Kind: Redirected, Err: fmt.Errorf("the content was redirected more than %d times", maxRedirects)}
	case request.URL.Scheme != "https" && !local:
		return &APIError{Kind: Redirected, Err: errors.New("the content was redirected to a URL that is not https")}
	}
	// net/http names the URL that redirects, and with it the download.
	request.Header.Del("Referer")
	c.authorize(request)
	return nil
}

// decoded checks the headers of a content and returns its body without its
// encoding.
func (c *call) decoded(response *http.Response) (io.Reader, *APIError) {
	if c.noHTML && isHTML(response.Header.Get("Content-Type")) {
		return nil, &APIError{Kind: Unusable, Err: errors.New("the response is a page of HTML, not the file")}
	}
	// There may be several, in one line or in many.
	switch strings.ToLower(strings.Join(response.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
		if response.ContentLength > c.limit {
			return nil, c.oversize.tooLarge(c.limit, response.ContentLength)
		}
		return response.Body, nil
	case "gzip": // not asked for, and some servers send it all the same
		unzipped, err := gzip.NewReader(response.Body)
		switch {
		case err == nil:
			return unzipped, nil
		case errors.Is(err, io.EOF): // nothing was compressed
			return http.NoBody, nil
		case errors.Is(err, gzip.ErrHeader):
			return nil, &APIError{Kind: Unusable, Err: errors.New("the content says that it is compressed by gzip and is not")}
		}
		return nil, cutShort(plain(err))
	}
	return nil, &APIError{Kind: Unusable, Err: errors.New("the content is encoded in a way that the provider does not know, and did not ask for")}
}

// hasNoHTML reports that the download has files and that none of them is a web
// page, as far as the API describes them.
func (d *Download) hasNoHTML() bool {
	for _, file := range d.Files {
		if file.Type == nil || isHTML(*file.Type) {
			return false
		}
	}
	return len(d.Files) > 0
}

func isHTML(mediaType string) bool {
	name, _, _ := strings.Cut(mediaType, ";") // the parameters may be anything
	return strings.EqualFold(strings.TrimSpace(name), "text/html")
}
