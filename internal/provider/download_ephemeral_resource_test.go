package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// ephemeralEngines are the engines that have ephemeral resources.
var ephemeralEngines = []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_10_0)}

// noon is the time on the injected clock: far away, since the engines hold
// RenewAt against their own.
var noon = time.Date(2126, 5, 20, 12, 0, 0, 500_000_000, time.UTC)

// aZone is that of the machines in these tests: what is shown is UTC all the same.
var aZone = time.FixedZone("", 2*60*60)

func atNoon() time.Time { return noon.In(aZone) }

// TestAccDownloadEphemeralResource checks every attribute by its exact value,
// and the request that creates a download.
func TestAccDownloadEphemeralResource(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{Now: atNoon})
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   ephemeralEngines,
		ProtoV6ProviderFactories: factories(WithClock(atNoon)),
		Steps: []resource.TestStep{{
			Config: api.providerBlock() + fmt.Sprintf(`
				ephemeral "privasfer_download" "test" {
					file_ids = [%q, %q, %q]
				}`, simulator.FileInvoice, simulator.FileBare, simulator.FileLicence) + echo("test", "ephemeral.privasfer_download.test"),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("echo.test", tfjsonpath.New("data"), knownvalue.ObjectExact(map[string]knownvalue.Check{
					"file_ids": knownvalue.SetExact([]knownvalue.Check{
						knownvalue.StringExact(simulator.FileLicence),
						knownvalue.StringExact(simulator.FileBare),
						knownvalue.StringExact(simulator.FileInvoice),
					}),
					"enabled":           knownvalue.Null(),
					"on_expiry":         knownvalue.Null(),
					"id":                knownvalue.StringFunc(oneOfDownloads(api)),
					"files":             knownvalue.ListExact([]knownvalue.Check{licenceFile, bareFile, invoiceFile}),
					"created_at":        knownvalue.StringExact("2126-05-20 12:00:00"),
					"expires_at":        knownvalue.StringExact("2126-05-20T12:00:59Z"),
					"perform":           knownvalue.Null(),
					"max_content_bytes": knownvalue.Null(),
					"content":           knownvalue.Null(),
					"content_base64":    knownvalue.Null(),
					"content_sha256":    knownvalue.Null(),
					"content_type":      knownvalue.Null(),
					"content_length":    knownvalue.Null(),
				})),
			},
		}},
	})
	want := fmt.Sprintf(`{"files":[%q,%q,%q]}`, simulator.FileLicence, simulator.FileBare, simulator.FileInvoice) // sorted
	requests := api.Requests()
	if len(requests) == 0 {
		t.Error("nothing was asked")
	}
	for _, request := range requests {
		if request.Method != http.MethodPost || request.Path != "/api/downloads" || string(request.Body) != want {
			t.Errorf("got %s %s %s, want POST /api/downloads %s", request.Method, request.Path, request.Body, want)
		}
	}
}

// oneOfDownloads accepts the id of a download that the simulator has made.
func oneOfDownloads(api *testAPI) func(string) error {
	return func(id string) error {
		for _, download := range api.Downloads() {
			if download.ID == id {
				return nil
			}
		}
		return fmt.Errorf("%q is no download", id)
	}
}

// TestAccDownloadEphemeralResource_disabled: nothing is created, everything is
// null, whatever else is configured; not even a download URL is missing.
func TestAccDownloadEphemeralResource_disabled(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   ephemeralEngines,
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{{
			Config: api.providerBlock() + `
				ephemeral "privasfer_download" "test" {
					file_ids          = ["any"]
					enabled           = false
					on_expiry         = "warning"
					perform           = true
					max_content_bytes = 1
				}` + echo("test", "ephemeral.privasfer_download.test"),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("echo.test", tfjsonpath.New("data"), attributes{
					"file_ids": knownvalue.SetExact([]knownvalue.Check{text("any")}), "enabled": knownvalue.Bool(false),
					"on_expiry": text("warning"), "perform": knownvalue.Bool(true), "max_content_bytes": knownvalue.Int64Exact(1),
					"id": null, "files": null, "created_at": null, "expires_at": null, "content": null, "content_base64": null,
					"content_sha256": null, "content_type": null, "content_length": null,
				}.exactly()),
			},
		}},
	})
	if got := len(api.Requests()); got != 0 {
		t.Errorf("got %d requests, want none", got)
	}
}

// TestAccDownloadEphemeralResource_validation shows every argument's rule.
func TestAccDownloadEphemeralResource_validation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ arguments, want string }{
		"no file_ids":    {``, `The argument "file_ids" is required`},
		"no files":       {`file_ids = []`, "set must contain at least 1 elements"},
		"empty file id":  {`file_ids = ["a", ""]`, "string length must be at least 1"},
		"null file id":   {`file_ids = ["a", null]`, "Null Set Value"},
		"wrong expiry":   {"file_ids = [\"a\"]\non_expiry = \"ignore\"", `on_expiry value must be one of: ["error" "warning"], got: "ignore"`},
		"result is set":  {"file_ids = [\"a\"]\nid = \"b\"", "Invalid Configuration for Read-Only Attribute"},
		"enabled, wrong": {"file_ids = [\"a\"]\nenabled = \"maybe\"", "a bool is required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			resource.UnitTest(t, resource.TestCase{
				TerraformVersionChecks:   ephemeralEngines,
				ProtoV6ProviderFactories: factories(),
				Steps: []resource.TestStep{{
					Config:      api.providerBlock() + fmt.Sprintf("ephemeral \"privasfer_download\" \"test\" {\n%s\n}", test.arguments),
					ExpectError: message(test.want),
				}},
			})
			if got := len(api.Requests()); got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
		})
	}
}

