// Package provider implements the Terraform and OpenTofu provider for Privasfer:
// the schemas, the mapping from the API's objects to Terraform's values, and the
// life of an ephemeral download. Package privasfer is the client of the API.
//
// Each object of the API has a file (file.go, inbox_mail.go, mail.go) with its
// constructors, its attributes, and a pure function that returns their values.
// Read and Open are written once for each kind: lookup_data_source.go,
// list_data_source.go, …_ephemeral_resource.go.
package provider

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/action"
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
	_ provider.ProviderWithActions            = (*privasferProvider)(nil)
	_ provider.ProviderWithFunctions          = (*privasferProvider)(nil)
)

// Option changes a setting for a test or the demo.
type Option func(*privasferProvider)

// WithClock replaces time.Now.
func WithClock(now func() time.Time) Option {
	return func(p *privasferProvider) { p.now = now }
}

// WithDownloadLifetime replaces the lifetime of a download, so that a test of its
// expiry does not take a minute.
func WithDownloadLifetime(lifetime time.Duration) Option {
	return func(p *privasferProvider) { p.downloadLifetime = lifetime }
}

// WithRetryWait replaces the first wait before a retry, so that a test of retries
// does not take seconds.
func WithRetryWait(wait time.Duration) Option {
	return func(p *privasferProvider) { p.retryWait = wait }
}

// WithProgressInterval replaces the interval between progress messages of an action.
func WithProgressInterval(interval time.Duration) Option {
	return func(p *privasferProvider) { p.progressInterval = interval }
}

// WithCleanup registers each configured client with a [Cleanup].
func WithCleanup(cleanup *Cleanup) Option {
	return func(p *privasferProvider) { p.cleanup = cleanup }
}

// Cleanup deletes the temporary keys when the process ends. The Close of an
// ephemeral resource cannot do so: the engines do not call it if a consumer fails
// or the run is interrupted.
type Cleanup struct {
	mu      sync.Mutex
	clients []*privasfer.Client
}

func (c *Cleanup) add(client *privasfer.Client) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clients = append(c.clients, client)
}

// Run deletes the temporary keys. It returns within 1.5 s, because an engine kills a
// provider that takes longer than 2 s to exit.
func (c *Cleanup) Run(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var closing sync.WaitGroup
	for _, client := range c.clients {
		closing.Go(func() { client.Close(ctx) })
	}
	closing.Wait()
	c.clients = nil
}

// New returns a constructor of the provider. The version is sent in the User-Agent
// header.
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &privasferProvider{
			version:          version,
			now:              time.Now,
			downloadLifetime: privasfer.DownloadLifetime,
			progressInterval: progressInterval,
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
	retryWait        time.Duration // 0: the client's default
	progressInterval time.Duration
	cleanup          *Cleanup // may be nil
}

type providerModel struct {
	Token          types.String `tfsdk:"token"`
	BaseURL        types.String `tfsdk:"base_url"`
	RequestTimeout types.String `tfsdk:"request_timeout"`
	MaxRetries     types.Int64  `tfsdk:"max_retries"`
	CACertPEM      types.String `tfsdk:"ca_cert_pem"`
	PIN            types.String `tfsdk:"pin"`
	DownloadURL    types.String `tfsdk:"download_url"`
}

func (p *privasferProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "privasfer"
	resp.Version = p.version
}

func (p *privasferProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads the mails and files of a [Privasfer](https://privasfer.com) account, and passes the content of files to other resources " +
			"without storing it in the plan or the state.",
		Attributes: map[string]schema.Attribute{
			"token": schema.StringAttribute{
				MarkdownDescription: "The API token. Create one on the API page of your profile. Surrounding whitespace is trimmed. " +
					"Can also be set with the `" + envToken + "` environment variable.",
				Optional:  true,
				Sensitive: true,
			},
			"base_url": schema.StringAttribute{
				MarkdownDescription: "The URL of the API. It must begin with `https://`, except for a loopback host, and must not contain a user name, query or " +
					"fragment. Can also be set with the `" + envBaseURL + "` environment variable. Defaults to `" + privasfer.DefaultBaseURL + "`.",
				Optional:   true,
				Validators: []validator.String{baseURLValidator},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "The maximum duration of one attempt of a request, from connecting to the last byte of the response, " +
					"such as `45s` or `2m`. Defaults to `30s`.",
				Optional:   true,
				Validators: []validator.String{requestTimeoutValidator},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "The maximum number of retries per request, from 0 to 10. Set to `0` to turn retries off. Defaults to `4`.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(0, 10)},
			},
			"ca_cert_pem": schema.StringAttribute{
				MarkdownDescription: "PEM-encoded CA certificates to trust in addition to those of the system, for example for a proxy that inspects TLS.",
				Optional:            true,
				Validators:          []validator.String{caCertPEMValidator},
			},
			"pin": schema.StringAttribute{
				MarkdownDescription: "Your PIN, which the API requires to create a public download key. Only `privasfer_download` and " +
					"`privasfer_save_download` use it. Surrounding whitespace is trimmed. Can also be set with the `" + envPIN + "` environment variable.",
				Optional:  true,
				Sensitive: true,
			},
			"download_url": schema.StringAttribute{
				MarkdownDescription: "The URL at which a download is performed, with the placeholder `{key}` for the public download key, `{id}` for the id of the download, " +
					"or both. Only `perform` and `url` of `privasfer_download`, and `privasfer_save_download`, use it. The API's documentation " +
					"does not publish the URL, so there is no default. The URL must begin with `https://`, except for a loopback host. " +
					"Can also be set with the `" + envDownloadURL + "` environment variable.",
				Optional:   true,
				Validators: []validator.String{downloadURLValidator},
			},
		},
	}
}

// Configure checks the arguments and creates the client. It makes no request, so a
// plan that reads nothing does not need the API.
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
	resp.ActionData = configured
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

func (p *privasferProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newSaveDownloadAction}
}

func (p *privasferProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newRFC3339Function}
}

// Resources returns nil: the provider has no managed resources.
func (p *privasferProvider) Resources(context.Context) []func() resource.Resource {
	return nil
}
