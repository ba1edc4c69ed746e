package privasfer

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"
)

// endpoint returns the URL of a path below the base URL. Each element is
// escaped, so that no id can reach another route; an element that a server or
// proxy would resolve away ("", ".", "..") is an error.
func (c *Client) endpoint(query url.Values, elements ...string) (*url.URL, error) {
	var escaped strings.Builder
	escaped.WriteString(c.base.EscapedPath())
	for _, element := range elements {
		if element == "" || element == "." || element == ".." {
			return nil, fmt.Errorf("%q cannot be part of a path of the API", element)
		}
		escaped.WriteString("/" + url.PathEscape(element))
	}
	target := *c.base
	target.RawPath = escaped.String()
	path, err := url.PathUnescape(target.RawPath)
	if err != nil {
		return nil, errors.New("the path of the base URL is not properly escaped")
	}
	target.Path = path
	target.RawQuery = encodeQuery(query)
	return &target, nil
}

// encodeQuery writes lists with plain commas, as the API's pages do.
func encodeQuery(query url.Values) string { return strings.ReplaceAll(query.Encode(), "%2C", ",") }

// CheckID reports why a text cannot be the id of an object: the API's ids are
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

// originOf is a URL's scheme, host and port: whom a request talks to.
func originOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
