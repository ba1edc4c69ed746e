package provider

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// mailsCheck is a whole list of mails, whichever way they went.
func mailsCheck(keyword, sort, includeFiles knownvalue.Check, ids []string, mails ...attributes) knownvalue.Check {
	checks := make([]knownvalue.Check, len(mails))
	for i, mail := range mails {
		checks[i] = mail.exactly()
	}
	return knownvalue.ObjectExact(map[string]knownvalue.Check{
		"keyword": keyword, "sort": sort, "include_files": includeFiles, "ids": texts(ids...), "mails": knownvalue.ListExact(checks)})
}

// The mails of the inbox in the data set as lists show them, with the files of
// their downloads: null where they were not asked for.

func inboxFull(files knownvalue.Check) attributes {
	return attributes{
		"id":          text(simulator.MailFull),
		"identifier":  text("1Kh2"),
		"subject":     text("Secure files"),
		"sender":      contactCheck(text("Sender Name"), text("sender@email.address")),
		"download":    downloadCheck(simulator.DownloadFull, text("2019-05-15 14:11:00"), files),
		"received_at": text("2019-05-15 14:11:00"),
		"opened":      knownvalue.Bool(true),
	}
}

func inboxUnopened(files knownvalue.Check) attributes {
	return attributes{
		"id":          text(simulator.MailUnopened),
		"identifier":  text("2Lm7"),
		"subject":     text("Raktas – šiandien"),
		"sender":      contactCheck(text("Rūta Žukė"), text("ruta@email.address")),
		"download":    downloadCheck(simulator.DownloadUnopened, text("2019-05-16 08:00:01"), files),
		"received_at": text("2019-05-16 08:00:00"),
		"opened":      knownvalue.Bool(false),
	}
}

func inboxBare() attributes {
	return attributes{
		"id":          text(simulator.MailBare),
		"identifier":  null,
		"subject":     null,
		"sender":      null,
		"download":    null,
		"received_at": null, // "" is no time
		"opened":      knownvalue.Bool(false),
	}
}

func inboxSparse() attributes {
	return attributes{
		"id":          text(simulator.MailSparse),
		"identifier":  null,
		"subject":     null,
		"sender":      contactCheck(null, text("sender@email.address")),
		"download":    downloadCheck(simulator.DownloadSparse, null, null),
		"received_at": null,
		"opened":      null,
	}
}

func inboxEmpty(files knownvalue.Check) attributes {
	return attributes{
		"id":          text(simulator.MailEmpty),
		"identifier":  text(""),
		"subject":     text(""),
		"sender":      contactCheck(text(""), text("")),
		"download":    downloadCheck(simulator.DownloadEmpty, null, files),
		"received_at": null, // "" is no time
		"opened":      knownvalue.Bool(true),
	}
}

// inboxIDs are those of the data set, in the API's order.
var inboxIDs = []string{simulator.MailFull, simulator.MailUnopened, simulator.MailBare, simulator.MailSparse, simulator.MailEmpty}

// reading is a data source, the requests that it makes, and everything that it
// returns.
type reading struct {
	kind      string // without the provider's name
	arguments string
	requests  []string
	want      knownvalue.Check // of the whole object
}

// checkReadings reads all of them in one run, each once.
func checkReadings(t *testing.T, options simulator.Options, readings map[string]reading) *workspace {
	t.Helper()
	api := newAPI(t, options)
	config := api.providerBlock()
	var requests []string
	var checks []statecheck.StateCheck
	for name, r := range readings {
		config += fmt.Sprintf("data \"privasfer_%s\" %q {\n%s\n}\noutput %q {\n  value = data.privasfer_%s.%s\n  sensitive = true\n}\n",
			r.kind, name, r.arguments, name, r.kind, name)
		requests = append(requests, r.requests...)
		checks = append(checks, statecheck.ExpectKnownOutputValue(name, r.want))
	}
	w := newWorkspace(t, config)
	w.run(0, "apply", "-auto-approve")
	api.checkRequests(t, requests...)
	w.checkState(checks...)
	return w
}

