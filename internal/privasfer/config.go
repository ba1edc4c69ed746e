package privasfer

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"strings"
	"unicode"
)

// ParseToken cuts the white space around a token, which a file or a pasted
// secret often brings along. An empty token, or one that an HTTP header cannot
// carry, is an error that does not repeat it.
func ParseToken(text string) (string, error) {
	token := strings.TrimSpace(text)
	if token == "" {
		return "", errors.New("the token is empty")
	}
	if strings.ContainsFunc(token, unicode.IsControl) {
		return "", errors.New("the token contains a control character, such as a line break in its middle; " +
			"copy it again from the profile's API page, in one piece")
	}
	return token, nil
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
	parsed, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL")
	case parsed.Scheme != "https" && parsed.Scheme != "http":
		return nil, errors.New("it must begin with https://")
	case parsed.Hostname() == "":
		return nil, errors.New("it names no host")
	case parsed.Scheme == "http" && !isLoopback(parsed.Hostname()):
		return nil, errors.New("it must begin with https://, because what travels there is secret; " +
			"plain http is taken for a loopback host only")
	case parsed.User != nil:
		return nil, errors.New("it must not contain a user name or a password")
	case parsed.Fragment != "" || strings.Contains(text, "#"):
		return nil, errors.New("it must not contain a fragment (#)")
	}
	return parsed, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// CheckID tells why a text cannot be the id of an object: the API's ids are
// path elements, and these characters would end the element, or the path.
func CheckID(id string) error {
	switch {
	case id == "":
		return errors.New("it must not be empty")
	case id == "." || id == "..":
		return errors.New(`it must not be "." or ".."`)
	case strings.ContainsAny(id, `/\?#`):
		return errors.New("it must not contain a slash, a backslash, a question mark or a number sign")
	case strings.ContainsFunc(id, unicode.IsSpace):
		return errors.New("it must not contain white space")
	case strings.ContainsFunc(id, unicode.IsControl):
		return errors.New("it must not contain a control character")
	}
	return nil
}

// ParseCACertPEM checks that a text holds at least one certificate in PEM and
// nothing that cannot be read as one.
func ParseCACertPEM(text string) ([]byte, error) {
	rest := []byte(text)
	found := false
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("it holds a block that is no CERTIFICATE")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, errors.New("it holds a certificate that cannot be read")
		}
		found = true
	}
	if !found {
		return nil, errors.New("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
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
