package provider

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// ephemeralEngines skips a test on an engine without ephemeral resources.
var ephemeralEngines = []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_10_0)}

// noon is the time of the test clock. It is in the far future, because the engines
// compare RenewAt with their own clock.
var noon = time.Date(2126, 5, 20, 12, 0, 0, 500_000_000, time.UTC)

// localZone is the time zone of the test clock. The provider must convert it to UTC.
var localZone = time.FixedZone("", 2*60*60)

func atNoon() time.Time { return noon.In(localZone) }

// licenceText is the content of FileLicence and ReceivedLicence.
const licenceText = "Licence\n\nYou may read this file – and so may čia, 日本, naïve readers.\n"

// The arguments of the downloads that most tests open.
var (
	plain     = values{"file_ids": []string{simulator.FileLicence}}
	keyed     = plain.and(values{"create_key": true})
	performed = plain.and(values{"perform": true})

	received          = values{"download_id": simulator.DownloadFull}
	receivedKeyed     = received.and(values{"create_key": true})
	receivedPerformed = received.and(values{"perform": true})
)

// block returns an ephemeral privasfer_download block.
func block(name string, arguments ...string) string {
	return fmt.Sprintf(`
		ephemeral "privasfer_download" %q {
			%s
		}
		`, name, strings.Join(arguments, "\n"))
}

const fromMail = `download_id = "` + simulator.DownloadFull + `"`

func ofFile(id string) string { return fmt.Sprintf("file_ids = [%q]", id) }

// deferred is unknown at plan, so that only an apply opens the download.
const deferred = `enabled = timestamp() != ""`

