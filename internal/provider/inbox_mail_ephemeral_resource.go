package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	eph "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var _ ephemeral.EphemeralResourceWithConfigure = (*inboxMailEphemeralResource)(nil)

func newInboxMailEphemeralResource() ephemeral.EphemeralResource {
	return &inboxMailEphemeralResource{lookup: inboxMailLookup}
}

// inboxMailEphemeralResource reads a mail as the data source does, without storing
// it. It has nothing to renew and nothing to close.
type inboxMailEphemeralResource struct {
	*lookup[privasfer.InboxMail]
	provider *configured
}

func (r *inboxMailEphemeralResource) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + r.name
}

func (r *inboxMailEphemeralResource) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	attributes := ephemeralAttributes(r.schema)
	attributes["enabled"] = enabledArgument("read the mail", "read")
	resp.Schema = eph.Schema{
		MarkdownDescription: "Reads a mail in the inbox of the token's owner, with the download that came with it. " +
			"Nothing is stored in the plan or the state. " +
			"Use it if the `body` is a secret, for example to pass it to a write-only argument.",
		Attributes: attributes,
	}
}

func (r *inboxMailEphemeralResource) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	r.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

// Open reads the mail, unless enabled is false.
func (r *inboxMailEphemeralResource) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	enabled := argument[types.Bool](ctx, req.Config, "enabled", &resp.Diagnostics)
	if resp.Diagnostics.HasError() || isDisabled(enabled) {
		return // the framework returns the configuration: every computed attribute is null
	}
	values := r.find(ctx, r.provider, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(setResults(ctx, &resp.Result, req.Config, values)...)
}
