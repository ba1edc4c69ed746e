package privasfer

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestParseToken(t *testing.T) {
	t.Parallel()
	const control = "the token contains a control character, such as a line break in its middle; " +
		"copy it again from the profile's API page, in one piece"

	tests := map[string]struct {
		text  string
		token string
		err   string
	}{
		"as it is":               {text: "17|abc", token: "17|abc"},
		"the line end of a file": {text: "17|abc\n", token: "17|abc"},
		"white space around":     {text: "\t 17|abc \r\n", token: "17|abc"},
		"letters beyond ASCII":   {text: "žąsis", token: "žąsis"},
		"empty":                  {text: "", err: "the token is empty"},
		"white space alone":      {text: " \r\n\t", err: "the token is empty"},
		"a line break inside":    {text: "17|\nabc", err: control},
		"a carriage return":      {text: "17|\rabc", err: control},
		"a tab inside":           {text: "17|\tabc", err: control},
		"a NUL":                  {text: "17|abc\x00", err: control},
		"a DEL":                  {text: "17|abc\x7f", err: control},
		"a C1 control":           {text: "17|\u0085abc", err: control},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := ParseToken(test.text)
			if token != test.token {
				t.Errorf("got %q, want %q", token, test.token)
			}
			checkText(t, err, test.err)
		})
	}
}

func TestParseBaseURL(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		DefaultBaseURL:                      "https://privasfer.com/api",
		"https://privasfer.com":             "https://privasfer.com",
		"https://privasfer.com/":            "https://privasfer.com",
		"https://privasfer.com/api/":        "https://privasfer.com/api",
		"https://privasfer.com/api///":      "https://privasfer.com/api",
		" \thttps://privasfer.com/api/\r\n": "https://privasfer.com/api",
		"HTTPS://privasfer.com/api":         "https://privasfer.com/api",
		"https://privasfer.com:8443/v1/api": "https://privasfer.com:8443/v1/api",
		"https://192.0.2.1/api":             "https://192.0.2.1/api",
		"https://[2001:db8::1]:8443/api":    "https://[2001:db8::1]:8443/api",

		// What is escaped stays escaped, so that no element of the path becomes two.
		"https://privasfer.com/a%2Fb/":   "https://privasfer.com/a%2Fb",
		"https://privasfer.com/api/%2F":  "https://privasfer.com/api/%2F",
		"https://privasfer.com/api/%2F/": "https://privasfer.com/api/%2F",
		"https://privasfer.com/a%3Fb":    "https://privasfer.com/a%3Fb",
		"https://privasfer.com/a b":      "https://privasfer.com/a%20b",

		// The token stays on this machine.
		"http://localhost:8080/api/": "http://localhost:8080/api",
		"http://127.0.0.1:8080/api":  "http://127.0.0.1:8080/api",
		"http://127.8.8.8":           "http://127.8.8.8",
		"http://[::1]:8080/api":      "http://[::1]:8080/api",
		"https://localhost/api":      "https://localhost/api",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			base := parseBaseURL(t, text)
			if got := base.String(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestParseBaseURLRefuses(t *testing.T) {
	t.Parallel()
	const (
		noURL     = "it is not a URL"
		noScheme  = "it must begin with https://"
		noHost    = "it names no host"
		plainHTTP = "it must begin with https://, because what travels there is secret; " +
			"plain http is taken for a loopback host only"
		userInfo = "it must not contain a user name or a password"
		query    = "it must not contain a query (?)"
		fragment = "it must not contain a fragment (#)"
	)
	tests := map[string]string{
		"":                            noScheme,
		"   ":                         noScheme,
		"privasfer.com/api":           noScheme,
		"//privasfer.com/api":         noScheme,
		"/api":                        noScheme,
		"ftp://privasfer.com/api":     noScheme,
		"file:///api":                 noScheme,
		"u:hunter2@privasfer.com/api": noScheme,

		"https://":                                noHost,
		"https:///api":                            noHost,
		"https://:8443/api":                       noHost,
		"https:privasfer.com/api":                 noHost,
		"http:///api":                             noHost,
		"https://u:hunter2@":                      noHost,
		"http://privasfer.com/api":                plainHTTP,
		"http://192.168.1.1/api":                  plainHTTP,
		"http://0.0.0.0/api":                      plainHTTP,
		"http://[2001:db8::1]/api":                plainHTTP,
		"http://localhost.privasfer.com/api":      plainHTTP,
		"http://127.0.0.1.privasfer.com/api":      plainHTTP,
		"http://u:hunter2@privasfer.com/api":      plainHTTP,
		"http://localhost:hunter2@privasfer.com/": plainHTTP,

		"https://u:hunter2@privasfer.com/api": userInfo,
		"https://hunter2@privasfer.com/api":   userInfo,
		"https://@privasfer.com/api":          userInfo,
		"http://u:hunter2@localhost/api":      userInfo,

		"https://privasfer.com/api?token=hunter2": query,
		"https://privasfer.com/api?":              query,
		"https://privasfer.com/api#hunter2":       fragment,
		"https://privasfer.com/api#":              fragment,

		"https://u:hunter2@privasfer.com:port/api": noURL,
		"https://u:hunter2@priv asfer.com/api":     noURL,
		"https://u:hunter2%zz@privasfer.com/api":   noURL,
		"https://privasfer.com/%zz":                noURL,
		"https://privasfer.com/a\nb":               noURL,
		"https://[::1/api":                         noURL,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			base, err := ParseBaseURL(text)
			if base != nil {
				t.Errorf("got %s", base)
			}
			checkText(t, err, want)
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("the error repeats the password")
			}
		})
	}
}

