package privasfer

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

const (
	contentID   = "5a1e9d3c-0b7f-4c62-8e15-f3d2a9b4c6e8"
	contentPath = "/download/{id}"        // as errors show it
	contentHost = "https://files.example" // not an API's origin
)

// performingAt sets the URL at which downloads are performed.
func performingAt(t *testing.T, downloadURL string) func(*Config) {
	t.Helper()
	parsed, err := ParseDownloadURL(downloadURL)
	if err != nil {
		t.Fatalf("ParseDownloadURL(%q): %v", downloadURL, err)
	}
	return func(config *Config) { config.DownloadURL = parsed }
}

// performance describes how a test performs a download. Zero values have defaults.
type performance struct {
	ctx       context.Context
	id, key   string
	files     []File
	remaining time.Duration
	limit     int64
}

// performed is the content of a download, in memory.
type performed struct {
	Content
	Bytes []byte
}

// perform performs a download, and checks that an error does not show the id.
func perform(t *testing.T, client *Client, how performance) (*performed, error) {
	t.Helper()
	if how.ctx == nil {
		how.ctx = t.Context()
	}
	download := &Download{ID: cmp.Or(how.id, contentID), Files: how.files}
	var bytes bytes.Buffer
	content, err := client.PerformDownload(how.ctx, Performance{Download: download, Key: how.key,
		Remaining: cmp.Or(how.remaining, time.Minute), Limit: cmp.Or(how.limit, 64<<10)}, &bytes)
	if err == nil {
		return &performed{*content, bytes.Bytes()}, nil
	}
	if text := asAPIError(t, err).Error(); content != nil || strings.Contains(text, download.ID) {
		t.Errorf("there is a content too, or the error shows the id: %s", text)
	}
	return nil, err
}

// contentOver returns a client that performs downloads at contentHost, without a
// network.
func contentOver(t *testing.T, api roundTripper, changes ...func(*Config)) *Client {
	t.Helper()
	return newClientOver(t, api, append([]func(*Config){performingAt(t, contentHost+contentPath)}, changes...)...)
}

// checkContent compares the content, or the kind and text of an error. wantErr is the
// text after the method and path.
func checkContent(t *testing.T, content *performed, err error, want string, kind Kind, wantErr string) {
	t.Helper()
	switch {
	case kind != 0:
		checkError(t, err, kind, "GET "+contentPath+wantErr)
	case err != nil:
		t.Error(err)
	case string(content.Bytes) != want:
		t.Errorf("got %d bytes %.40q, want %d bytes %.40q", len(content.Bytes), content.Bytes, len(want), want)
	}
}

// TestContentRequest checks what the server receives, including every header field.
func TestContentRequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ where, id, want string }{
		"path":          {"/a%2Fb/{id}?raw=1&x=%2F", contentID, "/a%2Fb/" + contentID + "?raw=1&x=%2F"},
		"query":         {"/download?id={id}&x=1", contentID, "/download?id=" + contentID + "&x=1"},
		"hostile path":  {"/d/{id}/content", "../a?b#c%2F é\r\nX-Evil: 1", "/d/..%2Fa%3Fb%23c%252F%20%C3%A9%0D%0AX-Evil:%201/content"},
		"hostile query": {"/download?id={id}&x=1", "../a?b#c%2F é&x=2", "/download?id=..%2Fa%3Fb%23c%252F+%C3%A9%26x%3D2&x=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, 0, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", `Text/X;  a="b"`)
				fmt.Fprint(w, r.Method, r.RequestURI, r.ContentLength, r.Header)
			})
			header := http.Header{"Accept": {"application/json, */*;q=0.8"}, "Accept-Encoding": {"identity"}, "User-Agent": {testUserAgent}}
			for _, base := range []string{"http://127.0.0.1:1/api", server.URL + "/api"} {
				if base == server.URL+"/api" {
					header.Set("Authorization", "Bearer "+testToken)
				}
				content, err := perform(t, newClientAt(t, base, performingAt(t, server.URL+test.where)), performance{id: test.id})
				checkContent(t, content, err, fmt.Sprint("GET", test.want, 0, header), 0, "")
				if err == nil && content.Type != `Text/X;  a="b"` {
					t.Errorf("the type is %s", content.Type)
				}
			}
		})
	}
}