// TestAccInboxMailsDataSource checks every attribute of every mail, that no
// body is among them, and the arguments by the query that arrives.
func TestAccInboxMailsDataSource(t *testing.T) {
	t.Parallel()
	checkReadings(t, simulator.Options{}, map[string]reading{
		"all": {kind: "inbox_mails", requests: []string{"GET /api/inbox?include=download"},
			want: mailsCheck(null, null, null, inboxIDs, inboxFull(null), inboxUnopened(null), inboxBare(), inboxSparse(), inboxEmpty(null))},
		"with_files": {kind: "inbox_mails", arguments: `include_files = true`, requests: []string{"GET /api/inbox?include=download,download.files"},
			want: mailsCheck(null, null, knownvalue.Bool(true), inboxIDs,
				inboxFull(knownvalue.ListExact([]knownvalue.Check{invoiceFile, licenceFile})),
				inboxUnopened(knownvalue.ListExact([]knownvalue.Check{keyFile})),
				inboxBare(), inboxSparse(), inboxEmpty(knownvalue.ListExact(nil)))},
		"files_not_wanted": {kind: "inbox_mails", arguments: "include_files = false\nsort = \"-received_at\"",
			requests: []string{"GET /api/inbox?include=download&sort=-received_at"},
			want: mailsCheck(null, text("-received_at"), knownvalue.Bool(false),
				[]string{simulator.MailUnopened, simulator.MailFull, simulator.MailBare, simulator.MailSparse, simulator.MailEmpty},
				inboxUnopened(null), inboxFull(null), inboxBare(), inboxSparse(), inboxEmpty(null))},
		"all_arguments": {kind: "inbox_mails", arguments: "keyword = \"sender@email.address\"\nsort = \"received_at\"\ninclude_files = true",
			requests: []string{"GET /api/inbox?include=download,download.files&keyword=sender%40email.address&sort=received_at"},
			want: mailsCheck(text("sender@email.address"), text("received_at"), knownvalue.Bool(true),
				[]string{simulator.MailSparse, simulator.MailFull},
				inboxSparse(), inboxFull(knownvalue.ListExact([]knownvalue.Check{invoiceFile, licenceFile})))},
		"nothing": {kind: "inbox_mails", arguments: `keyword = "Mail body"`, // bodies are not searched
			requests: []string{"GET /api/inbox?include=download&keyword=Mail+body"},
			want:     mailsCheck(text("Mail body"), null, null, nil)},
	})
}

// listKinds are the plural data sources: where they read, the query that they
// always send, and the attribute that holds the objects.
var listKinds = map[string]struct{ path, query, objects string }{
	"files":       {path: "/api/files", objects: "files"},
	"inbox_mails": {path: "/api/inbox", query: "include=download", objects: "mails"},
	"mails":       {path: "/api/mails", query: "include=download", objects: "mails"},
}

// listRequest is the request of a list with another parameter, if it is named.
func listRequest(kind, parameter, value string) string {
	list := listKinds[kind]
	query, err := url.ParseQuery(list.query)
	if err != nil {
		panic(err)
	}
	if parameter != "" {
		query.Set(parameter, value)
	}
	request := "GET " + list.path
	if len(query) > 0 {
		request += "?" + query.Encode()
	}
	return request
}

// idsOf returns an output with a list's ids and those of its objects, and the
// check that both are as wanted.
func idsOf(kind, name string, ids ...string) (config string, check statecheck.StateCheck) {
	config = fmt.Sprintf("output %q {\n  value = {\n    ids = data.privasfer_%s.%s.ids\n    objects = data.privasfer_%s.%s.%s[*].id\n  }\n}\n",
		name, kind, name, kind, name, listKinds[kind].objects)
	return config, statecheck.ExpectKnownOutputValue(name,
		knownvalue.ObjectExact(map[string]knownvalue.Check{"ids": texts(ids...), "objects": texts(ids...)}))
}

