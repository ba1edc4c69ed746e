package privasfer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	// contentID is the download of most tests.
	contentID = "5a1e9d3c-0b7f-4c62-8e15-f3d2a9b4c6e8"

	// shownPath is what errors call the place at which store performs it.
	shownPath = "/download/{id}"
)

func TestParseDownloadURL(t *testing.T) {
	t.Parallel()
	const id = "a/b"
	for text, want := range map[string]string{ // with the id in its place
		"https://privasfer.com/download/{id}":         "https://privasfer.com/download/a%2Fb",
		"https://privasfer.com/{id}/content":          "https://privasfer.com/a%2Fb/content",
		"https://privasfer.com/d-{id}.bin":            "https://privasfer.com/d-a%2Fb.bin",
		"https://privasfer.com/{id}":                  "https://privasfer.com/a%2Fb",
		"https://privasfer.com/{id}/":                 "https://privasfer.com/a%2Fb/",
		"https://privasfer.com/download?id={id}":      "https://privasfer.com/download?id=a%2Fb",
		"https://privasfer.com?{id}":                  "https://privasfer.com?a%2Fb",
		"https://privasfer.com/download?a=1&id={id}&": "https://privasfer.com/download?a=1&id=a%2Fb&",
		"https://privasfer.com/{id}?raw=1":            "https://privasfer.com/a%2Fb?raw=1",
		"https://privasfer.com/{other}/{id}":          "https://privasfer.com/%7Bother%7D/a%2Fb",
		" \thttps://privasfer.com/{id}\r\n":           "https://privasfer.com/a%2Fb",
		"HTTPS://privasfer.com:8443/{id}":             "https://privasfer.com:8443/a%2Fb",
		"https://[2001:db8::1]/{id}":                  "https://[2001:db8::1]/a%2Fb",
		"http://localhost:8080/download/{id}":         "http://localhost:8080/download/a%2Fb",
		"http://127.0.0.1/{id}":                       "http://127.0.0.1/a%2Fb",
		"http://127.8.8.8/{id}":                       "http://127.8.8.8/a%2Fb",
		"http://[::1]:8080/{id}":                      "http://[::1]:8080/a%2Fb",
		"https://privasfer.com/a b/{id}":              "https://privasfer.com/a%20b/a%2Fb",
		"https://privasfer.com/%C5%BE/{id}":           "https://privasfer.com/%C5%BE/a%2Fb",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := (&Client{downloadURL: parseDownloadURL(t, text)}).downloadURLOf(id)
			if got != want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
		})
	}
}

func TestParseDownloadURLRefuses(t *testing.T) {
	t.Parallel()
	const (
		once      = "it must contain {id} once, in the place of the download's id"
		noURL     = "it is not a URL"
		noScheme  = "it must begin with https://"
		plainHTTP = "it must begin with https://, because what travels there is secret; plain http is taken for a loopback host only"
		userInfo  = "it must not contain a user name or a password"
		fragment  = "it must not contain a fragment (#)"
	)
	for text, want := range map[string]string{
		"":                                       once,
		" ":                                      once,
		"https://privasfer.com/download/hunter2": once,
		"https://privasfer.com/{ID}":             once,
		"https://privasfer.com/{ id }":           once,
		"https://privasfer.com/%7Bid%7D":         once,
		"https://privasfer.com/{id}/{id}":        once,
		"https://privasfer.com/{id}?id={id}":     once,
		"https://{id}@privasfer.com/{id}":        once,

		"{id}":                         noScheme,
		"/download/{id}":               noScheme,
		"privasfer.com/{id}":           noScheme,
		"//privasfer.com/{id}":         noScheme,
		"ftp://privasfer.com/{id}":     noScheme,
		"file:///{id}":                 noScheme,
		"https:///{id}":                "it names no host",
		"https://:8443/{id}":           "it names no host",
		"https:{id}":                   "it names no host",
		"http://privasfer.com/{id}":    plainHTTP,
		"http://192.168.1.1/{id}":      plainHTTP,
		"http://0.0.0.0/{id}":          plainHTTP,
		"http://localhost.a.test/{id}": plainHTTP,
		"http://127.0.0.1.a.test/{id}": plainHTTP,

		"https://u:hunter2@privasfer.com/{id}": userInfo,
		"https://hunter2@privasfer.com/{id}":   userInfo,
		"https://@privasfer.com/{id}":          userInfo,
		"http://u:hunter2@localhost/{id}":      userInfo,
		"https://privasfer.com/{id}#hunter2":   fragment,
		"https://privasfer.com/{id}#":          fragment,
		"https://privasfer.com/#{id}":          fragment,

		"https://{id}.privasfer.com/":         noURL,
		"https://privasfer.com:{id}/":         noURL,
		"https://{id}@privasfer.com/":         "it must not contain a user name or a password",
		"https://privasfer.com:hunter2/{id}":  noURL,
		"https://privasfer.com/%zz/{id}":      noURL,
		"https://privasfer.com/\x00/{id}":     noURL,
		"https://privasfer.com/a\n/{id}":      noURL,
		"https://u:hunter2@[::1/{id}":         noURL,
		"https://u:hunter2@a b.example/{id}":  noURL,
		"https://privasfer.com/a?b={id}\x7f&": noURL,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			parsed, err := ParseDownloadURL(text)
			if parsed != nil {
				t.Errorf("got %s", parsed)
			}
			checkText(t, err, want)
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats the text: %v", err)
			}
		})
	}
}

// Whatever URL is taken and whatever id comes: the id stays in its place, as
// one element of the path or one value of the query.
func FuzzParseDownloadURL(f *testing.F) {
	for _, text := range []string{
		"https://privasfer.com/download/{id}", "https://privasfer.com/?a=b&id={id}&c", "http://[::1]:8080/{id}/x?y=%zz",
		"https://privasfer.com?{id}", " https://u@privasfer.com/{id}#x ", "http://localhost/ž/{id}", "https://%C3%A9/{id};a,b",
	} {
		for _, id := range []string{contentID, "a/b?c#d", "../..", "%2F", "{id}", "a b+c&d=e", "ž\x00\xff"} {
			f.Add(text, id)
		}
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		where, err := ParseDownloadURL(text)
		if err != nil {
			return
		}
		if where.Scheme != "https" && (where.Scheme != "http" || !isLoopback(where.Hostname())) {
			t.Errorf("the content would travel in the clear: %s", where)
		}
		if where.User != nil || where.Fragment != "" || where.Opaque != "" || where.Hostname() == "" {
			t.Errorf("more or less than scheme, host, path and query: %#v", where)
		}
		if strings.Count(where.Path+where.RawQuery, idPlace) > 1 {
			return // another {id}, escaped: which of them it is cannot be told from here
		}
		target, err := (&Client{downloadURL: where}).downloadURLOf(id)
		if err != nil {
			if id != "." && id != ".." {
				t.Errorf("the id %q is refused: %v", id, err)
			}
			return
		}
		parsed, err := url.Parse(target)
		if err != nil {
			t.Fatalf("%q is no URL: %v", target, err)
		}
		if originOf(parsed) != originOf(where) || parsed.User != nil || parsed.Fragment != "" || strings.Contains(target, "#") {
			t.Errorf("the id %q leads elsewhere: %s", id, target)
		}
		// The path of a URL that has none is "" or "/".
		if got, want := strings.Count(parsed.EscapedPath(), "/"), strings.Count(where.EscapedPath(), "/"); got != want {
			t.Errorf("the id %q makes %d elements of %d: %s", id, got, want, target)
		}
		if want := strings.Replace(where.Path, idPlace, id, 1); parsed.Path != want {
			t.Errorf("the path is %q, want %q", parsed.Path, want)
		}
		if want := strings.Replace(where.RawQuery, idPlace, url.QueryEscape(id), 1); parsed.RawQuery != want {
			t.Errorf("the query is %q, want %q", parsed.RawQuery, want)
		}
	})
}

