package simulator_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

const (
	byAuthor = `"created_by":{"email":"author@email.address","initials":"Author N.","name":"Author Name","photo_url":"","timezone":"Europe/Vilnius"},` +
		`"disk":"local-spaces",`
	invoiceJSON = `{"created_at":"2019-05-08 00:18:03",` + byAuthor + `"encrypted_size":78508,"extension":"pdf","filename":"invoice",` +
		`"formatted_encrypted_size":"76.67 KB","formatted_size":"42.37 KB","full_filename":"invoice.pdf",` +
		`"id":"fad2027a-ac89-4ef4-baab-95b2fb316cf1","size":43389,"trashed":false,"type":"application/pdf"}`
	licenceJSON = `{"created_at":"2019-05-09 09:30:00",` + byAuthor + `"encrypted_size":124,"extension":"txt","filename":"licence",` +
		`"formatted_encrypted_size":"124 B","formatted_size":"77 B","full_filename":"licence.txt",` +
		`"id":"811f216d-eb8f-46fc-a263-08387c70a4a4","size":77,"trashed":false,"type":"text/plain"}`
)

func TestSingleObjects(t *testing.T) {
	t.Parallel()
	receivedLicence := strings.Replace(licenceJSON, simulator.FileLicence, simulator.ReceivedLicence, 1)
	s, web := start(t, simulator.Options{})
	for _, test := range map[string]struct{ target, response string }{
		"full": {"inbox/%32ef14b84-87d0-4abb-813f-2351a4251345?include=download,download.files",
			`{"data":{"body":"<p>Mail body</p>","download":{"created_at":"2019-05-15 14:11:00","files":[` + receivedLicence + `],` +
				`"id":"15c00595-6474-4ea9-aac2-bb3729d0aa79"},"id":"2ef14b84-87d0-4abb-813f-2351a4251345","identifier":"1Kh2","opened":true,` +
				`"received_at":"2019-05-15 14:11:00","sender":{"email":"sender@email.address","name":"Sender Name"},"subject":"Secure files"}}`},
		"bare": {"inbox/" + simulator.MailBare + "?include=download",
			`{"data":{"download":null,"id":"7b9e1c52-6a0d-4f38-b1e4-58c2d7f0a963","identifier":null,"opened":false,"received_at":"","sender":null,"subject":null}}`},
		"sparse": {"inbox/" + simulator.MailSparse + "?include=download,download.files",
			`{"data":{"download":{"id":"b35d8e17-2c4f-4a60-97b1-6e0f9a8d7c42"},"id":"e81d3f06-94b7-4c2a-8f5d-20a6b9c4e7d1","sender":{"email":"sender@email.address"}}}`},
		"sparse, not included": {"inbox/" + simulator.MailSparse,
			`{"data":{"id":"e81d3f06-94b7-4c2a-8f5d-20a6b9c4e7d1","sender":{"email":"sender@email.address"}}}`},

		"sent": {"mails/" + simulator.SentFull + "?include=author,download.files,download",
			`{"data":{"body":"<p>MARKER-BODY-SENT-FULL-4b7d</p>","created_at":"2019-05-20 14:39:29",` +
				`"download":{"created_at":"2019-05-20 14:39:30","files":[` + invoiceJSON + `,` + licenceJSON + `],"id":"2b9c7e40-5f18-4a6d-b3c2-7d0e1f9a8456"},` +
				`"id":"5d0b8f3e-61a7-4c29-9e84-f2c7b1a6d035","identifier":"3Np5","opened_at":"2019-05-21 07:00:59",` +
				`"recipient":{"email":"recipient@email.address","initials":"Recipient N.","name":"Recipient Name",` +
				`"photo_url":"https://photos.invalid/recipient.png","timezone":"Europe/Vilnius"},"recipient_email":"recipient@email.address",` +
				`"sender":{"email":"author@email.address","name":"Author Name"},"sent_at":"2019-05-20 14:39:31","status":"success","subject":"Invoice for May"}}`},
		"sent, sparse, not included": {"mails/" + simulator.SentSparse,
			`{"data":{"body":"MARKER-BODY-SENT-SPARSE-18fe","id":"1f7e9b05-d4c3-4862-a0f1-8b6d5e2c9a73",` +
				`"recipient":{"email":"recipient@email.address"},"sender":{"email":"author@email.address"}}}`},
	} {
		// Only errors depend on what the client accepts.
		got := call(t, web, "GET", "/api/"+test.target, "", "Accept", "*/*")
		want(t, got, 200, test.response)
		wantHeader(t, got, "Content-Type", "application/json")
		want(t, call(t, web, "HEAD", "/api/"+test.target, ""), 200, "")
	}
	if len(s.Unexpected()) != 0 {
		t.Error("an expected request is called unexpected")
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	data := &simulator.Data{
		Files: []simulator.File{{
			ID:    "f",
			Extra: map[string]json.RawMessage{"size": json.RawMessage(`"many"`), "new": json.RawMessage(`{"a":1,"a":2}`), "disk": json.RawMessage(`1`)},
			Omit: []string{"disk", "type", "created_by", "filename", "extension", "full_filename", "formatted_size", "encrypted_size",
				"formatted_encrypted_size", "created_at", "trashed"},
		}},
		InboxMails: []simulator.InboxMail{{
			ID:       "m",
			Download: &simulator.MailDownload{ID: "d", FileIDs: []string{"f"}},
			Extra:    map[string]json.RawMessage{"opened": json.RawMessage(`"yes"`), "id": json.RawMessage(`null`)},
			Omit:     []string{"body", "identifier", "received_at", "sender"},
		}, {
			// PHP writes an empty object as an empty array.
			ID:    "php",
			Extra: map[string]json.RawMessage{"download": json.RawMessage(`[]`), "sender": json.RawMessage(`[]`)},
			Omit:  []string{"body", "identifier", "received_at", "subject", "opened"},
		}},
	}
	_, web := start(t, simulator.Options{Data: data})
	want(t, call(t, web, "GET", "/api/inbox/m?include=download,download.files", ""), 200,
		`{"data":{"download":{"created_at":"","files":[{"id":"f","new":{"a":1,"a":2},"size":"many"}],"id":"d"},"id":null,"opened":"yes","subject":null}}`)
	want(t, call(t, web, "GET", "/api/inbox/php?include=download", ""), 200, `{"data":{"download":[],"id":"php","sender":[]}}`)
}

// TestData compares the sizes in the data sets with the contents, and checks that each
// marker occurs only in a body.
func TestData(t *testing.T) {
	t.Parallel()
	data := simulator.DefaultData()
	for _, f := range slices.Concat(data.Files, data.ReceivedFiles, simulator.ManyFiles(3), []simulator.File{simulator.LargeFile("", 0), simulator.LargeFile("", 99)}) {
		// FileBackup and the files of ManyFiles are smaller than they claim.
		if f.ID != simulator.FileBackup && !strings.HasPrefix(f.ID, "file-") && f.Size != int64(len(f.Content)) {
			t.Errorf("%s: size %d, content of %d bytes", f.FullFilename, f.Size, len(f.Content))
		}
	}
	data.Files[0].Content[0] = 'x'
	*data.InboxMails[0].Subject = "changed"
	if fresh := simulator.DefaultData(); fresh.Files[0].Content[0] != '%' || *fresh.InboxMails[0].Subject != "Secure files" {
		t.Error("two copies of the data share something")
	}
	sizes := map[int64]bool{}
	for _, f := range simulator.ManyFiles(5000) {
		sizes[f.Size] = true
	}
	if len(sizes) != 5000 {
		t.Errorf("%d sizes", len(sizes))
	}
	for size, formatted := range map[int]string{1023: "1023 B", 1024: "1.00 KB", 43389: "42.37 KB", 1 << 20: "1.00 MB", 3 << 19: "1.50 MB"} {
		if got := simulator.LargeFile("x", size).FormattedSize; got != formatted {
			t.Errorf("%d: %s, want %s", size, got, formatted)
		}
	}
	data.InboxMails = simulator.ManyInboxMails(3)
	data.ReceivedFiles = simulator.ManyFiles(3)
	_, web := start(t, simulator.Options{Data: data})
	wantIDs(t, call(t, web, "GET", "/api/inbox", ""), "mail-000001", "mail-000002", "mail-000003")
	all := call(t, web, "GET", "/api/mails", "").body
	for _, marker := range []string{simulator.BodySentFull, simulator.BodySentUnopened, simulator.BodySentSparse} {
		if strings.Count(all, marker) != 1 {
			t.Errorf("%s is not in bodies alone", marker)
		}
	}
}
