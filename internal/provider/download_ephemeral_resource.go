package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	eph "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

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

// downloadModel is the configuration, then the result.
type downloadModel struct {
	FileIDs  types.Set    `tfsdk:"file_ids"`
	Enabled  types.Bool   `tfsdk:"enabled"`
	OnExpiry types.String `tfsdk:"on_expiry"`

	ID        types.String `tfsdk:"id"`
	Files     types.List   `tfsdk:"files"`
	CreatedAt types.String `tfsdk:"created_at"`
	ExpiresAt types.String `tfsdk:"expires_at"`
}

func (r *downloadEphemeralResource) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_download"
}

func (r *downloadEphemeralResource) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = eph.Schema{
		MarkdownDescription: "A download of one or several files: for a single use, and alive for one minute. " +
			"Nothing of it is kept in a plan or in the state.",
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
				MarkdownDescription: "When the download's minute is over, in RFC 3339 and UTC: one minute after the request was sent, " +
					"by this machine's clock, and so never later than the truth.",
				Computed: true,
			},
		},
	}
}

func (r *downloadEphemeralResource) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	r.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

// Open creates the download, unless it is disabled, and asks the engine to
// call Renew when its minute is over.
func (r *downloadEphemeralResource) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var model downloadModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if isDisabled(model.Enabled) {
		return // the result is the configuration, every computed attribute null
	}
	client := r.provider.require(&resp.Diagnostics)
	fileIDs := sortedStrings(ctx, model.FileIDs, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	download, sent, err := client.CreateDownload(ctx, fileIDs)
	if err != nil {
		resp.Diagnostics.Append(createDiagnostics(err, fileIDs, r.provider.downloadLifetime)...)
		return
	}
	life := downloadLife{ExpiresAt: sent.Add(r.provider.downloadLifetime), OnExpiry: model.OnExpiry.ValueString()}
	if !r.provider.now().Before(life.ExpiresAt) {
		resp.Diagnostics.AddError("Download expired before its answer arrived", fmt.Sprintf(
			"Privasfer created the download, but its answer took longer than the %s that a download lives. Nothing of it can be used.\n\n"+
				"Run again. If it happens again, the network or the service is too slow for a download to be used at all.",
			lifetimeText(r.provider.downloadLifetime)))
		return
	}

	resp.RenewAt = life.ExpiresAt
	resp.Diagnostics.Append(life.save(ctx, resp.Private)...)
	model.setDownload(download, life.ExpiresAt)
	resp.Diagnostics.Append(resp.Result.Set(ctx, model)...)
}