func parseDownloadURL(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := ParseDownloadURL(text)
	if err != nil {
		t.Fatalf("ParseDownloadURL(%q): %v", text, err)
	}
	return parsed
}

// store is a server at which downloads are performed, with notes of what
// arrived there.
type store struct {
	*httptest.Server

	mu          sync.Mutex
	requests    []*http.Request
	connections int
}

// newStore starts a store that a handler plays.
func newStore(t *testing.T, handler http.HandlerFunc) *store {
	t.Helper()
	s := newIdleStore(handler)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func newIdleStore(handler http.HandlerFunc) *store {
	s := &store{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		handler(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.connections++
		}
	}
	return s
}

// got is what has arrived so far.
func (s *store) got() (requests []*http.Request, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests), s.connections
}

// check counts what has arrived: each request on a connection of its own.
func (s *store) check(t *testing.T, want int) {
	t.Helper()
	if requests, connections := s.got(); len(requests) != want || connections != want {
		t.Errorf("%d requests on %d connections, want %d", len(requests), connections, want)
	}
}

// client is one of an API that is elsewhere, and performs downloads here.
func (s *store) client(t *testing.T, changes ...func(*Config)) *Client {
	t.Helper()
	return newClientAt(t, "http://127.0.0.1:1/api", append([]func(*Config){performingAt(t, s.URL+shownPath)}, changes...)...)
}

func performingAt(t *testing.T, downloadURL string) func(*Config) {
	t.Helper()
	parsed := parseDownloadURL(t, downloadURL)
	return func(config *Config) { config.DownloadURL = parsed }
}

func impatient(config *Config) { config.RetryWait = time.Millisecond }

// perform performs contentID, with an hour to do it in and 64 KiB at most.
func perform(t *testing.T, client *Client) (*Content, error) {
	t.Helper()
	return client.PerformDownload(t.Context(), contentID, time.Hour, 64<<10)
}

// checkPerformError checks an error of contentID's: its text after method and
// path, and that nothing is shown that must not be.
func checkPerformError(t *testing.T, content *Content, err error, want string) {
	t.Helper()
	if content != nil {
		t.Errorf("there is a content of %d bytes as well", len(content.Bytes))
	}
	checkHidden(t, err, contentID)
	checkText(t, err, "GET "+shownPath+want)
}

// checkHidden checks that an error shows no secret, in no form.
func checkHidden(t *testing.T, err error, secrets ...string) {
	t.Helper()
	apiError := asAPIError(t, err)
	for _, secret := range secrets {
		quoted, _ := json.Marshal(secret)
		for _, form := range []string{secret, url.PathEscape(secret), strings.Trim(string(quoted), `"`)} {
			if strings.Contains(apiError.Error(), form) {
				t.Errorf("the error shows %q: %v", form, apiError)
			}
		}
	}
}

func checkContent(t *testing.T, content *Content, err error, want, contentType string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if string(content.Bytes) != want {
		t.Errorf("got %d bytes %.40q, want %d bytes %.40q", len(content.Bytes), content.Bytes, len(want), want)
	}
	if content.Type != contentType {
		t.Errorf("the type is %q, want %q", content.Type, contentType)
	}
}

// contentOver returns a client that performs downloads over a function in place
// of a network.
func contentOver(t *testing.T, base, downloadURL string, inner roundTripper, changes ...func(*Config)) *Client {
	t.Helper()
	client := newClientAt(t, base, append([]func(*Config){performingAt(t, downloadURL)}, changes...)...)
	transportOf(t, client.content).inner = inner
	return client
}

func TestPerformRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ where, id, want string }{
		"plain":               {"/download/{id}", contentID, "/download/" + contentID},
		"in the middle":       {"/d/{id}/content", contentID, "/d/" + contentID + "/content"},
		"query":               {"/download?id={id}", contentID, "/download?id=" + contentID},
		"beside a query":      {"/download/{id}?raw=1&x=%2F", contentID, "/download/" + contentID + "?raw=1&x=%2F"},
		"hostile":             {"/download/{id}", "a/b?c#d", "/download/a%2Fb%3Fc%23d"},
		"hostile, query":      {"/download?id={id}&x=1", "a/b?c#d&x=2", "/download?id=a%2Fb%3Fc%23d%26x%3D2&x=1"},
		"back":                {"/download/{id}", "../../api/files", "/download/..%2F..%2Fapi%2Ffiles"},
		"escaped already":     {"/download/{id}", "%2e%2e%2F", "/download/%252e%252e%252F"},
		"escaped, query":      {"/download?{id}", "%26a=b", "/download?%2526a%3Db"},
		"unicode":             {"/download/{id}", "žąsis 日本", "/download/%C5%BE%C4%85sis%20%E6%97%A5%E6%9C%AC"},
		"unicode, query":      {"/download?id={id}", "žąsis 日本", "/download?id=%C5%BE%C4%85sis+%E6%97%A5%E6%9C%AC"},
		"the place itself":    {"/download/{id}", "{id}", "/download/%7Bid%7D"},
		"line break":          {"/download/{id}", "a\r\nX-Evil: 1", "/download/a%0D%0AX-Evil:%201"},
		"line break in query": {"/download?id={id}", "a\r\nX-Evil: 1", "/download?id=a%0D%0AX-Evil%3A+1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/x-test; charset=utf-8")
				fmt.Fprint(w, "content")
			})
			client := s.client(t, performingAt(t, s.URL+test.where))
			content, err := client.PerformDownload(t.Context(), test.id, time.Minute, 7)
			checkContent(t, content, err, "content", "text/x-test; charset=utf-8")
			s.check(t, 1)
			requests, _ := s.got()
			got := requests[0]
			if got.Method != http.MethodGet || got.RequestURI != test.want || got.ContentLength != 0 {
				t.Errorf("got %s %s with %d bytes, want GET %s", got.Method, got.RequestURI, got.ContentLength, test.want)
			}
			want := http.Header{
				"Accept":          {"*/*"},
				"Accept-Encoding": {"identity"},
				"Connection":      {"close"},
				"User-Agent":      {testUserAgent},
			}
			if fmt.Sprint(got.Header) != fmt.Sprint(want) {
				t.Errorf("the header is %v, want %v", got.Header, want)
			}
		})
	}
}

// These would be resolved away, by a proxy if not by the client.
func TestPerformRefusesAnID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{".", ".."} {
		s := newStore(t, answer(200, "content"))
		_, err := s.client(t).PerformDownload(t.Context(), id, time.Minute, 7)
		checkText(t, asAPIError(t, err), "GET "+shownPath+": the download has an id that cannot be part of a URL")
		s.check(t, 0)
	}
}