// TestAccLists_selection: each key sorts, and reversed too, and the keyword
// selects, by what the API says that it searches. The ids come in the order of
// the objects.
func TestAccLists_selection(t *testing.T) {
	t.Parallel()
	const (
		full, unopened, bare, sparse, empty             = simulator.MailFull, simulator.MailUnopened, simulator.MailBare, simulator.MailSparse, simulator.MailEmpty
		sent, sentNew, sentNull, sentLack, sentBlank    = simulator.SentFull, simulator.SentUnopened, simulator.SentBare, simulator.SentSparse, simulator.SentEmpty
		invoice, licence, key, backup, readme, nameFile = simulator.FileInvoice, simulator.FileLicence, simulator.FileKey, simulator.FileBackup, simulator.FileBare, simulator.FileNFD
	)
	const special = "50% & more+, #1? =é/${x}"
	tests := []struct {
		kind, argument, value string
		ids                   []string
	}{
		{"files", "sort", "filename_original", []string{readme, backup, invoice, licence, nameFile, key, "special"}},
		{"files", "sort", "-filename_original", []string{"special", key, nameFile, licence, invoice, backup, readme}},
		{"files", "sort", "size", []string{readme, "special", nameFile, licence, key, invoice, backup}},
		{"files", "sort", "-size", []string{backup, invoice, key, licence, nameFile, readme, "special"}},
		{"files", "sort", "encrypted_size", []string{readme, "special", nameFile, licence, key, invoice, backup}},
		{"files", "sort", "-encrypted_size", []string{backup, invoice, key, licence, nameFile, readme, "special"}},
		{"files", "sort", "created_at", []string{readme, "special", invoice, licence, key, backup, nameFile}},
		{"files", "sort", "-created_at", []string{nameFile, backup, key, licence, invoice, readme, "special"}},
		{"files", "keyword", "INVOICE", []string{invoice}},
		{"files", "keyword", "e", []string{invoice, licence, key, readme, nameFile, "special"}},
		{"files", "keyword", special, []string{"special"}},
		{"files", "keyword", " & ", []string{"special"}},

		{"inbox_mails", "sort", "subject", []string{bare, sparse, empty, unopened, full}},
		{"inbox_mails", "sort", "-subject", []string{full, unopened, empty, bare, sparse}},
		{"inbox_mails", "sort", "created_by_email", []string{bare, empty, unopened, full, sparse}},
		{"inbox_mails", "sort", "-created_by_email", []string{full, sparse, unopened, empty, bare}},
		{"inbox_mails", "sort", "received_at", []string{bare, sparse, empty, full, unopened}},
		{"inbox_mails", "sort", "-received_at", []string{unopened, full, bare, sparse, empty}},
		{"inbox_mails", "keyword", "2lm7", []string{unopened}},
		{"inbox_mails", "keyword", "ŠIANDIEN", []string{unopened}},
		{"inbox_mails", "keyword", "email.address", []string{full, unopened, sparse}},
		{"inbox_mails", "keyword", "Sender Name", []string{full}},

		{"mails", "sort", "subject", []string{sentNull, sentLack, sentBlank, sent, sentNew}},
		{"mails", "sort", "-subject", []string{sentNew, sent, sentBlank, sentNull, sentLack}},
		{"mails", "sort", "recipient_email", []string{sentNull, sentLack, sentBlank, sent, sentNew}},
		{"mails", "sort", "-recipient_email", []string{sentNew, sent, sentBlank, sentNull, sentLack}},
		{"mails", "sort", "created_at", []string{sentNull, sentLack, sentBlank, sentNew, sent}},
		{"mails", "sort", "-created_at", []string{sent, sentNew, sentNull, sentLack, sentBlank}},
		{"mails", "sort", "sent_at", []string{sentNull, sentLack, sentBlank, sentNew, sent}},
		{"mails", "sort", "-sent_at", []string{sent, sentNew, sentNull, sentLack, sentBlank}},
		{"mails", "keyword", "3np5", []string{sent}},
		{"mails", "keyword", "rytoj", []string{sentNew}},
		{"mails", "keyword", "email.address", []string{sent, sentNew}},
		{"mails", "keyword", "no such mail", nil},
	}
	data := simulator.DefaultData()
	data.Files = append(data.Files, simulator.File{ID: "special", Filename: "~" + special, FullFilename: "~" + special})
	api := newAPI(t, simulator.Options{Data: data})
	config := api.providerBlock()
	var requests []string
	var checks []statecheck.StateCheck
	for i, test := range tests {
		name := fmt.Sprintf("test_%d_%s", i, test.kind)
		output, check := idsOf(test.kind, name, test.ids...)
		value := strings.ReplaceAll(fmt.Sprintf("%q", test.value), "${", "$${")
		config += fmt.Sprintf("data \"privasfer_%s\" %q {\n  %s = %s\n}\n%s", test.kind, name, test.argument, value, output)
		requests = append(requests, strings.ReplaceAll(listRequest(test.kind, test.argument, test.value), "%2C", ","))
		checks = append(checks, check)
	}
	w := newWorkspace(t, config)
	w.run(0, "apply", "-auto-approve")
	api.checkRequests(t, requests...)
	w.checkState(checks...)
}

