package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

const (
	invoiceJSON = `{"created_at":"2019-05-08 00:18:03","created_by":{"email":"author@email.address","initials":"Author N.","name":"Author Name",` +
		`"photo_url":"","timezone":"Europe/Vilnius"},"disk":"local-spaces","encrypted_size":78508,"extension":"pdf","filename":"invoice",` +
		`"formatted_encrypted_size":"76.67 KB","formatted_size":"42.37 KB","full_filename":"invoice.pdf",` +
		`"id":"fad2027a-ac89-4ef4-baab-95b2fb316cf1","size":43389,"trashed":false,"type":"application/pdf"}`
	licenceJSON = `{"created_at":"2019-05-09 09:30:00","created_by":{"email":"author@email.address","initials":"Author N.","name":"Author Name",` +
		`"photo_url":"","timezone":"Europe/Vilnius"},"disk":"local-spaces","encrypted_size":124,"extension":"txt","filename":"licence",` +
		`"formatted_encrypted_size":"124 B","formatted_size":"77 B","full_filename":"licence.txt",` +
		`"id":"811f216d-eb8f-46fc-a263-08387c70a4a4","size":77,"trashed":false,"type":"text/plain"}`
	keyJSON = `{"created_at":"2019-05-10 17:05:59","created_by":{"email":"author@email.address","initials":"Author N.","name":"Author Name",` +
		`"photo_url":"","timezone":"Europe/Vilnius"},"disk":"local-spaces","encrypted_size":160,"extension":"pem","filename":"server-key",` +
		`"formatted_encrypted_size":"160 B","formatted_size":"111 B","full_filename":"server-key.pem",` +
		`"id":"3f0c6f4e-7d0b-4b51-9c57-0d6a2f1f8e21","size":111,"trashed":false,"type":"application/x-pem-file"}`
	backupJSON = `{"created_at":"2019-05-11 23:59:59","created_by":{"email":"author@email.address","initials":"Author N.","name":"Author Name",` +
		`"photo_url":"","timezone":"Europe/Vilnius"},"disk":"local-spaces","encrypted_size":7158278861,"extension":"gz","filename":"backup.tar",` +
		`"formatted_encrypted_size":"6.67 GB","formatted_size":"5.00 GB","full_filename":"backup.tar.gz",` +
		`"id":"c2a4e6d8-1b3f-4a5c-8d7e-9f0a1b2c3d4e","size":5368709120,"trashed":true,"type":"application/gzip"}`
	bareJSON = `{"created_at":"","created_by":null,"encrypted_size":null,"extension":"","filename":"README",` +
		`"formatted_encrypted_size":null,"formatted_size":"","full_filename":"README",` +
		`"id":"90d5a1b7-52c8-4e0f-a6b3-7c1d2e3f4a5b","size":0,"type":null}`
)