// hop is a request of a client over contentOver, for a table.
func hop(r *http.Request) string {
	text := r.URL.String()
	if r.Header.Get("Authorization") != "" {
		text += " with " + r.Header.Get("Authorization")
	}
	if r.Header.Get("Referer") != "" {
		text += " from " + r.Header.Get("Referer")
	}
	return text
}

// To whom the token is given: the API's own origin and nobody else, with
// redirects and without.
func TestPerformToken(t *testing.T) {
	t.Parallel()
	const token = " with Bearer " + testToken
	tests := map[string]struct {
		base, where string
		locations   []string
		want        []string
	}{
		"same origin":                 {"https://privasfer.com/api", "https://privasfer.com/d/{id}", nil, []string{"https://privasfer.com/d/x" + token}},
		"default port, where":         {"https://privasfer.com/api", "https://privasfer.com:443/d/{id}", nil, []string{"https://privasfer.com:443/d/x" + token}},
		"default port, base":          {"https://privasfer.com:443/api", "https://privasfer.com/d/{id}", nil, []string{"https://privasfer.com/d/x" + token}},
		"default port of http":        {"http://localhost:80/api", "http://localhost/d/{id}", nil, []string{"http://localhost/d/x" + token}},
		"upper case, where":           {"https://privasfer.com/api", "HTTPS://PrivaSfer.COM/d/{id}", nil, []string{"https://PrivaSfer.COM/d/x" + token}},
		"upper case, base":            {"https://PRIVASFER.com/api", "https://privasfer.com/d/{id}", nil, []string{"https://privasfer.com/d/x" + token}},
		"same port":                   {"https://privasfer.com:8443/api", "https://privasfer.com:8443/d/{id}", nil, []string{"https://privasfer.com:8443/d/x" + token}},
		"IPv6":                        {"https://[2001:DB8::1]/api", "https://[2001:db8::1]:443/d/{id}", nil, []string{"https://[2001:db8::1]:443/d/x" + token}},
		"another port":                {"https://privasfer.com/api", "https://privasfer.com:8443/d/{id}", nil, []string{"https://privasfer.com:8443/d/x"}},
		"another scheme":              {"https://localhost:8080/api", "http://localhost:8080/d/{id}", nil, []string{"http://localhost:8080/d/x"}},
		"http's port and https":       {"http://localhost/api", "https://localhost:80/d/{id}", nil, []string{"https://localhost:80/d/x"}},
		"subdomain":                   {"https://privasfer.com/api", "https://files.privasfer.com/d/{id}", nil, []string{"https://files.privasfer.com/d/x"}},
		"parent domain":               {"https://api.privasfer.com/", "https://privasfer.com/d/{id}", nil, []string{"https://privasfer.com/d/x"}},
		"suffix":                      {"https://privasfer.com/api", "https://privasfer.com.evil.example/d/{id}", nil, []string{"https://privasfer.com.evil.example/d/x"}},
		"prefix":                      {"https://privasfer.com/api", "https://notprivasfer.com/d/{id}", nil, []string{"https://notprivasfer.com/d/x"}},
		"another name of the machine": {"http://localhost/api", "http://127.0.0.1/d/{id}", nil, []string{"http://127.0.0.1/d/x"}},

		"redirect to another origin": {"https://privasfer.com/api", "https://privasfer.com/d/{id}", []string{"https://store.example/o?sig=s"},
			[]string{"https://privasfer.com/d/x" + token, "https://store.example/o?sig=s"}},
		"redirect to a subdomain": {"https://privasfer.com/api", "https://privasfer.com/d/{id}", []string{"https://files.privasfer.com/o"},
			[]string{"https://privasfer.com/d/x" + token, "https://files.privasfer.com/o"}},
		"redirect to another port": {"https://privasfer.com/api", "https://privasfer.com/d/{id}", []string{"https://privasfer.com:8443/o"},
			[]string{"https://privasfer.com/d/x" + token, "https://privasfer.com:8443/o"}},
		"redirect to the API": {"https://privasfer.com/api", "https://store.example/d/{id}", []string{"https://PRIVASFER.com:443/o"},
			[]string{"https://store.example/d/x", "https://PRIVASFER.com:443/o" + token}},
		"redirects away and back": {"https://privasfer.com/api", "https://privasfer.com/d/{id}", []string{"https://store.example/o", "https://privasfer.com/p"},
			[]string{"https://privasfer.com/d/x" + token, "https://store.example/o", "https://privasfer.com/p" + token}},
		"relative": {"https://privasfer.com/api", "https://privasfer.com/d/{id}", []string{"../o?a=b"},
			[]string{"https://privasfer.com/d/x" + token, "https://privasfer.com/o?a=b" + token}},
		"relative to a path": {"https://privasfer.com/api", "https://store.example/d/{id}", []string{"/o", "p"},
			[]string{"https://store.example/d/x", "https://store.example/o", "https://store.example/p"}},
		"without a scheme": {"https://privasfer.com/api", "https://privasfer.com/d/{id}", []string{"//store.example/o"},
			[]string{"https://privasfer.com/d/x" + token, "https://store.example/o"}},
		"on this machine": {"https://privasfer.com/api", "http://localhost:9/d/{id}", []string{"http://127.0.0.1:9/o", "http://[::1]/o", "http://localhost/o"},
			[]string{"http://localhost:9/d/x", "http://127.0.0.1:9/o", "http://[::1]/o", "http://localhost/o"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			client := contentOver(t, test.base, test.where, func(r *http.Request) (*http.Response, error) {
				got = append(got, hop(r))
				if n := len(got); n <= len(test.locations) {
					return plainAnswer(http.StatusFound, "", "Location", test.locations[n-1]), nil
				}
				return plainAnswer(http.StatusOK, "content"), nil
			})
			content, err := client.PerformDownload(t.Context(), "x", time.Minute, 100)
			checkContent(t, content, err, "content", "")
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%q, want\n%q", got, test.want)
			}
		})
	}
}

// Redirects that are not followed, and what the error says of them.
func TestPerformRefusedRedirects(t *testing.T) {
	t.Parallel()
	const plain = " was answered 302 Found: the content was redirected to a URL that is not https"
	tests := map[string]struct{ location, err string }{
		"http":                {"http://store.example/o?sig=hunter2", plain},
		"http, same host":     {"http://privasfer.com/o?sig=hunter2", plain},
		"http, this machine":  {"http://localhost/o?sig=hunter2", plain},
		"http, loopback":      {"http://127.0.0.1:8080/o?sig=hunter2", plain},
		"http, private":       {"http://192.168.1.1/o?sig=hunter2", plain},
		"http, like loopback": {"http://localhost.evil.example/o?sig=hunter2", plain},
		"ftp":                 {"ftp://store.example/o?sig=hunter2", plain},
		"file":                {"file:///etc/hunter2", plain},
		"data":                {"data:text/plain,hunter2", plain},
		"not escaped":         {"https://store.example/%zz?sig=hunter2", " was answered 302 Found"},
		"no host":             {"https://[::1/hunter2", " was answered 302 Found"},
		"control character":   {"https://store.example/\x7f?sig=hunter2", " was answered 302 Found"},
		"none":                {"", " was answered 302 Found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			client := contentOver(t, "https://privasfer.com/api", "https://privasfer.com"+shownPath, func(*http.Request) (*http.Response, error) {
				requests++
				return plainAnswer(http.StatusFound, "hunter2", "Location", test.location), nil
			}, fourRetries, impatient)
			content, err := perform(t, client)
			checkPerformError(t, content, err, test.err)
			if requests != 1 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}

