package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// rule is a string validator over one of the client's own rules, so that a
// value is judged once, in the same words at validate and at run.
type rule struct {
	description string
	summary     string
	check       func(string) error
}

var (
	baseURLValidator = rule{
		description: "must be an https URL without user name, query or fragment",
		summary:     "Invalid Privasfer base URL",
		check:       func(text string) error { _, err := privasfer.ParseBaseURL(text); return err },
	}
	idValidator = rule{
		description: "must not be empty or contain a slash, a backslash, ?, #, white space or a control character",
		summary:     "Invalid id",
		check:       privasfer.CheckID,
	}
)

func (r rule) Description(context.Context) string         { return r.description }
func (r rule) MarkdownDescription(context.Context) string { return r.description }

// ValidateString implements validator.String. It never repeats the value,
// which may be secret.
func (r rule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, r.summary, err.Error()+".")
	}
}
