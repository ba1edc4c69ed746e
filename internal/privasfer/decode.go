package privasfer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// object is a pointer to an API type that can validate itself.
type object[T any] interface {
	*T
	check() error
}

// Nullable is an object that may be null. PHP writes an empty object as [], which counts
// as null.
type Nullable[T any] struct{ Value *T }

// UnmarshalJSON implements json.Unmarshaler.
func (n *Nullable[T]) UnmarshalJSON(text []byte) error {
	n.Value = nil
	if text[0] == '[' && len(bytes.TrimSpace(text[1:len(text)-1])) == 0 {
		return nil
	}
	return json.Unmarshal(text, &n.Value)
}

// decode decodes the object in a response's envelope, {"data": …}. It returns an error
// unless the object is complete and valid. The error names the problem and its place,
// and contains nothing from the response.
func decode[T any, P object[T]](body []byte) (P, error) {
	var envelope struct {
		Data Nullable[T] `json:"data"`
	}
	if err := unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	value := P(envelope.Data.Value)
	if value == nil {
		return nil, errNoData
	}
	if err := value.check(); err != nil {
		return nil, err
	}
	return value, nil
}

var (
	errNoData = errors.New(`the response has no "data"`)
	errHTML   = errors.New("the response is an HTML page, not JSON")
)

// unmarshal is json.Unmarshal with errors that are safe to show: the standard
// ones contain values of the response.
func unmarshal(body []byte, to any) error {
	trimmed := bytes.TrimSpace(body)
	switch {
	case len(trimmed) == 0:
		return errors.New("the response is empty")
	case trimmed[0] == '<':
		return errHTML
	case !utf8.Valid(body):
		// encoding/json would silently replace it by U+FFFD.
		return errors.New("the response is not valid UTF-8")
	}
	err := json.Unmarshal(body, to)
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("the response is not valid JSON: error at byte %d of %d", syntax.Offset, len(body))
	case errors.As(err, &mismatch):
		// Value may be "number 1.5": its first word is the type.
		found, _, _ := strings.Cut(mismatch.Value, " ")
		// encoding/json puts the name of an embedded struct into the path.
		field := strings.ReplaceAll(mismatch.Field, "position.", "")
		return fmt.Errorf("%q has the type %s instead of %s", cmp.Or(field, "the response"), found, jsonType(mismatch.Type))
	}
	return errors.New("the response is not valid JSON")
}

// jsonType names a Go type in JSON's terms.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Int64:
		return "64-bit integer"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array"
	default:
		return "object"
	}
}

// missingID returns the error for an object without an id. place is its path in the
// response.
func missingID(place string) error {
	return fmt.Errorf(`the response has no %q`, place+".id")
}