// Five redirects are followed, of every kind, a sixth is not.
func TestPerformRedirects(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for redirects, followed := range map[int]bool{1: true, 5: true, 6: false, 1000: false} {
			t.Run(fmt.Sprintf("%d times %d", redirects, status), func(t *testing.T) {
				t.Parallel()
				var s *store
				s = newStore(t, func(w http.ResponseWriter, r *http.Request) {
					requests, _ := s.got()
					if len(requests) <= redirects {
						w.Header().Set("Location", fmt.Sprintf("/hop?n=%d&sig=hunter2", len(requests)))
						w.WriteHeader(status)
						return
					}
					if r.Method != http.MethodGet || r.Header.Get("Accept-Encoding") != "identity" || r.UserAgent() != testUserAgent ||
						r.Header.Get("Authorization") != "" || r.Referer() != "" {
						t.Errorf("got %s with %v", r.Method, r.Header)
					}
					fmt.Fprint(w, "content")
				})
				content, err := perform(t, s.client(t, fourRetries, impatient))
				if followed {
					checkContent(t, content, err, "content", "text/plain; charset=utf-8")
					s.check(t, redirects+1)
					return
				}
				checkPerformError(t, content, err, fmt.Sprintf(" was answered %d %s: the content was redirected more than 5 times",
					status, http.StatusText(status)))
				s.check(t, 6)
				checkHidden(t, err, "hunter2")
			})
		}
	}
}

// The other origin's requests, as they arrive there.
func TestPerformAtAnotherOrigin(t *testing.T) {
	t.Parallel()
	elsewhere := newStore(t, answer(200, "content"))
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/object?sig=hunter2", http.StatusTemporaryRedirect)
	})
	client := newClientAt(t, s.URL+"/api", performingAt(t, s.URL+shownPath))
	content, err := perform(t, client)
	checkContent(t, content, err, "content", "text/plain; charset=utf-8")
	s.check(t, 1)
	elsewhere.check(t, 1)
	requests, _ := s.got()
	if got := requests[0].Header.Get("Authorization"); got != "Bearer "+testToken {
		t.Errorf("the API's origin got Authorization %q", got)
	}
	requests, _ = elsewhere.got()
	for name, values := range requests[0].Header {
		if text := strings.Join(values, " "); strings.Contains(text, testToken) || strings.Contains(text, contentID) {
			t.Errorf("the other origin got %s %s", name, text)
		}
	}
	if requests[0].RequestURI != "/object?sig=hunter2" {
		t.Errorf("the other origin got %s", requests[0].RequestURI)
	}
}

// No request shares a connection with another, by either version of HTTP: on
// one that was used before, net/http would repeat a request by itself.
func TestPerformTakesAFreshConnection(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %t", http2), func(t *testing.T) {
			t.Parallel()
			s := newIdleStore(func(w http.ResponseWriter, r *http.Request) {
				if (r.ProtoMajor == 2) != http2 {
					t.Errorf("the request came by %s", r.Proto)
				}
				time.Sleep(10 * time.Millisecond) // so that some are in flight together
				fmt.Fprint(w, "content")
			})
			s.EnableHTTP2 = http2
			s.StartTLS()
			t.Cleanup(s.Close)
			client := s.client(t, func(config *Config) {
				config.CACertPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
			})
			var callers sync.WaitGroup
			for range 5 {
				callers.Go(func() {
					for range 3 {
						content, err := perform(t, client)
						if err != nil || string(content.Bytes) != "content" {
							t.Errorf("got %v", err)
						}
					}
				})
			}
			callers.Wait()
			// HTTP/2 may open a connection and not use it.
			requests, connections := s.got()
			used := map[string]bool{}
			for _, r := range requests {
				used[r.RemoteAddr] = true
			}
			if len(requests) != 15 || len(used) != 15 || connections != 15 && !http2 {
				t.Errorf("%d requests on %d of %d connections, want 15", len(requests), len(used), connections)
			}
		})
	}
}

// What a server that worked before does to the second download: it is asked for
// it once.
func TestPerformAfterASuccess(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]http.HandlerFunc{
		"reset":  resetConnection,
		"closed": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s *store
			s = newStore(t, func(w http.ResponseWriter, r *http.Request) {
				if requests, _ := s.got(); len(requests) > 1 {
					fault(w, r)
					return
				}
				fmt.Fprint(w, "content")
			})
			client := s.client(t, fourRetries, impatient)
			content, err := perform(t, client)
			checkContent(t, content, err, "content", "text/plain; charset=utf-8")
			if _, err = perform(t, client); err == nil {
				t.Error("got no error")
			}
			s.check(t, 2)
		})
	}
}

