package provider

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// actionServer calls the provider as Terraform 1.14 and later do.
type actionServer struct {
	tfprotov6.ProviderServerWithActions
	schema *tfprotov6.Schema // of the action
}

const actionType = "privasfer_save_download"

func newActionServer(t *testing.T, api *testAPI, arguments values, options ...Option) actionServer {
	t.Helper()
	server := newProtocolServer(t, api, arguments, options...)
	actions, ok := server.ProviderServer.(tfprotov6.ProviderServerWithActions) //nolint:staticcheck // deprecated only because its methods will move
	if !ok {
		t.Fatal("the provider has no actions")
	}
	return actionServer{actions, server.schemas.ActionSchemas[actionType].Schema}
}

func (s actionServer) start(ctx context.Context, t *testing.T, config values) *tfprotov6.InvokeActionServerStream {
	t.Helper()
	stream, err := s.InvokeAction(ctx, &tfprotov6.InvokeActionRequest{ActionType: actionType, Config: dynamicValue(t, s.schema, config)})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// invoke runs the action and returns its progress messages and its diagnostics.
func (s actionServer) invoke(ctx context.Context, t *testing.T, config values) (progress []string, report string) {
	t.Helper()
	for event := range s.start(ctx, t, config).Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, event.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			return progress, reported(nil, event.Diagnostics)
		}
	}
	t.Fatal("the action did not complete")
	return nil, ""
}

// checkNoSecrets checks that the visible output of an action contains no secret.
func (a *testAPI) checkNoSecrets(t *testing.T, text string) {
	t.Helper()
	checkSearched(t, map[string][]byte{"what is shown": []byte(text)}, a.secrets())
}

// oldFile creates a file and returns its directory and its path.
func oldFile(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

// inPieces returns a fault that sends the real response in pieces, with a pause before
// each. If rest is not nil, the fault sends half of the response and then calls rest.
func inPieces(pieces int, pause time.Duration, rest simulator.Fault) simulator.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		for name, values := range whole.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(whole.Code)
		content := whole.Body.Bytes()
		if rest != nil {
			content = content[:len(content)/2]
		}
		for piece := range slices.Chunk(content, max(1, (len(content)+pieces-1)/pieces)) {
			_ = http.NewResponseController(w).Flush()
			time.Sleep(pause)
			_, _ = w.Write(piece)
		}
		_ = http.NewResponseController(w).Flush()
		if rest != nil {
			rest(w, r, next)
		}
	}
}