// A download without a valid URL returns an error and sends no request.
func TestContentNotRequested(t *testing.T) {
	t.Parallel()
	unasked := func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return newResponse(200, "content"), nil
	}
	const unusable = "GET " + contentPath + ": the download has an id or a key that cannot be part of a URL"
	for id, want := range map[string]string{"": "GET : the client has no download URL", ".": unusable, "..": unusable} {
		client := contentOver(t, unasked)
		if id == "" {
			client = newClientOver(t, unasked)
		}
		_, err := perform(t, client, performance{id: id})
		checkError(t, err, Invalid, want)
		if failure := asAPIError(t, err); !failure.NotProcessed || failure.Attempts != 0 {
			t.Errorf("got %+v", failure)
		}
	}
}

// The token is sent to the API's own origin only, and no server learns where a request
// was redirected from.
func TestContentToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		where     string
		locations []string // of the redirects
		want      string   // the requests; those with the token have a +
	}{
		"the API's origin":   {"https://api.example/{id}", nil, "+https://api.example/x"},
		"another port":       {"https://api.example:8443/{id}", nil, "https://api.example:8443/x"},
		"away and back":      {"https://api.example/{id}", []string{"https://a.api.example/o?s", "https://api.example/p"}, "+https://api.example/x https://a.api.example/o?s +https://api.example/p"},
		"to the API":         {"https://b.example/{id}", []string{"https://API.example:443/o"}, "https://b.example/x +https://API.example:443/o"},
		"relative":           {"https://b.example/d/{id}", []string{"../o?a=b", "//c.example/p"}, "https://b.example/d/x https://b.example/o?a=b https://c.example/p"},
		"on this machine":    {"http://localhost:9/{id}", []string{"http://127.0.0.1:9/o", "http://[::1]/o"}, "http://localhost:9/x http://127.0.0.1:9/o http://[::1]/o"},
		"as often as may be": {"https://b.example/{id}", []string{"1", "2", "3", "4", "5"}, "https://b.example/x https://b.example/1 https://b.example/2 https://b.example/3 https://b.example/4 https://b.example/5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			client := newClientOver(t, func(r *http.Request) (*http.Response, error) {
				request := strings.TrimPrefix(r.Header.Get("Authorization")+r.URL.String(), "Bearer ")
				got = append(got, strings.Replace(request, testToken, "+", 1)+r.Header.Get("Referer"))
				if n := len(got); n <= len(test.locations) {
					status := []int{302, 301, 303, 307, 308}[n-1]
					return newResponse(status, "", "Location", test.locations[n-1]), nil
				}
				return newResponse(http.StatusOK, "content"), nil
			}, performingAt(t, test.where))
			if _, err := perform(t, client, performance{id: "x"}); err != nil {
				t.Error(err)
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("got\n%s, want\n%s", got, test.want)
			}
		})
	}
}

