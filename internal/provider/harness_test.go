package provider

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
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
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// testToken is the token that the simulator accepts. It is unique, so that a search
// for it finds nothing else.
const testToken = "7xcB5XlinBWGzajPdSW7bHr12erWZICIJN4jk0RpasoLYLpoiD6ErYnVSzld"

// testPIN is the PIN that the simulator accepts. It is unique too.
const testPIN = "8305-PIN-6b1f"

// testVersion is the provider's version in every test.
const testVersion = "0.0.0-test"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		os.Exit(runHelper())
	}
	if file := os.Getenv(recordVariable); file != "" {
		os.Exit(record(file))
	}
	os.Exit(runTests(m))
}

// runTests runs the tests without the settings of the user.
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
	setenv := func(environment map[string]string) {
		for variable, value := range environment {
			if err := os.Setenv(variable, value); err != nil {
				panic(err)
			}
		}
	}
	setenv(map[string]string{
		"TF_CLI_CONFIG_FILE": cliConfig, "CHECKPOINT_DISABLE": "1", envToken: "", envBaseURL: "", envPIN: "", envDownloadURL: "",
	})
	found, err := findEngine()
	if err != nil {
		panic(err)
	}
	if found.name == openTofu.name {
		// terraform-plugin-testing must know where OpenTofu looks for a provider
		// whose configuration has no source.
		setenv(map[string]string{"TF_ACC_PROVIDER_HOST": "registry.opentofu.org", "TF_ACC_PROVIDER_NAMESPACE": "hashicorp"})
	}
	return m.Run()
}

// sharedDir is a temporary directory for all tests of this package.
var sharedDir string

// program returns the path of terraform or tofu. It searches once.
var program = sync.OnceValues(func() (string, error) {
	return terraform.Find(context.Background(), filepath.Join(sharedDir, "terraform"))
})

// testAPI is a running simulator.
type testAPI struct {
	*simulator.Server
	URL string // the value of base_url
}

// newAPI starts a simulator. It fails the test if a request has a route that the API
// does not have.
func newAPI(t testing.TB, options simulator.Options) *testAPI {
	t.Helper()
	options.Token, options.PIN = testToken, testPIN
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

// providerFor returns a provider block with the token and more arguments.
func providerFor(baseURL string, arguments ...string) string {
	return fmt.Sprintf(`
		provider "privasfer" {
			token    = %q
			base_url = %q
			%s
		}
		`, testToken, baseURL, strings.Join(arguments, "\n"))
}

// providerBlock returns a provider block for the API.
func (a *testAPI) providerBlock() string { return providerFor(a.URL) }

// performer returns a provider block that can also perform downloads.
func (a *testAPI) performer() string {
	return providerFor(a.URL, fmt.Sprintf("pin = %q", testPIN), fmt.Sprintf("download_url = %q", a.downloadURL()+"{key}"))
}

// downloadURL returns the URL of the simulator's downloads without the public key.
func (a *testAPI) downloadURL() string { return strings.TrimSuffix(a.URL, "/api") + "/download/" }

// factories returns the provider and the echo provider, which shows the results of an
// ephemeral resource.
func factories(options ...Option) map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"privasfer": providerserver.NewProtocol6WithError(New(testVersion, options...)()),
		"echo":      echoprovider.NewProviderServer(),
	}
}

// echo returns configuration that stores an ephemeral value in the state for a check.
// The resource stores the first value only, so every step needs another name.
func echo(name, value string) string {
	return fmt.Sprintf(`
		provider "echo" {
			data = %s
		}
		resource "echo" %q {}
		`, value, name)
}

// message returns a pattern for an error or warning, which the engines wrap and frame.
func message(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	return regexp.MustCompile(strings.Join(words, `[\s│╷╵]+`))
}

// workspace is a directory with a configuration in which a test runs the engine. It is
// for tests that terraform-plugin-testing does not support: of warnings, signals and
// files.
type workspace struct {
	terraform.Workspace
	t *testing.T
}

// plainWorkspace returns an empty workspace without a provider.
func plainWorkspace(t *testing.T) *workspace {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return &workspace{t: t, Workspace: terraform.Workspace{Program: path, Dir: t.TempDir()}}
}

// newWorkspace returns a workspace with a configuration. This process serves the
// provider.
func newWorkspace(t *testing.T, config string, options ...Option) *workspace {
	t.Helper()
	w := plainWorkspace(t)
	w.write(config)
	if err := w.UseReattached(t.TempDir(), serve(t, options...)); err != nil {
		t.Fatal(err)
	}
	return w
}

// binary builds the provider once, for tests of its logs, its environment and its
// exit, which need a separate process. It returns the environment variables that make
// a run use it.
var binary = sync.OnceValues(func() (env []string, err error) {
	dir := filepath.Join(sharedDir, "provider")
	if err := terraform.BuildProvider(context.Background(), dir, ".", "-ldflags=-X main.version="+testVersion); err != nil {
		return nil, err
	}
	var w terraform.Workspace
	err = w.UseProvider(dir)
	return w.Env, err
})

