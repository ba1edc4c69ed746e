package simulator_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// ids are those of the objects in a list, in its order.
func ids(t *testing.T, got response) []string {
	t.Helper()
	var list struct{ Data []struct{ ID string } }
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != 200 || list.Data == nil {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	ids := make([]string, 0, len(list.Data))
	for _, object := range list.Data {
		ids = append(ids, object.ID)
	}
	return ids
}

func wantIDs(t *testing.T, got response, wanted ...string) {
	t.Helper()
	if ids := ids(t, got); strings.Join(ids, " ") != strings.Join(wanted, " ") {
		t.Errorf("got %q\nwant %q", ids, wanted)
	}
}

func TestListOrderAndSearch(t *testing.T) {
	t.Parallel()
	const (
		invoice, licence, key = simulator.FileInvoice, simulator.FileLicence, simulator.FileKey
		backup, bareFile, nfd = simulator.FileBackup, simulator.FileBare, simulator.FileNFD

		full, unopened, bare = simulator.MailFull, simulator.MailUnopened, simulator.MailBare
		sparse, empty        = simulator.MailSparse, simulator.MailEmpty

		sentFull, sentUnopened, sentBare = simulator.SentFull, simulator.SentUnopened, simulator.SentBare
		sentSparse, sentEmpty            = simulator.SentSparse, simulator.SentEmpty
	)
	tests := map[string][]string{
		"files":                                 {invoice, licence, key, backup, bareFile, nfd},
		"files?sort=filename_original":          {bareFile, backup, invoice, licence, nfd, key},
		"files?sort=-filename_original":         {key, nfd, licence, invoice, backup, bareFile},
		"files?sort=size":                       {bareFile, nfd, licence, key, invoice, backup},
		"files?sort=-size":                      {backup, invoice, key, licence, nfd, bareFile},
		"files?sort=encrypted_size":             {bareFile, nfd, licence, key, invoice, backup},
		"files?sort=-encrypted_size":            {backup, invoice, key, licence, nfd, bareFile},
		"files?sort=created_at":                 {bareFile, invoice, licence, key, backup, nfd},
		"files?sort=-created_at":                {nfd, backup, key, licence, invoice, bareFile},
		"files?keyword=iN":                      {invoice},
		"files?keyword=e&sort=-size":            {invoice, key, licence, nfd, bareFile},
		"files?keyword=-kEy&include=category":   {key},
		"files?keyword=invoice.pdf":             {},
		"files?keyword=email.address":           {},
		"files?keyword=%20":                     nil,
		"inbox":                                 {full, unopened, bare, sparse, empty},
		"inbox?sort=subject":                    {bare, sparse, empty, unopened, full},
		"inbox?sort=-subject":                   {full, unopened, empty, bare, sparse},
		"inbox?sort=created_by_email":           {bare, empty, unopened, full, sparse},
		"inbox?sort=-created_by_email":          {full, sparse, unopened, empty, bare},
		"inbox?sort=received_at":                {bare, sparse, empty, full, unopened},
		"inbox?sort=-received_at":               {unopened, full, bare, sparse, empty},
		"inbox?keyword=1kH":                     {full},
		"inbox?keyword=%C5%A0IANDIEN":           {unopened},
		"inbox?keyword=SENDER@":                 {full, sparse},
		"inbox?keyword=r%C5%ABta%20%C5%BE":      {unopened},
		"inbox?keyword=Mail%20body":             {},
		"inbox?keyword=" + full:                 {},
		"inbox?include=author":                  {full, unopened, bare, sparse, empty},
		"mails":                                 {sentFull, sentUnopened, sentBare, sentSparse, sentEmpty},
		"mails?sort=subject":                    {sentBare, sentSparse, sentEmpty, sentFull, sentUnopened},
		"mails?sort=-subject":                   {sentUnopened, sentFull, sentEmpty, sentBare, sentSparse},
		"mails?sort=recipient_email":            {sentBare, sentSparse, sentEmpty, sentFull, sentUnopened},
		"mails?sort=-recipient_email":           {sentUnopened, sentFull, sentEmpty, sentBare, sentSparse},
		"mails?sort=created_at":                 {sentBare, sentSparse, sentEmpty, sentUnopened, sentFull},
		"mails?sort=-created_at":                {sentFull, sentUnopened, sentBare, sentSparse, sentEmpty},
		"mails?sort=sent_at":                    {sentBare, sentSparse, sentEmpty, sentUnopened, sentFull},
		"mails?sort=-sent_at":                   {sentFull, sentUnopened, sentBare, sentSparse, sentEmpty},
		"mails?keyword=3nP":                     {sentFull},
		"mails?keyword=MAY":                     {sentFull},
		"mails?keyword=recipient@":              {sentFull},
		"mails?keyword=%C5%BDUK":                {sentUnopened},
		"mails?keyword=author@":                 {},
		"mails?keyword=marker":                  {},
		"mails?keyword=a&sort=created_at":       {sentUnopened, sentFull},
		"mails?include=author,download&sort=-x": nil,
	}
	_, web := start(t, simulator.Options{})
	for target, ids := range tests {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			got := call(t, web, "GET", "/api/"+target, "")
			if ids == nil {
				if got.status != 400 {
					t.Errorf("%d %s", got.status, got.body)
				}
				return
			}
			wantIDs(t, got, ids...)
		})
	}
}

