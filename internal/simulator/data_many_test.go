package simulator_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

func TestMany(t *testing.T) {
	t.Parallel()
	data := &simulator.Data{Files: simulator.ManyFiles(3), InboxMails: simulator.ManyInboxMails(3), Mails: simulator.ManyMails(3)}
	_, web := start(t, simulator.Options{Data: data})
	const (
		file = `{"created_at":"2024-01-01 00:01:00","created_by":{"email":"author-c@email.address","initials":"Author C.","name":"Author C",` +
			`"photo_url":"","timezone":"Europe/Vilnius"},"disk":"local-spaces","encrypted_size":299918,"extension":"pdf","filename":"report-000002",` +
			`"formatted_encrypted_size":"292.89 KB","formatted_size":"219.63 KB","full_filename":"report-000002.pdf","id":"file-000002",` +
			`"size":224903,"trashed":false,"type":"application/pdf"}`
		includes = "?include=download,download.files"
	)
	want(t, call(t, web, "GET", "/api/files/file-000002", ""), 200, `{"data":`+file+`}`)
	want(t, call(t, web, "GET", "/api/inbox/mail-000002"+includes, ""), 200,
		`{"data":{"body":"<p>MARKER-BODY-MANY-e652-000002</p>","download":{"created_at":"2024-01-01 00:01:00","files":[`+file+`],"id":"download-000002"},`+
			`"id":"mail-000002","identifier":"I000002","opened":true,"received_at":"2024-01-01 00:01:00",`+
			`"sender":{"email":"sender-c@email.address","name":"Sender C"},"subject":"Report 000002"}}`)
	want(t, call(t, web, "GET", "/api/mails/sent-000002"+includes, ""), 200,
		`{"data":{"body":"<p>MARKER-BODY-MANY-e652-000002</p>","created_at":"2024-01-01 00:01:00",`+
			`"download":{"created_at":"2024-01-01 00:01:00","files":[`+file+`],"id":"sent-download-000002"},`+
			`"id":"sent-000002","identifier":"S000002","opened_at":"2024-01-01 00:02:00","recipient":{"email":"recipient-c@email.address",`+
			`"initials":"Recipient C.","name":"Recipient C","photo_url":"","timezone":"Europe/Vilnius"},"recipient_email":"recipient-c@email.address",`+
			`"sender":{"email":"author@email.address","name":"Author Name"},"sent_at":"2024-01-01 00:01:00","status":"success","subject":"Report 000002"}}`)
	wantIDs(t, call(t, web, "GET", "/api/files", ""), "file-000001", "file-000002", "file-000003")
	wantIDs(t, call(t, web, "GET", "/api/inbox", ""), "mail-000001", "mail-000002", "mail-000003")
	wantIDs(t, call(t, web, "GET", "/api/mails", ""), "sent-000001", "sent-000002", "sent-000003")

	if !reflect.DeepEqual(simulator.ManyFiles(3), data.Files) || !reflect.DeepEqual(simulator.ManyFiles(5)[:3], data.Files) {
		t.Error("files differ between calls")
	}
	if len(simulator.ManyFiles(0)) != 0 || len(simulator.ManyInboxMails(0)) != 0 || len(simulator.ManyMails(0)) != 0 {
		t.Error("no objects are some")
	}
}

func TestManySizes(t *testing.T) {
	t.Parallel()
	sizes, ordered := map[int64]bool{}, true
	var last int64
	for _, f := range simulator.ManyFiles(5000) {
		sizes[f.Size] = true
		ordered = ordered && f.Size > last
		last = f.Size
	}
	if len(sizes) != 5000 || ordered {
		t.Errorf("%d sizes, in order: %t", len(sizes), ordered)
	}
}

func TestFormattedSizes(t *testing.T) {
	t.Parallel()
	for size, formatted := range map[int]string{0: "0 B", 1023: "1023 B", 1024: "1.00 KB", 43389: "42.37 KB", 1 << 20: "1.00 MB", 3 << 19: "1.50 MB"} {
		if got := simulator.LargeFile("x", size).FormattedSize; got != formatted {
			t.Errorf("%d: %s, want %s", size, got, formatted)
		}
	}
}

// TestBodiesAreMarked keeps the markers where only a body has them.
func TestBodiesAreMarked(t *testing.T) {
	t.Parallel()
	markers := []string{simulator.BodySentFull, simulator.BodySentUnopened, simulator.BodySentSparse}
	var bodies []string
	_, web := start(t, simulator.Options{})
	all := call(t, web, "GET", "/api/mails?include=download,download.files", "").body
	for _, m := range simulator.DefaultData().Mails {
		if m.Body != nil {
			bodies = append(bodies, *m.Body)
		}
	}
	for _, marker := range markers {
		if strings.Count(all, marker) != 1 || strings.Count(strings.Join(bodies, " "), marker) != 1 {
			t.Errorf("%s is not in one body alone", marker)
		}
	}
}

// TestScale reads a long list in one response and in pages.
func TestScale(t *testing.T) {
	t.Parallel()
	data := &simulator.Data{Files: simulator.ManyFiles(5000)}
	_, whole := start(t, simulator.Options{Data: data})
	_, paged := start(t, simulator.Options{Data: data, PageSize: 1000})
	var read []string
	for _, page := range walk(t, paged, "/api/files?sort=-size", 6) {
		read = append(read, page...)
	}
	wantIDs(t, call(t, whole, "GET", "/api/files?sort=-size", ""), read...)
	if len(read) != 5000 {
		t.Errorf("%d files", len(read))
	}
}
