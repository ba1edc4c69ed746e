package provider

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// testToken is the token that the simulator takes. It is unlike anything else,
// so that a search for it proves something.
const testToken = "7xcB5XlinBWGzajPdSW7bHr12erWZICIJN4jk0RpasoLYLpoiD6ErYnVSzld"

// testVersion is the provider's version in every test.
const testVersion = "0.0.0-test"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		os.Exit(runHelper())
	}
	if file := os.Getenv(keepVariable); file != "" {
		os.Exit(keep(file))
	}
	os.Exit(runTests(m))
}

// runTests takes away what would make a test depend on who runs it.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "privasfer-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	sharedDir = dir

	cliConfig := filepath.Join(dir, "empty.tfrc")
	if err := os.WriteFile(cliConfig, nil, 0o600); err != nil {
		panic(err)
	}
	for variable, value := range map[string]string{
		"TF_CLI_CONFIG_FILE": cliConfig,
		"CHECKPOINT_DISABLE": "1",
		envToken:             "",
		envBaseURL:           "",
		envDownloadURL:       "",
	} {
		if err := os.Setenv(variable, value); err != nil {
			panic(err)
		}
	}
	found, err := findEngine()
	if err != nil {
		panic(err)
	}
	if found.name == openTofu.name {
		// terraform-plugin-testing has to be told where OpenTofu looks for a
		// provider whose source is not written out.
		for variable, value := range map[string]string{
			"TF_ACC_PROVIDER_HOST":      "registry.opentofu.org",
			"TF_ACC_PROVIDER_NAMESPACE": "hashicorp",
		} {
			if err := os.Setenv(variable, value); err != nil {
				panic(err)
			}
		}
	}
	return m.Run()
}

// sharedDir is removed when the tests of this package have ended.
var sharedDir string

// program finds terraform or tofu once.
var program = sync.OnceValues(func() (string, error) {
	return terraform.Find(context.Background(), filepath.Join(sharedDir, "terraform"))
})

// testAPI is a simulator that listens.
type testAPI struct {
	*simulator.Server
	URL string // of the API, to be used as base_url
}

// newAPI starts a simulator. It fails the test if anything asked for a route
// that the API does not have.
func newAPI(t testing.TB, options simulator.Options) *testAPI {
	t.Helper()
	options.Token = testToken
	server := simulator.New(options)
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		listener.Close()
		for _, request := range server.Unexpected() {
			t.Errorf("the API has no route %s %s", request.Method, request.Path)
		}
	})
	return &testAPI{Server: server, URL: listener.URL + "/api"}
}

// providerBlock is a provider block for the API with the right token.
func (a *testAPI) providerBlock() string {
	return fmt.Sprintf("provider \"privasfer\" {\n  token    = %q\n  base_url = %q\n}\n", testToken, a.URL)
}

// factories serve the provider, and the echo provider that shows what an
// ephemeral resource has returned.
func factories(options ...Option) map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"privasfer": providerserver.NewProtocol6WithError(New(testVersion, options...)()),
		"echo":      echoprovider.NewProviderServer(),
	}
}

// echo is configuration that keeps an ephemeral value where a check can see
// it. It keeps a value once, so every step needs an echo of its own.
func echo(name, value string) string {
	return fmt.Sprintf("\nprovider \"echo\" {\n  data = %s\n}\nresource \"echo\" %q {}\n", value, name)
}

// message matches an error or warning as Terraform prints it: wrapped at any
// place, in a frame.
func message(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	return regexp.MustCompile(strings.Join(words, `[\s│╷╵]+`))
}

// workspace is a folder in which the real program runs on a configuration,
// with the provider served by the test's own process. It is for what
// terraform-plugin-testing does not show: warnings, signals, files.
type workspace struct {
	terraform.Workspace
	t *testing.T
}

