package provider

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestReads_arguments checks that invalid arguments are rejected before any request,
// and that the error states the rule.
func TestReads_arguments(t *testing.T) {
	t.Parallel()
	const (
		files = `at sort: Invalid Attribute Value Match: Attribute sort value must be one of: ["filename_original" "-filename_original" "size" "-size" ` +
			`"encrypted_size" "-encrypted_size" "created_at" "-created_at"], got: `
		inbox = `must be one of: ["subject" "-subject" "created_by_email" "-created_by_email" "received_at" "-received_at"], got: `
		sent  = `must be one of: ["subject" "-subject" "recipient_email" "-recipient_email" "created_at" "-created_at" "sent_at" "-sent_at"], got: `
		short = "Attribute keyword string length must be at least 1, got: 0"
		route = "The id is invalid: it must not contain a slash, a backslash, a question mark or a number sign."
	)
	api := newAPI(t, simulator.Options{})
	server := newProtocolServer(t, api, nil)
	for _, test := range []struct{ kind, argument, value, want string }{
		{"files", "sort", "", files + `""`},
		{"files", "sort", "--size", files + `"--size"`},
		{"files", "sort", " size", files + `" size"`},
		{"files", "sort", "Size", files + `"Size"`},
		{"inbox_mails", "sort", "sent_at", inbox + `"sent_at"`},
		{"mails", "sort", "subject,sent_at", sent + `"subject,sent_at"`},
		{"files", "keyword", "", short},
		{"inbox_mails", "keyword", "", short},
		{"mails", "keyword", "", short},
		{"file", "id", "a/b", route},
		{"inbox_mail", "id", "a?include=x", route},
		{"mail", "id", `a\b`, route},
		{"ephemeral", "id", "a#b", route},
	} {
		_, report := server.result(t, test.kind, values{test.argument: test.value})
		checkReport(t, report, "ERROR at "+test.argument+": ", test.want)
	}
	api.checkRequests(t)
}

// TestLists_pages checks that a list in each style of pages is read completely, with
// one request per page. The links to the next page have another host, which must not
// be requested. The client's tests check the lists that cannot be read completely.
func TestLists_pages(t *testing.T) {
	t.Parallel()
	const incomplete = "WARNING: The list may be incomplete: Privasfer counts %d files in the list, but its pages had %d."
	for name, test := range map[string]struct {
		style    simulator.PageStyle
		fault    simulator.Fault
		requests int // 3 if 0
		report   string
	}{
		"resource":   {style: simulator.PageResource},
		"top level":  {style: simulator.PageTopLevel},
		"simple":     {style: simulator.PageSimple},
		"cursor":     {style: simulator.PageCursor},
		"fractal":    {style: simulator.PageFractal},
		"JSON:API":   {style: simulator.PageJSONAPI},
		"an arrival": {fault: simulator.ShiftedPages(), requests: 4, report: fmt.Sprintf(incomplete, 7, 6)},
		"a loss":     {fault: simulator.LosingPages(), report: fmt.Sprintf(incomplete, 6, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{PageStyle: test.style, PageSize: 2, NextHost: "https://elsewhere.invalid/behind", HideRateLimit: true})
			if test.fault != nil {
				api.Inject("GET /api/files", -1, test.fault)
			}
			result, report := newProtocolServer(t, api, values{"max_retries": 0}).result(t, "files", values{"sort": "size"})
			if got, want := len(api.Requests()), cmp.Or(test.requests, 3); got != want {
				t.Errorf("got %d requests, want %d", got, want)
			}
			checkReport(t, report, test.report)
			want := []any{simulator.FileBare, simulator.FileNFD, simulator.FileLicence, simulator.FileKey, simulator.FileInvoice, simulator.FileBackup}
			if name == "a loss" {
				want = slices.Delete(want, 2, 3)
			}
			object, _ := asJSON(result).(map[string]any)
			if ids, _ := object["ids"].([]any); !slices.Equal(ids, want) {
				t.Errorf("the ids are %v, want %v", ids, want)
			}
		})
	}
}

// TestAccReads_unknown checks that a data source with an unknown argument is read by
// apply, with the value that the argument has then.
func TestAccReads_unknown(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	config := api.providerBlock()
	var requests []string
	var checks []statecheck.StateCheck
	for _, test := range []struct {
		kind, argument, value, request, attribute string
		check                                     knownvalue.Check
	}{
		{"file", "id", simulator.FileKey, "files/" + simulator.FileKey, "full_filename", text("server-key.pem")},
		{"mails", "keyword", "rytoj", "mails?include=download&keyword=rytoj", "ids", texts(simulator.SentUnopened)},
		{"files", "sort", "-size", "files?sort=-size", "sort", text("-size")},
	} {
		config += fmt.Sprintf(`
			resource "terraform_data" %[1]q {
				input = %[2]q
			}
			data "privasfer_%[1]s" "test" {
				%[3]s = terraform_data.%[1]s.output
			}
			`, test.kind, test.value, test.argument)
		requests = append(requests, "GET /api/"+test.request)
		checks = append(checks, statecheck.ExpectKnownValue("data.privasfer_"+test.kind+".test", tfjsonpath.New(test.attribute), test.check))
	}
	w := newWorkspace(t, config)
	w.run(0, "plan", "-out", "plan")
	api.checkRequests(t)
	w.run(0, "apply", "plan")
	api.checkRequests(t, requests...)
	w.checkState(checks...)
}

// TestLookups_notFound checks that an object that does not exist is an error in the
// singular data sources and the ephemeral resource.
func TestLookups_notFound(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	server := newProtocolServer(t, api, nil)
	for _, test := range []struct{ kind, id, summary, request string }{
		{"file", "no-such-file", "File not found: There is no file", "GET /api/files/no-such-file"},
		{"mail", simulator.MailFull, "Mail not found: There is no mail", "GET /api/mails/" + simulator.MailFull}, // an inbox mail
		{"inbox_mail", "x", "Inbox mail not found: There is no inbox mail", "GET /api/inbox/x"},
		{"ephemeral", simulator.SentFull, "Inbox mail not found: There is no inbox mail", "GET /api/inbox/" + simulator.SentFull},
	} {
		_, report := server.result(t, test.kind, values{"id": test.id})
		checkReport(t, report, "ERROR: "+test.summary+" with this id, or the token has no access to it. "+test.request+" returned 404 Not Found", stepMail)
	}
}

// TestAccFiles_many checks that the engine gets a long list completely, from one
// response.
func TestAccFiles_many(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{Data: &simulator.Data{Files: simulator.ManyFiles(5000)}})
	w := newWorkspace(t, api.providerBlock()+`
		data "privasfer_files" "test" {}
		locals {
			list = data.privasfer_files.test
		}
		output "ends" {
			value = [length(local.list.files), length(toset(local.list.ids)), local.list.ids == local.list.files[*].id, local.list.files[4999].filename]
		}`)
	w.run(0, "apply", "-auto-approve")
	api.checkRequests(t, "GET /api/files")
	w.checkState(statecheck.ExpectKnownOutputValue("ends", knownvalue.TupleExact([]knownvalue.Check{
		knownvalue.Int64Exact(5000), knownvalue.Int64Exact(5000), knownvalue.Bool(true), text("report-005000")})))
}
