package provider

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestAccInboxMailEphemeralResource checks every attribute by its exact value,
// and that the data source with the same arguments has the same.
func TestAccInboxMailEphemeralResource(t *testing.T) {
	t.Parallel()
	bothFiles := knownvalue.ListExact([]knownvalue.Check{invoiceFile, licenceFile})
	tests := map[string]struct {
		id           string
		includeFiles string
		argument     knownvalue.Check // include_files
		want         attributes
	}{
		"full":             {simulator.MailFull, "null", null, inboxFull(null).and(attributes{"body": text("<p>Mail body</p>")})},
		"with_files":       {simulator.MailFull, "true", knownvalue.Bool(true), inboxFull(bothFiles).and(attributes{"body": text("<p>Mail body</p>")})},
		"files_not_wanted": {simulator.MailFull, "false", knownvalue.Bool(false), inboxFull(null).and(attributes{"body": text("<p>Mail body</p>")})},
		"unopened":         {simulator.MailUnopened, "null", null, inboxUnopened(null).and(attributes{"body": text("<p>Ačiū &amp; iki</p>")})},
		"bare":             {simulator.MailBare, "true", knownvalue.Bool(true), inboxBare().and(attributes{"body": null})},
		"sparse":           {simulator.MailSparse, "true", knownvalue.Bool(true), inboxSparse().and(attributes{"body": null})},
		"empty":            {simulator.MailEmpty, "true", knownvalue.Bool(true), inboxEmpty(knownvalue.ListExact(nil)).and(attributes{"body": text("")})},
	}
	api := newAPI(t, simulator.Options{})
	config, values := api.providerBlock(), ""
	var checks []statecheck.StateCheck
	for name, test := range tests {
		arguments := fmt.Sprintf("id = %q\ninclude_files = %s", test.id, test.includeFiles)
		config += fmt.Sprintf("ephemeral \"privasfer_inbox_mail\" %q {\n%s\n}\ndata \"privasfer_inbox_mail\" %q {\n%s\n}\n", name, arguments, name, arguments)
		config += fmt.Sprintf("output %q {\n  value = data.privasfer_inbox_mail.%s\n  sensitive = true\n}\n", name, name)
		values += fmt.Sprintf("%s = ephemeral.privasfer_inbox_mail.%s\n", name, name)
		want := test.want.and(attributes{"include_files": test.argument})
		checks = append(checks,
			statecheck.ExpectKnownOutputValue(name, want.exactly()),
			statecheck.ExpectKnownValue("echo.test", tfjsonpath.New("data").AtMapKey(name), want.and(attributes{"enabled": null}).exactly()))
	}
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   ephemeralEngines,
		ProtoV6ProviderFactories: factories(),
		Steps:                    []resource.TestStep{{Config: config + echo("test", "{\n"+values+"}"), ConfigStateChecks: checks}},
	})
	requests := api.Requests()
	if len(requests) == 0 {
		t.Error("nothing was asked")
	}
	for _, request := range requests {
		line := request.Method + " " + strings.TrimPrefix(request.Path, "/api/inbox/") + "?" + request.RawQuery
		known := false
		for _, test := range tests {
			query := "include=download"
			if test.includeFiles == "true" {
				query = "include=download,download.files"
			}
			known = known || line == "GET "+test.id+"?"+query
		}
		if !known {
			t.Errorf("got a request that nothing asks for: %s", line)
		}
	}
}

// TestAccInboxMailEphemeralResource_disabled: nothing is read, and everything
// but the arguments is null.
func TestAccInboxMailEphemeralResource_disabled(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   ephemeralEngines,
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{{
			Config: api.providerBlock() + `
				ephemeral "privasfer_inbox_mail" "test" {
					id            = "no-such-mail"
					include_files = true
					enabled       = false
				}` + echo("disabled", "ephemeral.privasfer_inbox_mail.test"),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("echo.disabled", tfjsonpath.New("data"), attributes{
					"id": text("no-such-mail"), "include_files": knownvalue.Bool(true), "enabled": knownvalue.Bool(false),
					"identifier": null, "subject": null, "body": null, "sender": null, "download": null, "received_at": null, "opened": null,
				}.exactly()),
			},
		}},
	})
	api.checkRequests(t)
}

// TestAccInboxMailEphemeralResource_enabled counts the requests at plan, at
// apply, and of a destroy.
func TestAccInboxMailEphemeralResource_enabled(t *testing.T) {
	t.Parallel()
	request := "GET /api/inbox/" + simulator.MailFull + "?include=download"
	for enabled, want := range map[string]struct{ plan, apply []string }{ // the plan of a destroy is a plan
		"":                             {plan: []string{request}, apply: []string{request}},
		"enabled = null":               {plan: []string{request}, apply: []string{request}},
		"enabled = true":               {plan: []string{request}, apply: []string{request}},
		"enabled = terraform.applying": {apply: []string{request}},
		"enabled = false":              {},
	} {
		t.Run(enabled, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			w := newWorkspace(t, api.providerBlock()+fmt.Sprintf(`
				ephemeral "privasfer_inbox_mail" "test" {
					id = %q
					%s
				}
				%s`, simulator.MailFull, enabled, consumer("ephemeral.privasfer_inbox_mail.test.subject")))
			w.run(0, "plan", "-out", "plan")
			api.checkRequests(t, want.plan...)
			w.run(0, "apply", "plan")
			api.checkRequests(t, want.apply...)
			w.run(0, "plan", "-destroy")
			api.checkRequests(t, want.plan...)
		})
	}
}

