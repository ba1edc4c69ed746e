package privasfer

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Kind is why a call failed. It is set where the failure happens, and with the
// status it decides what is retried and what a user is advised to do.
type Kind int

// The kinds of failure.
const (
	Rejected        Kind = iota + 1 // the response has an error status
	Redirected                      // the response leads elsewhere
	Unusable                        // the response is not what the API documents
	TooLarge                        // the response has more bytes than an object of the API may have
	ContentTooLarge                 // the content has more bytes than it may have
	Unwritable                      // the content could not be written where it was to go
	ListTooLong                     // the list has more objects, pages or bytes than it may have
	RateLimited                     // the API's rate limit keeps the request from being sent
	Unreachable                     // no connection was established, to the API or to a proxy
	Untrusted                       // the server's certificate is not trusted
	TimedOut                        // the attempt took longer than it may
	Disconnected                    // the connection broke, or what came is not HTTP
	DownloadOver                    // the download's minute ended first
	Canceled                        // the caller's context ended
	Invalid                         // the request could not be built
)

// Lengths at which foreign text in an error is cut, in characters.
const (
	maxMessageLength = 300
	maxPathLength    = 120
	maxFieldErrors   = 10
)

// APIError is the error of a call to the API. It holds nothing secret and
// nothing long, so it can be shown as it is.
type APIError struct {
	Kind Kind

	Method string
	Path   string // escaped, without the query
	Status int    // HTTP status; 0 where no response came

	RequestID string // of the response, where it names one
	Message   string // the API's own words, where it sent any

	// Fields are the API's complaints about single inputs, by the API's name
	// of the input ("files", "files.0"). See its page on error handling.
	Fields []FieldError

	// MoreFields counts the complaints beyond those in Fields.
	MoreFields int

	Attempts int // requests that were sent

	// RetryAfter is how long the API asked to wait, where it did.
	RetryAfter time.Duration

	NotProcessed bool // the server rejected the request, or was not sent it

	// Err is why a call failed, where it is not the API that says so.
	Err error
}

// FieldError is what the API says of one input.
type FieldError struct {
	Field   string
	Value   string // the element that the API counts, such as the id of "files.0"; "" for a whole input
	Message string
}

// Error names the request and what came of it, in one line.
func (e *APIError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&text, " returned %d", e.Status)
		if name := http.StatusText(e.Status); name != "" { // 419 has none
			fmt.Fprintf(&text, " %s", name)
		}
	}
	switch {
	case e.Err != nil:
		fmt.Fprintf(&text, ": %s", e.Err)
	case e.Message != "":
		fmt.Fprintf(&text, ": %s", e.Message)
	}
	for _, field := range e.Fields {
		fmt.Fprintf(&text, " [%s: %s]", field.Field, field.Message)
	}
	if e.MoreFields > 0 {
		fmt.Fprintf(&text, " [and %d more]", e.MoreFields)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&text, " (request id %s)", e.RequestID)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&text, " (after %d attempts)", e.Attempts)
	}
	if e.RetryAfter > 0 && e.Status != 0 { // else Err says it
		fmt.Fprintf(&text, " (Retry-After of %s)", e.RetryAfter.Round(time.Second))
	}
	return text.String()
}

// Unwrap gives access to the cause, context errors included.
func (e *APIError) Unwrap() error { return e.Err }

// HasField reports that an error is the API's complaint about an input.
func HasField(err error, name string) bool {
	var failure *APIError
	return errors.As(err, &failure) && failure.Status == http.StatusUnprocessableEntity &&
		slices.ContainsFunc(failure.Fields, func(field FieldError) bool { return field.Field == name })
}

// retryable reports whether another attempt may succeed. One that is not safe,
// since it creates or uses a download, needs a server that did nothing.
func (e *APIError) retryable(safe bool) bool {
	switch e.Kind {
	case Unreachable, TimedOut, Disconnected:
		return safe || e.NotProcessed
	case Rejected:
		switch e.Status {
		case http.StatusTooManyRequests:
			return true
		case http.StatusServiceUnavailable:
			return safe || e.NotProcessed
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
			return safe
		}
	}
	return false
}