// How often what goes wrong is asked for, over a network and with four repeats
// allowed, and what is said of it.
func TestPerformFaults(t *testing.T) {
	t.Parallel()
	headers := func(status int, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
		}
	}
	flushed := func(after http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "content")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
			after(w, r)
		}
	}
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	redirected := func(then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/then" {
				then(w, r)
				return
			}
			http.Redirect(w, r, "/then?sig=hunter2", http.StatusFound)
		}
	}
	const (
		cutShort = " was answered 200 OK: the answer was cut short: unexpected EOF"
		noAnswer = ": no complete answer within 100ms"
	)
	tests := map[string]struct {
		handler  http.HandlerFunc
		requests int
		err      string // after method and path; "": whatever it is
	}{
		"reset":               {resetConnection, 1, ""},
		"closed":              {abort, 1, ": the connection was closed before an answer came"},
		"reset in the middle": {flushed(resetConnection), 1, ""},
		"cut short":           {headers(200, "Content-Length", "100"), 1, cutShort},
		"cut short by one byte": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "8")
			fmt.Fprint(w, "content")
		}, 1, cutShort},
		"chunks that break off": {flushed(abort), 1, cutShort},
		"no answer":             {hang, 1, noAnswer},
		"no whole answer":       {flushed(hang), 1, " was answered 200 OK" + noAnswer},

		"400":                        {answer(400, ""), 1, " was answered 400 Bad Request"},
		"401":                        {answer(401, `{"message":"Unauthenticated."}`), 1, " was answered 401 Unauthorized: Unauthenticated."},
		"403":                        {answer(403, `<Error>hunter2</Error>`), 1, " was answered 403 Forbidden"},
		"404":                        {answer(404, `{"message":"No such download."}`), 1, " was answered 404 Not Found: No such download."},
		"404 with Retry-After":       {headers(404, "Retry-After", "0"), 1, " was answered 404 Not Found"},
		"408":                        {answer(408, ""), 1, " was answered 408 Request Timeout"},
		"410":                        {answer(410, ""), 1, " was answered 410 Gone"},
		"425":                        {answer(425, ""), 1, " was answered 425 Too Early"},
		"500":                        {answer(500, `{"message":"Server Error"}`), 1, " was answered 500 Internal Server Error: Server Error"},
		"500 with Retry-After":       {headers(500, "Retry-After", "0"), 1, " was answered 500 Internal Server Error"},
		"502":                        {answer(502, ""), 1, " was answered 502 Bad Gateway"},
		"503":                        {answer(503, ""), 1, " was answered 503 Service Unavailable"},
		"503, empty Retry-After":     {headers(503, "Retry-After", ""), 1, " was answered 503 Service Unavailable"},
		"504":                        {answer(504, ""), 1, " was answered 504 Gateway Timeout"},
		"300":                        {headers(300, "Location", "/else"), 1, " was answered 300 Multiple Choices"},
		"304":                        {headers(304), 1, " was answered 304 Not Modified"},
		"429":                        {answer(429, ""), 5, " was answered 429 Too Many Requests (after 5 attempts)"},
		"429 with Retry-After":       {headers(429, "Retry-After", "0"), 5, " was answered 429 Too Many Requests (after 5 attempts)"},
		"429 that asks for too much": {headers(429, "Retry-After", "91"), 1, " was answered 429 Too Many Requests (the API asked to wait 1m31s)"},
		"503 with Retry-After":       {headers(503, "Retry-After", "0"), 5, " was answered 503 Service Unavailable (after 5 attempts)"},
		"503 that asks for too much": {headers(503, "Retry-After", "91"), 1, " was answered 503 Service Unavailable (the API asked to wait 1m31s)"},

		"redirect to a reset":    {redirected(resetConnection), 2, ""},
		"redirect to no answer":  {redirected(hang), 2, noAnswer},
		"redirect to 429":        {redirected(headers(429, "Retry-After", "0")), 2, " was answered 429 Too Many Requests"},
		"redirect to 500":        {redirected(answer(500, "")), 2, " was answered 500 Internal Server Error"},
		"redirect to 503":        {redirected(headers(503, "Retry-After", "0")), 2, " was answered 503 Service Unavailable"},
		"redirect to half of it": {redirected(headers(200, "Content-Length", "100")), 2, cutShort},
		"redirect to a dead host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/?sig=hunter2", http.StatusFound)
		}, 1, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, test.handler)
			client := s.client(t, fourRetries, impatient, func(config *Config) {
				if strings.Contains(test.err, noAnswer) {
					config.RequestTimeout = 100 * time.Millisecond
				}
			})
			content, err := perform(t, client)
			checkHidden(t, err, contentID, "hunter2")
			if test.err != "" {
				checkPerformError(t, content, err, test.err)
			}
			if !strings.HasPrefix(err.Error(), "GET "+shownPath) || content != nil || asAPIError(t, err).Method != http.MethodGet {
				t.Errorf("got %v, %v", content, err)
			}
			s.check(t, test.requests)
		})
	}
}

// A download is asked for again where the first server has done nothing, and
// only then.
func TestPerformRepeats(t *testing.T) {
	t.Parallel()
	type result = func() (*http.Response, error)
	answers := func(status int, headers ...string) result {
		return func() (*http.Response, error) { return plainAnswer(status, "", headers...), nil }
	}
	fails := func(op string) result {
		return func() (*http.Response, error) { return nil, &net.OpError{Op: op, Net: "tcp", Err: errors.New("no")} }
	}
	content := func() (*http.Response, error) { return plainAnswer(200, "content"), nil }
	away := answers(302, "Location", "https://store.example/o?sig=hunter2")
	tests := map[string]struct {
		remaining time.Duration
		retries   int
		results   []result // the last one again and again
		requests  int
		least     time.Duration // that it takes
		most      time.Duration
		err       string // after method and path; "": content
	}{
		"dial, dial, content":             {retries: 2, results: []result{fails("dial"), fails("dial"), content}, requests: 3, most: 2 * time.Second},
		"the proxy's dial, content":       {retries: 1, results: []result{fails("proxyconnect"), content}, requests: 2, most: time.Second},
		"dials":                           {retries: 4, results: []result{fails("dial")}, requests: 5, most: 8 * time.Second, err: ": dial tcp: no (after 5 attempts)"},
		"dial, no repeats":                {results: []result{fails("dial")}, requests: 1, err: ": dial tcp: no"},
		"write":                           {retries: 4, results: []result{fails("write")}, requests: 1, err: ": write tcp: no"},
		"read":                            {retries: 4, results: []result{fails("read")}, requests: 1, err: ": read tcp: no"},
		"429, content":                    {retries: 1, results: []result{answers(429, "Retry-After", "7"), content}, requests: 2, least: 7 * time.Second, most: 7 * time.Second},
		"503, content":                    {retries: 1, results: []result{answers(503, "Retry-After", "7"), content}, requests: 2, least: 7 * time.Second, most: 7 * time.Second},
		"429, 503, dial, content":         {retries: 3, results: []result{answers(429, "Retry-After", "1"), answers(503, "Retry-After", "2"), fails("dial"), content}, requests: 4, least: 3 * time.Second, most: 5 * time.Second},
		"429, 500":                        {retries: 4, results: []result{answers(429, "Retry-After", "1"), answers(500)}, requests: 2, least: time.Second, most: time.Second, err: " was answered 500 Internal Server Error (after 2 attempts)"},
		"429, redirect, content":          {retries: 4, results: []result{answers(429, "Retry-After", "1"), away, content}, requests: 3, least: time.Second, most: time.Second},
		"redirect, dial":                  {retries: 4, results: []result{away, fails("dial")}, requests: 2, err: ": dial tcp: no"},
		"redirect, 429":                   {retries: 4, results: []result{away, answers(429, "Retry-After", "1")}, requests: 2, err: " was answered 429 Too Many Requests (the API asked to wait 1s)"},
		"redirect, 503":                   {retries: 4, results: []result{away, answers(503, "Retry-After", "1")}, requests: 2, err: " was answered 503 Service Unavailable (the API asked to wait 1s)"},
		"429 past the minute":             {retries: 4, results: []result{answers(429, "Retry-After", "61")}, requests: 1, err: " was answered 429 Too Many Requests (the API asked to wait 1m1s)"},
		"429 up to the end of the minute": {retries: 4, results: []result{answers(429, "Retry-After", "25")}, requests: 3, least: 50 * time.Second, most: 50 * time.Second, err: " was answered 429 Too Many Requests (after 3 attempts) (the API asked to wait 25s)"},
		"503 past what remains":           {retries: 4, remaining: 5 * time.Second, results: []result{answers(503, "Retry-After", "6"), content}, requests: 1, err: " was answered 503 Service Unavailable (the API asked to wait 6s)"},
		"no time for a random wait":       {retries: 4, remaining: 1, results: []result{answers(429), content}, requests: 1, least: 1, most: 1, err: " was answered 429 Too Many Requests: " + errMinuteOver.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := contentOver(t, "https://privasfer.com/api", "https://files.example"+shownPath, func(*http.Request) (*http.Response, error) {
					requests++
					return test.results[min(requests, len(test.results))-1]()
				}, func(config *Config) { config.MaxRetries = test.retries })
				if test.remaining == 0 {
					test.remaining = time.Minute
				}
				started := time.Now()
				got, err := client.PerformDownload(t.Context(), contentID, test.remaining, 100)
				took := time.Since(started)
				if test.err == "" {
					checkContent(t, got, err, "content", "")
				} else {
					checkPerformError(t, got, err, test.err)
				}
				if requests != test.requests {
					t.Errorf("%d requests, want %d", requests, test.requests)
				}
				if took < test.least || took > test.most {
					t.Errorf("it took %s, want %s to %s", took, test.least, test.most)
				}
			})
		})
	}
}

