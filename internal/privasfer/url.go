package privasfer

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"
)

// endpoint returns the URL of a path below the base URL. It escapes each element, so
// that no id can reach another route, and returns an error for an element that a server
// or proxy would resolve away ("", ".", "..").
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

// encodeQuery encodes a query with plain commas in lists, as on the API's pages.
func encodeQuery(query url.Values) string { return strings.ReplaceAll(query.Encode(), "%2C", ",") }

// CheckID returns an error if id cannot be the id of an object. Ids are path elements,
// which a slash or a question mark, for example, would end.
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

// DownloadURL is a template of the URL at which a download is performed.
type DownloadURL struct {
	template string
	path     string // of the template
}

// Placeholders in a DownloadURL, for the public key and the id of a download.
const (
	keyPlace = "{key}"
	idPlace  = "{id}"
)

// ParseDownloadURL parses a URL with {key}, {id} or both in its path or query, each at
// most once. Like the base URL, it must be https, except on a loopback host. The API
// publishes no such URL, so there is no default.
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

// NeedsKey reports whether the URL contains the download's public key.
func (u *DownloadURL) NeedsKey() bool { return strings.Contains(u.template, keyPlace) }

// For returns the URL of a download, with its id and public key escaped.
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

// originOf returns a URL's scheme, host and port.
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
