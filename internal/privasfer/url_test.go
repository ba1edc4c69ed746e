package privasfer

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func TestEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct{ base, id, want string }{
		{"https://privasfer.com/api", "2ef14b84", "https://privasfer.com/api/inbox/2ef14b84"},
		{"https://privasfer.com", "...", "https://privasfer.com/inbox/..."},
		{"https://privasfer.com/x%2Fy/", "a", "https://privasfer.com/x%2Fy/inbox/a"},
		{"https://privasfer.com/x y", "a", "https://privasfer.com/x%20y/inbox/a"},
		{"https://privasfer.com/(v1)", "a", "https://privasfer.com/(v1)/inbox/a"},
		{"http://[::1]:8080/api", "a", "http://[::1]:8080/api/inbox/a"},

		{DefaultBaseURL, "../files/1", DefaultBaseURL + "/inbox/..%2Ffiles%2F1"},
		{DefaultBaseURL, `..\files`, DefaultBaseURL + "/inbox/..%5Cfiles"},
		{DefaultBaseURL, "%2e%2e%2F", DefaultBaseURL + "/inbox/%252e%252e%252F"},
		{DefaultBaseURL, "a?b#c;d,e", DefaultBaseURL + "/inbox/a%3Fb%23c%3Bd%2Ce"},
		{DefaultBaseURL, "a\r\nb c", DefaultBaseURL + "/inbox/a%0D%0Ab%20c"},
		{DefaultBaseURL, "ž\xff\x00", DefaultBaseURL + "/inbox/%C5%BE%FF%00"},
	}
	for _, test := range tests {
		client := &Client{base: parseBaseURL(t, test.base)}
		target, err := client.endpoint(nil, "inbox", test.id)
		if err != nil || target.String() != test.want {
			t.Errorf("got %s (%v), want %s", target, err, test.want)
		}
	}
	for _, id := range []string{"", ".", ".."} {
		_, err := (&Client{base: &url.URL{}}).endpoint(nil, "inbox", id)
		checkText(t, err, strconv.Quote(id)+" cannot be part of a path of the API")
	}
}

func TestEncodeQuery(t *testing.T) {
	t.Parallel()
	const want = "include=a,b.c&keyword=%252C%26page%3D9+%2B%23%3B%0D%0A%C5%BE"
	if got := encodeQuery(url.Values{"keyword": {"%2C&page=9 +#;\r\nž"}, "include": {"a,b.c"}}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCheckID(t *testing.T) {
	t.Parallel()
	const (
		ok      = "<nil>"
		empty   = "it must not be empty"
		dots    = `it must not be "." or ".."`
		route   = "it must not contain a slash, a backslash, a question mark or a number sign"
		space   = "it must not contain whitespace"
		control = "it must not contain a control character"
	)
	tests := map[string]string{
		"2ef14b84-87d0-4abb-813f-2351a4251345": ok, "1": ok, "...": ok, "%2F": ok, "žąsis": ok,
		"": empty, ".": dots, "..": dots,
		"../files": route, `a\b`: route, "a?b": route, "a#b": route,
		" a": space, "a\n": space, "a\u00a0b": space, "a\u2028b": space,
		"a\x00b": control, "a\x1bb": control, "a\x7fb": control,
	}
	for id, want := range tests {
		if got := fmt.Sprint(CheckID(id)); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
}

func TestOriginOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://Privasfer.COM/api?a#b": "https://privasfer.com:443",
		"https://privasfer.com:443":     "https://privasfer.com:443",
		"https://privasfer.com:8443":    "https://privasfer.com:8443",
		"http://privasfer.com":          "http://privasfer.com:80",
		"http://u:p@[::1]:8080/":        "http://::1:8080",
	} {
		parsed, err := url.Parse(text)
		if got := originOf(parsed); err != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.8.8.8": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.example": false, "127.0.0.1.example": false, "0.0.0.0": false, "::": false, "192.168.1.1": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: got %t", host, got)
		}
	}
}

func TestParseDownloadURL(t *testing.T) {
	t.Parallel()
	const (
		places  = "it must contain {key} for the public download key, {id} for the id of the download, or both, each at most once"
		located = "it must contain {key} and {id} in its path or query, unescaped"
	)
	for text, want := range map[string]string{ // the error, or the URL of the id a/b and the key k&=
		"https://x.example/d/{key}":                   "https://x.example/d/k&=",
		"https://x.example/d/{id}/{key}/z":            "https://x.example/d/a%2Fb/k&=/z",
		"https://x.example/%2F/d?k={key}&i={id}":      "https://x.example/%2F/d?k=k%26%3D&i=a%2Fb",
		"\ufeff https://x.example/d/{id}?k={key}\r\n": "https://x.example/d/a%2Fb?k=k%26%3D",
		"http://LOCALHOST:1/{id}":                     "http://LOCALHOST:1/a%2Fb",
		"https://x.example/d":                         places,
		"":                                            places,
		"https://x.example/{key}/{key}":               places,
		"https://x.example/{id}?{id}":                 places,
		"https://x.example/%7Bkey%7D":                 places,
		"https://x.example/{key}/%7Bkey%7D":           located,
		"https://{id}.example/":                       "it is not a URL",
		"http://x.example/{id}":                       "it must begin with https://, because secrets are sent to it; http is allowed for a loopback host only",
		"https://u:p@x.example/{id}":                  "it must not contain a user name or a password",
		"https://x.example/{id}#f":                    "it must not contain a fragment (#)",
		"https://x.example/#{id}":                     "it must not contain a fragment (#)",
	} {
		parsed, err := ParseDownloadURL(text)
		if err != nil {
			checkText(t, err, want)
			continue
		}
		got, err := parsed.For("a/b", "k&=")
		if err != nil || got.String() != want || parsed.NeedsKey() != strings.Contains(text, "{key}") {
			t.Errorf("%s: got %s (%v), want %s; needs a key: %t", text, got, err, want, parsed.NeedsKey())
		}
		for _, dots := range []string{".", ".."} {
			if _, err := parsed.For(dots, "k"); err == nil {
				t.Errorf("the id %s is accepted", dots)
			}
			if _, err := parsed.For("i", dots); err == nil {
				t.Errorf("the key %s is accepted", dots)
			}
		}
	}
}

func FuzzParseDownloadURL(f *testing.F) {
	f.Add("https://x.example/{id}?k={key}", "a/b", "{id}")
	f.Add("https://x.example/%2F{key}", "..", "é?#")
	f.Fuzz(func(t *testing.T, text, id, key string) {
		parsed, err := ParseDownloadURL(text)
		if err != nil {
			return
		}
		target, err := parsed.For(id, key)
		if err != nil {
			return
		}
		base, err := parseURL(strings.NewReplacer("{key}", "", "{id}", "").Replace(text))
		if err != nil || originOf(target) != originOf(base) || target.User != nil || target.Fragment != "" {
			t.Errorf("%q becomes %s", text, target)
		}
	})
}
