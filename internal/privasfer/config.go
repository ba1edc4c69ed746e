package privasfer

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// trim removes surrounding white space, common in files and pasted text, and the
// byte-order mark that some editors on Windows write.
func trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
}

// ErrNoToken is the error for an empty token.
var ErrNoToken = errors.New("the token is empty")

// ParseToken trims a token. It returns an error if the token is empty, begins with the
// word Bearer, or is not printable ASCII without spaces. The error does not show the
// token.
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

// ParsePIN trims a PIN; an empty one means that there is none. It returns an error,
// which does not show the PIN, if the PIN contains a control character.
func ParsePIN(text string) (string, error) {
	pin := trim(text)
	if strings.ContainsFunc(pin, unicode.IsControl) {
		return "", errors.New("the PIN contains a control character, such as a line break")
	}
	return pin, nil
}

// ParseBaseURL returns the base URL of the API's routes, without a trailing slash. It
// must be https, except on a loopback host, since every request sends the token. An
// error does not contain the text, which may hold a password.
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

// parseURL parses a URL and checks the rules for all URLs that users set.
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

// ParseCACertPEM trims certificates in PEM form. It returns an error unless there is at
// least one and every block is a readable certificate.
func ParseCACertPEM(text string) ([]byte, error) {
	text = trim(text)
	// pem.Decode skips a block that it cannot read.
	blocks := strings.Count(text, "-----BEGIN ")
	for rest := []byte(text); ; blocks-- {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("it contains a PEM block that is not a CERTIFICATE")
		}
		// AppendCertsFromPEM skips a certificate with headers.
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

// certPool returns the system's certificates and the given ones.
func certPool(caCertPEM []byte) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil { // the system has none
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(caCertPEM)
	return pool
}