// TestListObjects compares the objects of every list with those of the routes
// for single ones, byte for byte and body and all.
func TestListObjects(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	const includes = "include=download,download.files"
	for _, test := range []struct{ list, listQuery, single, singleQuery string }{
		{list: "/api/files", single: "/api/files/"},
		{list: "/api/files", listQuery: "?include=category", single: "/api/files/"},
		{list: "/api/inbox", single: "/api/inbox/"},
		{list: "/api/inbox", listQuery: "?include=author", single: "/api/inbox/"},
		{list: "/api/inbox", listQuery: "?include=download", single: "/api/inbox/", singleQuery: "?include=download"},
		{list: "/api/inbox", listQuery: "?" + includes + ",author", single: "/api/inbox/", singleQuery: "?" + includes},
		{list: "/api/mails", single: "/api/mails/"},
		{list: "/api/mails", listQuery: "?include=download", single: "/api/mails/", singleQuery: "?include=author,download"},
		{list: "/api/mails", listQuery: "?" + includes, single: "/api/mails/", singleQuery: "?" + includes + ",author"},
	} {
		got := call(t, web, "GET", test.list+test.listQuery, "")
		wantHeader(t, got, "Content-Type", "application/json")
		var objects []string
		for _, id := range ids(t, got) {
			object := call(t, web, "GET", test.single+id+test.singleQuery, "").body
			objects = append(objects, strings.TrimSuffix(strings.TrimPrefix(object, `{"data":`), "}"))
		}
		want(t, got, 200, `{"data":[`+strings.Join(objects, ",")+`]}`)
	}
}