// TestAccDownload_attributes checks every attribute of every kind of download, as the
// engine stores it.
func TestAccDownload_attributes(t *testing.T) {
	t.Parallel()
	data := simulator.DefaultData()
	data.Files = append(data.Files, simulator.File{ID: "binary", Size: 2, Content: []byte("\xff\x00")})
	api := newAPI(t, simulator.Options{Data: data, Now: atNoon, HideRateLimit: true})
	matching := func(pattern string) knownvalue.Check { return knownvalue.StringRegexp(regexp.MustCompile(pattern)) }
	yes, no, n := knownvalue.Bool(true), knownvalue.Bool(false), knownvalue.Int64Exact
	nothing := attributes{
		"file_ids": null, "download_id": null, "enabled": null, "on_expiry": null, "create_key": null, "perform": null, "max_content_bytes": null,
		"id": null, "key": null, "url": null, "files": null, "created_at": null, "expires_at": null,
		"content": null, "content_base64": null, "content_sha256": null, "content_type": null, "content_length": null,
	}
	created := func(id string, files ...knownvalue.Check) attributes {
		return nothing.and(attributes{"file_ids": knownvalue.SetExact([]knownvalue.Check{text(id)}), "files": knownvalue.ListExact(files),
			"id": matching("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"), "created_at": text("2126-05-20 12:00:00"), "expires_at": text("2126-05-20T12:00:59Z")})
	}
	received := nothing.and(attributes{"download_id": text(simulator.DownloadFull), "id": text(simulator.DownloadFull)})
	keyed := attributes{"create_key": yes, "key": matching("^[0-9A-Za-z]{32}$"), "url": matching("^" + regexp.QuoteMeta(api.downloadURL()) + "[0-9A-Za-z]{32}$")}
	performed := attributes{
		"perform": yes, "expires_at": null, "content": text(licenceText),
		"content_base64": text("TGljZW5jZQoKWW91IG1heSByZWFkIHRoaXMgZmlsZSDigJMgYW5kIHNvIG1heSDEjWlhLCDml6XmnKwsIG5hw692ZSByZWFkZXJzLgo="),
		"content_sha256": text("ce9f4b0cd008a8c6927ca50dca7590bb73275d831964598f8f16a9b9d55e5b35"),
		"content_type":   text("text/plain"), "content_length": n(77),
	}
	decomposed := attributes{
		"files": knownvalue.ListSizeExact(1), "content": text("R\u00e9n\u00e9e\n\u017duk\u0117\nBj\u00f6rn\n\ud55c\uae00\n\u00c5\n"), // composed
		"content_base64": text("UmXMgW5lzIFlClrMjHVrZcyHCkJqb8yIcm4K4YSS4YWh4Yar4YSA4YWz4YavCuKEqwo="),
		"content_sha256": text("07e0a6cae73ab2909110cc15ec1bb1b5390d89589bb6e8c4d7cf260328bf4e6a"), "content_length": n(50), "max_content_bytes": n(50),
	}
	binary := attributes{"files": knownvalue.ListSizeExact(1), "content": null, "content_base64": text("/wA="), "content_type": text("application/octet-stream"),
		"content_sha256": text("ea5dbf9596d187e9500f23e9a680109475341cf4e81f7e043f7d97152c10772f"), "content_length": n(2)}
	config, all := api.performer(), ""
	var checks []statecheck.StateCheck
	for _, test := range []struct {
		name, arguments string
		want            attributes
	}{
		{"plain", ofFile(simulator.FileBare), created(simulator.FileBare, bareFile)},
		{"keyed", ofFile(simulator.FileInvoice) + "\ncreate_key = true", created(simulator.FileInvoice, invoiceFile).and(keyed)},
		{"performed", ofFile(simulator.FileLicence) + "\nperform = true", created(simulator.FileLicence, licenceFile).and(performed)},
		{"decomposed", ofFile(simulator.FileNFD) + "\nperform = true\nmax_content_bytes = 50", created(simulator.FileNFD).and(performed).and(decomposed)},
		{"binary", ofFile("binary") + "\nperform = true", created("binary").and(performed).and(binary)},
		{"received", fromMail + "\nperform = true", received.and(performed)},
		{"received_keyed", fromMail + "\ncreate_key = true", received.and(keyed)},
		{"disabled", ofFile("any") + "\nenabled = false\non_expiry = \"warning\"\nperform = true\nmax_content_bytes = 1", nothing.and(attributes{
			"file_ids": knownvalue.SetExact([]knownvalue.Check{text("any")}), "enabled": no, "on_expiry": text("warning"), "perform": yes, "max_content_bytes": n(1)})},
	} {
		config += block(test.name, test.arguments)
		all += fmt.Sprintf("%[1]s = ephemeral.privasfer_download.%[1]s\n", test.name)
		checks = append(checks, statecheck.ExpectKnownValue("echo.test", tfjsonpath.New("data").AtMapKey(test.name), test.want.exactly()))
	}
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   ephemeralEngines,
		ProtoV6ProviderFactories: factories(WithClock(atNoon)),
		Steps:                    []resource.TestStep{{Config: config + echo("test", "{\n"+all+"}"), ConfigStateChecks: checks}},
	})
}

