package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
)

// What happens to a download between Open and the end of the run.

// Renew is called where the minute is over and the download still in use. The
// API documents no way to extend a download, so there is no request to make
// and nothing to renew: Renew reports the expiry. Terraform before 1.17 throws
// this report away, later ones and OpenTofu show it. It sets no RenewAt: one
// in the past makes the engines call Renew without end.
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
	case life.Reported, showsRenewDiagnostics(r.provider.terraformVersion):
		return // reported by Renew
	}
	resp.Diagnostics.AddWarning(expirySummary, life.expiryDetail())
}

// showsRenewDiagnostics reports whether the engine shows what Renew reports.
// Terraform does from 1.17 on (hashicorp/terraform#38989). OpenTofu does in
// every version and has lower version numbers, but hands Close what Renew wrote
// into the private data, so downloadLife.Reported decides. A version that
// cannot be read counts as one that does not: better reported twice than never.
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
	Reported  bool      `json:"reported"` // Renew has reported the expiry
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

// expiryDetail says when the download ended, why, and what to do about it.
func (l downloadLife) expiryDetail() string {
	return fmt.Sprintf("A download of ephemeral \"privasfer_download\" expired at %s while it was in use. "+
		"A download lives one minute, and cannot be extended. A consumer that used it later used a download that no longer exists.\n\n"+
		"You can:\n"+
		"  - open it later: add what its consumer waits for to depends_on of the ephemeral resource;\n"+
		"  - use it sooner: let its consumer depend on nothing slow, and do the slow work in another step;\n"+
		"  - set on_expiry = \"warning\", if the consumer performs the download in time and only runs long.",
		l.ExpiresAt.UTC().Format(time.RFC3339))
}
