// Package provider is the Terraform and OpenTofu provider for Privasfer: the
// schemas, what the API's objects become in Terraform, and the life of the
// ephemeral download. The API itself is the business of internal/privasfer.
//
// An object of the API has a file (file.go, inbox_mail.go, mail.go): its
// constructors, its attributes, and the mapping from the API's object to their
// values as a pure function. Read and Open are written once for each kind:
// lookup_data_source.go, list_data_source.go, …_ephemeral_resource.go.
package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var (
	_ provider.Provider                       = (*privasferProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*privasferProvider)(nil)
	_ provider.ProviderWithFunctions          = (*privasferProvider)(nil)
)

// Option changes what a test or the demo has to change. The released provider
// takes none.
type Option func(*privasferProvider)

// WithClock replaces the machine's clock.
func WithClock(now func() time.Time) Option {
	return func(p *privasferProvider) { p.now = now }
}

// WithDownloadLifetime replaces the minute that a download lives, so that its
// end can be seen without waiting for it.
func WithDownloadLifetime(lifetime time.Duration) Option {
	return func(p *privasferProvider) { p.downloadLifetime = lifetime }
}

// WithRetryWait replaces the first wait before a request is repeated, so that
// a test of repeating need not wait for seconds.
func WithRetryWait(wait time.Duration) Option {
	return func(p *privasferProvider) { p.retryWait = wait }
}

// New returns the provider's constructor. The version goes into the user
// agent.
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &privasferProvider{
			version:          version,
			now:              time.Now,
			downloadLifetime: privasfer.DownloadLifetime,
		}
		for _, option := range options {
			option(p)
		}
		return p
	}
}

type privasferProvider struct {
	version          string
	now              func() time.Time
	downloadLifetime time.Duration
	retryWait        time.Duration // 0: the client's own
}

type providerModel struct {
	Token          types.String `tfsdk:"token"`
	BaseURL        types.String `tfsdk:"base_url"`
	RequestTimeout types.String `tfsdk:"request_timeout"`
	MaxRetries     types.Int64  `tfsdk:"max_retries"`
	CACertPEM      types.String `tfsdk:"ca_cert_pem"`
	DownloadURL    types.String `tfsdk:"download_url"`
}

func (p *privasferProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "privasfer"
	resp.Version = p.version
}

func (p *privasferProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads mails and files at [Privasfer](https://privasfer.com), a secure " +
			"file transfer service, and creates single-use downloads that live one minute.",
		Attributes: map[string]schema.Attribute{
			"token": schema.StringAttribute{
				MarkdownDescription: "The API token, made on the profile's API page. White space around it is cut. " +
					"May be given by the environment variable `" + envToken + "` instead.",
				Optional:  true,
				Sensitive: true,
			},
			"base_url": schema.StringAttribute{
				MarkdownDescription: "The URL of the API, `" + privasfer.DefaultBaseURL + "` by default. It must begin with " +
					"`https://`, except for a loopback host, and have no user name, query or fragment. " +
					"May be given by the environment variable `" + envBaseURL + "` instead.",
				Optional:   true,
				Validators: []validator.String{baseURLValidator},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "How long one attempt of a request may take, from the connection to the last byte of the answer, " +
					"as a duration such as `45s` or `2m`; `30s` by default.",
				Optional:   true,
				Validators: []validator.String{requestTimeoutValidator},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "How often a request is repeated at most, for whatever reason: 0 to 10, 4 by default. 0 turns repeating off.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(0, 10)},
			},
			"ca_cert_pem": schema.StringAttribute{
				MarkdownDescription: "Certificates in PEM form to trust besides those that the machine trusts, for a proxy that inspects TLS.",
				Optional:            true,
				Validators:          []validator.String{caCertPEMValidator},
			},
			"download_url": schema.StringAttribute{
				MarkdownDescription: "Where a download is performed, with `{id}` once in its path or query, in the place of the download's id. " +
					"Only `perform` of `privasfer_download` needs it. Privasfer's documentation of the API does not publish such a URL, so there is " +
					"no default: it is yours to find out. It must begin with `https://`, except for a loopback host. " +
					"May be given by the environment variable `" + envDownloadURL + "` instead.",
				Optional:   true,
				Validators: []validator.String{downloadURLValidator},
			},
		},
	}
}

// Configure checks the arguments and builds the client. It calls nothing on
// the network: a plan that reads nothing needs no API.
func (p *privasferProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	configured := p.configure(model, req.TerraformVersion, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.DataSourceData = configured
	resp.EphemeralResourceData = configured
}

func (p *privasferProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newFileDataSource,
		newFilesDataSource,
		newInboxMailDataSource,
		newInboxMailsDataSource,
		newMailDataSource,
		newMailsDataSource,
	}
}

func (p *privasferProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{
		newDownloadEphemeralResource,
		newInboxMailEphemeralResource,
	}
}

func (p *privasferProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newRFC3339Function}
}

// Resources returns none: the provider manages nothing.
func (p *privasferProvider) Resources(context.Context) []func() resource.Resource {
	return nil
}
