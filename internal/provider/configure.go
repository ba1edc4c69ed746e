package provider

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// The environment variables of the provider's arguments.
const (
	envToken       = "PRIVASFER_TOKEN" //nolint:gosec // a variable's name
	envBaseURL     = "PRIVASFER_BASE_URL"
	envPIN         = "PRIVASFER_PIN"
	envDownloadURL = "PRIVASFER_DOWNLOAD_URL"
)

// configured is the result of configuring a provider. The data sources, ephemeral
// resources and actions of the provider share it.
type configured struct {
	client *privasfer.Client // nil if an argument is unknown

	// unknown is the names of the arguments that are unknown. They do not fall back
	// to the environment or a default, which could be another account or host.
	unknown []string

	// Only required to create a key or to perform a download.
	hasPIN             bool
	pinUnknown         bool
	downloadURL        *privasfer.DownloadURL // nil if not set
	downloadURLUnknown bool

	terraformVersion string
	now              func() time.Time
	downloadLifetime time.Duration
	progressInterval time.Duration
}

// configure resolves each argument: the configuration takes precedence over the
// environment, and the environment over the default.
func (p *privasferProvider) configure(model providerModel, terraformVersion string, diags *diag.Diagnostics) *configured {
	result := &configured{
		terraformVersion: terraformVersion,
		now:              p.now,
		downloadLifetime: p.downloadLifetime,
		progressInterval: p.progressInterval,
	}
	for _, argument := range []struct {
		name  string
		value attr.Value
	}{
		{"token", model.Token},
		{"base_url", model.BaseURL},
		{"request_timeout", model.RequestTimeout},
		{"max_retries", model.MaxRetries},
		{"ca_cert_pem", model.CACertPEM},
	} {
		if argument.value.IsUnknown() {
			result.unknown = append(result.unknown, "`"+argument.name+"`")
		}
	}

	config := privasfer.Config{
		Token:      tokenFrom(model.Token, diags),
		BaseURL:    baseURLFrom(model.BaseURL, diags),
		UserAgent:  fmt.Sprintf("terraform-provider-privasfer/%s (+terraform/%s)", p.version, terraformVersion),
		MaxRetries: privasfer.DefaultMaxRetries,
		RetryWait:  p.retryWait,
		Now:        p.now,
	}
	if known(model.RequestTimeout) {
		timeout, err := parseTimeout(model.RequestTimeout.ValueString())
		requestTimeoutValidator.report(diags, path.Root("request_timeout"), err)
		config.RequestTimeout = timeout
	}
	if known(model.MaxRetries) {
		config.MaxRetries = int(model.MaxRetries.ValueInt64())
	}
	if known(model.CACertPEM) {
		certificates, err := privasfer.ParseCACertPEM(model.CACertPEM.ValueString())
		caCertPEMValidator.report(diags, path.Root("ca_cert_pem"), err)
		config.CACertPEM = certificates
	}
	config.PIN = pinFrom(model.PIN, diags)
	result.hasPIN, result.pinUnknown = config.PIN != "", model.PIN.IsUnknown()
	config.DownloadURL = downloadURLFrom(model.DownloadURL, diags)
	result.downloadURL, result.downloadURLUnknown = config.DownloadURL, model.DownloadURL.IsUnknown()
	if len(result.unknown) > 0 || diags.HasError() {
		return result
	}
	result.client = privasfer.New(config)
	p.cleanup.add(result.client)
	return result
}

func known(value attr.Value) bool { return !value.IsNull() && !value.IsUnknown() }

func tokenFrom(argument types.String, diags *diag.Diagnostics) string {
	if argument.IsUnknown() {
		return ""
	}
	text, source := valueOrEnv(argument, "token", envToken)
	token, err := privasfer.ParseToken(text)
	switch {
	case errors.Is(err, privasfer.ErrNoToken):
		detail := "Each request to the API requires a token, which you create on the API page of your profile. Set the provider's `token` " +
			"argument, for example to a sensitive variable, or the environment variable " + envToken + "."
		if !argument.IsNull() {
			detail = "The provider's `token` argument is an empty string. Set it to a token, which you create on the API page of your profile, or " +
				"remove it (or set it to null) to use the environment variable " + envToken + "."
		}
		diags.AddAttributeError(path.Root("token"), "Missing Privasfer token", detail)
	case err != nil:
		diags.AddAttributeError(path.Root("token"), "Invalid Privasfer token", fmt.Sprintf("In %s, %s.", source, err))
	}
	return token
}

