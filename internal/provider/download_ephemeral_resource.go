package provider

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	eph "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var (
	_ ephemeral.EphemeralResourceWithConfigure = (*downloadEphemeralResource)(nil)
	_ ephemeral.EphemeralResourceWithRenew     = (*downloadEphemeralResource)(nil)
	_ ephemeral.EphemeralResourceWithClose     = (*downloadEphemeralResource)(nil)
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

// defaultMaxContentBytes is max_content_bytes where it is not given.
const defaultMaxContentBytes = 1 << 20

func (r *downloadEphemeralResource) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_download"
}

func (r *downloadEphemeralResource) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = eph.Schema{
		MarkdownDescription: "A download of one or several files: for a single use, and alive for one minute. " +
			"Nothing of it is kept in a plan or in the state. " +
			"Use it to hand a file to whatever needs it during the run: by the download's id, or by its content with `perform`.",
		Attributes: map[string]eph.Attribute{
			"file_ids": eph.SetAttribute{
				MarkdownDescription: "The ids of the files to download: at least one, none of them empty.",
				Required:            true,
				ElementType:         types.StringType,
				Validators: []validator.Set{
					setvalidator.SizeAtLeast(1),
					setvalidator.NoNullValues(),
					setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1)),
				},
			},
			"enabled": eph.BoolAttribute{
				MarkdownDescription: "Whether to create the download, `true` by default. With `false` nothing is created and every result is null. " +
					"`enabled = terraform.applying` keeps a plan from creating one.",
				Optional: true,
			},
			"on_expiry": eph.StringAttribute{
				MarkdownDescription: "How the end of the minute is reported while the download is still in use: `error` (the default) or `warning`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(expiryError, expiryWarning)},
			},
			"perform": eph.BoolAttribute{
				MarkdownDescription: "Whether to perform the download at once and return its content, `false` by default. It uses the download up. " +
					"The provider's `download_url` has to be set.",
				Optional: true,
			},
			"max_content_bytes": eph.Int64Attribute{
				MarkdownDescription: "How many bytes the content may have at most: 1 to 16777216 (16 MiB), 1048576 (1 MiB) by default. " +
					"The content is copied several times on its way: 16 MiB of text cost the provider up to 190 MB of memory.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(1, 16<<20)},
			},
			"id": eph.StringAttribute{
				MarkdownDescription: "The download's id, treated as a secret.",
				Computed:            true,
				Sensitive:           true,
			},
			"files": eph.ListNestedAttribute{
				MarkdownDescription: "The files in the download, as the API describes them, in its order.",
				Computed:            true,
				NestedObject:        eph.NestedAttributeObject{Attributes: ephemeralAttributes(fileAttributes())},
			},
			"created_at": eph.StringAttribute{
				MarkdownDescription: "When the download was created, " + timeNote,
				Computed:            true,
			},
			"expires_at": eph.StringAttribute{
				MarkdownDescription: "When the download's minute is over, in RFC 3339 and UTC. It is counted as 59 seconds from the sending of the request, " +
					"by this machine's clock, so that it is never later than the truth. Null where the download was performed.",
				Computed: true,
			},
			"content": eph.StringAttribute{
				MarkdownDescription: "The content as text, in Unicode's normal form C as Terraform keeps all text. Null where it is not UTF-8, " +
					"or the download was not performed. Of several files it is what the server makes of them: the API does not say.",
				Computed:  true,
				Sensitive: true,
			},
			"content_base64": eph.StringAttribute{
				MarkdownDescription: "The exact bytes of the content, in base64. Null where the download was not performed.",
				Computed:            true,
				Sensitive:           true,
			},
			"content_sha256": eph.StringAttribute{
				MarkdownDescription: "The SHA-256 checksum of the bytes, in hexadecimal. Null where the download was not performed.",
				Computed:            true,
			},
			"content_type": eph.StringAttribute{
				MarkdownDescription: "The media type as the server says it. Null where it does not, or the download was not performed.",
				Computed:            true,
			},
			"content_length": eph.Int64Attribute{
				MarkdownDescription: "The number of bytes. Null where the download was not performed.",
				Computed:            true,
			},
		},
	}
}

func (r *downloadEphemeralResource) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	r.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

