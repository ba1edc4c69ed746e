package simulator_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// ids returns the ids of the objects in a list, in order.
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
		invoice, licence, key, backup, bare, nfd = simulator.FileInvoice, simulator.FileLicence, simulator.FileKey, simulator.FileBackup, simulator.FileBare, simulator.FileNFD
		full, unopened, null, sparse, empty      = simulator.MailFull, simulator.MailUnopened, simulator.MailBare, simulator.MailSparse, simulator.MailEmpty
		sent, sentNew, sentNull, lacking, blank  = simulator.SentFull, simulator.SentUnopened, simulator.SentBare, simulator.SentSparse, simulator.SentEmpty
	)
	tests := map[string][]string{
		"files?sort=filename_original":        {bare, backup, invoice, licence, nfd, key},
		"files?sort=-size":                    {backup, invoice, key, licence, nfd, bare},
		"files?sort=encrypted_size":           {bare, nfd, licence, key, invoice, backup},
		"files?sort=created_at":               {bare, invoice, licence, key, backup, nfd},
		"files?keyword=e&sort=-size":          {invoice, key, licence, nfd, bare},
		"files?keyword=-kEy&include=category": {key},
		"files?keyword=invoice.pdf":           {},
		"inbox?sort=subject":                  {null, sparse, empty, unopened, full},
		"inbox?sort=created_by_email":         {null, empty, unopened, full, sparse},
		"inbox?sort=-received_at":             {unopened, full, null, sparse, empty},
		"inbox?keyword=1kH":                   {full},
		"inbox?keyword=%C5%A0IANDIEN":         {unopened},
		"inbox?keyword=SENDER@":               {full, sparse},
		"inbox?keyword=r%C5%ABta%20%C5%BE":    {unopened},
		"inbox?keyword=" + full:               {},
		"mails?sort=-subject":                 {sentNew, sent, blank, sentNull, lacking},
		"mails?sort=recipient_email":          {sentNull, lacking, blank, sent, sentNew},
		"mails?sort=created_at":               {sentNull, lacking, blank, sentNew, sent},
		"mails?sort=-sent_at":                 {sent, sentNew, sentNull, lacking, blank},
		"mails?keyword=3nP":                   {sent},
		"mails?keyword=MAY":                   {sent},
		"mails?keyword=recipient@":            {sent},
		"mails?keyword=%C5%BDUK":              {sentNew},
		"mails?keyword=author":                {sent, sentNew},
		"mails?keyword=marker":                {},
	}
	data := simulator.DefaultData()
	_, web := start(t, simulator.Options{Data: data})
	for target, ids := range tests {
		wantIDs(t, call(t, web, "GET", "/api/"+target, ""), ids...)
	}
	if !reflect.DeepEqual(data, simulator.DefaultData()) {
		t.Error("a list changed the data")
	}
}

// TestListObjects compares the objects of every list with those of the routes for single
// objects, byte for byte, including bodies.
func TestListObjects(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	const includes = "include=download,download.files"
	for _, test := range []struct{ list, listQuery, single, singleQuery string }{
		{list: "/api/files", listQuery: "?include=category", single: "/api/files/"},
		{list: "/api/inbox", listQuery: "?" + includes + ",author", single: "/api/inbox/", singleQuery: "?" + includes},
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