// TestAccDownload_enabled checks the requests of each command for each value of
// enabled. If enabled is unknown at plan, only an apply opens the download, and its
// results are unknown until then. In the first plan, the PIN is unknown too.
func TestAccDownload_enabled(t *testing.T) {
	t.Parallel()
	data := simulator.DefaultData()
	secret := `{"password":"hunter2"}`
	data.Files = append(data.Files, simulator.File{ID: "json", FullFilename: "secret.json", Size: int64(len(secret)), Content: []byte(secret)})
	api := newAPI(t, simulator.Options{Data: data})
	fetched, saved := filepath.Join(t.TempDir(), "fetched"), filepath.Join(t.TempDir(), "saved")
	w := newWorkspace(t, providerFor(api.URL, "pin = terraform_data.later.output", fmt.Sprintf("download_url = %q", api.downloadURL()+"{key}"))+
		block("always", ofFile(simulator.FileLicence))+
		block("never", ofFile(simulator.FileLicence), "enabled = false")+
		block("applying", ofFile(simulator.FileLicence), "enabled = terraform.applying")+
		block("plain", ofFile(simulator.FileLicence), deferred)+
		block("keyed", ofFile(simulator.FileLicence), deferred, "create_key = true")+
		block("performed", ofFile("json"), deferred, "perform = true")+
		block("received", fromMail, deferred, "perform = true")+fmt.Sprintf(`
		resource "terraform_data" "later" {
			input = %q
		}
		resource "terraform_data" "consumer" {
			%s
			%s
		}`, testPIN, helper(0, "ephemeral.privasfer_download.keyed.url", fetched),
		saver(`join(" ", [
			ephemeral.privasfer_download.always.files[0].full_filename,
			ephemeral.privasfer_download.never.id == null ? "null" : "",
			ephemeral.privasfer_download.applying.id == null ? "null" : "set",
			"at ${ephemeral.privasfer_download.plain.files[0].size}",
			jsondecode(ephemeral.privasfer_download.performed.content).password,
			base64decode(ephemeral.privasfer_download.performed.content_base64),
			split("\n", ephemeral.privasfer_download.received.content)[0],
		])`, saved)))

	always := []string{postDownload}
	applying := []string{postDownload, // applying
		postDownload,                                       // plain
		postKey, postDownload, postDownloadKey, getContent, // keyed and its consumer
		postDownload, postDownloadKey, getContent, // performed
		"POST /api/downloads/" + simulator.DownloadFull + "/keys", getContent}
	for _, step := range []struct {
		args []string
		want []string
	}{
		{[]string{"plan", "-out", "plan"}, always},
		{[]string{"apply", "plan"}, slices.Concat(always, applying)},
		{[]string{"plan", "-refresh-only"}, always},
		{[]string{"apply", "-auto-approve", "-replace=terraform_data.consumer"}, slices.Concat(always, always, applying)},
		{[]string{"destroy", "-auto-approve"}, always},
	} {
		if output := w.run(0, step.args...); strings.Contains(output, "xpired") {
			t.Errorf("%s: the run reports an expiry:\n%s", step.args, output)
		}
		api.checkRequests(t, step.want...)
	}
	if got, want := readFile(t, saved), "licence.txt null set at 77 hunter2 "+secret+" Licence"; got != want {
		t.Errorf("the consumer got %q, want %q", got, want)
	}
	if got := readFile(t, fetched); !strings.HasPrefix(got, "200 OK\nLicence\n") {
		t.Errorf("the consumer of the URL got %q", got)
	}
}