func TestInboxMail(t *testing.T) {
	t.Parallel()
	const (
		fullHead = `{"data":{"body":"<p>Mail body</p>",`
		fullTail = `"id":"2ef14b84-87d0-4abb-813f-2351a4251345","identifier":"1Kh2","opened":true,"received_at":"2019-05-15 14:11:00",` +
			`"sender":{"email":"sender@email.address","name":"Sender Name"},"subject":"Secure files"}}`
		fullDownload = `"download":{"created_at":"2019-05-15 14:11:00",`
		fullID       = `"id":"15c00595-6474-4ea9-aac2-bb3729d0aa79"},`
		fullFiles    = `"files":[` + invoiceJSON + `,` + licenceJSON + `],`
	)
	tests := map[string]struct{ target, response string }{
		"full":             {simulator.MailFull, fullHead + fullTail},
		"full, download":   {simulator.MailFull + "?include=download", fullHead + fullDownload + fullID + fullTail},
		"full, files":      {simulator.MailFull + "?include=download,download.files", fullHead + fullDownload + fullFiles + fullID + fullTail},
		"full, other way":  {simulator.MailFull + "?include=download.files,download", fullHead + fullDownload + fullFiles + fullID + fullTail},
		"full, escaped":    {simulator.MailFull + "?include=download%2Cdownload.files", fullHead + fullDownload + fullFiles + fullID + fullTail},
		"full, escaped id": {"%32ef14b84-87d0-4abb-813f-2351a4251345", fullHead + fullTail},
		"unopened": {simulator.MailUnopened + "?include=download,download.files",
			`{"data":{"body":"<p>Ačiū &amp; iki</p>","download":{"created_at":"2019-05-16 08:00:01","files":[` + keyJSON + `],"id":"48f7a2c6-0e9d-4b13-a5c8-d1e6f2b7903a"},` +
				`"id":"cfd4d439-8cc6-4e6d-a78a-72528c21cdcd","identifier":"2Lm7","opened":false,"received_at":"2019-05-16 08:00:00",` +
				`"sender":{"email":"ruta@email.address","name":"Rūta Žukė"},"subject":"Raktas – šiandien"}}`},
		"bare": {simulator.MailBare + "?include=download",
			`{"data":{"download":null,"id":"7b9e1c52-6a0d-4f38-b1e4-58c2d7f0a963","identifier":null,"opened":false,"received_at":"","sender":null,"subject":null}}`},
		"bare, not included": {simulator.MailBare,
			`{"data":{"id":"7b9e1c52-6a0d-4f38-b1e4-58c2d7f0a963","identifier":null,"opened":false,"received_at":"","sender":null,"subject":null}}`},
		"sparse": {simulator.MailSparse + "?include=download,download.files",
			`{"data":{"download":{"id":"b35d8e17-2c4f-4a60-97b1-6e0f9a8d7c42"},"id":"e81d3f06-94b7-4c2a-8f5d-20a6b9c4e7d1","sender":{"email":"sender@email.address"}}}`},
		"sparse, not included": {simulator.MailSparse,
			`{"data":{"id":"e81d3f06-94b7-4c2a-8f5d-20a6b9c4e7d1","sender":{"email":"sender@email.address"}}}`},
		"empty": {simulator.MailEmpty + "?include=download,download.files",
			`{"data":{"body":"","download":{"created_at":"","files":[],"id":"6c1f0b94-a8e3-4d75-8b2e-f37d5c9a1e08"},` +
				`"id":"0a4c8e6f-d2b1-4937-9e85-b6f3c1a7d502","identifier":"","opened":true,"received_at":"","sender":{"email":"","name":""},"subject":""}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{})
			// Only errors depend on what the client accepts.
			for _, accept := range []string{"application/json", "*/*", ""} {
				got := call(t, web, "GET", "/api/inbox/"+test.target, "", "Accept", accept)
				want(t, got, 200, test.response)
				wantHeader(t, got, "Content-Type", "application/json")
			}
			if len(s.Unexpected()) != 0 {
				t.Error("an expected request is called unexpected")
			}
		})
	}
}

func TestInboxMailHead(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	want(t, call(t, web, "HEAD", "/api/inbox/"+simulator.MailFull, ""), 200, "")
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

func TestDefaultData(t *testing.T) {
	t.Parallel()
	for _, f := range simulator.DefaultData().Files {
		// The one file of sizes beyond 32 bits cannot be what it claims.
		if f.ID != simulator.FileBackup && f.Size != int64(len(f.Content)) {
			t.Errorf("%s: size %d, content of %d bytes", f.FullFilename, f.Size, len(f.Content))
		}
	}
	changed := simulator.DefaultData()
	changed.Files[0].Content[0] = 'x'
	*changed.InboxMails[0].Subject = "changed"
	fresh := simulator.DefaultData()
	if fresh.Files[0].Content[0] != '%' || *fresh.InboxMails[0].Subject != "Secure files" {
		t.Error("two copies of the data share something")
	}
	if content := string(fresh.Files[0].Content); !strings.HasPrefix(content, "%PDF-1.4\n%\xe2") || !strings.HasSuffix(content, "%%EOF\n") {
		t.Error("the invoice is no PDF")
	}
}