// Open creates the download, unless it is disabled. It performs it if asked to,
// and then there is nothing left that could expire. Otherwise it asks the engine
// to call Renew when the minute is over.
func (r *downloadEphemeralResource) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	enabled := argument[types.Bool](ctx, req.Config, "enabled", &resp.Diagnostics)
	if resp.Diagnostics.HasError() || isDisabled(enabled) {
		return // disabled: the result is the configuration, every computed attribute null
	}
	fileIDs := sortedStrings(ctx, argument[types.Set](ctx, req.Config, "file_ids", &resp.Diagnostics), &resp.Diagnostics)
	onExpiry := argument[types.String](ctx, req.Config, "on_expiry", &resp.Diagnostics)
	perform := argument[types.Bool](ctx, req.Config, "perform", &resp.Diagnostics)
	maxContentBytes := argument[types.Int64](ctx, req.Config, "max_content_bytes", &resp.Diagnostics)
	client := r.provider.require(&resp.Diagnostics)
	if perform.ValueBool() {
		r.provider.requireDownloadURL(path.Root("perform"), &resp.Diagnostics)
	}
	if resp.Diagnostics.HasError() {
		return
	}

	download, sent, err := client.CreateDownload(ctx, fileIDs)
	if err != nil {
		resp.Diagnostics.Append(createDiagnostic(err))
		return
	}
	expiresAt := sent.Add(r.provider.downloadLifetime)
	remaining := expiresAt.Sub(r.provider.now())
	if remaining <= 0 {
		resp.Diagnostics.AddError("Download expired before its response arrived",
			"Privasfer created the download, but its response took longer than the one minute that a download lives. Nothing of it can be used.\n\n"+
				"Run again. If it happens again, the network or the service is too slow for a download to be used at all.")
		return
	}
	values := downloadValues(download)

	if perform.ValueBool() {
		limit := cmp.Or(maxContentBytes.ValueInt64(), defaultMaxContentBytes)
		content, err := client.PerformDownload(ctx, download, remaining, limit)
		if err != nil {
			resp.Diagnostics.Append(performDiagnostic(err))
			return
		}
		maps.Copy(values, contentValues(content))
	} else {
		values["expires_at"] = stringValue(new(expiresAt.UTC().Format(time.RFC3339)))
		life := downloadLife{ExpiresAt: expiresAt, OnExpiry: onExpiry.ValueString()}
		resp.Diagnostics.Append(life.save(ctx, resp.Private)...)
		resp.RenewAt = expiresAt
	}
	resp.Diagnostics.Append(setResults(ctx, &resp.Result, req.Config, values)...)
}

// createDiagnostic is the error where a download could not be created, or the
// response not be used.
func createDiagnostic(err error) diag.Diagnostic {
	var failure *privasfer.APIError
	errors.As(err, &failure)
	if failure != nil && failure.Status == http.StatusUnprocessableEntity {
		if complaints, others := fileComplaints(failure.Fields); complaints != "" {
			rest := *failure
			rest.Fields = others
			return diag.NewAttributeErrorDiagnostic(path.Root("file_ids"), "Privasfer rejects the files",
				complaints+"\n\n"+sentence(rest.Error())+"\n\n"+nextStep(err, atAPI))
		}
	}
	diagnostic := apiErrorDiagnostic("create the download", err)
	if failure != nil && !failure.NotProcessed {
		return diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+
			"\n\nA download may have been created all the same. It lapses within one minute.")
	}
	return diagnostic
}

// fileComplaints are the lines of what the API says of the input "files" and of
// the files in it, and what it says of others.
func fileComplaints(fields []privasfer.FieldError) (lines string, others []privasfer.FieldError) {
	var complaints []string
	for _, field := range fields {
		switch {
		case field.Value != "":
			complaints = append(complaints, fmt.Sprintf("File %q: %s", field.Value, field.Message))
		case field.Field == "files", strings.HasPrefix(field.Field, "files."):
			complaints = append(complaints, field.Message)
		default:
			others = append(others, field)
		}
	}
	return strings.Join(complaints, "\n"), others
}

// performDiagnostic is the error where a download was created and its content
// could not be had.
func performDiagnostic(err error) diag.Diagnostic {
	fate := "may have been used up. Where it was not, it lapses"
	var failure *privasfer.APIError
	if errors.As(err, &failure) && failure.NotProcessed {
		fate = "was not used. It lapses"
	}
	return diag.NewErrorDiagnostic("Cannot perform the download", fmt.Sprintf(
		"%s\n\n%s\n\nThe download was created, and %s within one minute.", sentence(err.Error()), nextStep(err, atContent), fate))
}

// downloadValues maps a created download.
func downloadValues(d *privasfer.Download) map[string]tftypes.Value {
	return map[string]tftypes.Value{
		"id":         stringValue(&d.ID),
		"files":      filesValue(d.Files),
		"created_at": timeValue(d.CreatedAt),
	}
}

// contentValues maps the content of a performed download.
func contentValues(c *privasfer.Content) map[string]tftypes.Value {
	sum := sha256.Sum256(c.Bytes)
	values := map[string]tftypes.Value{
		"content_base64": stringValue(new(base64.StdEncoding.EncodeToString(c.Bytes))),
		"content_sha256": stringValue(new(hex.EncodeToString(sum[:]))),
		"content_length": int64Value(new(int64(len(c.Bytes)))),
	}
	if utf8.Valid(c.Bytes) {
		values["content"] = stringValue(new(string(c.Bytes)))
	}
	if c.Type != "" {
		values["content_type"] = stringValue(&c.Type)
	}
	return values
}

// sortedStrings returns a set's strings in an order that does not depend on
// how the engine keeps sets.
func sortedStrings(ctx context.Context, set types.Set, diags *diag.Diagnostics) []string {
	var values []string
	diags.Append(set.ElementsAs(ctx, &values, false)...)
	slices.Sort(values)
	return values
}

// isDisabled tells whether an ephemeral block's enabled argument is false.
func isDisabled(enabled types.Bool) bool { return !enabled.IsNull() && !enabled.ValueBool() }