// TestAccLists_empty: an account that holds nothing has empty lists, paged or
// not, and that is no error.
func TestAccLists_empty(t *testing.T) {
	t.Parallel()
	for name, pageSize := range map[string]int{"unpaged": 0, "paged": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			readings := map[string]reading{}
			for kind, list := range listKinds {
				want := attributes{"keyword": null, "sort": null, "ids": texts(), list.objects: knownvalue.ListExact(nil)}
				if kind != "files" {
					want["include_files"] = null
				}
				readings[kind] = reading{kind: kind, requests: []string{listRequest(kind, "", "")}, want: want.exactly()}
			}
			checkReadings(t, simulator.Options{PageSize: pageSize, Data: &simulator.Data{}}, readings)
		})
	}
}

// TestAccLists_unknown: what depends on something that is known only after
// apply is not read before, and then by the value that it has become.
func TestAccLists_unknown(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	config := api.providerBlock()
	var requests []string
	var checks []statecheck.StateCheck
	add := func(kind, argument, value, request, attribute string, check knownvalue.Check) {
		name := kind + "_" + argument
		config += fmt.Sprintf("resource \"terraform_data\" %q {\n  input = %q\n}\ndata \"privasfer_%s\" %q {\n  %s = terraform_data.%s.output\n}\n",
			name, value, kind, name, argument, name)
		requests = append(requests, request)
		checks = append(checks, statecheck.ExpectKnownValue("data.privasfer_"+kind+"."+name, tfjsonpath.New(attribute), check))
	}
	add("file", "id", simulator.FileKey, "GET /api/files/"+simulator.FileKey, "full_filename", text("server-key.pem"))
	add("mail", "id", simulator.SentFull, "GET /api/mails/"+simulator.SentFull+"?include=download", "identifier", text("3Np5"))
	add("files", "keyword", "licence", "GET /api/files?keyword=licence", "ids", texts(simulator.FileLicence))
	add("files", "sort", "-size", "GET /api/files?sort=-size", "sort", text("-size"))
	add("mails", "keyword", "rytoj", "GET /api/mails?include=download&keyword=rytoj", "ids", texts(simulator.SentUnopened))
	add("inbox_mails", "keyword", "ruta", "GET /api/inbox?include=download&keyword=ruta", "ids", texts(simulator.MailUnopened))
	w := newWorkspace(t, config)
	w.run(0, "plan", "-out", "plan")
	api.checkRequests(t)
	w.run(0, "apply", "plan")
	api.checkRequests(t, requests...)
	w.checkState(checks...)
}

