package provider

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// The ends of errors about a temporary key that could not be created. notAgain is for
// a PIN that was not sent, or sent again because the server had not processed it.
const (
	sentOnce = "The PIN was sent once and is not sent again in this run, so that a wrong PIN cannot lock the account."
	notAgain = "The PIN is not sent again in this run, so that a wrong PIN cannot lock the account."
)

// checkNoKeys checks the number of created temporary keys, and that none is live.
func (a *testAPI) checkNoKeys(t *testing.T, made int) {
	t.Helper()
	keys := a.TemporaryKeys()
	live := func(key simulator.KeyRecord) bool { return key.State == simulator.Live }
	if len(keys) != made || slices.ContainsFunc(keys, live) {
		t.Errorf("the temporary keys are %+v, want %d and none live", keys, made)
	}
}

// TestKeys_temporary checks that all downloads share a temporary key, which is replaced
// after 55 minutes and deleted by Cleanup.
func TestKeys_temporary(t *testing.T) {
	t.Parallel()
	clock := &testClock{now: noon}
	api := newAPI(t, simulator.Options{Now: clock.Now})
	var cleanup Cleanup
	server := newProtocolServer(t, api, nil, WithClock(clock.Now), WithCleanup(&cleanup))
	var log bytes.Buffer
	ctx := tflogtest.RootLogger(t.Context(), &log)
	open := func(arguments values, want ...string) {
		t.Helper()
		server.openWith(ctx, t, arguments).check(t, nil)
		api.checkRequests(t, want...)
	}
	open(plain, postDownload)
	open(performed, postKey, postDownload, postDownloadKey, getContent)
	open(keyed, postDownload, postDownloadKey)
	clock.Advance(55*time.Minute - 1)
	open(receivedKeyed, "POST /api/downloads/"+simulator.DownloadFull+"/keys")
	clock.Advance(1)
	open(performed, deleteKey, postKey, postDownload, postDownloadKey, getContent)

	cleanup.Run(ctx)
	cleanup.Run(ctx)
	api.checkRequests(t, deleteKey)
	api.checkNoKeys(t, 2)
	for _, route := range []string{`"method":"DELETE","path":"/api/keys/{key}"`, `"path":"/api/downloads/{id}/keys"`} {
		if !strings.Contains(log.String(), route) {
			t.Errorf("the log lacks %s: %s", route, log.String())
		}
	}
	checkSearched(t, map[string][]byte{"the log": log.Bytes()}, api.secrets())
}

// TestKeys_pin checks that a wrong PIN is sent once for any number of downloads, and
// that no download is created. After an interrupted request, the PIN is sent again.
func TestKeys_pin(t *testing.T) {
	t.Parallel()
	t.Run("wrong", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{})
		server := newProtocolServer(t, api, values{"pin": "0000"})
		for _, o := range append(server.openMany(t, 20, performed), server.open(t, receivedKeyed)) {
			checkReport(t, o.report, "ERROR: Privasfer does not accept the PIN: POST /api/keys returned 422 Unprocessable Entity: "+
				"The given data was invalid. [pin: Invalid PIN.].\n\nCheck the provider's `pin` argument or the environment variable PRIVASFER_PIN. "+sentOnce)
		}
		api.checkRequests(t, postKey)
		server.open(t, plain).check(t, nil) // requires no key
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{})
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		api.Inject("POST /api/keys", 1, interruptedBy(interrupt))
		server := newProtocolServer(t, api, nil)
		checkReport(t, server.openWith(ctx, t, performed).report,
			"ERROR: Cannot create the temporary key: POST /api/keys: context canceled.\n\nThe run was interrupted.\n")
		api.checkRequests(t, postKey)
		server.open(t, keyed).check(t, nil)
	})
}

// interruptedBy returns a fault that calls interrupt and does not respond.
func interruptedBy(interrupt func()) simulator.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		interrupt()
		simulator.Hang()(w, r, next)
	}
}

// TestKeys_download checks that the error about a public key depends on whether the
// provider created the download. TestDiagnostics and the client's tests check the
// other failures.
func TestKeys_download(t *testing.T) {
	t.Parallel()
	const missing = "POST /api/downloads/{id}/keys returned 404 Not Found: No.\n\n"
	for name, test := range map[string]struct {
		arguments values
		want      string
		requests  []string
	}{
		"created": {keyed, "ERROR: Cannot create the public download key: " + missing + "The download may have expired: it lives one minute. Run again.\n",
			[]string{postKey, postDownload, postDownloadKey}},
		"received": {receivedKeyed, "ERROR at download_id: Download not found: There is no download with this id, or the token has no access to it. " + missing + stepMail,
			[]string{postKey, "POST /api/downloads/" + simulator.DownloadFull + "/keys"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("POST /api/downloads/", -1, simulator.JSONError(404, "No."))
			checkReport(t, newProtocolServer(t, api, nil).open(t, test.arguments).report, test.want)
			api.checkRequests(t, test.requests...)
		})
	}
}