// interruptedHalfWay returns a fault that sends half of the response and calls interrupt.
func interruptedHalfWay(interrupt func()) simulator.Fault {
	return inPieces(1, 0, interruptedBy(interrupt))
}

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// TestSaveDownload checks the saved file, the requests, the messages and the warning.
func TestSaveDownload(t *testing.T) {
	t.Parallel()
	data := simulator.DefaultData()
	data.Files = append(data.Files, simulator.File{ID: "hostile", FullFilename: "\x1b[31m\n" + strings.Repeat("x", 1000), Size: 4, Content: []byte("text")},
		simulator.File{ID: "nameless", Omit: []string{"full_filename"}, Size: 4, Content: []byte("text")})
	licence, invoice := contentOf(t, data, simulator.FileLicence), contentOf(t, data, simulator.FileInvoice)
	received := []string{postKey, "POST /api/downloads/" + simulator.DownloadFull + "/keys", getContent}
	tests := map[string]struct {
		config  values
		withID  bool // download_url has only {id}, and there is no PIN
		fault   simulator.Fault
		old     string // the content of an existing file; "": none
		content string

		permission os.FileMode // 0600 if 0
		begin      string      // the first message
		warning    string      // its summary
		requests   []string    // those of an uploaded file if nil
	}{
		"a file that was uploaded": {config: values{"file_ids": []string{simulator.FileInvoice}},
			content: invoice, begin: `Saving "invoice.pdf", 43389 bytes`},
		"over another": {config: values{"file_ids": []string{simulator.FileInvoice}}, old: "old",
			content: invoice, begin: `Saving "invoice.pdf", 43389 bytes`},
		"a mail's": {config: values{"download_id": simulator.DownloadFull},
			content: licence, begin: "Saving the file, 77 bytes", requests: received},
		"several": {config: values{"file_ids": []string{simulator.FileLicence, simulator.FileKey}},
			fault: simulator.Status(http.StatusOK, nil, "zip"), content: "zip", begin: "Saving 2 files, 3 bytes"},
		"by the id alone": {config: values{"download_id": "an-id"}, withID: true,
			fault: simulator.Status(http.StatusOK, nil, "text"), content: "text", begin: "Saving the file, 4 bytes", requests: []string{"GET /download/an-id"}},
		"an empty one": {config: values{"file_ids": []string{simulator.FileBare}}, old: "old",
			content: "", begin: `Saving "README", 0 bytes`},
		"for others to read": {config: values{"file_ids": []string{simulator.FileLicence}, "file_permission": "0644"},
			content: licence, permission: 0o644, begin: `Saving "licence.txt", 77 bytes`},
		"read-only": {config: values{"file_ids": []string{simulator.FileLicence}, "file_permission": "400"}, old: "old",
			content: licence, permission: 0o400, begin: `Saving "licence.txt", 77 bytes`},
		"checked": {config: values{"file_ids": []string{simulator.FileLicence}, "sha256": strings.ToUpper(sumOf(licence))},
			content: licence, begin: `Saving "licence.txt", 77 bytes`},
		"without a name": {config: values{"file_ids": []string{"nameless"}},
			content: "text", begin: "Saving the file, 4 bytes"},
		"with a hostile name": {config: values{"file_ids": []string{"hostile"}},
			content: "text", begin: `Saving "\x1b[31m\n` + strings.Repeat("x", 114) + `", 4 bytes`},
		"of another size": {config: values{"file_ids": []string{simulator.FileBackup}},
			content: "\x1f\x8bstand-in", begin: `Saving "backup.tar.gz", 10 bytes`, warning: "The content differs in size from the file"},
		"perhaps a login page": {config: values{"download_id": simulator.DownloadFull},
			fault:   simulator.Status(http.StatusOK, http.Header{"Content-Type": {"text/html"}}, "<html>"),
			content: "<html>", begin: "Saving the file, 6 bytes", warning: "The content is a web page", requests: received},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Data: data})
			if test.fault != nil {
				api.Inject("GET /download/", -1, test.fault)
			}
			provider := values{}
			if test.withID {
				provider = values{"pin": nil, "download_url": api.downloadURL() + "{id}"}
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if test.old != "" {
				if err := os.WriteFile(path, []byte(test.old), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			test.config["path"] = path
			progress, report := newActionServer(t, api, provider).invoke(t.Context(), t, test.config)

			files{"file": test.content}.check(t, dir)
			checkPermission(t, path, cmp.Or(test.permission, 0o600))
			wantProgress := []string{test.begin, fmt.Sprintf("Saved %d bytes, SHA-256 %s, at %s", len(test.content), sumOf(test.content), path)}
			if test.warning != "" {
				warning := strings.TrimSuffix(strings.TrimPrefix(report, "WARNING: "), "\n")
				wantProgress = slices.Insert(wantProgress, 1, "Warning: "+strings.Replace(warning, ": ", ". ", 1))
			}
			if !slices.Equal(progress, wantProgress) {
				t.Errorf("the progress is\n%q, want\n%q", progress, wantProgress)
			}
			if want := "WARNING: " + test.warning + ": "; test.warning != "" && !strings.HasPrefix(report, want) || test.warning == "" && report != "" {
				t.Errorf("reported %q, want %q", report, want)
			}
			api.checkNoSecrets(t, strings.Join(progress, "\n")+report)
			if test.requests == nil {
				test.requests = []string{postKey, postDownload, postDownloadKey, getContent}
			}
			api.checkRequests(t, test.requests...)
		})
	}
}