// TestAccLists_arguments: what can never be right is refused before any
// request, and the message lists what is right.
func TestAccLists_arguments(t *testing.T) {
	t.Parallel()
	sorts := map[string]string{
		"files": `Attribute sort value must be one of: ["filename_original" "-filename_original" "size" "-size" "encrypted_size" ` +
			`"-encrypted_size" "created_at" "-created_at"], got: `,
		"inbox_mails": `Attribute sort value must be one of: ["subject" "-subject" "created_by_email" "-created_by_email" "received_at" ` +
			`"-received_at"], got: `,
		"mails": `Attribute sort value must be one of: ["subject" "-subject" "recipient_email" "-recipient_email" "created_at" ` +
			`"-created_at" "sent_at" "-sent_at"], got: `,
	}
	for kind, sort := range sorts {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			config := api.providerBlock()
			wrong := []string{"", "-", "name", "--size", "Subject", "subject,sent_at", " size", "id"}
			for i, value := range wrong {
				config += fmt.Sprintf("data \"privasfer_%s\" \"sort_%d\" {\n  sort = %q\n}\n", kind, i, value)
			}
			config += fmt.Sprintf("data \"privasfer_%s\" \"keyword\" {\n  keyword = \"\"\n}\n", kind)
			if kind != "files" {
				config += fmt.Sprintf("data \"privasfer_%s\" \"include_files\" {\n  include_files = \"files\"\n}\n", kind)
			}
			output := newWorkspace(t, config).run(1, "plan")
			for _, value := range wrong {
				checkOutput(t, output, sort+fmt.Sprintf("%q", value))
			}
			checkOutput(t, output, "Attribute keyword string length must be at least 1, got: 0")
			if want := `Inappropriate value for attribute "include_files": a bool is required`; kind != "files" && !message(want).MatchString(output) {
				t.Errorf("the output lacks %q:\n%s", want, output)
			}
			api.checkRequests(t)
		})
	}
}

// TestAccLookups_id: an id that would change the request's path is refused
// before any request, wherever one is taken.
func TestAccLookups_id(t *testing.T) {
	t.Parallel()
	ids := map[string]string{
		"":             "it must not be empty",
		".":            `it must not be "." or ".."`,
		"..":           `it must not be "." or ".."`,
		"../downloads": "it must not contain a slash, a backslash, a question mark or a number sign",
		`a\\b`:         "it must not contain a slash, a backslash, a question mark or a number sign",
		"a?include=x":  "it must not contain a slash, a backslash, a question mark or a number sign",
		"a#b":          "it must not contain a slash, a backslash, a question mark or a number sign",
		"a b":          "it must not contain white space",
		`a\u00a0b`:     "it must not contain white space",
		`a\r\n`:        "it must not contain white space",
		`a\u0001b`:     "it must not contain a control character",
		`a\u007fb`:     "it must not contain a control character",
	}
	for _, kind := range []string{"data.privasfer_file", "data.privasfer_inbox_mail", "data.privasfer_mail", "ephemeral.privasfer_inbox_mail"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			config, block, typeName := api.providerBlock(), "", ""
			block, typeName, _ = strings.Cut(kind, ".")
			i, want := 0, map[string]int{}
			for id, complaint := range ids {
				config += fmt.Sprintf("%s %q \"test_%d\" {\n  id = \"%s\"\n}\n", block, typeName, i, id)
				want["The id cannot be used: "+complaint+"."]++
				i++
			}
			output := newWorkspace(t, config).run(1, "plan")
			for complaint, count := range want {
				if got := len(message(complaint).FindAllString(output, -1)); got != count {
					t.Errorf("%q is told %d times, want %d:\n%s", complaint, got, count, output)
				}
			}
			if got := strings.Count(output, "Error: Invalid id"); got != len(ids) {
				t.Errorf("got %d errors, want %d:\n%s", got, len(ids), output)
			}
			api.checkRequests(t)
		})
	}
}

// TestAccLookups_notFound: a singular data source errs when there is nothing,
// and so does the ephemeral resource.
func TestAccLookups_notFound(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	w := newWorkspace(t, api.providerBlock()+fmt.Sprintf(`
		data "privasfer_file" "test" {
			id = "no-such-file"
		}
		data "privasfer_mail" "test" {
			id            = %q # of the inbox
			include_files = true
		}
		ephemeral "privasfer_inbox_mail" "test" {
			id = %q # sent
		}`, simulator.MailFull, simulator.SentFull))
	output := w.run(1, "plan")
	checkOutput(t, output,
		"Error: File not found", `There is no file with this id that the token may see. GET /api/files/no-such-file returned 404 Not Found`,
		"Error: Mail not found", "There is no mail with this id that the token may see. GET /api/mails/"+simulator.MailFull,
		"Error: Inbox mail not found", "There is no inbox mail with this id that the token may see. GET /api/inbox/"+simulator.SentFull,
	)
	if got := len(message(stepMail).FindAllString(output, -1)); got != 3 {
		t.Errorf("the next step is told %d times, want 3:\n%s", got, output)
	}
	api.checkRequests(t, "GET /api/files/no-such-file",
		"GET /api/mails/"+simulator.MailFull+"?include=download,download.files", "GET /api/inbox/"+simulator.SentFull+"?include=download")
}