// Over a network: nobody listens.
func TestPerformNobodyListens(t *testing.T) {
	t.Parallel()
	s := newStore(t, answer(200, ""))
	s.Close()
	client := s.client(t, fourRetries, impatient)
	content, err := perform(t, client)
	checkHidden(t, err, contentID)
	apiError := asAPIError(t, err)
	if content != nil || apiError.Attempts != 5 || !apiError.NeverSent || apiError.MayHaveActed() {
		t.Errorf("got %+v", apiError)
	}
	if !strings.HasPrefix(err.Error(), "GET "+shownPath+": dial tcp ") {
		t.Errorf("got %v", err)
	}
}

func TestPerformUntrustedServer(t *testing.T) {
	t.Parallel()
	s := newIdleStore(answer(200, "content"))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	content, err := perform(t, s.client(t, fourRetries, impatient))
	checkHidden(t, err, contentID)
	if content != nil || !strings.Contains(err.Error(), "failed to verify certificate") {
		t.Errorf("got %v", err)
	}
	if requests, connections := s.got(); len(requests) != 0 || connections != 1 {
		t.Errorf("%d requests, %d connections", len(requests), connections)
	}
}

// sized answers with a content of a size, in the way that is named.
func sized(size int, way string) http.HandlerFunc {
	content := bytes.Repeat([]byte("x"), size)
	return func(w http.ResponseWriter, _ *http.Request) {
		switch way {
		case "told":
			w.Header().Set("Content-Length", fmt.Sprint(size))
		case "not told":
			_ = http.NewResponseController(w).Flush()
		case "compressed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped(content))
			return
		}
		_, _ = w.Write(content)
	}
}

func zipped(content []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, err := writer.Write(content)
	if err = errors.Join(err, writer.Close()); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

func TestPerformLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 1000, 64 << 10, 1 << 20, 3 << 19} {
		for _, way := range []string{"told", "not told", "compressed"} {
			for size, ok := range map[int]bool{0: true, limit - 1: true, limit: true, limit + 1: false, 3*limit + 1: false} {
				t.Run(fmt.Sprintf("%d of %d, %s", size, limit, way), func(t *testing.T) {
					t.Parallel()
					s := newStore(t, sized(size, way))
					content, err := s.client(t, fourRetries, impatient).PerformDownload(t.Context(), contentID, time.Hour, int64(limit))
					s.check(t, 1)
					if ok {
						if err != nil || len(content.Bytes) != size {
							t.Errorf("got %v", err)
						}
						return
					}
					most := map[int]string{1: "1 bytes", 1000: "1000 bytes", 64 << 10: "65536 bytes", 1 << 20: "1 MiB", 3 << 19: "1572864 bytes"}[limit]
					want := " was answered 200 OK: the answer is larger than " + most
					if way == "told" {
						want = fmt.Sprintf(" was answered 200 OK: the answer has %d bytes and is larger than %s", size, most)
					}
					checkPerformError(t, content, err, want)
					if !asAPIError(t, err).TooLarge() {
						t.Error("it does not count as too large")
					}
				})
			}
		}
	}
}

// Where the size is told nothing more is read, and a bomb is not unpacked.
func TestPerformReadsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	bomb := zipped(make([]byte, 64<<20))
	for name, test := range map[string]struct {
		headers []string
		body    []byte
		most    int64
	}{
		"told":       {[]string{"Content-Length", "67108864"}, make([]byte, 64<<20), 0},
		"not told":   {nil, make([]byte, 64<<20), 1001},
		"compressed": {[]string{"Content-Encoding", "gzip"}, bomb, 32 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &countedReader{reader: bytes.NewReader(test.body)}
			client := contentOver(t, "https://privasfer.com/api", "https://files.example"+shownPath, func(*http.Request) (*http.Response, error) {
				response := plainAnswer(200, "", test.headers...)
				response.Body, response.ContentLength = body, -1
				if name == "told" {
					response.ContentLength = int64(len(test.body))
				}
				return response, nil
			})
			_, err := client.PerformDownload(t.Context(), contentID, time.Hour, 1000)
			if !asAPIError(t, err).TooLarge() {
				t.Errorf("got %v", err)
			}
			if body.read > test.most || !body.closed {
				t.Errorf("%d bytes were read, want %d at most; closed: %t", body.read, test.most, body.closed)
			}
		})
	}
}

type countedReader struct {
	reader io.Reader
	read   int64
	closed bool
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	r.read += int64(n)
	return n, err
}

func (r *countedReader) Close() error {
	r.closed = true
	return nil
}

func TestPerformContent(t *testing.T) {
	t.Parallel()
	const plain = "text/plain; charset=utf-8"
	whole := zipped([]byte("content"))
	wrongSum := slices.Clone(whole)
	wrongSum[len(wrongSum)-8] ^= 1
	const cutShort = " was answered 200 OK: the answer was cut short: "
	const unknown = " was answered 200 OK: the content is encoded in a way that the provider does not know, and did not ask for"
	tests := map[string]struct {
		status      int
		encoding    string
		contentType string // "-": none
		body        string
		want        string
		wantType    string
		err         string // after method and path
	}{
		"text":                {contentType: "text/plain", body: "žąsis\n", want: "žąsis\n", wantType: "text/plain"},
		"binary":              {contentType: "application/octet-stream", body: "\x00\xff\xfe\r\n\x1f\x8b", want: "\x00\xff\xfe\r\n\x1f\x8b", wantType: "application/octet-stream"},
		"type as it is":       {contentType: "Text/X;  a=\"b\"", body: "x", want: "x", wantType: "Text/X;  a=\"b\""},
		"no type":             {contentType: "-", body: "content", want: "content"},
		"empty":               {contentType: plain, wantType: plain},
		"empty, no type":      {contentType: "-"},
		"no content":          {status: 204, contentType: "-", err: " was answered 204 No Content: the answer is not the whole file"},
		"accepted":            {status: 202, contentType: plain, body: "later", err: " was answered 202 Accepted: the answer is not the whole file"},
		"a part":              {status: 206, contentType: plain, body: "cont", err: " was answered 206 Partial Content: the answer is not the whole file"},
		"identity":            {encoding: "identity", contentType: plain, body: "content", want: "content", wantType: plain},
		"gzip":                {encoding: "gzip", contentType: plain, body: string(whole), want: "content", wantType: plain},
		"upper case":          {encoding: "GZIP", contentType: plain, body: string(whole), want: "content", wantType: plain},
		"gzip of nothing":     {encoding: "gzip", contentType: plain, body: string(zipped(nil)), wantType: plain},
		"gzip in two parts":   {encoding: "gzip", contentType: plain, body: string(whole) + string(whole), want: "contentcontent", wantType: plain},
		"a file of type gzip": {contentType: "application/gzip", body: string(whole), want: string(whole), wantType: "application/gzip"},

		"gzip, not so":      {encoding: "gzip", contentType: plain, body: "no gzip at all", err: " was answered 200 OK: the content says that it is compressed by gzip and is not"},
		"gzip, no end":      {encoding: "gzip", contentType: plain, body: string(whole[:len(whole)-1]), err: cutShort + "unexpected EOF"},
		"gzip, half":        {encoding: "gzip", contentType: plain, body: string(whole[:len(whole)/2]), err: cutShort + "unexpected EOF"},
		"gzip, another sum": {encoding: "gzip", contentType: plain, body: string(wrongSum), err: cutShort + "gzip: invalid checksum"},
		"gzip, something else": {encoding: "gzip", contentType: plain, body: string(whole) + "something else",
			err: cutShort + "gzip: invalid header"},
		"br":               {encoding: "br", contentType: plain, body: "content", err: unknown},
		"deflate":          {encoding: "deflate", contentType: plain, body: "content", err: unknown},
		"zstd":             {encoding: "zstd", contentType: plain, body: "content", err: unknown},
		"compress":         {encoding: "compress", contentType: plain, body: "content", err: unknown},
		"aws-chunked":      {encoding: "aws-chunked", contentType: plain, body: "content", err: unknown},
		"gzip, twice":      {encoding: "gzip, gzip", contentType: plain, body: string(zipped(whole)), err: unknown},
		"hostile encoding": {encoding: contentID + testToken, contentType: plain, body: "content", err: unknown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.contentType)
				if test.contentType == "-" {
					w.Header()["Content-Type"] = nil
				}
				if test.encoding != "" {
					w.Header().Set("Content-Encoding", test.encoding)
				}
				if test.status != 0 {
					w.WriteHeader(test.status)
				}
				_, _ = w.Write([]byte(test.body))
			})
			content, err := perform(t, s.client(t, fourRetries, impatient))
			s.check(t, 1)
			if test.err != "" {
				checkPerformError(t, content, err, test.err)
				return
			}
			checkContent(t, content, err, test.want, test.wantType)
		})
	}
}