func baseURLFrom(argument types.String, diags *diag.Diagnostics) *url.URL {
	if argument.IsUnknown() {
		return nil
	}
	text, source := valueOrEnv(argument, "base_url", envBaseURL)
	if text == "" && argument.IsNull() {
		text = privasfer.DefaultBaseURL
	}
	baseURL, err := privasfer.ParseBaseURL(text)
	if err != nil {
		inSource := baseURLValidator
		inSource.subject = "The URL in " + source
		inSource.report(diags, path.Root("base_url"), err)
	}
	return baseURL
}

func pinFrom(argument types.String, diags *diag.Diagnostics) string {
	if argument.IsUnknown() {
		return ""
	}
	text, source := valueOrEnv(argument, "pin", envPIN)
	pin, err := privasfer.ParsePIN(text)
	if err != nil {
		diags.AddAttributeError(path.Root("pin"), "Invalid Privasfer PIN", fmt.Sprintf("In %s, %s.", source, err))
	}
	return pin
}

func downloadURLFrom(argument types.String, diags *diag.Diagnostics) *privasfer.DownloadURL {
	if argument.IsUnknown() {
		return nil
	}
	text, source := valueOrEnv(argument, "download_url", envDownloadURL)
	if text == "" && argument.IsNull() {
		return nil
	}
	downloadURL, err := privasfer.ParseDownloadURL(text)
	inSource := downloadURLValidator
	inSource.subject = "The URL in " + source
	inSource.report(diags, path.Root("download_url"), err)
	return downloadURL
}

// valueOrEnv returns the value of an argument, or of its environment variable if the
// argument is null, and names the source for an error message.
func valueOrEnv(argument types.String, name, variable string) (text, source string) {
	if argument.IsNull() {
		return os.Getenv(variable), "the environment variable " + variable
	}
	return argument.ValueString(), "the provider's `" + name + "` argument"
}

// configuredFrom returns the data that the provider's Configure has set, or nil
// before Configure has run, as in validation.
func configuredFrom(providerData any, diags *diag.Diagnostics) *configured {
	if providerData == nil {
		return nil
	}
	result, ok := providerData.(*configured)
	if !ok {
		diags.AddError("Unexpected provider data",
			fmt.Sprintf("Expected *provider.configured, got %T. %s", providerData, bugStep))
	}
	return result
}

// require returns the client. If there is none, it adds an error and returns nil.
func (c *configured) require(diags *diag.Diagnostics) *privasfer.Client {
	switch {
	case c == nil:
		diags.AddError("Provider not configured",
			"Privasfer was called before the provider was configured. "+bugStep)
		return nil
	case c.client == nil:
		diags.AddError("Provider configuration not known yet",
			fmt.Sprintf("The value of the provider's %s is not known until apply, but the provider must call the API now. ",
				strings.Join(c.unknown, " and "))+knownStep)
	}
	return c.client
}

// requireDownloadURL adds an error at a path if there is no download URL. It reports
// whether the URL needs a public download key.
func (c *configured) requireDownloadURL(at path.Path, diags *diag.Diagnostics) (needsKey bool) {
	switch {
	case c.downloadURL != nil:
		return c.downloadURL.NeedsKey()
	case c.downloadURLUnknown:
		diags.AddAttributeError(at, "Provider configuration not known yet",
			"The value of the provider's `download_url` is not known until apply, but the provider must perform the download now. "+
				knownStep)
	default:
		diags.AddAttributeError(at, "Missing Privasfer download URL",
			"To perform a download, the provider requires its URL, which the API's documentation does not publish. Set the provider's "+
				"`download_url` argument or the environment variable "+envDownloadURL+" to the URL, with the placeholder {key} for the public "+
				"download key, {id} for the id of the download, or both.")
	}
	return false
}

// requirePIN adds an error at a path if there is no PIN.
func (c *configured) requirePIN(at path.Path, diags *diag.Diagnostics) {
	switch {
	case c.hasPIN:
	case c.pinUnknown:
		diags.AddAttributeError(at, "Provider configuration not known yet",
			"The value of the provider's `pin` is not known until apply, but the provider must create a key now. "+knownStep)
	default:
		diags.AddAttributeError(at, "Missing Privasfer PIN",
			"The API requires your PIN to create a public download key. Set the provider's `pin` argument, for example to a sensitive "+
				"variable, or the environment variable "+envPIN+".")
	}
}

const knownStep = "Set a value that is known at plan, or use -target to first apply what the value depends on."
