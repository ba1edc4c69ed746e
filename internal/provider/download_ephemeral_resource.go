package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/ephemeralvalidator"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	eph "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ ephemeral.EphemeralResourceWithConfigure        = (*downloadEphemeralResource)(nil)
	_ ephemeral.EphemeralResourceWithConfigValidators = (*downloadEphemeralResource)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig   = (*downloadEphemeralResource)(nil)
	_ ephemeral.EphemeralResourceWithRenew            = (*downloadEphemeralResource)(nil)
	_ ephemeral.EphemeralResourceWithClose            = (*downloadEphemeralResource)(nil)
)

func newDownloadEphemeralResource() ephemeral.EphemeralResource { return &downloadEphemeralResource{} }

type downloadEphemeralResource struct {
	provider *configured
}

// The values of on_expiry.
const (
	expiryError   = "error"
	expiryWarning = "warning"
)

func (r *downloadEphemeralResource) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_download"
}

func (r *downloadEphemeralResource) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = eph.Schema{
		MarkdownDescription: "Returns the content of a file, or a download for another program to perform. " +
			"The file is one of a mail that was sent to you, or one that you have uploaded. For an uploaded file, the provider creates a download, " +
			"which is for a single use and lives one minute. Nothing is stored in the plan or the state.",
		Attributes: downloadAttributes(),
	}
}

func (r *downloadEphemeralResource) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	r.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

func (r *downloadEphemeralResource) ConfigValidators(context.Context) []ephemeral.ConfigValidator {
	return []ephemeral.ConfigValidator{
		ephemeralvalidator.ExactlyOneOf(path.MatchRoot("file_ids"), path.MatchRoot("download_id")),
	}
}

// ValidateConfig checks the arguments that depend on each other. An unknown argument
// is accepted, because the engines validate again before Open.
func (r *downloadEphemeralResource) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	downloadID := argument[types.String](ctx, req.Config, "download_id", &resp.Diagnostics)
	createKey := argument[types.Bool](ctx, req.Config, "create_key", &resp.Diagnostics)
	perform := argument[types.Bool](ctx, req.Config, "perform", &resp.Diagnostics)
	switch {
	case perform.ValueBool() && createKey.ValueBool():
		resp.Diagnostics.AddAttributeError(path.Root("create_key"), "Invalid combination of arguments",
			"With `create_key`, a consumer performs the download. With `perform`, the provider performs it. Set one of the two.")
	case known(downloadID) && !perform.IsUnknown() && !createKey.IsUnknown() && !perform.ValueBool() && !createKey.ValueBool():
		resp.Diagnostics.AddAttributeError(downloadIDPath, "Missing argument",
			"`download_id` requires `perform` or `create_key`. Set `perform = true` to get the content, or "+
				"`create_key = true` for a consumer that performs the download itself.")
	}
}

// Open creates the download or its key as configured, and performs the download if
// perform is set. For a download that it created and did not perform, it sets RenewAt
// to the expiry.
func (r *downloadEphemeralResource) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	diags := &resp.Diagnostics
	enabled := argument[types.Bool](ctx, req.Config, "enabled", diags)
	if diags.HasError() || isDisabled(enabled) {
		return // disabled: the framework returns the configuration, every computed attribute is null
	}
	source := downloadSourceOf(ctx, req.Config, diags)
	onExpiry := argument[types.String](ctx, req.Config, "on_expiry", diags)
	createKey := argument[types.Bool](ctx, req.Config, "create_key", diags).ValueBool()
	perform := argument[types.Bool](ctx, req.Config, "perform", diags).ValueBool()
	maxContentBytes := argument[types.Int64](ctx, req.Config, "max_content_bytes", diags)
	r.provider.require(diags)
	at, withKey := path.Root("create_key"), createKey
	if perform && !diags.HasError() {
		at = path.Root("perform")
		withKey = r.provider.requireDownloadURL(at, diags)
	}
	if withKey && !diags.HasError() {
		r.provider.requirePIN(at, diags)
	}
	if diags.HasError() {
		return
	}

	download := r.provider.ready(ctx, source, withKey, diags)
	if diags.HasError() {
		return
	}
	values := downloadValues(download)
	switch {
	case perform:
		content := r.provider.perform(ctx, download, source, maxContentBytes, diags)
		if diags.HasError() {
			return
		}
		maps.Copy(values, content)
	default:
		values["url"] = r.provider.urlValue(download)
		if createKey {
			values["key"] = stringValue(&download.key)
		}
		if source.created() {
			life := downloadLife{ExpiresAt: download.expiresAt, OnExpiry: onExpiry.ValueString()}
			diags.Append(life.save(ctx, resp.Private)...)
			resp.RenewAt = download.expiresAt
		}
	}
	diags.Append(setResults(ctx, &resp.Result, req.Config, values)...)
}