// newBinaryWorkspace returns a workspace that runs the provider as a separate process.
// The directory for temporary files is in the workspace, so that a test can search it.
func newBinaryWorkspace(t *testing.T, config string, env ...string) *workspace {
	t.Helper()
	built, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	w := plainWorkspace(t)
	w.write(config)
	temporary := filepath.Join(w.Dir, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	w.Env = slices.Concat(built, env, []string{"TMPDIR=" + temporary, "TMP=" + temporary, "TEMP=" + temporary, "PLUGIN_UNIX_SOCKET_DIR=" + sharedDir})
	return w
}

func (w *workspace) write(config string) {
	w.t.Helper()
	config = fmt.Sprintf(`
		terraform {
			required_providers {
				privasfer = { source = %q }
			}
		}
		%s`, terraform.Source, config)
	if err := os.WriteFile(filepath.Join(w.Dir, "main.tf"), []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the engine, checks its exit code and returns its output. It fails the test
// if the run takes longer than a minute.
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

// skipWithoutInterrupt skips a test on a system on which a process cannot interrupt
// another.
func skipWithoutInterrupt(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("os.Process.Signal knows no interrupt on Windows")
	}
}

// serve serves the provider from this process and returns the value of
// TF_REATTACH_PROVIDERS.
func serve(t *testing.T, options ...Option) string {
	t.Helper()
	return serveAll(t, map[string]provider.Provider{terraform.Source: New(testVersion, options...)()})
}

// serveAll is like serve for several providers, by their sources.
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
			// As in terraform-plugin-testing, only TF_LOG turns on logs.
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

// checkOutput checks that the output of a run contains texts, wrapped or not.
func checkOutput(t *testing.T, output string, want ...string) {
	t.Helper()
	for _, want := range want {
		if !message(want).MatchString(output) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
}

// checkReport fails the test unless the report is one short error or warning that
// contains the texts, and no secret, marker or stack trace. If the only text is "",
// the report must be empty.
func checkReport(t testing.TB, report string, want ...string) {
	t.Helper()
	if len(want) == 1 && want[0] == "" {
		if report != "" {
			t.Errorf("there is a report: %s", report)
		}
		return
	}
	if strings.Count(report, "ERROR")+strings.Count(report, "WARNING") != 1 || utf8.RuneCountInString(report) >= maxReport {
		t.Errorf("it is not one short report: %q", report)
	}
	for _, want := range want {
		if !strings.Contains(report, want) {
			t.Errorf("it lacks %q: %s", want, report)
		}
	}
	for _, secret := range []string{testToken, testPIN, marker, "/var/www", ".php", "#0 ", "Stack trace", "goroutine ", ".go:", "<p>"} {
		if strings.Contains(report, secret) {
			t.Errorf("it shows %q: %s", secret, report)
		}
	}
}

// checkState checks the state as terraform-plugin-testing does, but without additional
// runs, each of which would read every data source again.
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

// zero returns a new T. It avoids a direct dependency on terraform-json for its type.
func zero[T any](*T) *T { return new(T) }

// The requests of a download in the form of checkRequests.
const (
	postKey         = "POST /api/keys"
	deleteKey       = "DELETE /api/keys/{key}"
	postDownload    = "POST /api/downloads"
	postDownloadKey = "POST /api/downloads/{id}/keys"
	getContent      = "GET /download/{key}"
)

// checkRequests checks the requests since its last call, in any order, and resets
// them. {id} stands for the id of a created download, {key} for a temporary or public
// key, and the number of a page for a cursor.
func (a *testAPI) checkRequests(t testing.TB, want ...string) {
	t.Helper()
	var names []string
	for _, download := range a.Downloads() {
		names = append(names, download.ID, "{id}")
	}
	for _, key := range a.keys() {
		names = append(names, key, "{key}")
	}
	replacer := strings.NewReplacer(names...)
	var got []string
	for _, request := range a.Requests() {
		line := request.Method + " " + request.Path
		if request.RawQuery != "" {
			line += "?" + cursorPattern.ReplaceAllStringFunc(request.RawQuery, cursorPage)
		}
		got = append(got, replacer.Replace(line))
	}
	a.ResetRequests()
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("the requests are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// times returns the requests n times.
func times(n int, requests ...string) []string { return slices.Repeat(requests, n) }

// keys returns all temporary and public keys.
func (a *testAPI) keys() (keys []string) {
	for _, key := range a.TemporaryKeys() {
		keys = append(keys, key.Key)
	}
	for _, key := range a.DownloadKeys() {
		keys = append(keys, key.Key)
	}
	return keys
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

func readFile(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// unzip returns the files of a ZIP archive, such as a plan file.
func unzip(t *testing.T, file string) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	contents := map[string][]byte{}
	for _, entry := range archive.File {
		if contents[entry.Name], err = fs.ReadFile(archive, entry.Name); err != nil {
			t.Fatal(err)
		}
	}
	return contents
}

// helperVariable makes this test binary act as a helper for provisioners, because not
// every machine has sleep and curl. Its value is the time to wait first.
const helperVariable = "TEST_HELPER_WAIT"

// provisioner returns a provisioner that runs the helper with an expression in an
// environment variable.
func provisioner(wait time.Duration, variable, value, file string) string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`
		provisioner "local-exec" {
			command     = %q
			environment = {
				%s = %q
				%s = %s
				TEST_HELPER_FILE = %q
			}
		}`, self, helperVariable, wait, variable, value, file)
}

// helper returns a provisioner that waits, performs the download at a URL, and writes
// the response to file unless that is "". If the URL is null, it performs nothing.
func helper(wait time.Duration, url, file string) string {
	return provisioner(wait, "TEST_HELPER_URL", url, file)
}

// sleeper returns a provisioner that only waits.
func sleeper(wait time.Duration) string { return helper(wait, `""`, "") }

// saver returns a provisioner that writes a text to file, or nothing if file is "".
func saver(text, file string) string { return provisioner(0, "TEST_HELPER_TEXT", text, file) }

func runHelper() int {
	wait, err := time.ParseDuration(os.Getenv(helperVariable))
	if err != nil {
		return 2
	}
	time.Sleep(wait)
	content := []byte(os.Getenv("TEST_HELPER_TEXT"))
	if url := os.Getenv("TEST_HELPER_URL"); url != "" {
		if content, err = fetch(url); err != nil {
			return 3
		}
	}
	if file := os.Getenv("TEST_HELPER_FILE"); file != "" && os.WriteFile(file, content, 0o600) != nil {
		return 4
	}
	return 0
}

// fetch returns the status and the body of a response.
func fetch(url string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	// If */* is first, a Laravel application redirects to its login page.
	request.Header.Set("Accept", "application/json, */*;q=0.8")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return append([]byte(response.Status+"\n"), content...), err
}

// null, text and texts are shorthands for exact values.
var null knownvalue.Check = knownvalue.Null()

func text(value string) knownvalue.Check { return knownvalue.StringExact(value) }

func texts(values ...string) knownvalue.Check {
	checks := make([]knownvalue.Check, len(values))
	for i, value := range values {
		checks[i] = text(value)
	}
	return knownvalue.ListExact(checks)
}

// attributes are the expected attributes of an object.
type attributes map[string]knownvalue.Check

// and returns a copy with more attributes.
func (a attributes) and(more attributes) attributes {
	result := maps.Clone(a)
	maps.Copy(result, more)
	return result
}

func (a attributes) exactly() knownvalue.Check { return knownvalue.ObjectExact(a) }

func personCheck(name, initials, email, photoURL, timezone knownvalue.Check) knownvalue.Check {
	return attributes{"name": name, "initials": initials, "email": email, "photo_url": photoURL, "timezone": timezone}.exactly()
}

// The files of the simulator's data set, as attributes of a download.
var (
	author = personCheck(text("Author Name"), text("Author N."), text("author@email.address"), text(""), text("Europe/Vilnius"))

	invoiceFile = attributes{
		"id": text(simulator.FileInvoice), "filename": text("invoice"), "type": text("application/pdf"), "extension": text("pdf"),
		"full_filename": text("invoice.pdf"), "size": knownvalue.Int64Exact(43389), "formatted_size": text("42.37 KB"),
		"encrypted_size": knownvalue.Int64Exact(78508), "formatted_encrypted_size": text("76.67 KB"), "created_by": author,
		"created_at": text("2019-05-08 00:18:03"), "disk": text("local-spaces"), "trashed": knownvalue.Bool(false),
	}.exactly()
	licenceFile = attributes{
		"id": text(simulator.FileLicence), "filename": text("licence"), "type": text("text/plain"), "extension": text("txt"),
		"full_filename": text("licence.txt"), "size": knownvalue.Int64Exact(77), "formatted_size": text("77 B"),
		"encrypted_size": knownvalue.Int64Exact(124), "formatted_encrypted_size": text("124 B"), "created_by": author,
		"created_at": text("2019-05-09 09:30:00"), "disk": text("local-spaces"), "trashed": knownvalue.Bool(false),
	}.exactly()

	// bareFile has null or an empty string wherever possible.
	bareFile = attributes{
		"id": text(simulator.FileBare), "filename": text("README"), "type": null, "extension": text(""),
		"full_filename": text("README"), "size": knownvalue.Int64Exact(0), "formatted_size": text(""),
		"encrypted_size": null, "formatted_encrypted_size": null, "created_by": null,
		"created_at": null, // "" in the response
		"disk":       null, "trashed": null,
	}.exactly()
)