func TestSingleObjects(t *testing.T) {
	t.Parallel()
	const (
		fullTail = `"id":"5d0b8f3e-61a7-4c29-9e84-f2c7b1a6d035","identifier":"3Np5","opened_at":"2019-05-21 07:00:59",` +
			`"recipient":{"email":"recipient@email.address","initials":"Recipient N.","name":"Recipient Name",` +
			`"photo_url":"https://photos.invalid/recipient.png","timezone":"Europe/Vilnius"},"recipient_email":"recipient@email.address",` +
			`"sender":{"email":"author@email.address","name":"Author Name"},"sent_at":"2019-05-20 14:39:31","status":"success","subject":"Invoice for May"}}`
		fullHead     = `{"data":{"body":"<p>MARKER-BODY-SENT-FULL-4b7d</p>","created_at":"2019-05-20 14:39:29",`
		fullDownload = `"download":{"created_at":"2019-05-20 14:39:30",`
		fullID       = `"id":"2b9c7e40-5f18-4a6d-b3c2-7d0e1f9a8456"},`
		nfdJSON      = `{"created_at":"2019-05-12 12:00:00","created_by":{"email":"author@email.address","initials":"Author N.","name":"Author Name",` +
			`"photo_url":"","timezone":"Europe/Vilnius"},"disk":"local-spaces","encrypted_size":96,"extension":"txt","filename":"names",` +
			`"formatted_encrypted_size":"96 B","formatted_size":"50 B","full_filename":"names.txt",` +
			`"id":"a75f29c3-8e14-4d06-b9f2-5c3e7a10d864","size":50,"trashed":false,"type":"text/plain"}`
	)
	tests := map[string]struct{ target, response string }{
		"invoice": {"files/" + simulator.FileInvoice, `{"data":` + invoiceJSON + `}`},
		"backup":  {"files/" + simulator.FileBackup, `{"data":` + backupJSON + `}`},
		"bare":    {"files/" + simulator.FileBare, `{"data":` + bareJSON + `}`},
		"NFD":     {"files/" + simulator.FileNFD, `{"data":` + nfdJSON + `}`},

		"sent":           {"mails/" + simulator.SentFull, fullHead + fullTail},
		"sent, author":   {"mails/" + simulator.SentFull + "?include=author", fullHead + fullTail},
		"sent, download": {"mails/" + simulator.SentFull + "?include=download", fullHead + fullDownload + fullID + fullTail},
		"sent, files": {"mails/" + simulator.SentFull + "?include=author,download.files,download",
			fullHead + fullDownload + `"files":[` + invoiceJSON + `,` + licenceJSON + `],` + fullID + fullTail},
		"sent, unopened": {"mails/" + simulator.SentUnopened + "?include=download,download.files",
			`{"data":{"body":"<p>MARKER-BODY-SENT-UNOPENED-c93a &amp; iki</p>","created_at":"2019-05-08 16:21:47",` +
				`"download":{"created_at":"2019-05-08 16:21:47","files":[` + keyJSON + `],"id":"83d5f1a9-c6e2-4704-9b8d-e4a27c5f1b30"},` +
				`"id":"97e2c4a8-3f5d-4b10-8a6c-0e9d7b2f4c61","identifier":"4Qr8","opened_at":"",` +
				`"recipient":{"email":"ruta@email.address","initials":"Rūta Ž.","name":"Rūta Žukė","photo_url":"","timezone":"UTC"},` +
				`"recipient_email":"ruta@email.address","sender":{"email":"author@email.address","name":"Author Name"},` +
				`"sent_at":"2019-05-08 16:21:48","status":"success","subject":"Raktas – rytoj"}}`},
		"sent, bare": {"mails/" + simulator.SentBare + "?include=download",
			`{"data":{"created_at":"","download":null,"id":"c8a61d74-0b2e-4f93-b5d7-3e9f8c1a2064","identifier":null,"opened_at":"","recipient":null,` +
				`"recipient_email":null,"sender":null,"sent_at":"","status":null,"subject":null}}`},
		"sent, sparse": {"mails/" + simulator.SentSparse + "?include=download,download.files",
			`{"data":{"body":"MARKER-BODY-SENT-SPARSE-18fe","download":{"id":"f06a3c8e-1d97-4b52-8e4f-95b7d2c0a618"},` +
				`"id":"1f7e9b05-d4c3-4862-a0f1-8b6d5e2c9a73","recipient":{"email":"recipient@email.address"},"sender":{"email":"author@email.address"}}}`},
		"sent, sparse, not included": {"mails/" + simulator.SentSparse,
			`{"data":{"body":"MARKER-BODY-SENT-SPARSE-18fe","id":"1f7e9b05-d4c3-4862-a0f1-8b6d5e2c9a73",` +
				`"recipient":{"email":"recipient@email.address"},"sender":{"email":"author@email.address"}}}`},
		"sent, empty": {"mails/" + simulator.SentEmpty + "?include=download,download.files",
			`{"data":{"body":"","created_at":"","download":{"created_at":"","files":[],"id":"47c1e8d2-a3b6-4f09-ad75-1c8e6f0b2d94"},` +
				`"id":"e46d2b98-7a1c-4d5f-9b03-c1f8a7e06d52","identifier":"","opened_at":"",` +
				`"recipient":{"email":"","initials":"","name":"","photo_url":"","timezone":""},"recipient_email":"",` +
				`"sender":{"email":"","name":""},"sent_at":"","status":"","subject":""}}`},
	}
	s, web := start(t, simulator.Options{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := call(t, web, "GET", "/api/"+test.target, "")
			want(t, got, 200, test.response)
			wantHeader(t, got, "Content-Type", "application/json")
		})
	}
	t.Cleanup(func() {
		if len(s.Unexpected()) != 0 {
			t.Error("an expected request is called unexpected")
		}
	})
}