// TestSaveDownload_failure checks the error of each failure, that an existing file is
// unchanged, and that no other file is left.
func TestSaveDownload_failure(t *testing.T) {
	t.Parallel()
	const (
		usedUp = "\n\nThe download was created and used. Run again to create another."
	)
	wrong := strings.Repeat("0", 64)
	invoice := contentOf(t, simulator.DefaultData(), simulator.FileInvoice)
	tests := map[string]struct {
		provider, config values
		options          []Option
		at               string // of the fault
		fault            simulator.Fault
		report           string
	}{
		"cut": {at: "GET /download/", fault: simulator.Truncate(), report: "ERROR: Cannot perform the download: GET /download/{key} returned 200 OK: " +
			"the response was cut short: unexpected EOF.\n\n" + stepBroken + "\n\n" + lapses},
		"begun after the minute": {options: []Option{WithDownloadLifetime(time.Second)}, at: "GET /download/", fault: simulator.Hang(),
			report: "ERROR: Cannot perform the download: GET /download/{key}: the download's minute ended before its content arrived.\n\n" +
				nextStep(&privasfer.APIError{Kind: privasfer.DownloadExpired}, atContent) + "\n\n" + lapses},
		"with another checksum": {config: values{"sha256": wrong}, report: "ERROR at sha256: Checksum mismatch: " +
			"The content has the SHA-256 checksum " + sumOf(invoice) + ", but " + wrong + " is expected. The path is unchanged." + usedUp},
		"not created": {at: "POST /api/downloads", fault: simulator.JSONError(http.StatusForbidden, "No."),
			report: "ERROR: The token does not have the required permission: POST /api/downloads returned 403 Forbidden: No.\n\n" + tokenStep +
				" The account of the token must have the permission."},
		"a wrong PIN": {provider: values{"pin": "0000"}, report: "ERROR: Privasfer does not accept the PIN: " +
			"POST /api/keys returned 422 Unprocessable Entity: The given data was invalid. [pin: Invalid PIN.].\n\nCheck the provider's `pin` argument or the " +
			"environment variable PRIVASFER_PIN. The PIN was sent once and is not sent again in this run, so that a wrong PIN cannot lock the account."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			if test.fault != nil {
				api.Inject(test.at, -1, test.fault)
			}
			dir, path := oldFile(t)
			config := values{"file_ids": []string{simulator.FileInvoice}, "path": path}.and(test.config)
			progress, report := newActionServer(t, api, test.provider, test.options...).invoke(t.Context(), t, config)
			if report != test.report+"\n" {
				t.Errorf("reported\n%s\nwant\n%s", report, test.report)
			}
			files{"file": "old"}.check(t, dir)
			api.checkNoSecrets(t, strings.Join(progress, "\n")+report)
		})
	}

	t.Run("a directory in the meantime", func(t *testing.T) {
		t.Parallel()
		api, dir := newAPI(t, simulator.Options{}), t.TempDir()
		path := filepath.Join(dir, "file")
		api.Inject("GET /download/", 1, simulator.Before(func() { _ = os.Mkdir(path, 0o700) }))
		_, report := newActionServer(t, api, nil).invoke(t.Context(), t, values{"file_ids": []string{simulator.FileInvoice}, "path": path})
		const failed = "ERROR at path: Cannot save the file: Writing the file failed: "
		want := failed + "file exists. The path is unchanged.\n\nFree space on the disk, or choose another path." + usedUp + "\n"
		if !strings.HasPrefix(report, failed) || runtime.GOOS == "linux" && report != want {
			t.Errorf("reported\n%s\nwant\n%s", report, want)
		}
		files{"file": "/"}.check(t, dir)
	})
}