// Renew is called where the minute is over and the download still in use. The
// API documents no way to extend a download, so there is no request to make
// and nothing to renew: Renew reports the expiry. Terraform before 1.17 throws
// this report away, later ones and OpenTofu show it. It sets no RenewAt: one
// in the past makes the engines call Renew without end.
func (r *downloadEphemeralResource) Renew(ctx context.Context, req ephemeral.RenewRequest, resp *ephemeral.RenewResponse) {
	life, diags := loadDownloadLife(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	life.Told = true
	resp.Diagnostics.Append(life.save(ctx, resp.Private)...)
	if resp.Diagnostics.HasError() {
		return
	}

	if life.OnExpiry == expiryWarning {
		resp.Diagnostics.AddWarning(expirySummary, life.expiryDetail(r.provider.downloadLifetime))
		return
	}
	resp.Diagnostics.AddError(expirySummary, life.expiryDetail(r.provider.downloadLifetime))
}

// Close has nothing to delete: the API documents no route for it, and the
// minute ends the download anyway. It reports the expiry where Renew could not:
// as a warning even for "error", since the engines call Close only after every
// consumer has succeeded.
func (r *downloadEphemeralResource) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	life, diags := loadDownloadLife(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	switch {
	case life.ExpiresAt.IsZero(), r.provider.now().Before(life.ExpiresAt):
		return // disabled, or in time
	case life.Told, showsRenewDiagnostics(r.provider.terraformVersion):
		return // reported by Renew
	}
	resp.Diagnostics.AddWarning(expirySummary, life.expiryDetail(r.provider.downloadLifetime))
}

// showsRenewDiagnostics tells whether the engine shows what Renew reports.
// Terraform does from 1.17 on (hashicorp/terraform#38989). OpenTofu does in
// every version and has lower version numbers, but hands Close what Renew wrote
// into the private data, so downloadLife.Told answers for it. A version that
// cannot be read counts as one that does not: better told twice than never.
func showsRenewDiagnostics(terraformVersion string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(terraformVersion, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 1 || major == 1 && minor >= 17
}

// downloadLife is the private data of an open download. It holds no id: there
// is nothing that Renew or Close could do with one.
type downloadLife struct {
	ExpiresAt time.Time `json:"expires_at"` // zero where nothing was created
	OnExpiry  string    `json:"on_expiry"`
	Told      bool      `json:"told"` // Renew has reported the expiry
}

const downloadLifeKey = "life"

// privateData is what the framework's private data offers; its own type is
// internal.
type privateData interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func (l downloadLife) save(ctx context.Context, private privateData) diag.Diagnostics {
	value, err := json.Marshal(l)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Cannot keep the download's life", err.Error())}
	}
	return private.SetKey(ctx, downloadLifeKey, value)
}

func loadDownloadLife(ctx context.Context, private privateData) (downloadLife, diag.Diagnostics) {
	var life downloadLife
	value, diags := private.GetKey(ctx, downloadLifeKey)
	if len(value) == 0 || diags.HasError() {
		return life, diags
	}
	if err := json.Unmarshal(value, &life); err != nil {
		diags.AddError("Cannot read the download's life", err.Error())
	}
	return life, diags
}

const expirySummary = "Download expired"

// expiryDetail says when the download ended, why, and what to do about it.
func (l downloadLife) expiryDetail(lifetime time.Duration) string {
	return fmt.Sprintf("A download of ephemeral \"privasfer_download\" expired at %s, while it was still in use. "+
		"A download lives %s, and the API documents no way to extend one. What used it after that moment used a download that no longer exists.\n\n"+
		"There are three ways out:\n"+
		"  - open it later: depends_on in the ephemeral block, naming what its consumer waits for;\n"+
		"  - use it sooner: let its consumer depend on nothing slow, and do the slow work in another step;\n"+
		"  - where the consumer used it in time and only runs long: on_expiry = \"warning\".",
		l.ExpiresAt.UTC().Format(time.RFC3339), lifetimeText(lifetime))
}

// lifetimeText words a lifetime as the API's page does where it is a minute.
func lifetimeText(lifetime time.Duration) string {
	if lifetime == time.Minute {
		return "one minute"
	}
	return lifetime.String()
}

// createDiagnostics is what the user is told where a download could not be
// created, or its answer not be used. fileIDs are as they were sent: the API
// counts them in its complaints.
func createDiagnostics(err error, fileIDs []string, lifetime time.Duration) diag.Diagnostics {
	var diags diag.Diagnostics
	var apiError *privasfer.APIError
	if errors.As(err, &apiError) && apiError.Status == http.StatusUnprocessableEntity {
		var complaints []string
		for _, field := range apiError.Fields {
			if text, ok := fileComplaint(field, fileIDs); ok {
				complaints = append(complaints, text)
			}
		}
		if len(complaints) > 0 {
			refused := *apiError
			refused.Fields = nil // said by the complaints
			diags.AddAttributeError(path.Root("file_ids"), "Privasfer refuses the files",
				strings.Join(complaints, "\n")+"\n\n"+sentence(refused.Error()))
			return diags
		}
	}
	diagnostic := apiErrorDiagnostic("create the download", err)
	if apiError != nil && apiError.MayHaveActed() {
		return append(diags, diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+fmt.Sprintf(
			"\n\nA download may have been made all the same. It lapses within %s.", lifetimeText(lifetime))))
	}
	return append(diags, diagnostic)
}

// fileComplaint words what the API says of the input "files", or of one of the
// files in it ("files.N").
func fileComplaint(field privasfer.FieldError, fileIDs []string) (string, bool) {
	if field.Field == "files" {
		return field.Message, true
	}
	number, ok := strings.CutPrefix(field.Field, "files.")
	if !ok {
		return "", false
	}
	index, err := strconv.Atoi(number)
	if err != nil || index < 0 || index >= len(fileIDs) {
		return field.Message, true
	}
	return fmt.Sprintf("File %q: %s", shorten(fileIDs[index]), field.Message), true
}

// setDownload maps a created download to the results.
func (m *downloadModel) setDownload(d *privasfer.Download, expiresAt time.Time) {
	m.ID = types.StringValue(d.ID)
	m.Files = filesValue(d.Files)
	m.CreatedAt = timeValue(d.CreatedAt)
	m.ExpiresAt = types.StringValue(expiresAt.UTC().Format(time.RFC3339))
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