// TestContentNotFollowed checks redirects that are not followed. The error shows at most
// the scheme and host.
func TestContentNotFollowed(t *testing.T) {
	t.Parallel()
	const notHTTPS = ": the content was redirected to a URL that is not https"
	for name, test := range map[string]struct {
		status        int
		location, err string
	}{
		"http":               {302, "http://store.example/o?sig=hunter2", notHTTPS},
		"too often":          {302, "https://store.example/o?sig=hunter2", ": the content was redirected more than 5 times"},
		"http, same host":    {302, "http://files.example/o?sig=hunter2", notHTTPS},
		"http, to loopback":  {302, "http://127.0.0.1:8080/o?sig=hunter2", notHTTPS},
		"data":               {302, "data:text/plain,hunter2", notHTTPS},
		"no location":        {302, "", " returned 302 Found: the response is a redirect"},
		"no URL":             {302, "https://store.example/%zz?sig=hunter2", " returned 302 Found: the response is a redirect"},
		"a choice":           {300, "https://store.example/o?sig=hunter2", " returned 300 Multiple Choices: the response is a redirect to https://store.example"},
		"not modified":       {304, "", " returned 304 Not Modified: the response is a redirect"},
		"unknown":            {399, "https://u:hunter2@store.example:8443/o", " returned 399: the response is a redirect to https://store.example:8443"},
		"control characters": {399, "https://store.example/\x1b?sig=hunter2", " returned 399: the response is a redirect"},
	} {
		requests := 0
		client := contentOver(t, func(*http.Request) (*http.Response, error) {
			requests++
			return newResponse(test.status, "hunter2", "Location", test.location), nil
		})
		_, err := perform(t, client, performance{})
		checkError(t, err, Redirected, "GET "+contentPath+test.err)
		if want := map[bool]int{true: 6, false: 1}[name == "too often"]; asAPIError(t, err).NotProcessed || requests != want {
			t.Errorf("%s: got %+v after %d requests", name, asAPIError(t, err), requests)
		}
	}
}

// Each request for content uses a new connection: on a reused one, net/http would retry
// by itself.
func TestContentConnections(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	used := map[string]bool{}
	server := newServer(t, tls.VersionTLS13, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if used[r.RemoteAddr] || r.ProtoMajor != 1 {
			t.Errorf("a second request over %s, or %s", r.RemoteAddr, r.Proto)
		}
		used[r.RemoteAddr] = true
		if r.URL.Path == "/download/"+contentID {
			http.Redirect(w, r, "/then", http.StatusFound)
			return
		}
		fmt.Fprint(w, emptyMail)
	})
	client := newClientAt(t, server.URL+"/api", performingAt(t, server.URL+contentPath), trusting(server))
	if _, err := client.InboxMail(t.Context(), "m", false); err != nil {
		t.Error(err)
	}
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			for range 2 {
				content, err := perform(t, client, performance{})
				checkContent(t, content, err, emptyMail, 0, "")
			}
		})
	}
	callers.Wait()
}

// HTML is accepted only if a file of the download may be HTML.
func TestContentHTML(t *testing.T) {
	t.Parallel()
	const pdf, page = "application/pdf", "text/html; charset=UTF-8"
	for name, test := range map[string]struct {
		types       []string // of the download's files; "-": unknown
		contentType string
		rejected    bool
	}{
		"for a PDF":              {[]string{pdf}, page, true},
		"in capitals":            {[]string{pdf}, " Text/HTML ", true},
		"with broken parameters": {[]string{pdf}, "text/html; charset=a; charset=b", true},
		"for a page":             {[]string{"Text/HTML"}, page, false},
		"for files with a page":  {[]string{pdf, "text/html"}, page, false},
		"for an unknown file":    {[]string{"-"}, page, false},
		"for an untyped file":    {[]string{""}, page, false},
		"for unknown files":      {nil, page, false},
		"not HTML":               {[]string{pdf}, "text/htmlx", false},
	} {
		files := make([]File, len(test.types))
		for i, mediaType := range test.types {
			if mediaType != "-" {
				files[i].Type = &mediaType
			}
		}
		client := contentOver(t, func(*http.Request) (*http.Response, error) {
			return newResponse(200, name, "Content-Type", test.contentType), nil
		})
		content, err := perform(t, client, performance{files: files})
		checkContent(t, content, err, name, map[bool]Kind{true: Unusable}[test.rejected],
			" returned 200 OK: the response is an HTML page, not the file")
	}
}