// TestDownload_validation checks the validation of every argument.
func TestDownload_validation(t *testing.T) {
	t.Parallel()
	const between = "ERROR at max_content_bytes: Invalid Attribute Value: Attribute max_content_bytes value must be between 1 and 16777216, got: "
	some := []string{"a"}
	server := newProtocolServer(t, newAPI(t, simulator.Options{}), nil)
	for name, test := range map[string]struct {
		arguments values
		want      string // "": valid
	}{
		"neither":                     {values{"enabled": false}, "ERROR: Missing Attribute Configuration: Exactly one of these attributes must be configured: [file_ids,download_id]"},
		"both":                        {values{"file_ids": some, "download_id": "b", "perform": true}, "Exactly one of these attributes must be configured: [file_ids,download_id]"},
		"both unknown":                {values{"file_ids": unknown, "download_id": unknown}, ""},
		"one unknown":                 {values{"file_ids": some, "download_id": unknown}, ""},
		"no files":                    {values{"file_ids": []string{}}, "ERROR at file_ids: Invalid Attribute Value: Attribute file_ids set must contain at least 1 elements, got: 0"},
		"null file id":                {values{"file_ids": []tftypes.Value{tftypes.NewValue(tftypes.String, nil)}}, "ERROR at file_ids: Null Set Value"},
		"empty file id":               {values{"file_ids": []string{"a", ""}}, "string length must be at least 1, got: 0"},
		"download_id alone":           {values{"download_id": "a"}, "ERROR at download_id: Missing argument: `download_id` requires `perform` or `create_key`. Set `perform = true` to get the content, or `create_key = true` for a consumer that performs the download itself."},
		"download_id, neither wanted": {values{"download_id": "a", "perform": false, "create_key": false}, "ERROR at download_id: Missing argument"},
		"download_id, perhaps wanted": {values{"download_id": "a", "perform": unknown}, ""},
		"download_id unknown":         {values{"download_id": unknown}, ""},
		"download_id with a slash":    {values{"download_id": "a/b", "perform": true}, "ERROR at download_id: Invalid id: The id is invalid: it must not contain a slash"},
		"perform and create_key": {values{"file_ids": some, "perform": true, "create_key": true},
			"ERROR at create_key: Invalid combination of arguments: With `create_key`, a consumer performs the download. With `perform`, the provider performs it. Set one of the two."},
		"perform, perhaps keyed": {values{"file_ids": some, "perform": true, "create_key": unknown}, ""},
		"wrong expiry":           {values{"file_ids": some, "on_expiry": "ignore"}, `on_expiry value must be one of: ["error" "warning"], got: "ignore"`},
		"zero bytes":             {values{"file_ids": some, "max_content_bytes": 0}, between + "0"},
		"too many bytes":         {values{"file_ids": some, "max_content_bytes": 16<<20 + 1}, between + "16777217"},
		"half a byte":            {values{"file_ids": some, "max_content_bytes": 1.5}, "max_content_bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReport(t, server.validate(t.Context(), t, downloadType, test.arguments), test.want)
		})
	}
}

