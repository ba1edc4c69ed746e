package provider

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// TestAccProvider_token shows where the token may come from, by the
// Authorization header that arrives at the API.
func TestAccProvider_token(t *testing.T) {
	const other = "a-token-that-must-not-be-used"
	tests := map[string]struct {
		argument    string // HCL; "" leaves it out
		environment string
		want        string // the token that arrives
		err         *regexp.Regexp
	}{
		"argument":              {argument: fmt.Sprintf("%q", testToken), want: testToken},
		"environment":           {environment: testToken, want: testToken},
		"argument wins":         {argument: fmt.Sprintf("%q", testToken), environment: other, want: testToken},
		"white space is cut":    {argument: fmt.Sprintf("%q", "\n "+testToken+"\r\n"), want: testToken},
		"neither":               {err: message("Missing Privasfer token")},
		"neither, both ways":    {err: message("Give it by the provider's `token` argument, from a sensitive variable for example, or by the environment variable PRIVASFER_TOKEN.")},
		"empty argument":        {argument: `""`, environment: other, err: message("The provider's `token` argument is set and empty.")},
		"white space alone":     {argument: `" \n"`, environment: other, err: message("Missing Privasfer token")},
		"control character":     {argument: `"secret\nsecret"`, err: message("In the provider's `token` argument, the token contains a control character")},
		"control, environment":  {environment: "secret\x01secret", err: message("In the environment variable PRIVASFER_TOKEN, the token contains a control character")},
		"unknown, not replaced": {argument: "terraform_data.later.output", environment: other, err: message("The provider's `token` depends on something that is known only after apply")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t, simulator.Options{})
			t.Setenv(envToken, test.environment)
			t.Setenv(envBaseURL, api.URL)
			argument := ""
			if test.argument != "" {
				argument = "token = " + test.argument
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(),
				Steps: []resource.TestStep{{
					Config: fmt.Sprintf(`
						resource "terraform_data" "later" { input = "later" }
						provider "privasfer" { %s }
						data "privasfer_inbox_mail" "test" { id = %q }`, argument, simulator.MailFull),
					ExpectError: test.err,
				}},
			})
			requests := api.Requests()
			if test.want == "" && len(requests) > 0 {
				t.Errorf("got %d requests, want none", len(requests))
			}
			if test.want != "" && len(requests) == 0 {
				t.Error("got no request")
			}
			for _, request := range requests {
				if got, want := request.Header.Get("Authorization"), "Bearer "+test.want; got != want {
					t.Errorf("Authorization is %q, want %q", got, want)
				}
			}
		})
	}
}

// TestAccProvider_tokenNotShown proves that no error about a token repeats it.
func TestAccProvider_tokenNotShown(t *testing.T) {
	t.Setenv(envToken, "first-half\nsecond-half")
	w := newWorkspace(t, fmt.Sprintf(`data "privasfer_inbox_mail" "test" { id = %q }`, simulator.MailFull))
	output := w.run(1, "plan")
	if !message("Invalid Privasfer token").MatchString(output) {
		t.Errorf("the output does not complain about the token:\n%s", output)
	}
	for _, part := range []string{"first-half", "second-half"} {
		if strings.Contains(output, part) {
			t.Errorf("the output shows %q:\n%s", part, output)
		}
	}
}