// Only a 200 has content. After a redirect, the first server has acted, whatever the
// next one does, and the message of the next one may contain its URL.
func TestContentStatus(t *testing.T) {
	t.Parallel()
	const notWhole, words = ": the response is not the whole file", ": Gone: /then [sig: hunter2]"
	tests := map[string]struct {
		status       int // 0: no response
		connected    bool
		retryAfter   string
		kind         Kind
		err          string
		notProcessed bool
	}{
		"201":                  {status: 201, kind: Unusable, err: " returned 201 Created" + notWhole},
		"206":                  {status: 206, kind: Unusable, err: " returned 206 Partial Content" + notWhole},
		"401":                  {status: 401, kind: Rejected, err: " returned 401 Unauthorized" + words},
		"404":                  {status: 404, kind: Rejected, err: " returned 404 Not Found" + words},
		"429":                  {status: 429, kind: Rejected, err: " returned 429 Too Many Requests" + words, notProcessed: true},
		"500":                  {status: 500, kind: Rejected, err: " returned 500 Internal Server Error" + words},
		"502 with Retry-After": {status: 502, retryAfter: "7", kind: Rejected, err: " returned 502 Bad Gateway" + words},
		"503":                  {status: 503, kind: Rejected, err: " returned 503 Service Unavailable" + words},
		"503 with Retry-After": {status: 503, retryAfter: "7", kind: Rejected, err: " returned 503 Service Unavailable" + words + " (Retry-After of 7s)", notProcessed: true},
		"no connection":        {kind: Unreachable, err: ": broken", notProcessed: true},
		"one that broke":       {connected: true, kind: Disconnected, err: ": the response is not valid HTTP, or the connection broke"},
	}
	for name, test := range tests {
		for _, redirected := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, redirected: %t", name, redirected), func(t *testing.T) {
				t.Parallel()
				client := contentOver(t, func(r *http.Request) (*http.Response, error) {
					if redirected && r.URL.Path != "/then" {
						return newResponse(302, "", "Location", "/then?sig=hunter2"), nil
					}
					if test.connected {
						httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
					}
					if test.status == 0 {
						return nil, errors.New("broken")
					}
					return newResponse(test.status, `{"message":"Gone: /then","errors":{"sig":["hunter2"]}}`, "Retry-After", test.retryAfter), nil
				})
				_, err := perform(t, client, performance{})
				want := test.err
				if redirected {
					want = strings.Replace(want, words, "", 1)
				}
				checkError(t, err, test.kind, "GET "+contentPath+want)
				if got := asAPIError(t, err).NotProcessed; got != (test.notProcessed && !redirected) {
					t.Errorf("NotProcessed is %t", got)
				}
			})
		}
	}
}

func zipped(content string) string {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	fmt.Fprint(writer, content)
	_ = writer.Close()
	return buffer.String()
}

// The limit is exact, whether or not the size is announced, and bounds the bytes read.
func TestContentLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 1000} {
		for _, size := range []int{0, limit, limit + 1, 8 << 20} {
			for _, way := range []string{"announced", "unannounced", "compressed"} {
				t.Run(fmt.Sprintf("%d of %d bytes, %s", size, limit, way), func(t *testing.T) {
					t.Parallel()
					content := strings.Repeat("x", size)
					response := newResponse(200, content)
					want, most := fmt.Sprintf(" returned 200 OK: the response is larger than %d bytes", limit), limit+1
					switch way {
					case "announced":
						want, most = fmt.Sprintf(" returned 200 OK: the response has %d bytes and is larger than %d bytes", size, limit), limit
					case "unannounced":
						response.ContentLength = -1
					case "compressed":
						response, most = newResponse(200, zipped(content), "Content-Encoding", "gzip"), 4<<10 // the largest one has 8 KiB
					}
					body := &countedBody{Reader: response.Body}
					response.Body = body
					client := contentOver(t, func(*http.Request) (*http.Response, error) { return response, nil })
					got, err := perform(t, client, performance{limit: int64(limit)})
					checkContent(t, got, err, content, map[bool]Kind{true: ContentTooLarge}[size > limit], want)
					if body.read > most || !body.closed {
						t.Errorf("%d bytes were read, want %d at most; closed: %t", body.read, most, body.closed)
					}
				})
			}
		}
	}
}

