package provider

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// download is an ephemeral block that opens at apply only.
func download(arguments string) string {
	return fmt.Sprintf("ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%q]\n  enabled  = terraform.applying\n  %s\n}\n",
		simulator.FileInvoice, arguments)
}

// TestAccDownload_usedOnce: a provisioner uses the download, a second one
// finds that it is gone, and the run is silent about the life of a download
// that ended in time.
func TestAccDownload_usedOnce(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	w := newWorkspace(t, api.providerBlock()+download("")+fmt.Sprintf(`
		resource "terraform_data" "first" {
			%s
		}
		resource "terraform_data" "second" {
			depends_on = [terraform_data.first]
			%s
		}`, helper(0, "ephemeral.privasfer_download.test.id", api.downloadURL(), first),
		helper(0, "ephemeral.privasfer_download.test.id", api.downloadURL(), second)))

	output := w.run(0, "apply", "-auto-approve")
	if strings.Contains(output, "expired") {
		t.Errorf("the run speaks of an expiry:\n%s", output)
	}
	content := readFile(t, first)
	status, content, _ := strings.Cut(content, "\n")
	if status != "200 OK" || len(content) != 43389 {
		t.Errorf("the first use got %q and %d bytes, want 200 OK and 43389", status, len(content))
	}
	if got := readFile(t, second); !strings.HasPrefix(got, "404 Not Found\n") {
		t.Errorf("the second use got %q, want 404 Not Found", got)
	}
	if downloads := api.Downloads(); len(downloads) != 1 || downloads[0].State != simulator.Performed {
		t.Errorf("the downloads are %+v, want one that was performed", downloads)
	}
}

// TestAccDownload_expiry: the minute ends while the download is in use, and
// the user is told exactly once, in the way that the engine allows.
func TestAccDownload_expiry(t *testing.T) {
	t.Parallel()
	engine := engineUnderTest(t)
	const lifetime = 2 * time.Second // a consumer starts within it, on a slow machine too
	tests := map[string]struct {
		onExpiry string
		late     bool
		exitCode int
		want     string
		told     int
		used     bool
	}{
		"error, early": {onExpiry: "error", exitCode: engine.earlyExit, want: engine.early, told: 1},
		"error, late": {onExpiry: "error", late: true, exitCode: engine.lateExit, want: engine.late, told: engine.told,
			used: engine.lateUsed},
		"warning, early": {onExpiry: "warning", want: "Warning: Download expired", told: 1},
		"warning, late":  {onExpiry: "warning", late: true, want: "Warning: Download expired", told: 1, used: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Lifetime: lifetime})
			got := filepath.Join(t.TempDir(), "got")
			id := "ephemeral.privasfer_download.test.id"
			consumer := fmt.Sprintf("resource \"terraform_data\" \"consumer\" {\n%s\n%s\n}\n",
				helper(0, id, api.downloadURL(), got), helper(2*lifetime, `""`, "", ""))
			if test.late {
				consumer = fmt.Sprintf("resource \"terraform_data\" \"slow\" {\n%s\n}\n", helper(2*lifetime, `""`, "", "")) +
					fmt.Sprintf("resource \"terraform_data\" \"consumer\" {\ndepends_on = [terraform_data.slow]\n%s\n}\n",
						helper(0, id, api.downloadURL(), got))
			}
			w := newWorkspace(t, api.providerBlock()+download(fmt.Sprintf("on_expiry = %q", test.onExpiry))+consumer,
				WithDownloadLifetime(lifetime))

			output := w.run(test.exitCode, "apply", "-auto-approve")
			if !message(test.want).MatchString(output) {
				t.Errorf("%s, the output lacks %q:\n%s", engine, test.want, output)
			}
			if count := strings.Count(output, "Download expired"); count != test.told {
				t.Errorf("%s, the user was told %d times, want %d:\n%s", engine, count, test.told, output)
			}
			if test.told > 0 {
				checkOutput(t, output, "A download lives one minute", "depends_on", "use it sooner", `on_expiry = "warning"`)
			}
			if test.late && test.used && !strings.HasPrefix(readFile(t, got), "404 Not Found\n") {
				t.Error("the late consumer got a download")
			}
			if !test.late && !strings.HasPrefix(readFile(t, got), "200 OK\n") {
				t.Error("the early consumer got no download")
			}
		})
	}
}

