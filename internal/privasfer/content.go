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

// maxRedirects is how many redirects of a content are followed.
const maxRedirects = 5

// Content describes the content of a download.
type Content struct {
	Type   string // the media type as the server names it; "" where it names none
	Length int64  // in bytes
}

// Performance is how a download is performed.
type Performance struct {
	Download  *Download     // its id, and its files where they are known
	Key       string        // its public key; "" where DownloadURL asks for none
	Remaining time.Duration // of its life; 0: it has no end

	// Limit is the maximum size of the content in bytes. 0 is none, and then the
	// content may take its time too: its response has to begin within what remains
	// of the download's life, and from then on only a pause of the request timeout
	// ends it. With a limit, all of the content has to come within both.
	Limit int64

	// Begin, if not nil, is called when the content begins to come, with its
	// length, or -1 where the server does not announce it.
	Begin func(Content)
}

// PerformDownload writes the content of a download, and uses that up if it is for
// a single use. A content of more than Limit bytes is an error; so is one that does
// not come whole, and a web page where no file of the download is one. An
// [*APIError] of it shows neither the id nor the key. What was written before an
// error is not the content.
//
// It is retried as rarely as the creation of a download: where the first server
// did nothing. Each request takes a connection of its own, because net/http by
// itself retries a GET on one that was used before, and the download would be
// used up.
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
		call.over = time.AfterFunc(p.Remaining, func() {
			cancel(&APIError{Kind: DownloadOver, Err: errors.New("the download's minute ended before its content arrived")})
		})
		defer call.over.Stop()
	}
	call.path = c.downloadURL.path // with the places
	call.safe, call.transport, call.oversize = false, c.contentTransport, ContentTooLarge
	call.secrets = append(call.secrets, p.Download.ID)
	if p.Key != "" {
		call.secrets = append(call.secrets, p.Key)
	}
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
	return &Content{Type: call.response.Header.Get("Content-Type"), Length: call.sink.written}, nil
}

// sink keeps apart what goes wrong with writing from what goes wrong with
// reading.
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

// patient is a body that may take its time, as long as no byte of it is waited
// for longer than the pause. The timer runs only while a read waits: where what
// is read goes, a slow disk for example, may take its time too.
type patient struct {
	io.Reader
	timeout *time.Timer
	pause   time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	p.timeout.Reset(p.pause)
	defer p.timeout.Stop()
	return p.Reader.Read(b)
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

// beginContent checks the headers of a content and returns its body. One without
// a limit is no longer bound to the download's life from here on, and may take
// longer than an attempt as long as it does not pause for so long.
func (c *call) beginContent(response *http.Response, timeout *time.Timer) (io.Reader, *APIError) {
	received := io.Reader(response.Body)
	if c.performed.Limit == 0 {
		if c.over != nil {
			c.over.Stop()
		}
		c.streaming.Store(true)
		received = &patient{received, timeout, c.client.requestTimeout}
	}
	body, length, failure := c.decoded(response, received)
	if failure == nil && c.performed.Begin != nil {
		c.performed.Begin(Content{Type: response.Header.Get("Content-Type"), Length: length})
	}
	return body, failure
}

// decoded checks the headers of a content and returns its body without its
// encoding, and the length of that, or -1 where the headers do not announce it.
func (c *call) decoded(response *http.Response, received io.Reader) (body io.Reader, length int64, failure *APIError) {
	if c.performed.Download.hasNoHTML() && IsHTML(response.Header.Get("Content-Type")) {
		return nil, 0, &APIError{Kind: Unusable, Err: errors.New("the response is an HTML page, not the file")}
	}
	// There may be several, in one line or in many.
	switch strings.ToLower(strings.Join(response.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
		if response.ContentLength > c.limit {
			return nil, 0, c.oversize.tooLarge(c.limit, response.ContentLength)
		}
		return received, response.ContentLength, nil
	case "gzip": // not asked for, and some servers send it all the same
		unzipped, err := gzip.NewReader(received)
		switch {
		case err == nil:
			return unzipped, -1, nil
		case errors.Is(err, io.EOF): // nothing was compressed
			return http.NoBody, 0, nil
		case errors.Is(err, gzip.ErrHeader):
			return nil, 0, &APIError{Kind: Unusable, Err: errors.New("the content is not gzip, although its Content-Encoding is")}
		}
		return nil, 0, cutShort(plain(err))
	}
	return nil, 0, &APIError{Kind: Unusable, Err: errors.New("the content has a Content-Encoding that the provider does not support")}
}

// hasNoHTML reports that the download has files and that none of them is a web
// page, as far as the API describes them.
func (d *Download) hasNoHTML() bool {
	for _, file := range d.Files {
		if file.Type == nil || *file.Type == "" || IsHTML(*file.Type) {
			return false
		}
	}
	return len(d.Files) > 0
}

// IsHTML reports that a media type is that of a web page.
func IsHTML(mediaType string) bool {
	name, _, _ := strings.Cut(mediaType, ";") // the parameters may be anything
	return strings.EqualFold(strings.TrimSpace(name), "text/html")
}
