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
		return errors.New("it must not contain whitespace")
	case strings.ContainsFunc(id, unicode.IsControl):
		return errors.New("it must not contain a control character")
	}
	return nil
}

// DownloadURL is where a download is performed: a URL with a place for what
// names the download.
type DownloadURL struct {
	template string
	path     string // of the template
}

// The places in a DownloadURL: for a download's public key, and for its id.
const (
	keyPlace = "{key}"
	idPlace  = "{id}"
)

// ParseDownloadURL returns where a download is performed: a URL with {key} or
// {id} in its path or its query, or each of them once. Like the base URL it must be
// https, except on a loopback host. The API publishes no such URL, so there is
// no default.
func ParseDownloadURL(text string) (*DownloadURL, error) {
	text = trim(text)
	keys, ids := strings.Count(text, keyPlace), strings.Count(text, idPlace)
	if keys+ids == 0 || keys > 1 || ids > 1 {
		return nil, errors.New("it must contain {key} for the public download key, {id} for the id of the download, or both, each at most once")
	}
	parsed, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	if places := parsed.Path + "?" + parsed.RawQuery; strings.Count(places, keyPlace) != keys || strings.Count(places, idPlace) != ids {
		return nil, errors.New("it must contain {key} and {id} in its path or query, unescaped")
	}
	return &DownloadURL{template: text, path: parsed.Path}, nil
}

// NeedsKey reports that the URL is made from the download's public key.
func (u *DownloadURL) NeedsKey() bool { return strings.Contains(u.template, keyPlace) }

// For returns the URL of a download, with its id and its public key escaped for
// their places.
func (u *DownloadURL) For(id, key string) (*url.URL, error) {
	for _, value := range []string{id, key} {
		if value == "." || value == ".." {
			return nil, errors.New("the download has an id or a key that cannot be part of a URL")
		}
	}
	path, query, hasQuery := strings.Cut(u.template, "?")
	filled := strings.NewReplacer(keyPlace, url.PathEscape(key), idPlace, url.PathEscape(id)).Replace(path)
	if hasQuery {
		filled += "?" + strings.NewReplacer(keyPlace, url.QueryEscape(key), idPlace, url.QueryEscape(id)).Replace(query)
	}
	return url.Parse(filled)
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