// pageStyles are the ways in which pages are described, and the parameter that
// asks for one.
var pageStyles = map[string]struct {
	style     simulator.PageStyle
	parameter string
}{
	"resource":  {simulator.PageResource, "page"},
	"top level": {simulator.PageTopLevel, "page"},
	"simple":    {simulator.PageSimple, "page"},
	"cursor":    {simulator.PageCursor, "cursor"},
}

// TestAccLists_pages reads lists that come in pages to their ends, with no
// request more than there are pages. Only the page is taken from the URL of the
// next one, which leads elsewhere.
func TestAccLists_pages(t *testing.T) {
	t.Parallel()
	for styleName, style := range pageStyles {
		tests := map[string]struct {
			options      simulator.Options
			fault        simulator.Fault
			files, mails int // pages
		}{
			"pages":      {options: simulator.Options{PageSize: 2, NextHost: "https://elsewhere.invalid/behind"}, files: 3, mails: 3},
			"keep query": {options: simulator.Options{PageSize: 3, NextHost: "http://10.0.0.1:8080", NextKeepsQuery: true}, files: 2, mails: 2},
			"one page":   {options: simulator.Options{PageSize: 6}, files: 1, mails: 1},
			"shifted":    {options: simulator.Options{PageSize: 2}, fault: simulator.ShiftedPages(), files: 4, mails: 3},
		}
		for name, test := range tests {
			t.Run(styleName+"/"+name, func(t *testing.T) {
				t.Parallel()
				test.options.PageStyle = style.style
				api := newAPI(t, test.options)
				if test.fault != nil {
					api.Inject("", -1, test.fault)
				}
				config := api.providerBlock() + "output \"objects\" {\n  value = data.privasfer_files.files.files\n}\n"
				var requests []string
				checks := []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("objects", knownvalue.ListExact(allFiles))}
				for kind, ids := range map[string][]string{"files": fileIDs, "inbox_mails": inboxIDs, "mails": sentIDs} {
					output, check := idsOf(kind, kind, ids...)
					config += fmt.Sprintf("data \"privasfer_%s\" %q {}\n", kind, kind) + output
					checks = append(checks, check)
					requests = append(requests, listRequest(kind, "", ""))
					pages := test.mails
					if kind == "files" {
						pages = test.files
					}
					for page := 2; page <= pages; page++ {
						requests = append(requests, listRequest(kind, style.parameter, fmt.Sprint(page)))
					}
				}
				w := newWorkspace(t, config)
				w.run(0, "apply", "-auto-approve")
				api.checkRequests(t, requests...)
				w.checkState(checks...)
			})
		}
	}
}

// TestAccLists_pagesOfASelection: every page is asked for with the arguments,
// whether or not the URL of the next one repeats them.
func TestAccLists_pagesOfASelection(t *testing.T) {
	t.Parallel()
	for styleName, style := range pageStyles {
		t.Run(styleName, func(t *testing.T) {
			t.Parallel()
			mail := func(id string) string {
				query := "include=download,download.files&keyword=email.address"
				switch {
				case id == "":
				case style.parameter == "cursor":
					query = "cursor=" + id + "&" + query
				default:
					query += "&page=" + id
				}
				return "GET /api/inbox?" + query + "&sort=-subject"
			}
			checkReadings(t, simulator.Options{PageSize: 1, PageStyle: style.style}, map[string]reading{
				"test": {kind: "inbox_mails", arguments: "keyword = \"email.address\"\nsort = \"-subject\"\ninclude_files = true",
					requests: []string{mail(""), mail("2"), mail("3")},
					want: mailsCheck(text("email.address"), text("-subject"), knownvalue.Bool(true),
						[]string{simulator.MailFull, simulator.MailUnopened, simulator.MailSparse},
						inboxFull(knownvalue.ListExact([]knownvalue.Check{invoiceFile, licenceFile})),
						inboxUnopened(knownvalue.ListExact([]knownvalue.Check{keyFile})), inboxSparse())},
			})
		})
	}
}

