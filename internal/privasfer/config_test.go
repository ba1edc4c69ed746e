package privasfer

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestParseToken(t *testing.T) {
	t.Parallel()
	const (
		again    = "; copy it again, or create a new one on the API page of your profile"
		bearer   = "the token begins with the word Bearer; remove the word, because the provider adds it"
		control  = "the token contains a control character, such as a line break" + again
		space    = "the token contains a space" + again
		notASCII = "the token contains a character that is not ASCII, perhaps an invisible one" + again
	)
	tests := map[string]struct{ text, token, err string }{
		"plain":                 {text: "17|abc~!%/+=", token: "17|abc~!%/+="},
		"surrounding space":     {text: "\ufeff \t17|abc\u00a0\r\n", token: "17|abc"},
		"named Bearer":          {text: "Bearer", token: "Bearer"},
		"empty":                 {text: "", err: ErrNoToken.Error()},
		"white space":           {text: " \r\n\t\ufeff", err: ErrNoToken.Error()},
		"Bearer":                {text: "Bearer hidden", err: bearer},
		"bearer":                {text: " bearer  hidden ", err: bearer},
		"line break":            {text: "17|\nhidden", err: control},
		"tab":                   {text: "Bearer\thidden", err: control},
		"NUL at the end":        {text: "hidden\x00", err: control},
		"C1 control":            {text: "17|\u0085hidden", err: control},
		"inner space":           {text: "17| hidden", err: space},
		"inner no-break space":  {text: "17|\u00a0hidden", err: space},
		"zero-width space":      {text: "hidden\u200b", err: notASCII},
		"inner byte-order mark": {text: "17|\ufeffhidden", err: notASCII},
		"letter":                {text: "hiddeń", err: notASCII},
		"invalid UTF-8":         {text: "hidden\xff", err: notASCII},
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

func FuzzParseToken(f *testing.F) {
	for _, seed := range []string{"17|abc", "\ufeff 17|abc\r\n", "Bearer x", "a b", "a\x00", "\u200b", "\xff", "\u0085"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseToken(text)
		if (token == "") == (err == nil) {
			t.Fatalf("got %q, %v", token, err)
		}
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) || !strings.Contains(text, token) {
			t.Errorf("%q became %q", text, token)
		}
	})
}

func TestParsePIN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", " \ufeff1a2s3d\r\n": "1a2s3d", "a b": "a b", "\n": ""} {
		if got, err := ParsePIN(text); got != want || err != nil {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	if _, err := ParsePIN("1a\n2s"); err == nil || strings.Contains(err.Error(), "1a") {
		t.Errorf("got %v", err)
	}
}