// TestAccDownload_opens counts the downloads that a plan and its apply create.
func TestAccDownload_opens(t *testing.T) {
	t.Parallel()
	for enabled, want := range map[string]int{
		"":                             2, // one at plan, one at apply
		"enabled = true":               2,
		"enabled = terraform.applying": 1,
		"enabled = false":              0,
	} {
		t.Run(enabled, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			w := newWorkspace(t, api.providerBlock()+fmt.Sprintf(`
				ephemeral "privasfer_download" "test" {
					file_ids = [%q]
					%s
				}
				resource "terraform_data" "consumer" {
					%s
				}`, simulator.FileInvoice, enabled, helper(0, "ephemeral.privasfer_download.test.id", api.downloadURL(), filepath.Join(t.TempDir(), "got"))))
			w.run(0, "plan", "-out", "plan")
			w.run(0, "apply", "plan")
			if got := len(api.Downloads()); got != want {
				t.Errorf("got %d downloads, want %d", got, want)
			}
		})
	}
}

// TestAccDownload_nothingKept searches what a run leaves behind for the
// downloads' ids, and the state and plan for the token.
func TestAccDownload_nothingKept(t *testing.T) {
	api := newAPI(t, simulator.Options{})
	t.Setenv(envToken, testToken)
	t.Setenv(envBaseURL, api.URL)
	w := newWorkspace(t, fmt.Sprintf(`
		ephemeral "privasfer_download" "test" {
			file_ids = [%q]
		}
		resource "terraform_data" "consumer" {
			%s
		}`, simulator.FileInvoice, helper(0, "ephemeral.privasfer_download.test.id", api.downloadURL(), filepath.Join(t.TempDir(), "got"))))
	output := w.run(0, "plan", "-out", "plan")
	output += w.run(0, "apply", "plan")
	output += w.run(0, "show", "plan") + w.run(0, "show")

	searched := map[string][]byte{"the output": []byte(output), "the state": []byte(readFile(t, filepath.Join(w.Dir, "terraform.tfstate")))}
	for name, content := range unzip(t, filepath.Join(w.Dir, "plan")) {
		searched["the plan's "+name] = content
	}
	if len(searched) < 4 {
		t.Fatalf("only %d places to search", len(searched))
	}
	secrets := []string{testToken}
	for _, download := range api.Downloads() {
		secrets = append(secrets, download.ID)
	}
	if len(secrets) != 3 {
		t.Fatalf("got %d downloads, want 2", len(secrets)-1)
	}
	for place, content := range searched {
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds %q", place, secret)
			}
		}
	}
}

// TestAccDownload_answerAfterTheMinute: a download whose answer takes longer
// than its life is an error, not a value.
func TestAccDownload_answerAfterTheMinute(t *testing.T) {
	t.Parallel()
	clock := &testClock{now: noon}
	api := newAPI(t, simulator.Options{Now: clock.Now})
	api.Inject("POST /api/downloads", -1, simulator.Before(func() { clock.Advance(time.Minute) }))
	w := newWorkspace(t, api.providerBlock()+fmt.Sprintf("ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%q]\n}\n",
		simulator.FileInvoice), WithClock(clock.Now))
	output := w.run(1, "plan")
	checkOutput(t, output, "Download expired before its response arrived", "longer than the one minute that a download lives")
}

// TestAccDownload_interrupted: Ctrl-C ends a run at once that waits for an
// answer, and says so.
func TestAccDownload_interrupted(t *testing.T) {
	t.Parallel()
	skipWithoutInterrupt(t)
	api := newAPI(t, simulator.Options{})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	api.Inject("POST /api/downloads", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		interrupt()
		simulator.Hang()(w, r, next)
	})
	w := newWorkspace(t, api.providerBlock()+fmt.Sprintf("ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%q]\n}\n",
		simulator.FileInvoice))
	started := time.Now()
	result, err := w.Run(ctx, "plan", "-no-color")
	if err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != 1 || !message("The run was interrupted.").MatchString(result.Output) {
		t.Errorf("ended with %d, want 1 and the word that it was interrupted:\n%s", result.ExitCode, result.Output)
	}
	if took := time.Since(started); took > 25*time.Second { // the request's timeout is 30 s
		t.Errorf("the run went on for %s", took)
	}
}