// tooLarge is the failure of a response with more than limit bytes; of size, if
// that was announced.
func (k Kind) tooLarge(limit, size int64) *APIError {
	text := fmt.Sprintf("%d bytes", limit)
	if limit%(1<<20) == 0 {
		text = fmt.Sprintf("%d MiB", limit>>20)
	}
	if size > 0 {
		return &APIError{Kind: k, Err: fmt.Errorf("the response has %d bytes and is larger than %s", size, text)}
	}
	return &APIError{Kind: k, Err: errors.New("the response is larger than " + text)}
}

func cutShort(err error) *APIError {
	return &APIError{Kind: Disconnected, Err: fmt.Errorf("the response was cut short: %w", err)}
}

// rejection completes the error of a response with an error status. The API
// documents {"message": "…", "errors": {"field": ["…"]}}; anything else is taken
// for what it is worth, since the status alone says enough.
func (e *APIError) rejection(body []byte) {
	var parsed struct {
		Message any `json:"message"`
		Errors  any `json:"errors"`
	}
	if err := unmarshal(body, &parsed); err != nil {
		if errors.Is(err, errHTML) { // perhaps a proxy's or a firewall's
			e.Err = err
		}
		return
	}
	e.Message, _ = parsed.Message.(string)
	fields, ok := parsed.Errors.(map[string]any)
	if !ok {
		fields = map[string]any{"errors": parsed.Errors}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		messages := texts(fields[name], nil)
		switch {
		case len(messages) == 0:
		case len(e.Fields) == maxFieldErrors:
			e.MoreFields++
		default:
			e.Fields = append(e.Fields, FieldError{Field: name, Message: strings.Join(messages, " ")})
		}
	}
}

// texts collects the first texts in a JSON value, however they are nested.
func texts(value any, found []string) []string {
	if len(found) == maxFieldErrors {
		return found
	}
	switch value := value.(type) {
	case string:
		return append(found, value)
	case []any:
		for _, element := range value {
			found = texts(element, found)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			found = texts(value[key], found)
		}
	}
	return found
}

// scrub makes every foreign text of the error fit to be shown: without secrets,
// without control characters, which a terminal would obey, and cut.
func (e *APIError) scrub(secrets ...string) {
	e.Path = clean(e.Path, secrets, maxPathLength)
	e.RequestID = clean(e.RequestID, secrets, maxPathLength)
	e.Message = clean(e.Message, secrets, maxMessageLength)
	for i := range e.Fields {
		field := &e.Fields[i]
		field.Field = clean(field.Field, secrets, maxPathLength)
		field.Value = clean(field.Value, secrets, maxPathLength)
		field.Message = clean(field.Message, secrets, maxMessageLength)
	}
	e.Fields = slices.DeleteFunc(e.Fields, func(field FieldError) bool { return field.Message == "" })
	// net/http's errors repeat what it could not read of a response.
	if e.Err != nil {
		if text := clean(e.Err.Error(), secrets, maxMessageLength); text != e.Err.Error() {
			e.Err = &cleanedError{text, e.Err}
		}
	}
}

// cleanedError is an error with a text that is fit to be shown.
type cleanedError struct {
	text string
	err  error
}

func (e *cleanedError) Error() string { return e.text }
func (e *cleanedError) Unwrap() error { return e.err }

func clean(text string, secrets []string, length int) string {
	text = strings.Map(printable, text)
	for _, secret := range secrets {
		// Somebody may have taken a token for an id: then it is escaped.
		for _, form := range []string{secret, url.PathEscape(secret), url.QueryEscape(secret)} {
			if form = strings.Map(printable, form); form != "" {
				text = strings.ReplaceAll(text, form, "***")
			}
		}
	}
	if runes := []rune(text); len(runes) > length {
		text = string(runes[:length]) + "…"
	}
	return strings.TrimSpace(text)
}

func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}
