package privasfer

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// An id is one element of the path, whatever it contains.
func TestIDReachesOneElement(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"2ef14b84-87d0-4abb":                 "2ef14b84-87d0-4abb",
		"a/b":                                "a%2Fb",
		"../files":                           "..%2Ffiles",
		"...":                                "...",
		"/":                                  "%2F",
		"a?include=author":                   "a%3Finclude=author",
		"a#b":                                "a%23b",
		"a b":                                "a%20b",
		"a+b":                                "a+b",
		"a\nb":                               "a%0Ab",
		"a\r\nHost: b":                       "a%0D%0AHost:%20b",
		"100%":                               "100%25",
		"%2F":                                "%252F",
		"%2e%2e":                             "%252e%252e",
		`a\b`:                                "a%5Cb",
		"a;b,c":                              "a%3Bb%2Cc",
		"žąsis":                              "%C5%BE%C4%85sis",
		"\xff":                               "%FF",
		"\x00":                               "%00",
		strings.Repeat("a", 10_000):          strings.Repeat("a", 10_000),
		strings.Repeat("/..", 3_000):         strings.Repeat("%2F..", 3_000),
		"2ef14b84?" + strings.Repeat("#", 9): "2ef14b84%3F" + strings.Repeat("%23", 9),
	}
	for id, escaped := range tests {
		t.Run(id[:min(len(id), 20)], func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				if want := "/api/inbox/" + escaped + "?include=download"; r.RequestURI != want {
					t.Errorf("RequestURI is %s, want %s", r.RequestURI, want)
				}
				if want := "/api/inbox/" + escaped; r.URL.EscapedPath() != want {
					t.Errorf("EscapedPath is %s, want %s", r.URL.EscapedPath(), want)
				}
				if want := "/api/inbox/" + id; r.URL.Path != want {
					t.Errorf("Path is %q, want %q", r.URL.Path, want)
				}
				answer(http.StatusOK, emptyMail)(w, r)
			})
			if _, err := client.InboxMail(t.Context(), id, false); err != nil {
				t.Error(err)
			}
		})
	}
}

// Servers and proxies resolve these away: the request would reach the route
// above.
func TestElementsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", ".", ".."} {
		t.Run(strconv.Quote(id), func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("there was a request: %s", r.RequestURI)
			})
			mail, err := client.InboxMail(t.Context(), id, false)
			if mail != nil {
				t.Errorf("got %v", mail)
			}
			checkText(t, err, strconv.Quote(id)+" cannot be part of a path of the API")
		})
	}
}

func TestEndpointKeepsTheBaseURL(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"https://privasfer.com/api":      "https://privasfer.com/api/inbox/a%2Fb",
		"https://privasfer.com":          "https://privasfer.com/inbox/a%2Fb",
		"https://privasfer.com/x%2Fy/":   "https://privasfer.com/x%2Fy/inbox/a%2Fb",
		"https://privasfer.com/x y/api":  "https://privasfer.com/x%20y/api/inbox/a%2Fb",
		"http://[::1]:8080/api":          "http://[::1]:8080/api/inbox/a%2Fb",
		"https://privasfer.com/(v1)/api": "https://privasfer.com/(v1)/api/inbox/a%2Fb",
	}
	for base, want := range tests {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			client := newClientAt(t, base)
			before := client.base.String()
			target, err := client.endpoint(nil, "inbox", "a/b")
			if err != nil {
				t.Fatal(err)
			}
			if target.String() != want {
				t.Errorf("got %s, want %s", target, want)
			}
			if after := client.base.String(); after != before {
				t.Errorf("the base URL became %s", after)
			}
		})
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	want := http.Header{
		"Authorization": {"Bearer " + testToken},
		"Accept":        {"application/json"},
		"Content-Type":  {"application/json"},
		"User-Agent":    {testUserAgent},
		// net/http's own.
		"Accept-Encoding": {"gzip"},
	}
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if strings.Join(values, "\n") != strings.Join(want[name], "\n") && name != "Content-Length" {
				t.Errorf("%s %s is %q, want %q", r.Method, name, values, want[name])
			}
		}
		for name := range want {
			if r.Header[name] == nil {
				t.Errorf("%s has no %s", r.Method, name)
			}
		}
		answer(http.StatusOK, emptyMail)(w, r)
	})
	if _, err := client.InboxMail(t.Context(), "m", true); err != nil {
		t.Error(err)
	}
	if _, _, err := client.CreateDownload(t.Context(), []string{"f"}); err != nil {
		t.Error(err)
	}
}