func TestListErrors(t *testing.T) {
	t.Parallel()
	const (
		fileSorts  = "is not allowed. Allowed sort(s) are `filename_original, size, encrypted_size, created_at`.\"}"
		inboxSorts = "is not allowed. Allowed sort(s) are `subject, created_by_email, received_at`.\"}"
		sentSorts  = "is not allowed. Allowed sort(s) are `subject, recipient_email, created_at, sent_at`.\"}"
		includes   = "are not allowed. Allowed include(s) are `download, download.files, author`.\"}"
		empty      = `{"message":"The keyword is empty."}`
	)
	tests := map[string]struct {
		target   string
		status   int
		response string
	}{
		"unknown sort of files":     {"files?sort=filename", 400, "{\"message\":\"Requested sort(s) `filename` " + fileSorts},
		"unknown sort of inbox":     {"inbox?sort=-sent_at", 400, "{\"message\":\"Requested sort(s) `sent_at` " + inboxSorts},
		"unknown sort of mails":     {"mails?sort=received_at", 400, "{\"message\":\"Requested sort(s) `received_at` " + sentSorts},
		"empty sort":                {"files?sort=", 400, "{\"message\":\"Requested sort(s) `` " + fileSorts},
		"bare minus":                {"files?sort=-", 400, "{\"message\":\"Requested sort(s) `` " + fileSorts},
		"two minuses":               {"files?sort=--size", 400, "{\"message\":\"Requested sort(s) `-size` " + fileSorts},
		"plus":                      {"files?sort=%2Bsize", 400, "{\"message\":\"Requested sort(s) `+size` " + fileSorts},
		"two sorts":                 {"mails?sort=subject,sent_at", 400, "{\"message\":\"Requested sort(s) `subject,sent_at` " + sentSorts},
		"sort in upper case":        {"inbox?sort=Subject", 400, "{\"message\":\"Requested sort(s) `Subject` " + inboxSorts},
		"empty keyword":             {"files?keyword=", 400, empty},
		"keyword without value":     {"inbox?keyword", 400, empty},
		"blank keyword":             {"mails?keyword=%20%09", 400, empty},
		"unknown include of files":  {"files?include=author", 400, "{\"message\":\"Requested include(s) `author` are not allowed. Allowed include(s) are `category`.\"}"},
		"unknown include of inbox":  {"inbox?include=category", 400, "{\"message\":\"Requested include(s) `category` " + includes},
		"unknown include of mails":  {"mails?include=recipient", 400, "{\"message\":\"Requested include(s) `recipient` " + includes},
		"unknown include of a mail": {"mails/" + simulator.SentFull + "?include=files", 400, "{\"message\":\"Requested include(s) `files` " + includes},
		"empty include":             {"inbox?include=", 400, "{\"message\":\"Requested include(s) `` " + includes},
		"repeated include":          {"files?include=category,category", 400, "{\"message\":\"Requested include(s) `category` are repeated.\"}"},
		"files without download":    {"mails?include=author,download.files", 400, "{\"message\":\"Requested include(s) `download.files` need `download`.\"}"},
		"author of one inbox mail": {"inbox/" + simulator.MailFull + "?include=author", 400,
			"{\"message\":\"Requested include(s) `author` are not allowed. Allowed include(s) are `download, download.files`.\"}"},
		"include of one file":     {"files/" + simulator.FileKey + "?include=category", 400, "{\"message\":\"Unknown query parameter `include`.\"}"},
		"sort of one mail":        {"mails/" + simulator.SentFull + "?sort=subject", 400, "{\"message\":\"Unknown query parameter `sort`.\"}"},
		"page without paging":     {"files?page=1", 400, "{\"message\":\"Unknown query parameter `page`.\"}"},
		"cursor without paging":   {"inbox?cursor=x", 400, "{\"message\":\"Unknown query parameter `cursor`.\"}"},
		"page size":               {"mails?per_page=100", 400, "{\"message\":\"Unknown query parameter `per_page`.\"}"},
		"repeated keyword":        {"files?keyword=a&keyword=b", 400, "{\"message\":\"Repeated query parameter `keyword`.\"}"},
		"unknown file":            {"files/x", 404, `{"message":"No query results for model [App\\Models\\File] x"}`},
		"unknown mail":            {"mails/x", 404, `{"message":"No query results for model [App\\Models\\Mail] x"}`},
		"inbox mail as sent mail": {"mails/" + simulator.MailFull, 404, `{"message":"No query results for model [App\\Models\\Mail] ` + simulator.MailFull + `"}`},
		"sent mail as inbox mail": {"inbox/" + simulator.SentFull, 404, `{"message":"No query results for model [App\\Models\\InboxMail] ` + simulator.SentFull + `"}`},
	}
	_, web := start(t, simulator.Options{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want(t, call(t, web, "GET", "/api/"+test.target, ""), test.status, test.response)
		})
	}
}

