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

// Lengths at which foreign text in an error is cut, in characters. They leave
// room for any message an API means for people and for nothing else.
const (
	maxMessageLength = 300
	maxPathLength    = 120
	maxFieldErrors   = 10
	maxFieldsLength  = 500 // of all field errors but the first
)

// APIError is the one error of a call that was made: the API refused it, its
// answer could not be used, or there was none. It holds nothing secret and
// nothing long, so it can be shown as it is.
type APIError struct {
	Method string
	Path   string // escaped, without the query
	Status int    // HTTP status; 0 where no answer came

	RequestID string // of the answer, where it names one
	Message   string // the API's own words, where it sent any

	// Fields are the API's complaints about single inputs, by the API's name
	// of the input ("files", "files.0"). See its page on error handling.
	Fields []FieldError

	// MoreFields counts the complaints beyond those in Fields.
	MoreFields int

	Attempts int // requests that were sent

	// RetryAfter is how long the API asked to wait, where it did.
	RetryAfter time.Duration

	// NeverSent tells that the latest request had no connection to be sent on.
	NeverSent bool

	// idle tells that the API says that it did nothing: 503 with Retry-After.
	idle bool

	// Err is why a call failed that the API did not refuse: no answer, or an
	// answer that is not what the API documents.
	Err error
}

// FieldError is what the API says of one input.
type FieldError struct {
	Field   string
	Message string
}

// Error says what was asked and what came of it, in one line.
func (e *APIError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&text, " was answered %d", e.Status)
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
		fmt.Fprintf(&text, " (the API asked to wait %s)", e.RetryAfter.Round(time.Second))
	}
	return text.String()
}

// Unwrap gives access to why no usable answer came, context errors included.
func (e *APIError) Unwrap() error { return e.Err }

// Unusable tells that an answer came with a good status and is not what the
// API documents.
func (e *APIError) Unusable() bool { return e.Status >= 200 && e.Status <= 299 }

// MayHaveActed tells that the API may have done what it was asked although the
// call failed: its answer is unusable or got lost, or it failed midway.
func (e *APIError) MayHaveActed() bool {
	if e.NeverSent || neverSent(e.Err) || e.idle {
		return false
	}
	return e.Status == 0 || e.Unusable() || e.Status >= 500
}

// noAnswer is the error of a call that ended without a whole answer.
func noAnswer(err error) *APIError {
	apiError := &APIError{Err: withoutURL(err)}
	var longWait *longWaitError
	if errors.As(err, &longWait) {
		apiError.RetryAfter = longWait.wait
	}
	return apiError
}

// follow takes over what is known of the call that failed.
func (e *APIError) follow(current *call) {
	e.Attempts = current.attempts
	e.NeverSent = !current.redirected && (current.attempts == 0 || current.connecting.Load() || neverSent(e.Err))
	if e.Status == 0 && !e.NeverSent {
		e.Status = current.status // the answer began
	}
}

// TooLarge tells that the answer had more bytes than it may have.
func (e *APIError) TooLarge() bool {
	var tooLarge *tooLargeError
	return errors.As(e.Err, &tooLarge)
}

// TooLong tells that a list is longer than the client reads.
func (e *APIError) TooLong() bool {
	var tooLong *tooLongError
	return errors.As(e.Err, &tooLong)
}

// TimedOut tells that the last attempt took longer than one may.
func (e *APIError) TimedOut() bool {
	var timeout *timeoutError
	return errors.As(e.Err, &timeout)
}

// refusal reads an answer with an error status. The API documents
// {"message": "…", "errors": {"field": ["…"]}}; anything else is taken for
// what it is worth, since the status alone says enough.
func refusal(response *http.Response, body []byte) *APIError {
	apiError := &APIError{Status: response.StatusCode, RequestID: requestID(response)}
	apiError.RetryAfter, _ = askedWait(response)
	apiError.idle = response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != ""
	var parsed struct {
		Message any `json:"message"`
		Errors  any `json:"errors"`
	}
	if unmarshal(body, "", &parsed) != nil {
		return apiError
	}
	apiError.Message, _ = parsed.Message.(string)
	fields, ok := parsed.Errors.(map[string]any)
	if !ok {
		fields = map[string]any{"errors": parsed.Errors}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		messages := texts(fields[name], nil)
		switch {
		case len(messages) == 0:
		case len(apiError.Fields) == maxFieldErrors:
			apiError.MoreFields++
		default:
			apiError.Fields = append(apiError.Fields, FieldError{Field: name, Message: strings.Join(messages, " ")})
		}
	}
	return apiError
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

// scrub makes every foreign text of the error fit to be shown: what is secret
// taken out, control characters (a terminal would obey them) turned into spaces, and
// its length cut.
func (e *APIError) scrub(secrets ...string) {
	e.Path = clean(e.Path, secrets, maxPathLength)
	e.RequestID = clean(e.RequestID, secrets, maxPathLength)
	e.Message = clean(e.Message, secrets, maxMessageLength)
	for i := range e.Fields {
		field := &e.Fields[i]
		field.Field = clean(field.Field, secrets, maxPathLength)
		field.Message = clean(field.Message, secrets, maxMessageLength)
	}
	e.Fields = slices.DeleteFunc(e.Fields, func(field FieldError) bool { return field.Message == "" })
	length := 0
	for i, field := range e.Fields {
		length += len(field.Field) + len(field.Message)
		if i > 0 && length > maxFieldsLength {
			e.MoreFields += len(e.Fields) - i
			e.Fields = e.Fields[:i]
			break
		}
	}
	// net/http's errors repeat what it could not read of an answer.
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

// requestID is the answer's request id. The API documents none; where a proxy
// or the service sets the customary header, support can find the request by it.
func requestID(response *http.Response) string { return response.Header.Get("X-Request-Id") }