// The API documents no redirect. Whoever answers with one gets no second
// request, and another host never sees the token.
func TestRedirectsAreErrors(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{"the same host", "another host", "a relative path"} {
			t.Run(strconv.Itoa(status)+" to "+to, func(t *testing.T) {
				t.Parallel()
				other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					t.Errorf("the other host got a request, Authorization %q", r.Header.Get("Authorization"))
				}))
				t.Cleanup(other.Close)

				var requests atomic.Int32
				client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					location := map[string]string{
						"the same host":   "http://" + r.Host + "/login",
						"another host":    other.URL + r.RequestURI,
						"a relative path": "../login",
					}[to]
					w.Header().Set("Location", location)
					answer(status, "<p>Redirecting</p>")(w, r)
				})

				_, err := client.InboxMail(t.Context(), "m", false)
				answered := " was answered " + strconv.Itoa(status) + " " + http.StatusText(status)
				checkError(t, err, "GET /api/inbox/m"+answered)
				_, _, err = client.CreateDownload(t.Context(), []string{"f"})
				checkError(t, err, "POST /api/downloads"+answered)
				if apiError := asAPIError(t, err); apiError.MayHaveActed() || apiError.Unusable() {
					t.Error("a redirect is taken for an answer")
				}
				if got := requests.Load(); got != 2 {
					t.Errorf("%d requests for two calls", got)
				}
			})
		}
	}
}

// A request is dated when it is sent, before it is answered.
func TestSentTimeIsTheClocks(t *testing.T) {
	t.Parallel()
	sending := time.Date(2019, 5, 20, 14, 39, 29, 123, time.UTC)
	var now atomic.Pointer[time.Time]
	now.Store(&sending)
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		later := sending.Add(time.Hour)
		now.Store(&later)
		answer(http.StatusCreated, `{"data":{"id":"d"}}`)(w, r)
	}, func(config *Config) {
		config.Now = func() time.Time { return *now.Load() }
	})

	_, sent, err := client.CreateDownload(t.Context(), []string{"f"})
	if err != nil {
		t.Fatal(err)
	}
	if !sent.Equal(sending) {
		t.Errorf("sent at %s, want %s", sent, sending)
	}
}

func TestSentTimeWithoutAClockOfOnesOwn(t *testing.T) {
	t.Parallel()
	client := newClient(t, answer(http.StatusCreated, `{"data":{"id":"d"}}`))
	before := time.Now()
	_, sent, err := client.CreateDownload(t.Context(), []string{"f"})
	if err != nil {
		t.Fatal(err)
	}
	if sent.Before(before) || sent.After(time.Now()) {
		t.Errorf("sent at %s, which is not between %s and now", sent, before)
	}
}

func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{"2ef14b84", "", ".", "..", "a/b", "a?b#c", "a\r\nb", "100%", "%2F", `a\b`, "ž", "\xff", ";,:@&=+$"} {
		f.Add(seed)
	}
	client := &Client{base: &url.URL{Scheme: "https", Host: "privasfer.test", Path: "/x/api", RawPath: "/x%2Fapi"}}
	f.Fuzz(func(t *testing.T, id string) {
		target, err := client.endpoint(nil, "inbox", id)
		if err != nil {
			if id != "" && id != "." && id != ".." {
				t.Errorf("%q is refused: %v", id, err)
			}
			return
		}
		if target.Host != "privasfer.test" || target.RawQuery != "" || target.Fragment != "" {
			t.Fatalf("%q leaves the path: %s", id, target)
		}
		// What a server makes of it.
		received, err := url.ParseRequestURI(target.RequestURI())
		if err != nil {
			t.Fatal(err)
		}
		elements := strings.Split(received.EscapedPath(), "/")
		if len(elements) != 4 || elements[1] != "x%2Fapi" || elements[2] != "inbox" {
			t.Fatalf("%q reaches %s", id, received.EscapedPath())
		}
		if got, err := url.PathUnescape(elements[3]); err != nil || got != id {
			t.Errorf("the server gets %q (%v), want %q", got, err, id)
		}
	})
}