func TestCheckID(t *testing.T) {
	t.Parallel()
	const (
		empty   = "it must not be empty"
		dots    = `it must not be "." or ".."`
		route   = "it must not contain a slash, a backslash, a question mark or a number sign"
		space   = "it must not contain white space"
		control = "it must not contain a control character"
	)
	tests := map[string]string{
		"2ef14b84-87d0-4abb-813f-2351a4251345": "",
		"1":                                    "",
		"...":                                  "",
		"a.b":                                  "",
		"%2F":                                  "", // escaped once more on its way
		"žąsis":                                "",
		strings.Repeat("a", 10_000):            "",

		"":         empty,
		".":        dots,
		"..":       dots,
		"a/b":      route,
		"/":        route,
		"../files": route,
		`a\b`:      route,
		"a?b":      route,
		"a#b":      route,
		"a b":      space,
		" a":       space,
		"a\n":      space,
		"a\tb":     space,
		"a\u00a0b": space,
		"a\u2028b": space,
		"a\x00b":   control,
		"a\x1bb":   control,
		"a\x7fb":   control,
	}
	for id, want := range tests {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			checkText(t, CheckID(id), want)
		})
	}
}

func TestParseCACertPEM(t *testing.T) {
	t.Parallel()
	const (
		none     = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
		other    = "it holds a block that is no CERTIFICATE"
		unusable = "it holds a certificate that cannot be read"
	)
	server := httptest.NewTLSServer(answer(http.StatusOK, emptyMail))
	t.Cleanup(server.Close)
	encode := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	certificate := encode("CERTIFICATE", server.Certificate().Raw)
	key := encode("PRIVATE KEY", []byte("never-to-be-shown"))
	broken := encode("CERTIFICATE", server.Certificate().Raw[1:])

	tests := map[string]struct{ text, err string }{
		"one":                         {text: certificate},
		"two":                         {text: certificate + certificate},
		"text around":                 {text: "The CA of the office:\n" + certificate + "\nuntil 2030\n"},
		"the line ends of Windows":    {text: strings.ReplaceAll(certificate, "\n", "\r\n")},
		"no line end":                 {text: strings.TrimSpace(certificate)},
		"empty":                       {text: "", err: none},
		"white space":                 {text: " \n\t", err: none},
		"a path":                      {text: "/etc/ssl/ca.pem", err: none},
		"DER":                         {text: string(server.Certificate().Raw), err: none},
		"cut short":                   {text: certificate[:len(certificate)/2], err: none},
		"in one line":                 {text: strings.ReplaceAll(certificate, "\n", " "), err: none},
		"a key":                       {text: key, err: other},
		"a certificate, then a key":   {text: certificate + key, err: other},
		"a request":                   {text: encode("CERTIFICATE REQUEST", []byte("x")), err: other},
		"not X.509":                   {text: encode("CERTIFICATE", []byte("never-to-be-shown")), err: unusable},
		"an empty one":                {text: encode("CERTIFICATE", nil), err: unusable},
		"one good, one broken":        {text: certificate + broken, err: unusable},
		"one broken, one good":        {text: broken + certificate, err: unusable},
		"bytes after the certificate": {text: encode("CERTIFICATE", append(slices.Clone(server.Certificate().Raw), 0)), err: unusable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseCACertPEM(test.text)
			checkText(t, err, test.err)
			if test.err != "" {
				if got != nil {
					t.Errorf("got %q", got)
				}
				return
			}
			if string(got) != test.text {
				t.Errorf("got %q", got)
			}
			client := newClientAt(t, server.URL+"/api", func(config *Config) { config.CACertPEM = got })
			if _, err := client.InboxMail(t.Context(), "m", false); err != nil {
				t.Errorf("the server is not trusted: %v", err)
			}
		})
	}
}