// TestDownload_tooLate checks that it is an error if a download expires before its
// response, or that of its public key, arrives.
func TestDownload_tooLate(t *testing.T) {
	t.Parallel()
	for slow, want := range map[string][]string{
		"POST /api/downloads":  {postKey, postDownload},
		"POST /api/downloads/": {postKey, postDownload, postDownloadKey},
	} {
		t.Run(slow, func(t *testing.T) {
			t.Parallel()
			clock := &testClock{now: noon}
			api := newAPI(t, simulator.Options{Now: clock.Now})
			api.Inject(slow, 1, simulator.Before(func() { clock.Advance(59 * time.Second) }))
			checkReport(t, newProtocolServer(t, api, nil, WithClock(clock.Now)).open(t, keyed).report, "ERROR: Download expired before it was ready: "+
				"Privasfer created the download, but the responses took longer than the one minute that a download lives.")
			api.checkRequests(t, want...)
		})
	}
}

// TestAccKeys checks that the provider deletes the temporary key when its process ends,
// even if a consumer fails or is interrupted: the engines do not call Close then.
func TestAccKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		count     int
		arguments string
		args      []string
		exitCode  int
		consumer  string
		want      []string
	}{
		"twenty at once": {count: 20, arguments: "perform = true", args: []string{"plan", "-parallelism=20"},
			want: times(20, postDownload, postDownloadKey, getContent)},
		"a consumer fails": {count: 1, arguments: "perform = true\n" + deferred, args: []string{"apply", "-auto-approve"}, exitCode: 1, consumer: `
			provisioner "local-exec" {
				command     = "exit 1"
				environment = { TEST_CONTENT = ephemeral.privasfer_download.test[0].content }
			}`, want: []string{postDownload, postDownloadKey, getContent}},
		"a consumer is interrupted": {count: 1, arguments: "create_key = true\n" + deferred, args: []string{"apply", "-auto-approve"}, exitCode: 1,
			consumer: helper(0, "ephemeral.privasfer_download.test[0].url", "") + sleeper(time.Minute), want: []string{postDownload, postDownloadKey, getContent}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			if name == "a consumer is interrupted" {
				skipWithoutInterrupt(t)
				api.Inject("GET /download/", 1, simulator.Before(interrupt))
			}
			w := newBinaryWorkspace(t, api.performer()+block("test", fmt.Sprintf("count = %d", test.count), ofFile(simulator.FileLicence), test.arguments)+fmt.Sprintf(`
				resource "terraform_data" "consumer" {
					%s
				}`, test.consumer))
			result, err := w.Run(ctx, test.args...)
			if err != nil || result.ExitCode != test.exitCode {
				t.Errorf("ended with %d, %v:\n%s", result.ExitCode, err, result.Output)
			}
			api.checkNoKeys(t, 1)
			api.checkRequests(t, append(test.want, postKey, deleteKey)...)
		})
	}
}

// TestAccDownload_interrupted checks that Ctrl-C ends a run without waiting for its
// request, and that no temporary key is left.
func TestAccDownload_interrupted(t *testing.T) {
	t.Parallel()
	skipWithoutInterrupt(t)
	for name, test := range map[string]struct {
		hang string
		want []string
		keys int
	}{
		"temporary key": {"POST /api/keys", []string{"Error: Cannot create the temporary key"}, 0},
		"creation":      {"POST /api/downloads", []string{"Error: Cannot create the download", mayHaveCreated}, 1},
		"public key":    {"POST /api/downloads/", []string{"Error: Cannot create the public download key", unused}, 1},
		"content":       {"GET /download/", []string{"Error: Cannot perform the download", lapses}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			api.Inject(test.hang, -1, interruptedBy(interrupt))
			w := newBinaryWorkspace(t, api.performer()+block("test", ofFile(simulator.FileLicence), "perform = true"))
			started := time.Now()
			result, err := w.Run(ctx, "plan", "-no-color")
			if err != nil || result.ExitCode != 1 {
				t.Errorf("ended with %d, %v", result.ExitCode, err)
			}
			checkOutput(t, result.Output, append(test.want, "The run was interrupted.")...)
			if took := time.Since(started); took > 25*time.Second { // the request's timeout is 30 s
				t.Errorf("the run went on for %s", took)
			}
			api.checkNoKeys(t, test.keys)
		})
	}
}