func TestListsAreRoutes(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	for _, path := range []string{"/api/inbox", "/api/files", "/api/files/x", "/api/mails", "/api/mails/x"} {
		got := call(t, web, "POST", path, "")
		wantHeader(t, got, "Allow", "GET, HEAD")
		if got.status != 405 {
			t.Errorf("POST %s: %d", path, got.status)
		}
		want(t, call(t, web, "GET", path, "", "Authorization", ""), 401, `{"message":"Unauthenticated."}`)
		if got := call(t, web, "GET", path+"/", ""); got.status != 404 {
			t.Errorf("GET %s/: %d", path, got.status)
		}
	}
}

func TestEmptyLists(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{Data: &simulator.Data{}})
	for _, path := range []string{"/api/inbox", "/api/files", "/api/mails"} {
		want(t, call(t, web, "GET", path, ""), 200, `{"data":[]}`)
	}
}

// TestOverridesInLists shows that lists sort and search what an object is, not
// how it looks.
func TestOverridesInLists(t *testing.T) {
	t.Parallel()
	data := &simulator.Data{Mails: []simulator.Mail{
		{ID: "b", Subject: new("b"), Extra: map[string]json.RawMessage{"subject": json.RawMessage(`7`), "new": json.RawMessage(`[]`)},
			Omit: []string{"body", "created_at", "identifier", "opened_at", "recipient", "recipient_email", "sender", "sent_at", "status"}},
		{ID: "a", Subject: new("a"), Extra: map[string]json.RawMessage{"download": json.RawMessage(`7`)},
			Omit: []string{"body", "created_at", "identifier", "opened_at", "recipient", "recipient_email", "sender", "sent_at", "status", "subject"}},
	}}
	_, web := start(t, simulator.Options{Data: data})
	want(t, call(t, web, "GET", "/api/mails?sort=subject", ""), 200, `{"data":[{"id":"a"},{"id":"b","new":[],"subject":7}]}`)
	want(t, call(t, web, "GET", "/api/mails?keyword=a&include=download", ""), 200, `{"data":[{"download":7,"id":"a"}]}`)
}

func TestListsLeaveTheDataAlone(t *testing.T) {
	t.Parallel()
	data := simulator.DefaultData()
	_, web := start(t, simulator.Options{Data: data})
	for _, target := range []string{"/api/files?sort=-size&keyword=e", "/api/inbox?sort=subject", "/api/mails?sort=sent_at"} {
		call(t, web, "GET", target, "")
	}
	if !reflect.DeepEqual(data, simulator.DefaultData()) {
		t.Error("a list changed the data")
	}
}