// TestAccProvider_baseURL shows where the base URL may come from and what it
// may be. A good one is proved by the request that arrives.
func TestAccProvider_baseURL(t *testing.T) {
	api := newAPI(t, simulator.Options{})
	tests := map[string]struct {
		argument    string // HCL; "" leaves it out
		environment string
		err         *regexp.Regexp
	}{
		"argument":       {argument: fmt.Sprintf("%q", api.URL)},
		"environment":    {environment: api.URL},
		"argument wins":  {argument: fmt.Sprintf("%q", api.URL), environment: "https://127.0.0.1:1/api"},
		"trailing slash": {argument: fmt.Sprintf("%q", api.URL+"/")},
		"http elsewhere": {argument: `"http://privasfer.example/api"`, err: message("plain http is accepted for a loopback host only")},
		"environment, http": {environment: "http://privasfer.example/api",
			err: message("The URL in the environment variable PRIVASFER_BASE_URL cannot be used: it must begin with https://")},
		"no scheme": {argument: `"privasfer.com/api"`, err: message("it must begin with https://")},
		"empty":     {argument: `""`, environment: api.URL, err: message("it must begin with https://")},
		"user info": {argument: `"https://user:secret@privasfer.com/api"`, err: message("it must not contain a user name or a password")},
		"query":     {argument: `"https://privasfer.com/api?x=1"`, err: message("it must not contain a query (?)")},
		"fragment":  {argument: `"https://privasfer.com/api#x"`, err: message("it must not contain a fragment (#)")},
		"unknown": {argument: "terraform_data.later.output", environment: api.URL,
			err: message("The provider's `base_url` depends on something that is known only after apply")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api.ResetRequests()
			t.Setenv(envToken, testToken)
			t.Setenv(envBaseURL, test.environment)
			argument := ""
			if test.argument != "" {
				argument = "base_url = " + test.argument
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(),
				Steps: []resource.TestStep{{
					Config: fmt.Sprintf(`
						resource "terraform_data" "later" { input = "later" }
						provider "privasfer" { %s }
						data "privasfer_inbox_mail" "test" { id = %q }`, argument, simulator.MailFull),
					ExpectError: test.err,
				}},
			})
			if got, want := api.Count("GET", "/api/inbox/") > 0, test.err == nil; got != want {
				t.Errorf("the API was called: %t, want %t", got, want)
			}
		})
	}
}

// TestProvider_userAgent shows how the provider introduces itself.
func TestProvider_userAgent(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	newProtocolServer(t, api, "1.11.4").open(t, "")
	requests := api.Requests()
	if len(requests) != 1 {
		t.Fatalf("got %d requests, want 1", len(requests))
	}
	if got, want := requests[0].Header.Get("User-Agent"), "terraform-provider-privasfer/0.0.0-test (+terraform/1.11.4)"; got != want {
		t.Errorf("User-Agent is %q, want %q", got, want)
	}
}

// TestAccProvider_quiet proves that configuring the provider calls nothing.
func TestAccProvider_quiet(t *testing.T) {
	api := newAPI(t, simulator.Options{})
	w := newWorkspace(t, api.providerBlock()+`
		ephemeral "privasfer_download" "test" {
			file_ids = ["x"]
			enabled  = false
		}
		resource "terraform_data" "test" { input = "x" }`)
	w.run(0, "apply", "-auto-approve")
	if requests := api.Requests(); len(requests) > 0 {
		t.Errorf("got %d requests, want none: %s %s first", len(requests), requests[0].Method, requests[0].Path)
	}
}

// TestAccProvider_version: the linker's version is the one that the released
// program introduces itself with.
func TestAccProvider_version(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	w := newWorkspace(t, api.providerBlock()+fmt.Sprintf("data \"privasfer_inbox_mail\" \"test\" {\n  id = %q\n}\n", simulator.MailFull))
	dir := t.TempDir()
	if err := terraform.BuildProvider(t.Context(), dir, ".", "-ldflags=-X main.version=1.2.3"); err != nil {
		t.Fatal(err)
	}
	w.Env = nil
	if err := w.UseProvider(dir); err != nil {
		t.Fatal(err)
	}
	w.run(0, "plan")
	requests := api.Requests()
	if len(requests) != 1 {
		t.Fatalf("got %d requests, want 1", len(requests))
	}
	if got := requests[0].Header.Get("User-Agent"); !strings.HasPrefix(got, "terraform-provider-privasfer/1.2.3 (+terraform/") {
		t.Errorf("User-Agent is %q", got)
	}
}

// TestBaseURLByDefault: no other test may call where nothing is configured.
func TestBaseURLByDefault(t *testing.T) {
	var diags diag.Diagnostics
	if got := baseURLFrom(types.StringNull(), &diags); diags.HasError() || got.String() != "https://privasfer.com/api" {
		t.Errorf("got %s, %v", got, diags)
	}
}

// TestNotConfigured: a bug of the framework's or of ours is an error, not a crash.
func TestNotConfigured(t *testing.T) {
	t.Parallel()
	var nobody *configured
	var diags diag.Diagnostics
	client := nobody.require(&diags)
	nobody.requireDownloadURL(path.Root("perform"), &diags)
	if client != nil || len(diags) != 1 || diags[0].Summary() != "Provider not configured" {
		t.Errorf("got %v, %v", client, diags)
	}
}