// TestAccDownloadEphemeralResource_errors shows what a user is told when no
// download can be had, and what becomes of one that may have been made.
func TestAccDownloadEphemeralResource_errors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fileIDs string
		fault   simulator.Fault
		want    []string
		not     string
	}{
		"unknown file": {fileIDs: `"b-unknown", "` + simulator.FileInvoice + `", "a-unknown"`, want: []string{
			"Privasfer rejects the files",
			`File "a-unknown": The selected files.0 is invalid.`,
			`File "b-unknown": The selected files.1 is invalid.`,
			"file_ids = [",
			"POST /api/downloads returned 422 Unprocessable Entity: The given data was invalid.",
		}, not: "[files"},
		"files": {fault: simulator.Status(422, http.Header{"Content-Type": {"application/json"}},
			`{"message":"The given data was invalid.","errors":{"files":["The files field is required."]}}`), want: []string{
			"Privasfer rejects the files", "The files field is required."}, not: mayHaveCreated},
		"another field": {fault: simulator.Status(422, http.Header{"Content-Type": {"application/json"}},
			`{"message":"The given data was invalid.","errors":{"quota":["No downloads left."]}}`), want: []string{
			"Cannot create the download", "[quota: No downloads left.]"}, not: mayHaveCreated},
		"unauthenticated": {fault: simulator.JSONError(401, "Unauthenticated."), want: []string{
			"Privasfer does not accept the token", "PRIVASFER_TOKEN"}, not: mayHaveCreated},
		"no such route": {fault: simulator.JSONError(404, "The route api/downloads could not be found."), want: []string{
			"returned 404 Not Found: The route api/downloads could not be found.", "or `base_url` is wrong"}, not: mayHaveCreated},
		"server error": {fault: simulator.JSONError(500, "Server Error"), want: []string{"returned 500", mayHaveCreated}},
		"server error with fields": {fault: simulator.Status(500, http.Header{"Content-Type": {"application/json"}},
			`{"message":"Server Error","errors":{"files":["No disk."]}}`), want: []string{"Cannot create the download", "[files: No disk.]", mayHaveCreated}},
		"web page":       {fault: simulator.HTML(), want: []string{"the response is a page of HTML, not JSON", mayHaveCreated}},
		"no id":          {fault: simulator.Answer(`{"data":{"files":[]}}`), want: []string{`the response has no "data.id"`, mayHaveCreated}},
		"answer lost":    {fault: simulator.ResetMidBody(), want: []string{"the response was cut short", mayHaveCreated}},
		"no answer":      {fault: simulator.Reset(), want: []string{"Cannot create the download", mayHaveCreated}},
		"file with none": {fault: simulator.Answer(`{"data":{"id":"x","files":[{"filename":"y"}]}}`), want: []string{`the response has no "data.files.0.id"`, mayHaveCreated}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			if test.fileIDs == "" {
				test.fileIDs = `"` + simulator.FileInvoice + `"`
			}
			if test.fault != nil {
				api.Inject("POST /api/downloads", -1, test.fault)
			}
			w := newWorkspace(t, api.providerBlock()+fmt.Sprintf("ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%s]\n}\n", test.fileIDs))
			output := w.run(1, "plan")
			checkOutput(t, output, test.want...)
			if test.not != "" && message(test.not).MatchString(output) {
				t.Errorf("the output has %q:\n%s", test.not, output)
			}
			if got := api.Count(http.MethodPost, "/api/downloads"); got != 1 {
				t.Errorf("got %d requests, want 1", got)
			}
		})
	}
}

// TestSortedStrings: the order in which an engine keeps a set is its own affair.
func TestSortedStrings(t *testing.T) {
	t.Parallel()
	var diags diag.Diagnostics
	set := types.SetValueMust(types.StringType, []attr.Value{types.StringValue("b"), types.StringValue("c"), types.StringValue("a")})
	if got, want := sortedStrings(t.Context(), set, &diags), []string{"a", "b", "c"}; !slices.Equal(got, want) || diags.HasError() {
		t.Errorf("got %v, %v, want %v", got, diags, want)
	}
}

// TestShowsRenewDiagnostics: which engine reports what Renew says.
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

// TestDownloadLife: the private data holds the life and no id.
func TestDownloadLife(t *testing.T) {
	t.Parallel()
	private := privateMap{}
	want := downloadLife{ExpiresAt: noon, OnExpiry: expiryWarning, Told: true}
	if diags := want.save(t.Context(), private); diags.HasError() {
		t.Fatal(diags)
	}
	got, diags := loadDownloadLife(t.Context(), private)
	if diags.HasError() || got != want {
		t.Errorf("got %+v, %v, want %+v", got, diags, want)
	}
	var keys map[string]any
	if err := json.Unmarshal(private[downloadLifeKey], &keys); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(keys)), []string{"expires_at", "on_expiry", "told"}; !slices.Equal(got, want) {
		t.Errorf("the private data has %v, want %v", got, want)
	}

	private[downloadLifeKey] = []byte(`{"expires_at":1}`)
	if _, diags := loadDownloadLife(t.Context(), private); !diags.HasError() {
		t.Error("private data that cannot be read is taken for none")
	}
}

// privateMap is private data as the framework keeps it.
type privateMap map[string][]byte

func (m privateMap) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) {
	return m[key], nil
}

func (m privateMap) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	m[key] = value
	return nil
}