// TestDownload_create checks the request that creates a download, and the error for
// files that the API rejects. TestFaults and TestDiagnostics check the other errors.
func TestDownload_create(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fileIDs []string // in the order of the request
		want    string   // "": no error
	}{
		"sorted": {fileIDs: []string{simulator.FileLicence, simulator.FileBare, simulator.FileInvoice}},
		"unknown files": {fileIDs: []string{"a-unknown", "b-unknown", simulator.FileInvoice}, want: "ERROR at file_ids: Privasfer rejected the files: " +
			"File \"a-unknown\": The selected files.0 is invalid.\nFile \"b-unknown\": The selected files.1 is invalid.\n\n" +
			"POST /api/downloads returned 422 Unprocessable Entity: The given data was invalid.\n\nCorrect what the API reports, and run again.\n"},
		"a file of a mail": {fileIDs: []string{simulator.ReceivedLicence}, want: `File "` + simulator.ReceivedLicence + `": The selected files.0 is invalid.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			body, _ := json.Marshal(map[string][]string{"files": test.fileIDs})
			slices.Reverse(test.fileIDs)
			checkReport(t, newProtocolServer(t, api, values{"pin": nil, "download_url": nil}).open(t, values{"file_ids": test.fileIDs}).report, test.want)
			if got := api.Requests(); len(got) != 1 || string(got[0].Body) != string(body) {
				t.Errorf("got the requests %+v, want one of %s", got, body)
			}
		})
	}
}

// TestDownload_url checks that the placeholders of the URL are replaced, and that url
// is null without a URL or without the key that the URL requires.
func TestDownload_url(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url       any
		arguments values
		want      any // {id} and {key} stand for those of the download
	}{
		"plain, id":      {"https://privasfer.invalid/d/{id}", plain, "https://privasfer.invalid/d/{id}"},
		"plain, key":     {"https://privasfer.invalid/d/{key}", plain, nil},
		"plain, both":    {"https://privasfer.invalid/d/{id}?k={key}", plain, nil},
		"keyed, key":     {"https://privasfer.invalid/d/{key}", keyed, "https://privasfer.invalid/d/{key}"},
		"keyed, both":    {" https://privasfer.invalid/d/{id}?k={key}\n", keyed, "https://privasfer.invalid/d/{id}?k={key}"},
		"keyed, id":      {"https://privasfer.invalid/d?i={id}", keyed, "https://privasfer.invalid/d?i={id}"},
		"keyed, none":    {nil, keyed, nil},
		"keyed, unknown": {unknown, keyed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			o := newProtocolServer(t, api, values{"download_url": test.url}).open(t, test.arguments)
			if want, ok := test.want.(string); ok {
				for _, download := range api.Downloads() {
					want = strings.ReplaceAll(want, "{id}", download.ID)
				}
				for _, made := range api.DownloadKeys() {
					want = strings.ReplaceAll(want, "{key}", made.Key)
				}
				test.want = want
			}
			o.check(t, values{"url": test.want})
		})
	}
}

// TestDownload_missing checks that a missing or unknown provider argument is reported
// before any request, at the argument of the download that requires it. A download
// that does not require it is opened.
func TestDownload_missing(t *testing.T) {
	t.Parallel()
	const (
		noPIN = ": Missing Privasfer PIN: The API requires your PIN to create a public download key. Set the provider's `pin` argument, for example to a " +
			"sensitive variable, or the environment variable PRIVASFER_PIN.\n"
		noURL = "ERROR at perform: Missing Privasfer download URL: To perform a download, the provider requires its URL, which the API's documentation " +
			"does not publish. Set the provider's `download_url` argument or the environment variable PRIVASFER_DOWNLOAD_URL to the URL, with the placeholder " +
			"{key} for the public download key, {id} for the id of the download, or both.\n"
		later = "Set a value that is known at plan, or use -target to first apply what the value depends on.\n"
	)
	for name, test := range map[string]struct {
		provider, arguments values
		want                string // "": opened
	}{
		"plain, no PIN":               {values{"pin": nil}, plain, ""},
		"plain, PIN unknown":          {values{"pin": unknown}, plain, ""},
		"keyed, no URL":               {values{"download_url": nil}, keyed, ""},
		"keyed, no PIN":               {values{"pin": nil}, keyed, "ERROR at create_key" + noPIN},
		"keyed, PIN unknown":          {values{"pin": unknown}, keyed, "ERROR at create_key: Provider configuration not known yet: The value of the provider's `pin` is not known until apply, but the provider must create a key now. " + later},
		"received performed, no PIN":  {values{"pin": nil}, receivedPerformed, "ERROR at perform" + noPIN},
		"performed, no URL":           {values{"download_url": nil}, performed, noURL},
		"performed, nothing":          {values{"pin": nil, "download_url": nil}, performed, noURL},
		"performed, URL unknown":      {values{"download_url": unknown}, performed, "ERROR at perform: Provider configuration not known yet: The value of the provider's `download_url` is not known until apply, but the provider must perform the download now. " + later},
		"disabled, nothing":           {values{"pin": nil, "download_url": nil}, performed.and(values{"enabled": false}), ""},
		"disabled, something unknown": {values{"token": unknown, "pin": unknown, "download_url": unknown}, keyed.and(values{"enabled": false}), ""},
		"plain, token unknown": {values{"token": unknown, "base_url": unknown}, plain, "ERROR: Provider configuration not known yet: The value of the provider's `token` and `base_url` is not known until apply, " +
			"but the provider must call the API now. Set a value that is known at plan, or use -target to first apply what the value depends on.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			checkReport(t, newProtocolServer(t, api, test.provider).open(t, test.arguments).report, test.want)
			if got := len(api.Requests()); test.want != "" && got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
		})
	}
	t.Run("performed by the id, no PIN", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{})
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "by "+r.URL.Path) }))
		t.Cleanup(elsewhere.Close)
		o := newProtocolServer(t, api, values{"pin": nil, "download_url": elsewhere.URL + "/{id}"}).open(t, receivedPerformed)
		o.check(t, values{"content": "by /" + simulator.DownloadFull, "url": nil, "key": nil})
		api.checkRequests(t)
	})
}