// TestSaveDownload_unprepared checks that missing settings and an invalid path are
// errors before any request.
func TestSaveDownload_unprepared(t *testing.T) {
	dir := t.TempDir()
	tests := map[string]struct {
		provider values
		path     string
		report   string
	}{
		"a directory as path": {path: dir, report: "ERROR at path: Cannot write to the path: {path} is a directory.\n\nNo download was created."},
		"no download_url":     {provider: values{"download_url": nil}, report: ": Missing Privasfer download URL: "},
		"no PIN":              {provider: values{"pin": nil}, report: ": Missing Privasfer PIN: "},
		"an unknown token":    {provider: values{"token": unknown}, report: ": Provider configuration not known yet: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t, simulator.Options{})
			path := cmp.Or(test.path, filepath.Join(dir, "file"))
			_, report := newActionServer(t, api, test.provider).invoke(t.Context(), t, values{"file_ids": []string{"x"}, "path": path})
			if want := strings.ReplaceAll(test.report, "{path}", path); !strings.Contains(report, want) {
				t.Errorf("reported %q, want %q", report, want)
			}
			api.checkRequests(t)
			files{}.check(t, dir)
		})
	}
}

// TestSaveDownload_validation checks the validation of every argument.
func TestSaveDownload_validation(t *testing.T) {
	t.Parallel()
	const which = `Exactly one of these attributes must be configured: [file_ids,download_id]`
	server := newActionServer(t, newAPI(t, simulator.Options{}), nil)
	tests := map[string]struct {
		config values // and a path
		report string // part of the error; "": valid
	}{
		"files":               {values{"file_ids": []string{"a", "b"}}, ""},
		"a download":          {values{"download_id": "d"}, ""},
		"everything":          {values{"download_id": "d", "file_permission": "0644", "sha256": strings.Repeat("aB", 32)}, ""},
		"not known yet":       {values{"download_id": unknown, "path": unknown, "sha256": unknown}, ""},
		"neither":             {values{}, which},
		"both":                {values{"file_ids": []string{"a"}, "download_id": "d"}, which},
		"no files":            {values{"file_ids": []string{}}, "ERROR at file_ids: "},
		"an empty file id":    {values{"file_ids": []string{""}}, "ERROR at file_ids."},
		"a download's path":   {values{"download_id": "a/b"}, "ERROR at download_id: Invalid id: "},
		"an empty path":       {values{"download_id": "d", "path": ""}, "ERROR at path: "},
		"symbolic permission": {values{"download_id": "d", "file_permission": "u+r"}, "ERROR at file_permission: "},
		"setuid":              {values{"download_id": "d", "file_permission": "4755"}, "ERROR at file_permission: "},
		"no octal digit":      {values{"download_id": "d", "file_permission": "0680"}, "ERROR at file_permission: "},
		"half a checksum":     {values{"download_id": "d", "sha256": strings.Repeat("a", 32)}, "ERROR at sha256: "},
		"no checksum":         {values{"download_id": "d", "sha256": strings.Repeat("x", 64)}, "ERROR at sha256: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response, err := server.ValidateActionConfig(t.Context(), &tfprotov6.ValidateActionConfigRequest{
				ActionType: actionType, Config: dynamicValue(t, server.schema, values{"path": "file"}.and(test.config))})
			if err != nil {
				t.Fatal(err)
			}
			report := reported(nil, response.Diagnostics)
			if test.report == "" && report != "" || !strings.Contains(report, test.report) {
				t.Errorf("reported %q, want %q", report, test.report)
			}
		})
	}
}

