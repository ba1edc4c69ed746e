package simulator_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

func TestCreateDownload(t *testing.T) {
	t.Parallel()
	const first, second = "8d593db1-4cfe-4d63-b84a-f02f9b044d7f", "2154a125-4542-41ef-a703-e69a6f981532"
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now})
	want(t, call(t, web, "POST", "/api/downloads", `{"files":["`+simulator.FileInvoice+`"]}`), 201,
		`{"data":{"created_at":"2024-02-29 23:59:30","files":[`+invoiceJSON+`],"id":"`+first+`"}}`)
	now.Advance(30 * time.Second)
	got := call(t, web, "POST", "/api/downloads", ` {"files": ["`+simulator.FileInvoice+`", "`+simulator.FileLicence+`"]}`,
		"Content-Type", "application/json; charset=utf-8")
	want(t, got, 201, `{"data":{"created_at":"2024-03-01 00:00:00","files":[`+invoiceJSON+`,`+licenceJSON+`],"id":"`+second+`"}}`)
	wantHeader(t, got, "Content-Type", "application/json")

	records := []simulator.DownloadRecord{
		{ID: first, FileIDs: []string{simulator.FileInvoice}, CreatedAt: now.Now().Add(-30 * time.Second), State: simulator.Live},
		{ID: second, FileIDs: []string{simulator.FileInvoice, simulator.FileLicence}, CreatedAt: now.Now(), State: simulator.Live},
	}
	if got := s.Downloads(); !reflect.DeepEqual(got, records) {
		t.Errorf("got %v\nwant %v", got, records)
	}
}

func TestDownloadLife(t *testing.T) {
	t.Parallel()
	for option, lifetime := range map[time.Duration]time.Duration{0: time.Minute, 2 * time.Second: 2 * time.Second} {
		now := newClock()
		s, web := start(t, simulator.Options{Now: now.Now, Lifetime: option})
		once, late := create(t, web, simulator.FileInvoice), create(t, web, simulator.FileKey)
		lapsing, received := create(t, web, simulator.FileLicence), publish(t, web, simulator.DownloadFull)
		for i, step := range []struct {
			advance time.Duration
			target  string
			status  int
			states  string
		}{
			{0, "/download/" + s.Downloads()[0].ID, 404, "live live live"},
			{0, once, 200, "performed live live"},
			{0, once, 404, "performed live live"},
			{0, received, 200, "performed live live"},
			{lifetime - 1, late, 200, "performed performed live"},
			{1, lapsing, 404, "performed performed expired"},
			{24 * time.Hour, received, 200, "performed performed expired"},
		} {
			now.Advance(step.advance)
			// The key is the secret: performing needs no token.
			got := call(t, web, "GET", step.target, "", "Authorization", "")
			var states []simulator.State
			for _, d := range s.Downloads() {
				states = append(states, d.State)
			}
			if got.status != step.status || fmt.Sprint(states) != "["+step.states+"]" {
				t.Errorf("step %d: %d, %v", i, got.status, states)
			}
			if got.status == 404 {
				want(t, got, 404, noModel("Download", strings.TrimPrefix(step.target, "/download/")))
			}
		}
		for _, d := range s.Downloads() {
			want(t, call(t, web, "POST", "/api/downloads/"+d.ID+"/keys", ""), 404, noModel("Download", d.ID))
		}
	}
}

// TestPerformAsBrowser performs a download that does not exist, and follows redirects.
func TestPerformAsBrowser(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	for accept, path := range map[string]string{"text/html, application/json": "/login", "application/json, */*;q=0.8": "/download/x"} {
		resp, err := web.Client().Do(newRequest(t, "GET", web.URL+"/download/x", "", "Accept", accept))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.Request.URL.Path != path || resp.StatusCode == 200 != (path == "/login") {
			t.Errorf("%q: %d from %s", accept, resp.StatusCode, resp.Request.URL)
		}
	}
}

// TestPerform performs downloads of one file, of several, and of none (a mail's).
func TestPerform(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	files := simulator.DefaultData().Files
	for _, f := range []simulator.File{files[0], files[4]} { // the second has no type
		got := call(t, web, "GET", create(t, web, f.ID), "", "Accept-Encoding", "identity")
		want(t, got, 200, string(f.Content))
		contentType := "application/octet-stream"
		if f.Type != nil {
			contentType = *f.Type
		}
		wantHeader(t, got, "Content-Type", contentType)
		wantHeader(t, got, "Content-Disposition", "attachment; filename="+f.FullFilename)
		wantHeader(t, got, "Content-Length", strconv.Itoa(len(f.Content)))
	}
	for target, files := range map[string][]simulator.File{
		create(t, web, files[1].ID, files[0].ID): {files[1], files[0]}, publish(t, web, simulator.DownloadEmpty): nil,
	} {
		got := call(t, web, "GET", target, "")
		wantHeader(t, got, "Content-Type", "application/zip")
		archive, err := zip.NewReader(strings.NewReader(got.body), int64(len(got.body)))
		if err != nil || len(archive.File) != len(files) {
			t.Fatalf("%q: %v", got.body, err)
		}
		for i, f := range files {
			if content, err := fs.ReadFile(archive, f.FullFilename); err != nil || archive.File[i].Name != f.FullFilename || !bytes.Equal(content, f.Content) {
				t.Errorf("entry %d is %s of %d bytes: %v", i, archive.File[i].Name, len(content), err)
			}
		}
	}
}
