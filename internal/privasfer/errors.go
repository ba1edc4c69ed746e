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

// Kind is the reason why a call failed. It is set where the failure occurs. With the
// status, it determines what is retried and what users are advised to do.
type Kind int

// The kinds of failure.
const (
	Rejected        Kind = iota + 1 // the response has an error status
	Redirected                      // the response is a redirect that is not followed
	Unusable                        // the response is not what the API documents
	TooLarge                        // the response is larger than an object of the API may be
	ContentTooLarge                 // the content is larger than Performance.Limit
	Unwritable                      // the content could not be written
	ListTooLong                     // the list has too many objects, pages or bytes
	RateLimited                     // the request was not sent because of the API's rate limit
	Unreachable                     // no connection was established, to the API or to a proxy
	Untrusted                       // the server's certificate is not trusted
	TimedOut                        // the attempt exceeded the request timeout
	Disconnected                    // the connection broke, or the response is not valid HTTP
	DownloadExpired                 // the download expired before its content arrived
	Canceled                        // the caller's context ended
	Invalid                         // the request could not be built
)

// Limits on foreign text in an error: lengths in characters, and the number of fields.
const (
	maxMessageLength = 300
	maxPathLength    = 120
	maxFieldErrors   = 10
)

// APIError is the error of a failed call. It contains no secrets and no long text, so it
// can be shown as it is.
type APIError struct {
	Kind Kind

	Method string
	Path   string // escaped, without the query
	Status int    // HTTP status; 0 if there was no response

	RequestID string // of the response, if it has one
	Message   string // the API's own message, if any

	// Fields are the API's errors for single inputs, by the API's name of the input
	// ("files", "files.0"). See its page on error handling.
	Fields []FieldError

	// MoreFields is the number of errors beyond those in Fields.
	MoreFields int

	Attempts int // redirects are not counted

	// RetryAfter is the wait that the API named, or 0.
	RetryAfter time.Duration

	NotProcessed bool // the server rejected the request or did not receive it

	// Err is the cause if the API itself did not report it.
	Err error
}

// FieldError is the API's error for one input.
type FieldError struct {
	Field   string
	Value   string // the numbered element, such as the id for "files.0"; "" for a whole input
	Message string
}

// Error describes the request and its result in one line.
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

// Unwrap returns the cause, which may be a context error.
func (e *APIError) Unwrap() error { return e.Err }

// HasField reports whether err is a 422 response of the API with an error for the named
// input.
func HasField(err error, name string) bool {
	var failure *APIError
	return errors.As(err, &failure) && failure.Status == http.StatusUnprocessableEntity &&
		slices.ContainsFunc(failure.Fields, func(field FieldError) bool { return field.Field == name })
}

// retryable reports whether another attempt may be made. A call that is not safe, such
// as one that creates or uses a download, is retried only if the server did nothing.
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

// tooLarge returns the error for a response of more than limit bytes. size is its
// announced size, or 0.
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

// rejection completes the error of a response with an error status. The API documents
// {"message": "…", "errors": {"field": ["…"]}}. Other forms are used as far as possible,
// and otherwise ignored, since the status alone is enough.
func (e *APIError) rejection(body []byte) {
	var parsed struct {
		Message any `json:"message"`
		Errors  any `json:"errors"`
	}
	if err := unmarshal(body, &parsed); err != nil {
		if errors.Is(err, errHTML) { // perhaps from a proxy or a firewall
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

// texts appends the strings in a JSON value to found, at any depth, up to
// maxFieldErrors.
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

// scrub makes all foreign text in the error safe to show: it masks secrets, replaces
// control characters, which a terminal would obey, and cuts long text.
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
	// Errors of net/http quote what it could not read of a response.
	if e.Err != nil {
		if text := clean(e.Err.Error(), secrets, maxMessageLength); text != e.Err.Error() {
			e.Err = &cleanedError{text, e.Err}
		}
	}
}

// cleanedError is an error with a text that is safe to show.
type cleanedError struct {
	text string
	err  error
}

func (e *cleanedError) Error() string { return e.text }
func (e *cleanedError) Unwrap() error { return e.err }

func clean(text string, secrets []string, length int) string {
	text = strings.Map(printable, text)
	for _, secret := range secrets {
		// A token that was given as an id appears escaped.
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