// countedBody is a response body that counts the bytes read.
type countedBody struct {
	io.Reader
	read   int
	closed bool
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *countedBody) Close() error {
	b.closed = true
	return nil
}

// gzip is decoded even though it was not requested. Any other encoding is an error.
func TestContentEncoding(t *testing.T) {
	t.Parallel()
	whole := zipped("content")
	const (
		unknown  = " returned 200 OK: the content has a Content-Encoding that the provider does not support"
		notGzip  = " returned 200 OK: the content is not gzip, although its Content-Encoding is"
		cutShort = " returned 200 OK: the response was cut short: "
	)
	for name, test := range map[string]struct {
		encoding   string // header values, one per line
		body, want string
		kind       Kind
		err        string
	}{
		"identity":            {"identity", "\x00\xff\x1f\x8b\r\n", "\x00\xff\x1f\x8b\r\n", 0, ""},
		"a file that is gzip": {"", whole, whole, 0, ""},
		"gzip":                {"GZIP", whole, "content", 0, ""},
		"gzip, nothing":       {"gzip", "", "", 0, ""},
		"gzip in two parts":   {"gzip", whole + whole, "contentcontent", 0, ""},
		"gzip, not so":        {"gzip", "no gzip at all", "", Unusable, notGzip},
		"gzip, no header":     {"gzip", whole[:5], "", Disconnected, cutShort + "unexpected EOF"},
		"gzip, no end":        {"gzip", whole[:len(whole)-1], "", Disconnected, cutShort + "unexpected EOF"},
		"gzip, another sum":   {"gzip", whole[:len(whole)-8] + "hunter2\x00", "", Disconnected, cutShort + "gzip: invalid checksum"},
		"gzip twice":          {"gzip\ngzip", zipped(whole), "", Unusable, unknown},
		"identity, then br":   {"identity, br", "content", "", Unusable, unknown},
	} {
		client := contentOver(t, func(*http.Request) (*http.Response, error) {
			response := newResponse(200, test.body)
			response.Header["Content-Encoding"] = strings.Split(test.encoding, "\n")
			return response, nil
		})
		content, err := perform(t, client, performance{})
		if checkContent(t, content, err, test.want, test.kind, test.err); t.Failed() {
			t.Fatal(name)
		}
	}
}

// Neither the id nor the token appears in an error or log, even if the server echoes
// them.
func TestContentHidesSecrets(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"0a1b2c3d", "0a1b/?#%2F&=+2c3d", "0a1b-ž日本-2c3d", "0a1b\r\n\x1b[31m2c3d", `0a1b"\ 2c3d`, "0a1b\xff2c3d"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			client := newClientOver(t, func(r *http.Request) (*http.Response, error) {
				texts := []string{id, url.PathEscape(id), url.QueryEscape(id), r.URL.RequestURI(), r.URL.Path, r.Header.Get("Authorization")}
				body, err := json.Marshal(map[string]any{"message": texts[3], "errors": map[string]any{id: texts, texts[3]: texts[4], "x": texts[5]}})
				if err != nil {
					t.Error(err)
				}
				return newResponse(404, string(body), "X-Request-Id", strings.Join(texts, " ")), nil
			}, performingAt(t, "https://api.example"+contentPath))
			var log bytes.Buffer
			_, err := perform(t, client, performance{id: id, ctx: tflogtest.RootLogger(t.Context(), &log)})
			for from, text := range map[string]string{"error": err.Error(), "log": log.String()} {
				if !strings.Contains(text, "***") || strings.Contains(text, "0a1b") || strings.Contains(text, "2c3d") || strings.Contains(text, testToken) {
					t.Errorf("the %s shows it, or nothing: %s", from, text)
				}
			}
		})
	}
}
