package privasfer

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// maxRedirects is the maximum number of redirects to the content of a download.
const maxRedirects = 5

// Content describes the content of a download.
type Content struct {
	Type   string // the media type that the server names, or ""
	Length int64  // in bytes
}

// Performance describes how to perform a download.
type Performance struct {
	Download  *Download     // its id, and its files if known
	Key       string        // its public key; "" if DownloadURL does not contain it
	Remaining time.Duration // its remaining lifetime; 0 if it does not expire

	// Limit is the maximum size of the content in bytes. With a limit, all of the
	// content must arrive within both the request timeout and the download's lifetime.
	// With 0, there is no limit, and only the beginning must; after that, the request
	// timeout applies to each pause.
	Limit int64

	// Begin, if not nil, is called when the content begins to arrive. Its length is -1
	// if the server does not announce it.
	Begin func(Content)
}

// PerformDownload writes the content of a download, which uses up a single-use download.
// It returns an error if the content is larger than Limit or incomplete, or is a web
// page although no file of the download is one. An [*APIError] shows neither the id nor
// the key. If there is an error, the data written is not the content.
//
// Like the creation of a download, it is retried only if the first server did nothing.
// Each request uses a new connection, because net/http itself retries a GET on a reused
// one, and the download would be used up.
func (c *Client) PerformDownload(ctx context.Context, p Performance, to io.Writer) (*Content, error) {
	if c.downloadURL == nil {
		return nil, &APIError{Kind: Invalid, Method: http.MethodGet, NotProcessed: true,
			Err: errors.New("the client has no download URL")}
	}
	target, err := c.downloadURL.For(p.Download.ID, p.Key)
	if err != nil {
		return nil, &APIError{Kind: Invalid, Method: http.MethodGet, Path: c.downloadURL.path, Err: err, NotProcessed: true}
	}
	call := c.newCall(http.MethodGet, target, p.Limit)
	call.performed, call.sink = &p, &sink{Writer: to}
	if p.Limit == 0 {
		call.limit = math.MaxInt64 - 1
	}
	if p.Remaining != 0 {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		call.deadline = time.Now().Add(p.Remaining)
		call.expiry = time.AfterFunc(p.Remaining, func() {
			cancel(&APIError{Kind: DownloadExpired, Err: errors.New("the download's minute ended before its content arrived")})
		})
		defer call.expiry.Stop()
	}
	call.path = c.downloadURL.path // with the placeholders
	call.safe, call.transport, call.oversize = false, c.contentTransport, ContentTooLarge
	call.secrets = append(call.secrets, p.Download.ID)
	if p.Key != "" {
		call.secrets = append(call.secrets, p.Key)
	}
	call.headers = http.Header{
		// With */* alone, a Laravel application responds to errors with a web page.
		"Accept": {"application/json, */*;q=0.8"},
		// Uncompressed: the content of a compressed response can exceed the announced
		// length.
		"Accept-Encoding": {"identity"},
		"User-Agent":      {c.userAgent},
	}
	if err := call.do(ctx, nil); err != nil {
		return nil, err
	}
	return &Content{Type: call.response.Header.Get("Content-Type"), Length: call.sink.written}, nil
}

// sink counts the bytes written, and keeps write errors apart from read errors.
type sink struct {
	io.Writer
	written int64
	err     error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	s.written += int64(n)
	s.err = err
	return n, err
}

// pauseReader is a body that times out only if a single read waits longer than pause. The
// timer runs only during a read, so that a slow destination, such as a disk, does not
// count.
type pauseReader struct {
	io.Reader
	timeout *time.Timer
	pause   time.Duration
}

func (p *pauseReader) Read(b []byte) (int, error) {
	p.timeout.Reset(p.pause)
	defer p.timeout.Stop()
	return p.Reader.Read(b)
}

// authorize adds the token to a request to the API's own origin, and removes it from any
// other request.
func (c *call) authorize(request *http.Request) {
	if originOf(request.URL) == originOf(c.client.base) {
		request.Header.Set("Authorization", "Bearer "+c.client.token)
		return
	}
	request.Header.Del("Authorization")
}

// checkRedirect allows content to be served from another host, such as an object store.
func (c *call) checkRedirect(request *http.Request, via []*http.Request) error {
	c.redirected = true
	local := isLoopback(request.URL.Hostname()) && isLoopback(via[0].URL.Hostname())
	switch {
	case len(via) > maxRedirects:
		return &APIError{Kind: Redirected, Err: fmt.Errorf("the content was redirected more than %d times", maxRedirects)}
	case request.URL.Scheme != "https" && !local:
		return &APIError{Kind: Redirected, Err: errors.New("the content was redirected to a URL that is not https")}
	}
	// net/http sends the redirecting URL, which names the download.
	request.Header.Del("Referer")
	c.authorize(request)
	return nil
}

// beginContent checks the headers of the content and returns its body. Without a limit,
// the download's lifetime no longer applies to the body, and the timeout of the attempt
// applies to each pause in it.
func (c *call) beginContent(response *http.Response, timeout *time.Timer) (io.Reader, *APIError) {
	received := io.Reader(response.Body)
	if c.performed.Limit == 0 {
		if c.expiry != nil {
			c.expiry.Stop()
		}
		c.streaming.Store(true)
		received = &pauseReader{received, timeout, c.client.requestTimeout}
	}
	body, length, failure := c.decoded(response, received)
	if failure == nil && c.performed.Begin != nil {
		c.performed.Begin(Content{Type: response.Header.Get("Content-Type"), Length: length})
	}
	return body, failure
}

// decoded checks the headers of the content and returns its decoded body and the length
// of that, or -1 if the headers do not announce it.
func (c *call) decoded(response *http.Response, received io.Reader) (body io.Reader, length int64, failure *APIError) {
	if c.performed.Download.hasNoHTML() && IsHTML(response.Header.Get("Content-Type")) {
		return nil, 0, &APIError{Kind: Unusable, Err: errors.New("the response is an HTML page, not the file")}
	}
	// There may be several encodings, in one field or in several.
	switch strings.ToLower(strings.Join(response.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
		if response.ContentLength > c.limit {
			return nil, 0, c.oversize.tooLarge(c.limit, response.ContentLength)
		}
		return received, response.ContentLength, nil
	case "gzip": // some servers send it although it was not requested
		unzipped, err := gzip.NewReader(received)
		switch {
		case err == nil:
			return unzipped, -1, nil
		case errors.Is(err, io.EOF): // an empty body
			return http.NoBody, 0, nil
		case errors.Is(err, gzip.ErrHeader):
			return nil, 0, &APIError{Kind: Unusable, Err: errors.New("the content is not gzip, although its Content-Encoding is")}
		}
		return nil, 0, cutShort(plain(err))
	}
	return nil, 0, &APIError{Kind: Unusable, Err: errors.New("the content has a Content-Encoding that the provider does not support")}
}

// hasNoHTML reports whether the download has files, each with a known type that is not
// HTML.
func (d *Download) hasNoHTML() bool {
	for _, file := range d.Files {
		if file.Type == nil || *file.Type == "" || IsHTML(*file.Type) {
			return false
		}
	}
	return len(d.Files) > 0
}

// IsHTML reports whether a media type is HTML.
func IsHTML(mediaType string) bool {
	name, _, _ := strings.Cut(mediaType, ";") // the parameters may be invalid
	return strings.EqualFold(strings.TrimSpace(name), "text/html")
}