// newWorkspace writes the configuration, after a block that names where the
// provider is from.
func newWorkspace(t *testing.T, config string, options ...Option) *workspace {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	w := &workspace{t: t, Workspace: terraform.Workspace{Program: path, Dir: t.TempDir()}}
	w.write(config)
	if err := w.UseReattached(t.TempDir(), serve(t, options...)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *workspace) write(config string) {
	w.t.Helper()
	config = fmt.Sprintf("terraform {\n  required_providers {\n    privasfer = { source = %q }\n  }\n}\n%s", terraform.Source, config)
	if err := os.WriteFile(filepath.Join(w.Dir, "main.tf"), []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the program and checks its exit code. A run that hangs is ended
// after a minute and fails the test.
func (w *workspace) run(exitCode int, args ...string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	result, err := w.Run(ctx, slices.Insert(args, 1, "-no-color")...)
	switch {
	case err != nil:
		w.t.Fatal(err)
	case ctx.Err() != nil:
		w.t.Fatalf("%v did not end:\n%s", args, result.Output)
	case result.ExitCode != exitCode:
		w.t.Fatalf("%v ended with %d, not %d:\n%s", args, result.ExitCode, exitCode, result.Output)
	}
	return result.Output
}

// skipWithoutInterrupt skips a test of Ctrl-C where one program cannot send it to
// another.
func skipWithoutInterrupt(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("os.Process.Signal knows no interrupt on Windows")
	}
}

// serve serves the provider from this process and returns what
// TF_REATTACH_PROVIDERS says of it.
func serve(t *testing.T, options ...Option) string {
	t.Helper()
	return serveAll(t, map[string]provider.Provider{terraform.Source: New(testVersion, options...)()})
}

// serveAll serves several providers, by their sources.
func serveAll(t *testing.T, providers map[string]provider.Provider) string {
	t.Helper()
	servers := map[string]any{}
	for source, served := range providers {
		server := serveOne(t, source, served)
		servers["registry.terraform.io/"+source], servers["registry.opentofu.org/"+source] = server, server
	}
	encoded, err := json.Marshal(servers)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func serveOne(t *testing.T, source string, served provider.Provider) map[string]any {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reattach, closed := make(chan *plugin.ReattachConfig), make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		failed <- tf6server.Serve("registry.terraform.io/"+source,
			providerserver.NewProtocol6(served),
			tf6server.WithDebug(ctx, reattach, closed),
			// Like terraform-plugin-testing: logs as TF_LOG says, none otherwise.
			tf6server.WithLoggingSink(t), tf6server.WithGoPluginLogger(hclog.NewNullLogger()))
	}()
	t.Cleanup(func() {
		cancel()
		<-closed
	})

	var config *plugin.ReattachConfig
	select {
	case config = <-reattach:
	case err := <-failed:
		t.Fatalf("serving the provider: %v", err)
	}
	type address struct{ Network, String string }
	return map[string]any{
		"Protocol":        string(config.Protocol),
		"ProtocolVersion": config.ProtocolVersion,
		"Pid":             config.Pid,
		"Test":            config.Test,
		"Addr":            address{config.Addr.Network(), config.Addr.String()},
	}
}

// checkOutput checks that a run's output has texts, however Terraform has wrapped
// them.
func checkOutput(t *testing.T, output string, want ...string) {
	t.Helper()
	for _, want := range want {
		if !message(want).MatchString(output) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
}

// providerFor is a provider block with the right token, and more arguments.
func providerFor(baseURL string, arguments ...string) string {
	return fmt.Sprintf("provider \"privasfer\" {\n  token = %q\n  base_url = %q\n  %s\n}\n", testToken, baseURL, strings.Join(arguments, "\n  "))
}

// checkShown checks that a run says one thing, that it is short, and that it
// shows neither the token nor anything of a body.
func checkShown(t *testing.T, output string) {
	t.Helper()
	diagnostics := regexp.MustCompile(`(?m)^[\s│]*(Error|Warning): `).FindAllStringIndex(output, -1)
	if len(diagnostics) != 1 {
		t.Errorf("got %d errors and warnings, want 1:\n%s", len(diagnostics), output)
	}
	if got := utf8.RuneCountInString(output); got >= maxDiagnostic {
		t.Errorf("the output has %d characters, want less than %d:\n%s", got, maxDiagnostic, output)
	}
	for _, secret := range []string{testToken, marker, "/var/www", ".php", "#0 ", "Stack trace", "goroutine ", ".go:", "<p>"} {
		if strings.Contains(output, secret) {
			t.Errorf("the output shows %q:\n%s", secret, output)
		}
	}
}

// checkState checks the state of the workspace as terraform-plugin-testing
// does, without the runs that it adds: each would read every data source again.
func (w *workspace) checkState(checks ...statecheck.StateCheck) {
	w.t.Helper()
	var request statecheck.CheckStateRequest
	request.State = zero(request.State)
	request.State.UseJSONNumber(true)
	if err := json.Unmarshal([]byte(w.run(0, "show", "-json")), request.State); err != nil {
		w.t.Fatal(err)
	}
	for _, check := range checks {
		var response statecheck.CheckStateResponse
		check.CheckState(w.t.Context(), request, &response)
		if response.Error != nil {
			w.t.Error(response.Error)
		}
	}
}

// zero spares a direct dependency on terraform-json, whose type it is.
func zero[T any](*T) *T { return new(T) }

// checkRequests checks all requests since the last time, in any order, with
// {id} for that of a download and the number of the page for a cursor. It
// forgets them.
func (a *testAPI) checkRequests(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, request := range a.Requests() {
		line := request.Method + " " + request.Path
		if request.RawQuery != "" {
			line += "?" + cursorPattern.ReplaceAllStringFunc(request.RawQuery, cursorPage)
		}
		for _, download := range a.Downloads() {
			line = strings.ReplaceAll(line, download.ID, "{id}")
		}
		got = append(got, line)
	}
	a.ResetRequests()
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("the requests are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var cursorPattern = regexp.MustCompile(`\bcursor=[^&]+`)

func cursorPage(parameter string) string {
	var content struct{ Page int }
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(parameter, "cursor="))
	if err != nil || json.Unmarshal(decoded, &content) != nil {
		return parameter
	}
	return fmt.Sprintf("cursor=%d", content.Page)
}

// downloadURL is where the simulator performs downloads, up to the id.
func (a *testAPI) downloadURL() string { return strings.TrimSuffix(a.URL, "/api") + "/download/" }

func readFile(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// unzip returns the files in an archive: a plan file is one.
func unzip(t *testing.T, file string) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	contents := map[string][]byte{}
	for _, entry := range archive.File {
		reader, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		contents[entry.Name], err = io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
	}
	return contents
}