// TestAccLists_broken: a list that cannot be read to its end is an error, and
// never a part of it.
func TestAccLists_broken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		style    simulator.PageStyle
		fault    simulator.Fault
		requests int
		want     []string
	}{
		"a page leads back": {style: simulator.PageCursor, fault: simulator.LoopingPage(), requests: 2,
			want: []string{"the list has a page that leads back to an earlier one.", stepUnusable}},
		"a later page fails": {fault: simulator.OnPage(3, simulator.JSONError(500, "Server Error")), requests: 3,
			want: []string{"returned 500 Internal Server Error: Server Error", stepServer}},
		"a later page is cut short": {fault: simulator.OnPage(3, simulator.Truncate()), requests: 3,
			want: []string{"the response was cut short: unexpected EOF", stepBroken}},
		"an object without an id": {fault: simulator.Answer(`{"data":[{"id":"x"},{"filename":"y"}]}`), requests: 1,
			want: []string{`object 1 of the list: the response has no "data.id"`, stepUnusable}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{PageSize: 2, PageStyle: test.style})
			api.Inject("GET /api/files", -1, test.fault)
			w := newWorkspace(t, providerFor(api.URL, "max_retries = 0")+"data \"privasfer_files\" \"test\" {}\n")
			output := w.run(1, "plan")
			checkOutput(t, output, append(test.want, "Error: Cannot list the files", "GET /api/files")...)
			if got := len(api.Requests()); got != test.requests {
				t.Errorf("got %d requests, want %d", got, test.requests)
			}
		})
	}
}

// TestAccLists_endless: a list that never ends is given up, whether or not
// there is anything new in it.
func TestAccLists_endless(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		style simulator.PageStyle
		fault simulator.Fault
	}{
		"new":      {simulator.PageCursor, simulator.EndlessPages()},
		"repeated": {simulator.PageSimple, simulator.RepeatingPages()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{PageSize: 1, PageStyle: test.style, HideRateLimit: true})
			api.Inject("GET /api/mails", -1, test.fault)
			output := newWorkspace(t, api.providerBlock()+"data \"privasfer_mails\" \"test\" {}\n").run(1, "plan")
			checkOutput(t, output, "Error: Cannot list the mails", "the list has more than 200000 objects or 1000 pages.", "The provider reads no more of a list. Narrow it down with `keyword`.")
			if got := len(api.Requests()); got != 1000 {
				t.Errorf("got %d requests, want 1000", got)
			}
		})
	}
}

