package provider

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestAccDownload_expiry checks that the expiry of a download in use is reported once,
// by the provider or by the engine.
func TestAccDownload_expiry(t *testing.T) {
	t.Parallel()
	engine := engineUnderTest(t)
	const lifetime = 4 * time.Second // a consumer starts in time even on a slow machine
	tests := map[string]struct {
		onExpiry string
		late     bool
		exitCode int
		want     string
		reports  int
		used     bool
	}{
		"error, early": {onExpiry: "error", exitCode: engine.earlyExit, want: engine.early, reports: 1},
		"error, late": {onExpiry: "error", late: true, exitCode: engine.lateExit, want: engine.late, reports: engine.reports,
			used: engine.lateUsed},
		"warning, early": {onExpiry: "warning", want: "Warning: Download expired", reports: 1},
		"warning, late":  {onExpiry: "warning", late: true, want: "Warning: Download expired", reports: 1, used: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Lifetime: lifetime})
			got := filepath.Join(t.TempDir(), "got")
			slow, use := sleeper(lifetime+time.Second), helper(0, "ephemeral.privasfer_download.test.url", got)
			consumers := fmt.Sprintf(`
				resource "terraform_data" "consumer" {
					%s
					%s
				}`, use, slow)
			if test.late {
				consumers = fmt.Sprintf(`
					resource "terraform_data" "slow" {
						%s
					}
					resource "terraform_data" "consumer" {
						depends_on = [terraform_data.slow]
						%s
					}`, slow, use)
			}
			w := newWorkspace(t, api.performer()+block("test", ofFile(simulator.FileInvoice), deferred, "create_key = true", fmt.Sprintf("on_expiry = %q", test.onExpiry))+
				consumers, WithDownloadLifetime(lifetime))

			output := w.run(test.exitCode, "apply", "-auto-approve")
			if !message(test.want).MatchString(output) {
				t.Errorf("%s, the output lacks %q:\n%s", engine, test.want, output)
			}
			if got := strings.Count(output, "Download expired"); got != test.reports {
				t.Errorf("%s, it was reported %d times, want %d:\n%s", engine, got, test.reports, output)
			}
			if test.reports > 0 {
				checkOutput(t, output, "A download lives one minute", "depends_on", "use it sooner", `on_expiry = "warning"`)
			}
			if status := "200 OK"; !test.late || test.used {
				if test.late {
					status = "404 Not Found"
				}
				if got := readFile(t, got); !strings.HasPrefix(got, status+"\n") {
					t.Errorf("the consumer got %q, want %s", got, status)
				}
			}
		})
	}
}

// TestDownload_reports calls Renew and Close as each engine does, and checks that
// every engine shows the expiry once: Terraform before 1.17 shows that of Close only.
func TestDownload_reports(t *testing.T) {
	t.Parallel()
	const (
		warning = "WARNING: Download expired: "
		failure = "ERROR: Download expired: "
	)
	tests := map[string]struct {
		version       string
		onExpiry      any
		latestPrivate bool // Close gets the private data of Renew, as in OpenTofu
		renew, close  string
	}{
		"Terraform 1.11, error":   {version: "1.11.4", onExpiry: "error", renew: failure, close: warning},
		"Terraform 1.11, default": {version: "1.11.4", renew: failure, close: warning},
		"Terraform 1.11, warning": {version: "1.11.4", onExpiry: "warning", renew: warning, close: warning},
		"Terraform 1.17, error":   {version: "1.17.0-dev", onExpiry: "error", renew: failure},
		"Terraform 1.17, warning": {version: "1.17.0", onExpiry: "warning", renew: warning},
		"OpenTofu 1.12, error":    {version: "1.12.6", onExpiry: "error", latestPrivate: true, renew: failure},
		"OpenTofu 1.12, warning":  {version: "1.12.6", onExpiry: "warning", latestPrivate: true, renew: warning},
	}
	for name, test := range tests {
		for kind, arguments := range map[string]values{"plain": plain, "keyed": keyed} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				clock := &testClock{now: noon}
				api := newAPI(t, simulator.Options{Now: clock.Now})
				server, report := configure(t, test.version, api.arguments(), WithClock(clock.Now))
				if report != "" {
					t.Fatal(report)
				}
				o := server.open(t, arguments.and(values{"on_expiry": test.onExpiry}))
				o.check(t, values{"expires_at": "2126-05-20T12:00:59Z"})
				if want := noon.Add(59 * time.Second); !o.RenewAt.Equal(want) {
					t.Errorf("RenewAt is %s, want %s", o.RenewAt, want)
				}
				check := func(from string, diagnostics []*tfprotov6.Diagnostic, want string) {
					t.Helper()
					got := reported(nil, diagnostics)
					if !strings.HasPrefix(got, want) || (got == "") != (want == "") ||
						want != "" && !strings.Contains(got, "expired at 2126-05-20T12:00:59Z while it was in use. A download lives one minute") {
						t.Errorf("%s reports %q, want %q", from, got, want)
					}
				}
				if secrets := api.secrets(); slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(string(o.Private), secret) }) {
					t.Errorf("the private data %s holds one of %q", o.Private, secrets)
				}
				api.ResetRequests()

				clock.Advance(59*time.Second - 1)
				check("Close in time", server.close(t, o.Private), "")
				clock.Advance(1)
				renewed, err := server.RenewEphemeralResource(t.Context(), &tfprotov6.RenewEphemeralResourceRequest{TypeName: downloadType, Private: o.Private})
				if err != nil || !renewed.RenewAt.IsZero() {
					t.Errorf("Renew wants to be called again at %s, %v", renewed.RenewAt, err)
				}
				check("Renew", renewed.Diagnostics, test.renew)
				private := o.Private
				if test.latestPrivate {
					private = renewed.Private
				}
				check("Close", server.close(t, private), test.close)
				api.checkRequests(t)
			})
		}
	}
}

// TestShowsRenewDiagnostics checks which versions show the diagnostics of Renew.
func TestShowsRenewDiagnostics(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"1.10.0": false, "1.11.4": false, "1.16.3": false, "1.17.0": true, "1.17.0-dev": true, "1.18.1": true,
		"2.0.0": true, "0.17.0": false, "": false, "unknown": false,
	} {
		if got := showsRenewDiagnostics(version); got != want {
			t.Errorf("%q: got %t, want %t", version, got, want)
		}
	}
}

// TestDownload_brokenLife checks that invalid private data is an error.
func TestDownload_brokenLife(t *testing.T) {
	t.Parallel()
	private := fmt.Appendf(nil, `{%q:%q}`, downloadLifeKey, base64.StdEncoding.EncodeToString([]byte(`{"expires_at":1}`)))
	got := reported(nil, newProtocolServer(t, newAPI(t, simulator.Options{}), nil).close(t, private))
	if !strings.HasPrefix(got, "ERROR: Cannot read the download's life: ") {
		t.Errorf("Close reports %q", got)
	}
}
