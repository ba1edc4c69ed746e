package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// rule is a string validator that calls check, which is in the client for most
// arguments, so that each rule is written once.
type rule struct {
	description string
	summary     string
	subject     string // begins the sentence of the error
	hint        string // ends the detail of the error; may be empty
	check       func(string) error
}

var (
	baseURLValidator = rule{
		description: "must be an https URL without a user name, query or fragment",
		summary:     "Invalid Privasfer base URL",
		subject:     "The URL",
		hint:        " An example is " + privasfer.DefaultBaseURL + ".",
		check:       func(text string) error { _, err := privasfer.ParseBaseURL(text); return err },
	}
	downloadURLValidator = rule{
		description: "must be an https URL with {key} or {id} in its path or query",
		summary:     "Invalid Privasfer download URL",
		subject:     "The URL",
		check:       func(text string) error { _, err := privasfer.ParseDownloadURL(text); return err },
	}
	requestTimeoutValidator = rule{
		description: "must be a duration greater than zero, such as 45s",
		summary:     "Invalid request timeout",
		subject:     "The timeout",
		check:       func(text string) error { _, err := parseTimeout(text); return err },
	}
	caCertPEMValidator = rule{
		description: "must contain PEM-encoded certificates",
		summary:     "Invalid CA certificates",
		subject:     "The text",
		check:       func(text string) error { _, err := privasfer.ParseCACertPEM(text); return err },
	}
	idValidator = rule{
		description: "must not be empty, . or .., or contain a slash, a backslash, ?, #, whitespace or a control character",
		summary:     "Invalid id",
		subject:     "The id",
		check:       privasfer.CheckID,
	}
)

func (r rule) Description(context.Context) string         { return r.description }
func (r rule) MarkdownDescription(context.Context) string { return r.description }

// ValidateString implements validator.String.
func (r rule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if known(req.ConfigValue) {
		r.report(&resp.Diagnostics, req.Path, r.check(req.ConfigValue.ValueString()))
	}
}

// report adds err, if it is not nil, as an error at a path. The error does not
// contain the value, which may be secret.
func (r rule) report(diags *diag.Diagnostics, at path.Path, err error) {
	if err != nil {
		diags.AddAttributeError(at, r.summary, fmt.Sprintf("%s is invalid: %s.%s", r.subject, err, r.hint))
	}
}

func parseTimeout(text string) (time.Duration, error) {
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout <= 0 {
		return 0, errors.New("it must be a duration greater than zero, such as 45s or 2m")
	}
	return timeout, nil
}