// TestAccLists_many: nothing is lost or mixed up in a long list, in one piece
// or in many.
func TestAccLists_many(t *testing.T) {
	t.Parallel()
	ends := func(kind string) string {
		list := fmt.Sprintf("data.privasfer_%s.test", kind)
		objects := list + "." + listKinds[kind].objects
		return fmt.Sprintf(`
			output %q {
				value = {
					count    = length(%s)
					distinct = length(toset(%s.ids))
					same     = %s.ids == %s[*].id
					first    = %s[0]
					last     = %s[length(%s) - 1]
				}
			}`, kind, objects, list, list, objects, objects, objects, objects)
	}
	wantEnds := func(count int64, first, last attributes) knownvalue.Check {
		return knownvalue.ObjectExact(map[string]knownvalue.Check{
			"count": knownvalue.Int64Exact(count), "distinct": knownvalue.Int64Exact(count), "same": knownvalue.Bool(true),
			"first": first.exactly(), "last": last.exactly()})
	}
	person := func(role, letter string) knownvalue.Check {
		return personCheck(text(role+" "+letter), text(role+" "+letter+"."), text(strings.ToLower(role+"-"+letter)+"@email.address"),
			text(""), text("Europe/Vilnius"))
	}
	file := func(number, letter, createdAt string, size int64, formatted string, encrypted int64, formattedEncrypted string) attributes {
		return attributes{
			"id": text("file-" + number), "filename": text("report-" + number), "type": text("application/pdf"), "extension": text("pdf"),
			"full_filename": text("report-" + number + ".pdf"), "size": knownvalue.Int64Exact(size), "formatted_size": text(formatted),
			"encrypted_size": knownvalue.Int64Exact(encrypted), "formatted_encrypted_size": text(formattedEncrypted),
			"created_by": person("Author", letter), "created_at": text(createdAt), "disk": text("local-spaces"), "trashed": knownvalue.Bool(false),
		}
	}
	first := file("000001", "B", "2024-01-01 00:00:00", 612953, "598.59 KB", 817318, "798.16 KB")

	t.Run("files", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{Data: &simulator.Data{Files: simulator.ManyFiles(5000)}})
		w := newWorkspace(t, api.providerBlock()+"data \"privasfer_files\" \"test\" {}\n"+ends("files"))
		w.run(0, "apply", "-auto-approve")
		api.checkRequests(t, "GET /api/files")
		w.checkState(statecheck.ExpectKnownOutputValue("files", wantEnds(5000, first,
			file("005000", "A", "2024-01-04 11:19:00", 756823, "739.08 KB", 1009145, "985.49 KB"))))
	})
	t.Run("mails", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t, simulator.Options{PageSize: 100, Data: &simulator.Data{
			Files: simulator.ManyFiles(1000), InboxMails: simulator.ManyInboxMails(1000), Mails: simulator.ManyMails(1000)}})
		w := newWorkspace(t, api.providerBlock()+
			"data \"privasfer_inbox_mails\" \"test\" {\n  include_files = true\n}\ndata \"privasfer_mails\" \"test\" {}\n"+ends("inbox_mails")+ends("mails"))
		w.run(0, "apply", "-auto-approve")
		requests := []string{"GET /api/inbox?include=download,download.files", "GET /api/mails?include=download"}
		for page := 2; page <= 10; page++ {
			requests = append(requests, fmt.Sprintf("GET /api/inbox?include=download,download.files&page=%d", page),
				fmt.Sprintf("GET /api/mails?include=download&page=%d", page))
		}
		api.checkRequests(t, requests...)
		received := func(number, letter, at string, opened bool, file attributes) attributes {
			return attributes{
				"id": text("mail-" + number), "identifier": text("I" + number), "subject": text("Report " + number),
				"sender":      contactCheck(text("Sender "+letter), text("sender-"+strings.ToLower(letter)+"@email.address")),
				"download":    downloadCheck("download-"+number, text(at), knownvalue.ListExact([]knownvalue.Check{file.exactly()})),
				"received_at": text(at), "opened": knownvalue.Bool(opened),
			}
		}
		sent := func(number, letter, at string, openedAt knownvalue.Check) attributes {
			return attributes{
				"id": text("sent-" + number), "identifier": text("S" + number), "subject": text("Report " + number),
				"sender":    contactCheck(text("Author Name"), text("author@email.address")),
				"recipient": person("Recipient", letter), "recipient_email": text("recipient-" + strings.ToLower(letter) + "@email.address"),
				"created_at": text(at), "sent_at": text(at), "status": text("success"), "opened_at": openedAt,
				"download": downloadCheck("sent-download-"+number, text(at), null),
			}
		}
		w.checkState(
			statecheck.ExpectKnownOutputValue("inbox_mails", wantEnds(1000,
				received("000001", "B", "2024-01-01 00:00:00", false, first),
				received("001000", "A", "2024-01-01 16:39:00", true,
					file("001000", "A", "2024-01-01 16:39:00", 952167, "929.85 KB", 1269604, "1.21 MB")))),
			statecheck.ExpectKnownOutputValue("mails", wantEnds(1000,
				sent("000001", "B", "2024-01-01 00:00:00", null),
				sent("001000", "A", "2024-01-01 16:39:00", text("2024-01-01 16:40:00")))),
		)
	})
}
