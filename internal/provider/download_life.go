package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
)

// Renew is called when the minute is over and the download is still in use. The API
// documents no way to extend a download, so Renew makes no request and reports the
// expiry. Terraform before 1.17 discards the report, later versions and OpenTofu show
// it. Renew does not set RenewAt, because the engines would call it again and again
// for a time in the past.
func (r *downloadEphemeralResource) Renew(ctx context.Context, req ephemeral.RenewRequest, resp *ephemeral.RenewResponse) {
	life, diags := loadDownloadLife(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	life.Reported = true
	resp.Diagnostics.Append(life.save(ctx, resp.Private)...)
	if resp.Diagnostics.HasError() {
		return
	}

	if life.OnExpiry == expiryWarning {
		resp.Diagnostics.AddWarning(expirySummary, life.expiryDetail())
		return
	}
	resp.Diagnostics.AddError(expirySummary, life.expiryDetail())
}

// Close deletes nothing: the API documents no route for it, and the download expires
// within its minute. Close reports the expiry if the report of Renew was not shown.
// It does so by a warning even for "error", because the engines call Close only if
// every consumer has succeeded.
func (r *downloadEphemeralResource) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	life, diags := loadDownloadLife(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	switch {
	case life.ExpiresAt.IsZero(), r.provider.now().Before(life.ExpiresAt):
		return // nothing was created, or it has not expired
	case life.Reported, showsRenewDiagnostics(r.provider.terraformVersion):
		return // reported by Renew
	}
	resp.Diagnostics.AddWarning(expirySummary, life.expiryDetail())
}

// showsRenewDiagnostics reports whether a version of Terraform shows the diagnostics
// of Renew, as 1.17 and later do (hashicorp/terraform#38989). It reports false for
// OpenTofu, which shows them too but passes the private data of Renew to Close, so
// that downloadLife.Reported is set. It reports false for a version that cannot be
// parsed, so that an expiry is reported twice rather than never.
func showsRenewDiagnostics(terraformVersion string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(terraformVersion, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 1 || major == 1 && minor >= 17
}

// downloadLife is the private data of an open download. It contains no id, which
// neither Renew nor Close needs.
type downloadLife struct {
	ExpiresAt time.Time `json:"expires_at"` // zero if no download was created
	OnExpiry  string    `json:"on_expiry"`
	Reported  bool      `json:"reported"` // Renew has reported the expiry
}

const downloadLifeKey = "life"

// privateData is the interface of the framework's private data, whose type is
// internal.
type privateData interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func (l downloadLife) save(ctx context.Context, private privateData) diag.Diagnostics {
	value, err := json.Marshal(l)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Cannot keep the download's life", sentence(err.Error())+" "+bugStep)}
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
		diags.AddError("Cannot read the download's life", sentence(err.Error())+" "+bugStep)
	}
	return life, diags
}

const expirySummary = "Download expired"

// expiryDetail returns the time and the reason of the expiry, and what to do.
func (l downloadLife) expiryDetail() string {
	return fmt.Sprintf("A download of ephemeral \"privasfer_download\" expired at %s while it was in use. "+
		"A download lives one minute, and cannot be extended. A consumer that used it later used a download that no longer exists.\n\n"+
		"You can:\n"+
		"  - open it later: add what its consumer waits for to depends_on of the ephemeral resource;\n"+
		"  - use it sooner: let its consumer depend on nothing slow, and let nothing slow depend on its consumer;\n"+
		"  - set on_expiry = \"warning\", if the consumer performs the download in time, and it or what depends on it runs long.",
		l.ExpiresAt.UTC().Format(time.RFC3339))
}
