package privasfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// object is a pointer to one of the API's types that can tell what it lacks to
// be one.
type object[T any] interface {
	*T
	check() error
}

// decode reads the object in an answer's envelope, {"data": …}. What is not a
// whole and valid object is an error that names what was wrong and where, and
// repeats nothing of the answer.
func decode[T any, P object[T]](body []byte) (P, error) {
	var envelope struct {
		Data json.RawMessage `json:"data"`
	}
	if err := unmarshal(body, "", &envelope); err != nil {
		return nil, err
	}
	if len(envelope.Data) == 0 {
		return nil, errNoData
	}
	data, err := lastKeys(envelope.Data)
	if err != nil {
		return nil, err
	}
	var value P
	if err := unmarshal(data, "data", &value); err != nil {
		return nil, err
	}
	if value == nil {
		return nil, errNoData
	}
	if err := value.check(); err != nil {
		return nil, err
	}
	return value, nil
}

// lastKeys writes JSON anew with the last of keys that are the same in an object.
// Decoded into a struct, encoding/json would merge what they hold.
func lastKeys(text []byte) ([]byte, error) {
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, errors.New("the answer is not valid JSON")
	}
	return json.Marshal(tree)
}

var errNoData = errors.New(`the answer has no "data"`)

// unmarshal is json.Unmarshal with errors that are safe to show: the standard
// ones repeat values of the answer. The place is the text's path in the answer.
func unmarshal(body []byte, place string, to any) error {
	trimmed := bytes.TrimSpace(body)
	switch {
	case len(trimmed) == 0:
		return errors.New("the answer is empty")
	case trimmed[0] == '<':
		return errors.New("the answer is a page of HTML, not JSON")
	case !utf8.Valid(body):
		// encoding/json would put U+FFFD in its place and say nothing.
		return errors.New("the answer is not valid UTF-8")
	}
	err := json.Unmarshal(body, to)
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("the answer is not valid JSON: it errs or breaks off at byte %d of %d", syntax.Offset, len(body))
	case errors.As(err, &mismatch):
		// Value may be "number 1.5": its first word is the type.
		found, _, _ := strings.Cut(mismatch.Value, " ")
		field := strings.Trim(place+"."+mismatch.Field, ".")
		if field == "" {
			field = "the answer"
		}
		return fmt.Errorf("%q is of type %s where %s was expected", field, found, jsonType(mismatch.Type))
	}
	return errors.New("the answer is not valid JSON")
}

// jsonType names a Go type in JSON's terms.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Int64:
		return "a whole number of at most 64 bits"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array"
	default:
		return "object"
	}
}

// missingID is the error for an object without its "id". The place is its path
// in the answer.
func missingID(place string) error {
	return fmt.Errorf(`the answer has no %q`, place+".id")
}