// Compressed, and less of it than the server has promised.
func TestPerformCompressedCutShort(t *testing.T) {
	t.Parallel()
	whole := zipped([]byte("content"))
	s := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", fmt.Sprint(len(whole)+1))
		_, _ = w.Write(whole)
	})
	content, err := perform(t, s.client(t))
	checkPerformError(t, content, err, " was answered 200 OK: the answer was cut short: unexpected EOF")
}

// The rate limit is the API's: what another server says of its own changes
// nothing for it, and the API's is no reason to keep another server waiting.
func TestPerformAndTheRateLimit(t *testing.T) {
	t.Parallel()
	const api, elsewhere = "https://privasfer.com", "https://files.example"
	tests := map[string]struct {
		where    string
		location string        // of a redirect, before the 429
		want     time.Duration // for which the API's next call waits
	}{
		"elsewhere":                  {where: elsewhere},
		"another port":               {where: api + ":8443"},
		"at the API":                 {where: api, want: 30 * time.Second},
		"at the API, by its port":    {where: "https://PRIVASFER.com:443", want: 30 * time.Second},
		"redirect to the API":        {where: elsewhere, location: api + "/o", want: 30 * time.Second},
		"redirect away from the API": {where: api, location: elsewhere + "/o"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := contentOver(t, api+"/api", test.where+shownPath, func(r *http.Request) (*http.Response, error) {
					if test.location != "" && strings.HasPrefix(r.URL.Path, "/download/") {
						return plainAnswer(302, "", "Location", test.location), nil
					}
					return plainAnswer(429, "", "Retry-After", "30"), nil
				})
				transportOf(t, client.http).inner = roundTripper(func(*http.Request) (*http.Response, error) {
					return plainAnswer(200, emptyMail), nil
				})
				if _, err := perform(t, client); asAPIError(t, err).Status != 429 {
					t.Errorf("got %v", err)
				}
				started := time.Now()
				_, err := client.InboxMail(t.Context(), "m", false)
				if took := time.Since(started); err != nil || took != test.want {
					t.Errorf("the next call took %s, %v, want %s", took, err, test.want)
				}
			})
		})
	}
}

func TestPerformWhileTheAPIIsClosed(t *testing.T) {
	t.Parallel()
	const over = ": the download's minute was over before its content had come"
	tests := map[string]struct {
		where     string
		remaining time.Duration
		wait      string // that the API has asked for
		took      time.Duration
		err       string // after method and path
	}{
		"elsewhere":             {where: "https://files.example", remaining: time.Minute, wait: "30"},
		"at the API":            {where: "https://privasfer.com", remaining: time.Minute, wait: "30", took: 30 * time.Second},
		"longer than it lives":  {where: "https://privasfer.com", remaining: 20 * time.Second, wait: "30", took: 20 * time.Second, err: over},
		"longer than it should": {where: "https://privasfer.com", remaining: time.Minute, wait: "91", err: ": the API asks to wait 1m31s before the next request"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := contentOver(t, "https://privasfer.com/api", test.where+shownPath, func(*http.Request) (*http.Response, error) {
					requests++
					return plainAnswer(200, "content"), nil
				})
				transportOf(t, client.http).inner = roundTripper(func(*http.Request) (*http.Response, error) {
					return plainAnswer(429, "", "Retry-After", test.wait), nil
				})
				if _, err := client.InboxMail(t.Context(), "m", false); asAPIError(t, err).Status != 429 {
					t.Errorf("got %v", err)
				}
				started := time.Now()
				content, err := client.PerformDownload(t.Context(), contentID, test.remaining, 100)
				if took := time.Since(started); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if test.err == "" {
					checkContent(t, content, err, "content", "")
				} else {
					checkPerformError(t, content, err, test.err)
				}
				if want := map[bool]int{true: 1}[test.err == ""]; requests != want {
					t.Errorf("%d requests, want %d", requests, want)
				}
			})
		})
	}
}

// hostileIDs are ids that a message may repeat in more than one form.
var hostileIDs = map[string]string{
	"plain":      contentID,
	"slash":      "0a1b2c/3d4e5f?6a7b#8c9d",
	"unicode":    "žąsis-日本-0a1b2c3d",
	"percent":    "0a1b%2F2c3d",
	"controls":   "0a1b\r\n2c3d\x1b[31m4e5f",
	"quotes":     `0a1b"2c3d\4e5f`,
	"white":      "0a1b 2c3d",
	"not UTF-8":  "0a1b\xff2c3d",
	"the token":  testToken,
	"with token": "0a1b-" + testToken,
}

