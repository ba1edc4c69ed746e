package privasfer

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// trim cuts what a file or a pasted text often brings along: white space, and
// the byte-order mark that some editors on Windows write.
func trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
}

// ErrNoToken is the error of a token that is empty.
var ErrNoToken = errors.New("the token is empty")

// ParseToken trims a token. One that is empty, or not printable ASCII without
// spaces, is an error that says what is wrong and does not show it.
func ParseToken(text string) (string, error) {
	token := trim(text)
	const again = "; copy it again, or create a new one on the API page of your profile"
	scheme, _, _ := strings.Cut(token, " ")
	switch {
	case token == "":
		return "", ErrNoToken
	case strings.EqualFold(scheme, "Bearer") && scheme != token:
		return "", errors.New("the token begins with the word Bearer; remove the word, because the provider adds it")
	case strings.ContainsFunc(token, unicode.IsControl):
		return "", errors.New("the token contains a control character, such as a line break" + again)
	case strings.ContainsFunc(token, unicode.IsSpace):
		return "", errors.New("the token contains a space" + again)
	case strings.ContainsFunc(token, func(r rune) bool { return r > unicode.MaxASCII }):
		return "", errors.New("the token contains a character that is not ASCII, perhaps an invisible one" + again)
	}
	return token, nil
}

// ParsePIN trims a PIN, which may be empty: then there is none. A control
// character inside is an error that does not repeat it.
func ParsePIN(text string) (string, error) {
	pin := trim(text)
	if strings.ContainsFunc(pin, unicode.IsControl) {
		return "", errors.New("the PIN contains a control character, such as a line break")
	}
	return pin, nil
}

// ParseBaseURL returns the URL below which the API's routes are, without a
// trailing slash. It must be https, except on a loopback host, since the token
// travels with every request. An error does not repeat the text, which may
// hold a password.
func ParseBaseURL(text string) (*url.URL, error) {
	parsed, err := parseURL(text)
	switch {
	case err != nil:
		return nil, err
	case parsed.RawQuery != "" || parsed.ForceQuery:
		return nil, errors.New("it must not contain a query (?)")
	}
	cut := strings.TrimRight(parsed.EscapedPath(), "/")
	parsed.RawPath = cut
	parsed.Path, err = url.PathUnescape(cut)
	if err != nil {
		return nil, errors.New("it is not a URL")
	}
	return parsed, nil
}

// parseURL holds what is true of each URL that a user gives.
func parseURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(trim(text))
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL")
	case parsed.Scheme != "https" && parsed.Scheme != "http":
		return nil, errors.New("it must begin with https://")
	case parsed.Hostname() == "":
		return nil, errors.New("it must contain a host")
	case parsed.Scheme == "http" && !isLoopback(parsed.Hostname()):
		return nil, errors.New("it must begin with https://, because secrets are sent to it; " +
			"http is allowed for a loopback host only")
	case parsed.User != nil:
		return nil, errors.New("it must not contain a user name or a password")
	case parsed.Fragment != "" || strings.Contains(text, "#"):
		return nil, errors.New("it must not contain a fragment (#)")
	}
	return parsed, nil
}

// ParseCACertPEM trims a text of certificates in PEM form and checks that it
// holds at least one and no block that cannot be read as one.
func ParseCACertPEM(text string) ([]byte, error) {
	text = trim(text)
	// pem.Decode passes over a block that it cannot read.
	blocks := strings.Count(text, "-----BEGIN ")
	for rest := []byte(text); ; blocks-- {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("it contains a PEM block that is not a CERTIFICATE")
		}
		// AppendCertsFromPEM passes over a certificate with headers.
		if _, err := x509.ParseCertificate(block.Bytes); err != nil || len(block.Headers) > 0 {
			return nil, errors.New("it contains a certificate that cannot be parsed")
		}
	}
	switch {
	case !strings.Contains(text, "-----BEGIN "):
		return nil, errors.New("it contains no PEM-encoded certificate (-----BEGIN CERTIFICATE-----)")
	case blocks > 0:
		return nil, errors.New("it contains a PEM block that is broken or does not begin on a new line")
	}
	return []byte(text), nil
}

// certPool is the machine's certificates and the given ones.
func certPool(caCertPEM []byte) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil { // a machine without any
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(caCertPEM)
	return pool
}