// TestDownload_reports drives the life of a download as each engine does, by
// the protocol, and counts what is reported: once on every engine.
func TestDownload_reports(t *testing.T) {
	t.Parallel()
	const (
		nothing = tfprotov6.DiagnosticSeverityInvalid
		warning = tfprotov6.DiagnosticSeverityWarning
		failure = tfprotov6.DiagnosticSeverityError
	)
	tests := map[string]struct {
		terraformVersion string
		onExpiry         string
		latestPrivate    bool // Close gets what Renew wrote, as in OpenTofu
		renew, close     tfprotov6.DiagnosticSeverity
	}{
		"Terraform 1.11, error":   {terraformVersion: "1.11.4", onExpiry: "error", renew: failure, close: warning},
		"Terraform 1.11, default": {terraformVersion: "1.11.4", renew: failure, close: warning},
		"Terraform 1.11, warning": {terraformVersion: "1.11.4", onExpiry: "warning", renew: warning, close: warning},
		"Terraform 1.17, error":   {terraformVersion: "1.17.0-dev", onExpiry: "error", renew: failure, close: nothing},
		"Terraform 1.17, warning": {terraformVersion: "1.17.0", onExpiry: "warning", renew: warning, close: nothing},
		"OpenTofu 1.12, error":    {terraformVersion: "1.12.6", onExpiry: "error", latestPrivate: true, renew: failure, close: nothing},
		"OpenTofu 1.12, warning":  {terraformVersion: "1.12.6", onExpiry: "warning", latestPrivate: true, renew: warning, close: nothing},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &testClock{now: noon}
			api := newAPI(t, simulator.Options{Now: clock.Now})
			server := newProtocolServer(t, api, test.terraformVersion, WithClock(clock.Now))
			opened := server.open(t, test.onExpiry)
			if want := noon.Add(59 * time.Second); !opened.RenewAt.Equal(want) {
				t.Errorf("RenewAt is %s, want %s", opened.RenewAt, want)
			}

			clock.Advance(59*time.Second - 1)
			if got := server.close(t, opened.Private); len(got) != 0 {
				t.Errorf("Close in time reports %q", got[0].Summary)
			}
			clock.Advance(1)
			renewed, err := server.RenewEphemeralResource(t.Context(), &tfprotov6.RenewEphemeralResourceRequest{
				TypeName: "privasfer_download", Private: opened.Private})
			if err != nil {
				t.Fatal(err)
			}
			checkReport(t, "Renew", renewed.Diagnostics, test.renew)
			if !renewed.RenewAt.IsZero() {
				t.Errorf("Renew asks to be called again at %s", renewed.RenewAt)
			}
			private := opened.Private
			if test.latestPrivate {
				private = renewed.Private
			}
			checkReport(t, "Close", server.close(t, private), test.close)
			if got := len(api.Requests()); got != 1 {
				t.Errorf("got %d requests, want the one of Open", got)
			}
		})
	}
}

// checkReport checks that there is one report of the given severity with the
// whole text, or none.
func checkReport(t *testing.T, from string, diagnostics []*tfprotov6.Diagnostic, severity tfprotov6.DiagnosticSeverity) {
	t.Helper()
	want := 1
	if severity == tfprotov6.DiagnosticSeverityInvalid {
		want = 0
	}
	if len(diagnostics) != want {
		t.Fatalf("%s reports %d things, want %d", from, len(diagnostics), want)
	}
	if want == 0 {
		return
	}
	got := diagnostics[0]
	if got.Severity != severity || got.Summary != "Download expired" ||
		!strings.Contains(got.Detail, "expired at 2126-05-20T12:00:59Z") || !strings.Contains(got.Detail, "A download lives one minute") {
		t.Errorf("%s reports %s %q: %s", from, got.Severity, got.Summary, got.Detail)
	}
}