func TestParseBaseURL(t *testing.T) {
	t.Parallel()
	const (
		noURL     = "it is not a URL"
		scheme    = "it must begin with https://"
		noHost    = "it must contain a host"
		plainHTTP = scheme + ", because secrets are sent to it; http is allowed for a loopback host only"
		userInfo  = "it must not contain a user name or a password"
		query     = "it must not contain a query (?)"
		fragment  = "it must not contain a fragment (#)"
	)
	tests := []struct{ text, want, err string }{
		{text: DefaultBaseURL, want: "https://privasfer.com/api"},
		{text: "https://privasfer.com/", want: "https://privasfer.com"},
		{text: "https://privasfer.com/api///", want: "https://privasfer.com/api"},
		{text: "\ufeff\thttps://privasfer.com/api/ \r\n", want: "https://privasfer.com/api"},
		{text: "HTTPS://privasfer.com:8443/v1/api", want: "https://privasfer.com:8443/v1/api"},
		{text: "https://privasfer.com/a%2Fb%3Fc/%2F/", want: "https://privasfer.com/a%2Fb%3Fc/%2F"},
		{text: "https://privasfer.com/a b", want: "https://privasfer.com/a%20b"},
		{text: "http://LOCALHOST/api/", want: "http://LOCALHOST/api"},
		{text: "http://127.8.8.8", want: "http://127.8.8.8"},
		{text: "http://[::1]:8080/api", want: "http://[::1]:8080/api"},

		{text: "", err: scheme},
		{text: "privasfer.com/api", err: scheme},
		{text: "ftp://privasfer.com/api", err: scheme},
		{text: "https://", err: noHost},
		{text: "https://:8443/api", err: noHost},
		{text: "https:privasfer.com/api", err: noHost},
		{text: "http://privasfer.com/api", err: plainHTTP},
		{text: "http://localhost:pw@example", err: plainHTTP},
		{text: "https://user:pw@privasfer.com", err: userInfo},
		{text: "https://@privasfer.com/api", err: userInfo},
		{text: "http://user:pw@localhost/api", err: userInfo},
		{text: "https://privasfer.com/?token", err: query},
		{text: "https://privasfer.com/api?", err: query},
		{text: "https://privasfer.com/api#pw", err: fragment},
		{text: "https://privasfer.com/api#", err: fragment},
		{text: "https://user:pw@privasfer:com", err: noURL},
		{text: "https://privasfer.com/%zz", err: noURL},
		{text: "https://privasfer.com/a\nb", err: noURL},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			base, err := ParseBaseURL(test.text)
			checkText(t, err, test.err)
			if got := fmt.Sprint(base); err == nil && got != test.want || err != nil && base != nil {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func FuzzParseBaseURL(f *testing.F) {
	for _, seed := range []string{
		DefaultBaseURL, "http://[::1]:8080/a%2Fb//", "https://u:p@privasfer.com/?a#b", " https://privasfer.com/ž\u00a0/ ",
		"http://[::1%25lo]/", "https://%C3%A9/", "https://privasfer.com:/a;b,c", "https://privasfer.com//x", "http:localhost",
	} {
		f.Add(seed, "../a?b#c")
		f.Add(seed, "..")
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		base, err := ParseBaseURL(text)
		if err != nil {
			return
		}
		if base.Scheme != "https" && (base.Scheme != "http" || !isLoopback(base.Hostname())) {
			t.Errorf("the token would travel in the clear: %s", base)
		}
		if base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "" || base.Opaque != "" ||
			strings.HasSuffix(base.EscapedPath(), "/") {
			t.Errorf("more than scheme, host and path: %#v", base)
		}
		again, err := ParseBaseURL(base.String())
		if err != nil || again.String() != base.String() {
			t.Errorf("%s becomes %s, %v", base, again, err)
		}
		target, err := (&Client{base: base}).endpoint(nil, "inbox", id)
		want := base.String() + "/inbox/" + url.PathEscape(id)
		if err == nil && target.String() != want || err != nil && CheckID(id) == nil {
			t.Errorf("got %s (%v), want %s", target, err, want)
		}
	})
}

func TestParseCACertPEM(t *testing.T) {
	t.Parallel()
	const (
		none       = "it contains no PEM-encoded certificate (-----BEGIN CERTIFICATE-----)"
		other      = "it contains a PEM block that is not a CERTIFICATE"
		unreadable = "it contains a certificate that cannot be parsed"
		broken     = "it contains a PEM block that is broken or does not begin on a new line"
	)
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Close()
	block := func(kind string, content []byte, headers map[string]string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Headers: headers, Bytes: content}))
	}
	der := server.Certificate().Raw
	good := block("CERTIFICATE", der, nil)
	key := block("PRIVATE KEY", []byte("x"), nil)
	cut := good[:len(good)/2] + "\n"

	tests := map[string]struct{ text, err string }{
		"one":                      {text: good},
		"several":                  {text: good + good + good},
		"text around":              {text: "The office's CA:\n" + good + "until 2030"},
		"byte-order mark":          {text: "\ufeff" + good},
		"Windows line ends":        {text: "\ufeff" + strings.ReplaceAll(good, "\n", "\r\n")},
		"empty":                    {text: "", err: none},
		"a path":                   {text: "/etc/ssl/ca.pem", err: none},
		"DER":                      {text: string(der), err: none},
		"another type":             {text: key, err: other},
		"another type beside":      {text: good + key, err: other},
		"not X.509":                {text: block("CERTIFICATE", der[1:], nil), err: unreadable},
		"not X.509, beside":        {text: good + block("CERTIFICATE", nil, nil) + good, err: unreadable},
		"with a header, beside":    {text: good + block("CERTIFICATE", der, map[string]string{"K": "V"}), err: unreadable},
		"cut short":                {text: cut, err: broken},
		"cut short, before a good": {text: cut + good, err: broken},
		"cut short, after a good":  {text: good + cut, err: broken},
		"bad base64":               {text: good + strings.Replace(good, "M", "!", 1), err: broken},
		"in one line":              {text: strings.ReplaceAll(good, "\n", " "), err: broken},
		"joined without line end":  {text: strings.TrimSpace(good) + good, err: broken},
		"inner byte-order mark":    {text: good + "\ufeff" + good, err: broken},
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
			options := x509.VerifyOptions{Roots: certPool(got), DNSName: "example.com"}
			if _, err := server.Certificate().Verify(options); err != nil {
				t.Error(err)
			}
		})
	}
}