func FuzzParseBaseURL(f *testing.F) {
	for _, seed := range []string{
		DefaultBaseURL, "http://[::1]:8080/a%2Fb//", "https://u:hunter2@privasfer.com/?a#b", " https://privasfer.com/ž\u00a0/ ",
		"http://[::1%25lo]/", "https://%C3%A9/", "https://privasfer.com:/a;b,c", "https://privasfer.com//x", "http:localhost",
	} {
		f.Add(seed, "id")
		f.Add(seed, "../a?b#c")
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		base, err := ParseBaseURL(text)
		if err != nil {
			return
		}
		if base.Scheme != "https" && (base.Scheme != "http" || !isLoopback(base.Hostname())) {
			t.Errorf("the token would travel in the clear: %s", base)
		}
		if base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "" || base.Opaque != "" {
			t.Errorf("more than scheme, host and path: %#v", base)
		}
		if strings.HasSuffix(base.EscapedPath(), "/") {
			t.Errorf("a slash at the end: %s", base)
		}
		again, err := ParseBaseURL(base.String())
		if err != nil {
			t.Fatalf("%s is refused: %v", base, err)
		}
		if again.String() != base.String() {
			t.Errorf("%s becomes %s", base, again)
		}
		target, err := (&Client{base: base}).endpoint(nil, "inbox", id)
		if err != nil {
			return
		}
		if want := base.String() + "/inbox/" + url.PathEscape(id); target.String() != want {
			t.Errorf("got %s, want %s", target, want)
		}
	})
}

func FuzzCheckID(f *testing.F) {
	for _, seed := range []string{"2ef14b84-87d0-4abb-813f-2351a4251345", "", ".", "..", "a/b", `a\b`, "a?b", "a#b", "a b", "\x00", "%2e%2e", "ž"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if CheckID(id) != nil {
			return
		}
		target, err := (&Client{base: &url.URL{Scheme: "https", Host: "privasfer.test", Path: "/api"}}).endpoint(nil, "inbox", id)
		if err != nil {
			t.Fatalf("CheckID takes %q, endpoint does not: %v", id, err)
		}
		// Even a server that unescapes the path before it resolves it finds
		// the id, and nothing else.
		if want := "/api/inbox/" + id; path.Clean(target.Path) != want {
			t.Errorf("got %q, want %q", path.Clean(target.Path), want)
		}
	})
}