// TestSaveDownload_slow checks that saving a file may take longer than the lifetime
// of the download and than request_timeout, and that its progress is reported.
func TestSaveDownload_slow(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	api.Inject("GET /download/", 1, inPieces(9, 300*time.Millisecond, nil))
	path := filepath.Join(t.TempDir(), "file")
	server := newActionServer(t, api, values{"request_timeout": "2s"},
		WithDownloadLifetime(2*time.Second), WithProgressInterval(50*time.Millisecond))
	progress, report := server.invoke(t.Context(), t, values{"file_ids": []string{simulator.FileInvoice}, "path": path})
	if report != "" || readFile(t, path) != contentOf(t, simulator.DefaultData(), simulator.FileInvoice) {
		t.Error("the file was not saved", report)
	}
	// A ninth of the file is 4821 bytes.
	for _, want := range []string{"0 of 43389 bytes, 0%", "9642 of 43389 bytes, 22%", "38568 of 43389 bytes, 88%"} {
		if !slices.Contains(progress, want) {
			t.Errorf("the progress lacks %q: %q", want, progress)
		}
	}
}

// TestSaveDownload_interrupted checks that an interrupt leaves only the existing file.
func TestSaveDownload_interrupted(t *testing.T) {
	t.Parallel()
	for at, fault := range map[string]func(interrupt func()) simulator.Fault{
		"POST /api/downloads": interruptedBy,
		"GET /download/":      interruptedHalfWay,
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			dir, path := oldFile(t)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			api.Inject(at, 1, fault(interrupt))
			_, report := newActionServer(t, api, nil).invoke(ctx, t, values{"file_ids": []string{simulator.FileInvoice}, "path": path})
			if !strings.Contains(report, "The run was interrupted.") {
				t.Errorf("reported %s", report)
			}
			files{"file": "old"}.check(t, dir)
		})
	}
}

// TestSaveDownload_unheard checks that a file is saved, or removed after a failure,
// although the messages are no longer received, as after an interrupt.
func TestSaveDownload_unheard(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]bool{"saved": false, "cut": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, dir := newAPI(t, simulator.Options{}), t.TempDir()
			rest, want := simulator.Fault(nil), files{"file": contentOf(t, simulator.DefaultData(), simulator.FileInvoice)}
			if fails {
				rest = func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }
				want = files{}
			}
			api.Inject("GET /download/", 1, inPieces(20, 20*time.Millisecond, rest))
			server := newActionServer(t, api, nil, WithProgressInterval(time.Millisecond))
			stream := server.start(t.Context(), t, values{"file_ids": []string{simulator.FileInvoice}, "path": filepath.Join(dir, "file")})
			for range stream.Events {
				break
			}
			for deadline := time.Now().Add(maxProgressWait - 200*time.Millisecond); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
				if entries, _ := os.ReadDir(dir); len(entries) == len(want) && (fails || entries[0].Name() == "file") {
					break
				}
			}
			want.check(t, dir)
		})
	}
}

// TestSaveDownload_page checks that the page of the action has the provider's schema.
// The page is written by hand, because the documentation generator does not support
// actions with Terraform before 1.14.
func TestSaveDownload_page(t *testing.T) {
	t.Parallel()
	root := terraform.Root()
	page := readFile(t, filepath.Join(root, "docs", "actions", "save_download.md"))
	response, err := providerserver.NewProtocol6(New(testVersion)())().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	block := response.ActionSchemas[actionType].Schema.Block
	want := map[bool]string{true: "### Required\n\n", false: "### Optional\n\n"}
	for _, attribute := range block.Attributes { // sorted by name
		kind := map[string]string{"tftypes.String": "String", "tftypes.Set[tftypes.String]": "Set of String"}[attribute.Type.String()]
		want[attribute.Required] += fmt.Sprintf("- `%s` (%s) %s\n", attribute.Name, kind, attribute.Description)
	}
	for _, want := range []string{
		"description: |-\n  " + block.Description + "\n---\n",
		"# privasfer_save_download (Action)\n\n" + block.Description + "\n",
		"## Schema\n\n" + want[true] + "\n" + want[false],
		readFile(t, filepath.Join(root, "examples", "actions", actionType, "action.tf")),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks\n%s", want)
		}
	}
}
