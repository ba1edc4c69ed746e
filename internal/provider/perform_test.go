package provider

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// lapses is told wherever a download was created and its content not had.
const lapses = "The download was created, and may have been used up. Where it was not, it lapses within one minute."

// performer is a provider block that knows where the simulator performs
// downloads, and more arguments.
func (a *testAPI) performer(arguments ...string) string {
	return providerFor(a.URL, append(arguments, fmt.Sprintf("download_url = %q", a.downloadURL()+"{id}"))...)
}

// performed is an ephemeral block that performs its download.
func performed(fileID string, arguments ...string) string {
	return fmt.Sprintf("ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%q]\n  perform  = true\n  %s\n}\n",
		fileID, strings.Join(arguments, "\n  "))
}

// holder hands the content to a program, as the simplest consumer does.
func holder(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
		resource "terraform_data" "consumer" {
			provisioner "local-exec" {
				command     = %q
				environment = {
					%s      = "0s"
					TEST_CONTENT          = ephemeral.privasfer_download.test.content
					TEST_CONTENT_BASE64   = ephemeral.privasfer_download.test.content_base64
					TEST_CONTENT_ID       = ephemeral.privasfer_download.test.id
				}
			}
		}`, self, helperVariable)
}

// checkUses counts the downloads that were created and the uses of one. Each
// that was created is in the given state.
func (a *testAPI) checkUses(t *testing.T, created, uses int, state simulator.State) {
	t.Helper()
	if got := a.Count(http.MethodPost, "/api/downloads"); got != created {
		t.Errorf("%d creations, want %d", got, created)
	}
	if got := a.Count(http.MethodGet, "/download/"); got != uses {
		t.Errorf("%d uses, want %d", got, uses)
	}
	for _, download := range a.Downloads() {
		if download.State != state {
			t.Errorf("download %s is %s, want %s", download.ID, download.State, state)
		}
	}
}

// TestAccPerform checks every attribute of a performed download by its exact
// value, and that each that was created was used at once.
func TestAccPerform(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fileID      string
		fault       simulator.Fault
		arguments   string
		content     knownvalue.Check
		contentType knownvalue.Check
		maximum     knownvalue.Check
		length      int64
		base64      string // where it is short enough to be read
	}{
		"text": {fileID: simulator.FileLicence, length: 77, contentType: knownvalue.StringExact("text/plain"),
			content: knownvalue.StringExact("Licence\n\nYou may read this file – and so may čia, 日本, naïve readers.\n")},
		"binary": {fileID: simulator.FileInvoice, length: 43389, contentType: knownvalue.StringExact("application/pdf"), content: knownvalue.Null()},
		"short binary": {fileID: simulator.FileBackup, length: 10, contentType: knownvalue.StringExact("application/gzip"), content: knownvalue.Null(),
			base64: "H4tzdGFuZC1pbg=="},
		"empty": {fileID: simulator.FileBare, contentType: knownvalue.StringExact("application/octet-stream"), content: knownvalue.StringExact("")},
		"decomposed text": {fileID: simulator.FileNFD, length: 50, contentType: knownvalue.StringExact("text/plain"),
			content: knownvalue.StringExact("R\u00e9n\u00e9e\n\u017duk\u0117\nBj\u00f6rn\n\ud55c\uae00\n\u00c5\n"),
			base64:  "UmXMgW5lzIFlClrMjHVrZcyHCkJqb8yIcm4K4YSS4YWh4Yar4YSA4YWz4YavCuKEqwo="},
		"as large as it may be": {fileID: simulator.FileInvoice, arguments: "max_content_bytes = 43389", length: 43389,
			contentType: knownvalue.StringExact("application/pdf"), content: knownvalue.Null(), maximum: knownvalue.Int64Exact(43389)},
		"compressed on the way": {fileID: simulator.FileInvoice, fault: simulator.Encoded("gzip"), length: 43389,
			contentType: knownvalue.StringExact("application/pdf"), content: knownvalue.Null()},
		"length not told": {fileID: simulator.FileInvoice, fault: simulator.Chunked(), length: 43389,
			contentType: knownvalue.StringExact("application/pdf"), content: knownvalue.Null()},
		"no type": {fileID: simulator.FileBackup, fault: simulator.ContentType(""), length: 10, contentType: knownvalue.Null(), content: knownvalue.Null()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Now: atNoon})
			if test.fault != nil {
				api.Inject("GET /download/", -1, test.fault)
			}
			want := contentOf(t, simulator.DefaultData(), test.fileID)
			if test.base64 == "" {
				test.base64 = base64.StdEncoding.EncodeToString([]byte(want))
			}
			if test.maximum == nil {
				test.maximum = knownvalue.Null()
			}
			sum := sha256.Sum256([]byte(want))
			files := knownvalue.ListSizeExact(1)
			resource.UnitTest(t, resource.TestCase{
				TerraformVersionChecks:   ephemeralEngines,
				ProtoV6ProviderFactories: factories(WithClock(atNoon)),
				Steps: []resource.TestStep{{
					Config: api.performer() + performed(test.fileID, test.arguments) + echo("test", "ephemeral.privasfer_download.test"),
					ConfigStateChecks: []statecheck.StateCheck{
						statecheck.ExpectKnownValue("echo.test", tfjsonpath.New("data"), knownvalue.ObjectExact(map[string]knownvalue.Check{
							"file_ids":          knownvalue.SetExact([]knownvalue.Check{knownvalue.StringExact(test.fileID)}),
							"enabled":           knownvalue.Null(),
							"on_expiry":         knownvalue.Null(),
							"id":                knownvalue.StringFunc(oneOfDownloads(api)),
							"files":             files,
							"created_at":        knownvalue.StringExact(noon.Format(time.DateTime)),
							"expires_at":        knownvalue.Null(),
							"perform":           knownvalue.Bool(true),
							"max_content_bytes": test.maximum,
							"content":           test.content,
							"content_base64":    knownvalue.StringExact(test.base64),
							"content_sha256":    knownvalue.StringExact(hex.EncodeToString(sum[:])),
							"content_type":      test.contentType,
							"content_length":    knownvalue.Int64Exact(test.length),
						})),
					},
				}},
			})
			created := len(api.Downloads())
			if created == 0 {
				t.Error("there was no download")
			}
			api.checkUses(t, created, created, simulator.Performed)
		})
	}
}

// TestAccPerform_opens counts what a plan and its apply create and use.
func TestAccPerform_opens(t *testing.T) {
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
			w := newWorkspace(t, api.performer()+performed(simulator.FileLicence, enabled)+
				consumer("ephemeral.privasfer_download.test.content"))
			w.run(0, "plan", "-out", "plan")
			w.run(0, "apply", "plan")
			api.checkUses(t, want, want, simulator.Performed)
		})
	}
}

// TestAccPerform_downloadURL: where the URL comes from, and that nothing is
// created where there is none.
func TestAccPerform_downloadURL(t *testing.T) {
	t.Parallel()
	const dead = "http://127.0.0.1:1/{id}"
	tests := map[string]struct {
		argument    string // %s is the simulator's URL; "": none
		environment string
		want        []string // of the error; nil: none
	}{
		"argument":                {argument: `"%s"`},
		"white space is cut":      {argument: `" %s\n"`},
		"environment":             {environment: "%s"},
		"argument wins":           {argument: `"%s"`, environment: dead},
		"argument wins over junk": {argument: `"%s"`, environment: "junk"},
		"null, environment":       {argument: "null", environment: "%s"},
		"neither": {want: []string{"Missing Privasfer download URL", "perform = true", "To perform a download the provider has to know where",
			"Give the URL, with {id} in the place of the download's id, by the provider's `download_url` argument or by the environment " +
				"variable PRIVASFER_DOWNLOAD_URL."}},
		"empty environment": {environment: "", want: []string{"Missing Privasfer download URL"}},
		"empty argument": {argument: `""`, environment: "%s",
			want: []string{"Invalid Privasfer download URL", "The URL cannot be used: it must contain {id} once"}},
		"environment, no id": {environment: "https://privasfer.example/hunter2", want: []string{"Invalid Privasfer download URL",
			"The URL in the environment variable PRIVASFER_DOWNLOAD_URL cannot be used: it must contain {id} once, in the place of the download's id."}},
		"environment, http": {environment: "http://hunter2.example/{id}", want: []string{"Invalid Privasfer download URL",
			"The URL in the environment variable PRIVASFER_DOWNLOAD_URL cannot be used: it must begin with https://"}},
		"unknown, not replaced": {argument: "terraform_data.later.output", environment: "%s", want: []string{"Provider configuration not known yet", "perform = true",
			"The provider's `download_url` depends on something that is known only after apply, and the download has to be performed now. " +
				"Give a value that is known at plan, or set enabled = terraform.applying."}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			here := api.downloadURL() + "{id}"
			argument := ""
			if test.argument != "" {
				argument = "download_url = " + strings.ReplaceAll(test.argument, "%s", here)
			}
			w := newBinaryWorkspace(t, "resource \"terraform_data\" \"later\" { input = \"later\" }\n"+providerFor(api.URL, argument)+
				performed(simulator.FileLicence), envDownloadURL+"="+strings.ReplaceAll(test.environment, "%s", here))
			if test.want == nil {
				w.run(0, "plan")
				api.checkUses(t, 1, 1, simulator.Performed)
				return
			}
			output := w.run(1, "plan")
			checkOutput(t, output, test.want...)
			if strings.Contains(output, "hunter2") {
				t.Errorf("the output shows the URL:\n%s", output)
			}
			if got := len(api.Requests()); got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
		})
	}
}

// TestAccPerform_unknownUntilApply: a URL that only the apply knows is no
// hindrance where the plan performs nothing.
func TestAccPerform_unknownUntilApply(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	w := newWorkspace(t, fmt.Sprintf("resource \"terraform_data\" \"later\" { input = %q }\n", api.downloadURL()+"{id}")+
		providerFor(api.URL, "download_url = terraform_data.later.output")+performed(simulator.FileLicence, "enabled = terraform.applying")+
		consumer("ephemeral.privasfer_download.test.content"))
	w.run(0, "plan", "-out", "plan")
	if got := len(api.Requests()); got != 0 {
		t.Errorf("the plan made %d requests", got)
	}
	w.run(0, "apply", "plan")
	api.checkUses(t, 1, 1, simulator.Performed)
}

// TestAccPerform_validation shows the rule of every argument that is about
// performing.
func TestAccPerform_validation(t *testing.T) {
	t.Parallel()
	const (
		good      = "https://privasfer.example/{id}"
		subject   = "The URL cannot be used: "
		between   = "max_content_bytes value must be between 1 and 16777216, got: "
		plainHTTP = subject + "it must begin with https://, because what travels there is secret; plain http is accepted for a loopback host only."
	)
	for name, test := range map[string]struct{ url, arguments, want string }{
		"no place":           {url: "https://privasfer.example/hunter2", want: subject + "it must contain {id} once, in the place of the download's id."},
		"two places":         {url: "https://privasfer.example/{id}?id={id}", want: subject + "it must contain {id} once, in the place of the download's id."},
		"place in the host":  {url: "https://{id}.privasfer.example/", want: subject + "it is not a URL."},
		"no URL":             {url: "https://privasfer.example/%hunter2/{id}", want: subject + "it is not a URL."},
		"no scheme":          {url: "hunter2.example/{id}", want: subject + "it must begin with https://."},
		"no host":            {url: "https:///hunter2/{id}", want: subject + "it names no host."},
		"http":               {url: "http://hunter2.example/{id}", want: plainHTTP},
		"user name":          {url: "https://user:hunter2@privasfer.example/{id}", want: subject + "it must not contain a user name or a password."},
		"fragment":           {url: "https://privasfer.example/{id}#hunter2", want: subject + "it must not contain a fragment (#)."},
		"zero":               {url: good, arguments: "max_content_bytes = 0", want: between + "0"},
		"negative":           {url: good, arguments: "max_content_bytes = -1", want: between + "-1"},
		"more than 16 MiB":   {url: good, arguments: "max_content_bytes = 16777217", want: between + "16777217"},
		"no whole number":    {url: good, arguments: "max_content_bytes = 1.5", want: "max_content_bytes"},
		"perform, wrong":     {url: good, arguments: "perform = \"maybe\"", want: "a bool is required"},
		"a result is set":    {url: good, arguments: "content = \"x\"", want: "Invalid Configuration for Read-Only Attribute"},
		"disabled, no place": {url: "https://privasfer.example/", arguments: "enabled = false", want: subject + "it must contain {id} once"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			w := newWorkspace(t, providerFor(api.URL, fmt.Sprintf("download_url = %q", test.url))+fmt.Sprintf(
				"ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%q]\n  %s\n}\n", simulator.FileLicence, test.arguments))
			output := w.run(1, "plan")
			checkOutput(t, output, test.want)
			if strings.HasPrefix(test.want, subject) {
				checkOutput(t, output, "Error: Invalid Privasfer download URL")
			}
			if shown := strings.ReplaceAll(output, test.url, ""); strings.Contains(shown, "hunter2") {
				t.Errorf("the message repeats the URL:\n%s", output)
			}
			if got := len(api.Requests()); got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
		})
	}
}

// TestAccPerform_sizes: the limit where none is given, and the largest one.
func TestAccPerform_sizes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size      int
		arguments string
		want      string // of the error; "": none
	}{
		"1 MiB":           {size: 1 << 20},
		"1 MiB and more":  {size: 1<<20 + 1, want: "the response has 1048577 bytes and is larger than 1 MiB."},
		"16 MiB":          {size: 16 << 20, arguments: "max_content_bytes = 16777216"},
		"16 MiB and more": {size: 16<<20 + 1, arguments: "max_content_bytes = 16777216", want: "the response has 16777217 bytes and is larger than 16 MiB."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := simulator.DefaultData()
			data.Files = append(data.Files, simulator.LargeFile("large", test.size))
			api := newAPI(t, simulator.Options{Data: data})
			w := newWorkspace(t, api.performer()+performed("large", test.arguments))
			if test.want == "" {
				w.run(0, "plan")
			} else {
				checkOutput(t, w.run(1, "plan"), test.want, "Raise `max_content_bytes`, up to 16777216 (16 MiB), if the file is meant to be that large.", lapses)
			}
			api.checkUses(t, 1, 1, simulator.Performed)
		})
	}
}

// TestAccPerform_errors: what is said where a download was created and its
// content cannot be had, and how often it was asked for.
func TestAccPerform_errors(t *testing.T) {
	t.Parallel()
	const status = "GET /download/{id} returned "
	tests := map[string]struct {
		fault     simulator.Fault
		provider  string
		arguments string
		uses      int
		state     simulator.State
		want      string
		step      string
		unused    bool // the download certainly was not used
	}{
		"too large": {arguments: "max_content_bytes = 43388", state: simulator.Performed, want: status + "200 OK: the response has 43389 bytes and is larger than 43388 bytes.",
			step: "Raise `max_content_bytes`, up to 16777216 (16 MiB)"},
		"cut short": {fault: simulator.Truncate(), state: simulator.Performed, want: status + "200 OK: the response was cut short: unexpected EOF.", step: stepBroken},
		"redirect to a dead host": {fault: simulator.After(simulator.Redirect(302, "http://127.0.0.1:1/"+marker+"?sig="+marker)), state: simulator.Performed,
			want: "GET /download/{id}: dial tcp 127.0.0.1:1:", step: stepReach},
		"redirect to http": {fault: simulator.After(simulator.Redirect(302, "http://store.example/"+marker)), state: simulator.Performed,
			want: "GET /download/{id}: the content was redirected to a URL that is not https.", step: stepContent},
		"no response": {fault: simulator.Hang(), provider: `request_timeout = "300ms"`, state: simulator.Live,
			want: "GET /download/{id}: no complete response within 300ms.", step: stepSlow},
		"br": {fault: simulator.Encoded("br"), state: simulator.Performed,
			want: status + "200 OK: the content is encoded in a way that the provider does not know, and did not ask for.", step: stepContent},
		"a login page": {fault: simulator.HTML(), state: simulator.Live, want: status + "200 OK: the response is a page of HTML, not the file.", step: stepContent},
		"404":          {fault: simulator.JSONError(404, "No such route."), state: simulator.Live, want: status + "404 Not Found: No such route.", step: stepContent},
		"500":          {fault: simulator.JSONError(500, "Server Error"), state: simulator.Live, want: status + "500 Internal Server Error: Server Error.", step: stepServer},
		"503 with Retry-After": {fault: simulator.Maintenance("0"), uses: 2, state: simulator.Live, want: status + "503 Service Unavailable: Service Unavailable (after 2 attempts).",
			step: stepServer, unused: true},
		"429 past the minute": {fault: simulator.Status(429, http.Header{"Retry-After": {"61"}}, ""), state: simulator.Live,
			want: status + "429 Too Many Requests (Retry-After of 1m1s).", step: "Privasfer allows 300 requests a minute", unused: true},
		"the id is repeated": {fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			simulator.JSONError(404, "There is no "+r.URL.Path+" here.")(w, r, next)
		}, state: simulator.Live, want: status + "404 Not Found: There is no /download/*** here.", step: stepContent},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			if test.fault != nil {
				api.Inject("GET /download/", -1, test.fault)
			}
			w := newWorkspace(t, api.performer("max_retries = 1", test.provider)+performed(simulator.FileInvoice, test.arguments), WithRetryWait(time.Millisecond))
			output := w.run(1, "plan")
			checkShown(t, output)
			fate := lapses
			if test.unused {
				fate = "The download was created, and was not used. It lapses within one minute."
			}
			checkOutput(t, output, "Error: Cannot perform the download", test.want, test.step, fate)
			api.checkUses(t, 1, max(test.uses, 1), test.state)
			for _, download := range api.Downloads() {
				if strings.Contains(output, download.ID) {
					t.Errorf("the output shows the id:\n%s", output)
				}
			}
		})
	}
}

// TestAccPerform_deadHost: nobody listens where the download is performed.
func TestAccPerform_deadHost(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	w := newWorkspace(t, providerFor(api.URL, "max_retries = 1", `download_url = "http://127.0.0.1:1/?id={id}"`)+performed(simulator.FileLicence),
		WithRetryWait(time.Millisecond))
	output := w.run(1, "plan")
	checkShown(t, output)
	checkOutput(t, output, "Error: Cannot perform the download", "GET /: dial tcp 127.0.0.1:1:", "(after 2 attempts).",
		"The download was created, and was not used. It lapses within one minute.")
	api.checkUses(t, 1, 0, simulator.Live)
}

// TestAccPerform_minuteOver: what comes too slowly comes too late.
func TestAccPerform_minuteOver(t *testing.T) {
	t.Parallel()
	const lifetime = time.Second
	for name, test := range map[string]struct {
		fault simulator.Fault
		want  string
	}{
		"slow":     {simulator.Drip(10 * time.Millisecond), "GET /download/{id} returned 200 OK: the download's minute was over before its content had come."},
		"silent":   {simulator.Hang(), "GET /download/{id}: the download's minute was over before its content had come."},
		"too late": {simulator.Delay(time.Minute), "GET /download/{id}: the download's minute was over before its content had come."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Lifetime: lifetime})
			api.Inject("GET /download/", -1, test.fault)
			w := newWorkspace(t, api.performer()+performed(simulator.FileLicence), WithDownloadLifetime(lifetime))
			output := w.run(1, "plan")
			checkShown(t, output)
			checkOutput(t, output, test.want, "The download was created, and may have been used up. Where it was not, it lapses within one minute.")
			time.Sleep(lifetime) // the simulator's clock began later than the provider's
			api.checkUses(t, 1, 1, simulator.Expired)
		})
	}
}

// TestAccPerform_interrupted: Ctrl-C ends a run that waits for a content.
func TestAccPerform_interrupted(t *testing.T) {
	t.Parallel()
	skipWithoutInterrupt(t)
	api := newAPI(t, simulator.Options{})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	api.Inject("GET /download/", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		interrupt()
		simulator.Hang()(w, r, next)
	})
	w := newWorkspace(t, api.performer()+performed(simulator.FileLicence))
	started := time.Now()
	result, err := w.Run(ctx, "plan", "-no-color")
	if err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != 1 {
		t.Errorf("ended with %d", result.ExitCode)
	}
	checkOutput(t, result.Output, "Error: Cannot perform the download", "The run was interrupted.", lapses)
	if strings.Contains(result.Output, "download_url") {
		t.Errorf("the URL is blamed:\n%s", result.Output)
	}
	if took := time.Since(started); took > 25*time.Second { // the request's timeout is 30 s
		t.Errorf("the run went on for %s", took)
	}
}

// TestAccPerform_outlivesTheMinute: a content does not expire. Its consumer may
// take its time, and nobody is told of an expiry.
func TestAccPerform_outlivesTheMinute(t *testing.T) {
	t.Parallel()
	const lifetime = 2 * time.Second
	api := newAPI(t, simulator.Options{Lifetime: lifetime})
	w := newWorkspace(t, api.performer()+performed(simulator.FileLicence, "enabled = terraform.applying")+fmt.Sprintf(`
		resource "terraform_data" "slow" {
			%s
		}`, helper(lifetime+lifetime/2, `""`, "", ""))+
		strings.Replace(holder(t), "provisioner", "depends_on = [terraform_data.slow]\nprovisioner", 1), WithDownloadLifetime(lifetime))
	if output := w.run(0, "apply", "-auto-approve"); strings.Contains(output, "xpire") {
		t.Errorf("the run speaks of an expiry:\n%s", output)
	}
	api.checkUses(t, 1, 1, simulator.Performed)
}

// TestPerform_life drives a performed download as the engines do: it asks for no
// renewal, and Close is silent whenever it comes.
func TestPerform_life(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.11.4", "1.17.0", "1.12.6"} {
		for _, onExpiry := range []string{expiryError, expiryWarning} {
			t.Run(version+" "+onExpiry, func(t *testing.T) {
				t.Parallel()
				clock := &testClock{now: noon}
				api := newAPI(t, simulator.Options{Now: clock.Now})
				server := newProtocolServer(t, api, version, WithClock(clock.Now))
				opened, result := server.performed(t, onExpiry)
				if !opened.RenewAt.IsZero() {
					t.Errorf("RenewAt is %s", opened.RenewAt)
				}
				if strings.Contains(string(opened.Private), downloadLifeKey) {
					t.Errorf("the private data has %q", opened.Private)
				}
				if !result["expires_at"].IsNull() || result["content"].IsNull() || result["content_base64"].IsNull() {
					t.Errorf("the result is %v", result)
				}
				for range 3 {
					if got := server.close(t, opened.Private); len(got) != 0 {
						t.Errorf("Close reports %q at %s", got[0].Summary, clock.Now())
					}
					clock.Advance(time.Minute)
				}
				api.checkUses(t, 1, 1, simulator.Performed)
				if got := len(api.Requests()); got != 2 {
					t.Errorf("got %d requests, want 2", got)
				}
			})
		}
	}
}

// origin is another server than the API's, with notes of what arrives there.
type origin struct {
	*httptest.Server

	mu       sync.Mutex
	requests []*http.Request
}

func newOrigin(t *testing.T, handler http.Handler) *origin {
	t.Helper()
	o := &origin{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.requests = append(o.requests, r.Clone(context.WithoutCancel(r.Context())))
		o.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(o.Close)
	return o
}

// check checks the one request that must have arrived: it has none of the
// secrets in its headers, and no header that it need not have.
func (o *origin) check(t *testing.T, secrets ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.requests) != 1 {
		t.Fatalf("the other origin got %d requests, want 1", len(o.requests))
	}
	for name, values := range o.requests[0].Header {
		if !slices.Contains([]string{"Accept", "Accept-Encoding", "Connection", "User-Agent"}, name) {
			t.Errorf("the other origin got the header %s", name)
		}
		for _, secret := range secrets {
			if strings.Contains(strings.Join(values, " "), secret) {
				t.Errorf("the other origin got %q in %s", secret, name)
			}
		}
	}
}

// TestAccPerform_otherOrigin: the token is for the API's own origin, and a
// redirect to another neither carries it there nor tells where it comes from.
func TestAccPerform_otherOrigin(t *testing.T) {
	t.Parallel()
	t.Run("redirect", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{})
		elsewhere := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("from elsewhere")) }))
		api.Inject("GET /download/", -1, simulator.After(simulator.Redirect(http.StatusTemporaryRedirect, elsewhere.URL+"/object?sig="+marker)))
		server := newProtocolServer(t, api, "1.14.0")
		_, result := server.performed(t, expiryError)
		if want := tftypes.NewValue(tftypes.String, "from elsewhere"); !result["content"].Equal(want) {
			t.Errorf("the content is %s, want %s", result["content"], want)
		}
		elsewhere.check(t, testToken, api.Downloads()[0].ID)
		api.checkToken(t, "Bearer "+testToken)
		api.checkUses(t, 1, 1, simulator.Performed)
	})
	t.Run("redirect, by Terraform", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{})
		elsewhere := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("from elsewhere")) }))
		api.Inject("GET /download/", -1, simulator.After(simulator.Redirect(http.StatusFound, elsewhere.URL+"/object?sig="+marker)))
		w := newWorkspace(t, api.performer()+performed(simulator.FileInvoice))
		w.run(0, "plan")
		elsewhere.check(t, testToken, api.Downloads()[0].ID)
		api.checkToken(t, "Bearer "+testToken)
		api.checkUses(t, 1, 1, simulator.Performed)
	})
	t.Run("performed there", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{})
		elsewhere := newOrigin(t, api) // the same simulator by another port
		w := newWorkspace(t, providerFor(api.URL, fmt.Sprintf("download_url = %q", elsewhere.URL+"/download/{id}"))+performed(simulator.FileLicence))
		w.run(0, "plan")
		elsewhere.check(t, testToken)
		api.checkToken(t, "")
		api.checkUses(t, 1, 1, simulator.Performed)
	})
	t.Run("back to the API", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{})
		elsewhere := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, strings.TrimSuffix(api.URL, "/api")+r.URL.Path, http.StatusFound)
		}))
		w := newWorkspace(t, providerFor(api.URL, fmt.Sprintf("download_url = %q", elsewhere.URL+"/download/{id}"))+performed(simulator.FileLicence))
		w.run(0, "plan")
		elsewhere.check(t, testToken)
		api.checkToken(t, "Bearer "+testToken)
		api.checkUses(t, 1, 1, simulator.Performed)
	})
}

// checkToken checks the header of every use that arrived at the simulator.
func (a *testAPI) checkToken(t *testing.T, want string) {
	t.Helper()
	for _, request := range a.Requests() {
		if request.Method != http.MethodGet {
			continue
		}
		if got := request.Header.Get("Authorization"); got != want {
			t.Errorf("%s came with Authorization %q, want %q", request.Path, got, want)
		}
		if referer := request.Header.Get("Referer"); referer != "" {
			t.Errorf("%s came from %q", request.Path, referer)
		}
	}
}

// TestAccPerform_secrets runs the released program with every log at its
// fullest and searches all that is left for the content, the ids and the token.
func TestAccPerform_secrets(t *testing.T) {
	t.Parallel()
	const content = "CONTENT-MARKER-5d0e-and-nothing-else"
	sum := sha256.Sum256([]byte(content))
	tests := map[string]struct {
		fault    simulator.Fault
		exitCode int
		use      string // as logged
		more     []string
	}{
		"performed": {use: "GET /download/{id} 200, attempt 1, \"\""},
		"refused": {exitCode: 1, use: "GET /download/{id} 404, attempt 1, \"\"", fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			simulator.JSONError(404, "Saw "+r.Header.Get("Authorization")+" for "+r.URL.Path)(w, r, next)
		}},
		"redirected to nothing": {exitCode: 1, use: "GET /download/{id} 302, attempt 1, \"\"", more: []string{"GET /download/{id} 0, attempt 1, -"},
			fault: simulator.After(simulator.Redirect(302, "http://127.0.0.1:1/"+marker+"?sig="+marker))},
		"cut short": {exitCode: 1, use: "GET /download/{id} 200, attempt 1, \"\"", fault: simulator.Truncate()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := simulator.DefaultData()
			data.Files = append(data.Files, simulator.File{ID: "secret-file", Filename: "secret", FullFilename: "secret.txt", Content: []byte(content)})
			api := newAPI(t, simulator.Options{Data: data})
			if test.fault != nil {
				api.Inject("GET /download/", -1, test.fault)
			}
			w := newBinaryWorkspace(t, "provider \"privasfer\" {}\n"+performed("secret-file")+holder(t),
				envToken+"="+testToken, envBaseURL+"="+api.URL, envDownloadURL+"="+api.downloadURL()+"{id}")
			log := w.traced()
			output := w.run(test.exitCode, "plan", "-out", "plan")
			runs := 1
			if test.exitCode == 0 {
				output += w.run(0, "apply", "plan") + w.run(0, "show", "-json", "plan") + w.run(0, "show", "-json")
				runs = 2
			}
			api.checkUses(t, runs, runs, api.Downloads()[0].State)
			secrets := []string{testToken, content, hex.EncodeToString(sum[:]), marker}
			for _, download := range api.Downloads() {
				secrets = append(secrets, download.ID)
			}
			w.checkLeftovers(output, secrets...)

			var want []string
			for range runs {
				want = append(append(want, "POST /api/downloads 201, attempt 1, \"\"", test.use), test.more...)
			}
			slices.Sort(want)
			if got := loggedRequests(t, readFile(t, log)); !slices.Equal(got, want) {
				t.Errorf("the log tells of\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestAccPerform_remainingTime: the answer to the creation took most of the
// minute, and performing has what is left of it.
func TestAccPerform_remainingTime(t *testing.T) {
	t.Parallel()
	clock := &testClock{now: noon}
	api := newAPI(t, simulator.Options{Now: clock.Now})
	api.Inject("POST /api/downloads", -1, simulator.Before(func() { clock.Advance(58 * time.Second) }))
	api.Inject("GET /download/", -1, simulator.Hang())
	w := newWorkspace(t, api.performer()+performed(simulator.FileLicence), WithClock(clock.Now))
	checkOutput(t, w.run(1, "plan"), "the download's minute was over before its content had come")
}