// Whatever a server says of the request, the user sees neither id nor token.
func TestPerformErrorsHideTheID(t *testing.T) {
	t.Parallel()
	messages := map[string]func(r *http.Request) string{
		"path":     func(r *http.Request) string { return "No download at " + r.URL.Path + "." },
		"escaped":  func(r *http.Request) string { return "No download at " + r.RequestURI + "." },
		"id":       func(r *http.Request) string { return "There is no " + strings.TrimPrefix(r.URL.Path, "/download/") },
		"unescape": func(r *http.Request) string { return "[" + strings.TrimPrefix(r.URL.EscapedPath(), "/download/") + "]" },
		"header":   func(r *http.Request) string { return "Saw " + r.Header.Get("Authorization") },
		"token":    func(*http.Request) string { return "Saw " + testToken },
	}
	for idName, id := range hostileIDs {
		for name, message := range messages {
			t.Run(idName+", "+name, func(t *testing.T) {
				t.Parallel()
				s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Request-Id", url.PathEscape(strings.TrimPrefix(r.URL.Path, "/download/")))
					body, err := json.Marshal(map[string]any{"message": message(r), "errors": map[string]any{r.URL.Path: message(r), "x": r.RequestURI}})
					if err != nil {
						t.Error(err)
					}
					w.WriteHeader(http.StatusNotFound)
					_, _ = w.Write(body)
				})
				client := newClientAt(t, s.URL+"/api", performingAt(t, s.URL+shownPath)) // with the token
				_, err := client.PerformDownload(t.Context(), id, time.Minute, 100)
				checkHidden(t, err, id, testToken)
				if asAPIError(t, err).Status != 404 || !strings.Contains(err.Error(), "***") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// What net/http repeats of an answer that is not HTTP.
func TestPerformForeignTextInTransportErrors(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no HTTP":           contentID + "\r\n\r\n",
		"status":            "HTTP/1.1 " + contentID + " OK\r\n\r\n",
		"header":            "HTTP/1.1 200 OK\r\n" + contentID + "\r\n\r\n",
		"transfer encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + contentID + "\r\n\r\n",
		"content length":    "HTTP/1.1 200 OK\r\nContent-Length: " + contentID + "\r\n\r\n",
		"chunk":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + contentID + "\r\n",
		"location":          "HTTP/1.1 302 Found\r\nLocation: https://" + contentID + "/%zz\r\nContent-Length: 0\r\n\r\n",
		"long location":     "HTTP/1.1 302 Found\r\nLocation: ftp://" + contentID + "/" + strings.Repeat("x", 10_000) + "\r\nContent-Length: 0\r\n\r\n",
		"dead location":     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/" + contentID + "?sig=" + contentID + "\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClientAt(t, "http://127.0.0.1:1/api", performingAt(t, rawServer(t, raw)+shownPath), fourRetries, impatient)
			content, err := perform(t, client)
			if content != nil {
				t.Error("there is a content")
			}
			if checkHidden(t, err, contentID); len(err.Error()) > 500 {
				t.Errorf("%d bytes", len(err.Error()))
			}
		})
	}
}

// The minute ends what is not done by then.
func TestPerformDeadline(t *testing.T) {
	t.Parallel()
	const over = ": the download's minute was over before its content had come"
	drip := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprint(w, "x")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	redirect := func(then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/then" {
				then(w, r)
				return
			}
			http.Redirect(w, r, "/then?sig=hunter2", http.StatusFound)
		}
	}
	for name, test := range map[string]struct {
		handler   http.HandlerFunc
		remaining time.Duration
		requests  int
		err       string
	}{
		"slow":             {drip, 300 * time.Millisecond, 1, " was answered 200 OK" + over},
		"silent":           {hang, 300 * time.Millisecond, 1, over},
		"slow elsewhere":   {redirect(drip), 300 * time.Millisecond, 2, " was answered 200 OK" + over},
		"silent elsewhere": {redirect(hang), 300 * time.Millisecond, 2, over},
		"no time left":     {drip, 0, 0, over},
		"time is over":     {drip, -time.Second, 0, over},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, test.handler)
			client := s.client(t, fourRetries, func(config *Config) { config.RetryWait = 1000 * time.Hour })
			content, err := client.PerformDownload(t.Context(), contentID, test.remaining, 1<<20)
			if requests, _ := s.got(); len(requests) != test.requests {
				t.Errorf("%d requests, want %d", len(requests), test.requests)
			}
			checkPerformError(t, content, err, test.err)
			if !errors.Is(err, errMinuteOver) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPerformCancelled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc // calls cancel, then
		before  bool             // cancelled before
		err     string
	}{
		"before":               {handler: answer(200, ""), before: true, err: ": context canceled"},
		"before the answer":    {handler: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, err: ": context canceled"},
		"waiting for a repeat": {handler: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "60"); w.WriteHeader(429) }, err: ""},
		"during the answer": {handler: func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "x")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, err: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
				time.AfterFunc(50*time.Millisecond, cancel)
				test.handler(w, r)
			})
			want := 1
			if test.before {
				cancel()
				want = 0
			}
			content, err := s.client(t, fourRetries).PerformDownload(ctx, contentID, time.Hour, 1<<20)
			checkHidden(t, err, contentID)
			if content != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if test.err != "" {
				checkPerformError(t, content, err, test.err)
			}
			if requests, _ := s.got(); len(requests) != want {
				t.Errorf("%d requests, want %d", len(requests), want)
			}
		})
	}
}

// An escaped {id} beside the plain one would be taken for the place: refused.
func TestParseDownloadURLRefusesAnEscapedPlace(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"https://privasfer.com/%7Bid%7D/{id}", "https://privasfer.com/{id}/%7bid%7d", "https://privasfer.com/%7Bid%7D?x={id}"} {
		parsed, err := ParseDownloadURL(text)
		if parsed != nil {
			t.Errorf("%s is taken", text)
		}
		checkText(t, err, "it must contain {id} once, in the place of the download's id")
	}
}

// An id that stood in a query is repeated in the query's form of escaping.
func TestPerformErrorsHideTheIDInAQuery(t *testing.T) {
	t.Parallel()
	for name, id := range hostileIDs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprintf(w, `{"message":"No download at %s."}`, r.RequestURI)
			})
			_, err := s.client(t, performingAt(t, s.URL+"/download?id={id}")).PerformDownload(t.Context(), id, time.Minute, 100)
			checkHidden(t, err, id, url.QueryEscape(id))
		})
	}
}

// Encodings may be told in one line or in several.
func TestPerformSeveralEncodings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		encodings []string
		body      []byte
	}{
		"gzip, twice":      {[]string{"gzip", "gzip"}, zipped(zipped([]byte("content")))},
		"identity, and br": {[]string{"identity", "br"}, []byte("content")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Encoding"] = test.encodings
				_, _ = w.Write(test.body)
			})
			content, err := perform(t, s.client(t))
			checkPerformError(t, content, err, " was answered 200 OK: the content is encoded in a way that the provider does not know, and did not ask for")
		})
	}
}

// A server that compresses everything says so of nothing too.
func TestPerformEmptyAndCompressed(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header()["Content-Type"] = nil
		w.Header().Set("Content-Length", "0")
	})
	content, err := perform(t, s.client(t))
	checkContent(t, content, err, "", "")
}

// The query of a redirect target is a secret too where its server repeats it.
func TestPerformHidesTheTargetsQuery(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/o" {
			http.Redirect(w, r, "/o?X-Sig=hunter2", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"message":"Expired: %s"}`, r.RequestURI)
	})
	_, err := perform(t, s.client(t))
	checkHidden(t, err, "hunter2")
}

// The first server has used the download up, whether or not the next one can be
// dialled.
func TestPerformRedirectedToADeadHost(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/?sig=hunter2", http.StatusFound)
	})
	_, err := perform(t, s.client(t))
	if apiError := asAPIError(t, err); apiError.NeverSent {
		t.Errorf("got %+v", apiError)
	}
}