// TestAccInboxMailEphemeralResource_unknown: an id that is known only after
// apply is not read before.
func TestAccInboxMailEphemeralResource_unknown(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	got := filepath.Join(t.TempDir(), "got")
	w := newWorkspace(t, api.providerBlock()+fmt.Sprintf(`
		resource "terraform_data" "id" {
			input = %q
		}
		ephemeral "privasfer_inbox_mail" "test" {
			id            = terraform_data.id.output
			include_files = true
		}
		ephemeral "privasfer_download" "test" {
			file_ids = ephemeral.privasfer_inbox_mail.test.download.files[*].id
		}
		resource "terraform_data" "consumer" {
			%s
		}`, simulator.MailUnopened, helper(0, "ephemeral.privasfer_download.test.id", api.downloadURL(), got)))
	w.run(0, "plan", "-out", "plan")
	api.checkRequests(t)
	w.run(0, "apply", "plan")
	api.checkRequests(t, "GET /api/inbox/"+simulator.MailUnopened+"?include=download,download.files", "POST /api/downloads", "GET /download/{id}")
	if content := readFile(t, got); !strings.HasPrefix(content, "200 OK\n-----BEGIN PRIVATE KEY-----\n") {
		t.Errorf("the provisioner got %q", content)
	}
}

// TestAccSecrets_bodies runs the released program through plan and apply with
// every log at its fullest, and finds no body in anything that is left: neither
// that of an ephemeral mail, which a provisioner got, nor one of a list, though
// the API sends them all.
func TestAccSecrets_bodies(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data := simulator.DefaultData()
	data.Files = append(data.Files, simulator.ManyFiles(3)...)
	data.InboxMails = simulator.ManyInboxMails(3)
	api := newAPI(t, simulator.Options{Data: data, PageSize: 2})
	var mu sync.Mutex
	var answers strings.Builder
	api.Inject("GET ", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		mu.Lock()
		defer mu.Unlock()
		answers.Write(answer.Body.Bytes())
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
	got := filepath.Join(t.TempDir(), "got")
	w := newBinaryWorkspace(t, fmt.Sprintf(`
		data "privasfer_inbox_mails" "test" {
			include_files = true
		}
		data "privasfer_mails" "test" {
			sort = "sent_at"
		}
		ephemeral "privasfer_inbox_mail" "test" {
			id            = data.privasfer_inbox_mails.test.ids[0]
			include_files = true
		}
		ephemeral "privasfer_inbox_mail" "applying" {
			id      = data.privasfer_inbox_mails.test.ids[2]
			enabled = terraform.applying
		}
		resource "terraform_data" "consumer" {
			input = [data.privasfer_inbox_mails.test.mails, data.privasfer_mails.test.mails]
			provisioner "local-exec" {
				command     = %q
				environment = {
					%s       = %q
					PASSWORD = ephemeral.privasfer_inbox_mail.test.body
					LICENCE  = ephemeral.privasfer_inbox_mail.applying.body
				}
			}
		}
		output "mails" {
			value = [data.privasfer_inbox_mails.test, data.privasfer_mails.test]
		}`, self, keepVariable, got),
		envToken+"="+testToken, envBaseURL+"="+api.URL)
	log := w.traced()
	output := w.run(0, "plan", "-out", "plan")
	output += w.run(0, "apply", "plan")
	output += w.run(0, "show", "plan") + w.run(0, "show") + w.run(0, "show", "-json", "plan") + w.run(0, "show", "-json")

	// The bodies were sent, and the ephemeral ones used.
	bodies := []string{simulator.BodyMany, simulator.BodySentFull, simulator.BodySentUnopened, simulator.BodySentSparse}
	for _, body := range bodies {
		if !strings.Contains(answers.String(), body) {
			t.Errorf("no answer held %s", body)
		}
	}
	kept := readKept(t, got)
	for variable, want := range map[string]string{
		"PASSWORD": "<p>" + simulator.BodyMany + "-000001</p>",
		"LICENCE":  "<p>" + simulator.BodyMany + "-000003</p>",
	} {
		if kept[variable] != want {
			t.Errorf("%s is %q for the provisioner, want %q", variable, kept[variable], want)
		}
	}
	w.checkLeftovers(output, bodies...)

	// What was searched holds the lists, and is a log of what was read.
	state := readFile(t, filepath.Join(w.Dir, "terraform.tfstate"))
	for _, id := range []string{"mail-000001", "mail-000003", simulator.SentFull, simulator.SentSparse, "report-000003.pdf"} {
		if !strings.Contains(state, id) {
			t.Errorf("the state lacks %s", id)
		}
	}
	content := readFile(t, log)
	for _, line := range []string{
		`(?m)\[TRACE\] provider\.terraform-provider-privasfer.* tf_rpc=OpenEphemeralResource`,
		`(?m)\[TRACE\] provider\.terraform-provider-privasfer.* tf_rpc=ReadDataSource`,
		`(?m)\[DEBUG\] provider\.terraform-provider-privasfer.*Privasfer API request.* path=/api/inbox/mail-000003`,
	} {
		if !regexp.MustCompile(line).MatchString(content) {
			t.Errorf("the log has no line like %s", line)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(w.Dir, "tmp")); err != nil || len(entries) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", entries, err)
	}
}
