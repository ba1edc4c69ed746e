package simulator_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// The ids of a server's first downloads.
const (
	firstDownload  = "8d593db1-4cfe-4d63-b84a-f02f9b044d7f"
	secondDownload = "2154a125-4542-41ef-a703-e69a6f981532"
)

func create(t *testing.T, s *simulator.Server, web *httptest.Server, fileIDs ...string) simulator.DownloadRecord {
	t.Helper()
	got := call(t, web, "POST", "/api/downloads", `{"files":["`+strings.Join(fileIDs, `","`)+`"]}`)
	if got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	all := s.Downloads()
	return all[len(all)-1]
}

func states(s *simulator.Server) (states []simulator.State) {
	for _, d := range s.Downloads() {
		states = append(states, d.State)
	}
	return states
}

func TestCreateDownload(t *testing.T) {
	t.Parallel()
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now})
	want(t, call(t, web, "POST", "/api/downloads", `{"files":["`+simulator.FileInvoice+`"]}`), 201,
		`{"data":{"created_at":"2024-02-29 23:59:30","files":[`+invoiceJSON+`],"id":"`+firstDownload+`"}}`)
	now.Advance(30 * time.Second)
	got := call(t, web, "POST", "/api/downloads", ` {"files": ["`+simulator.FileBare+`", "`+simulator.FileBackup+`"]}`,
		"Content-Type", "application/json; charset=utf-8")
	want(t, got, 201, `{"data":{"created_at":"2024-03-01 00:00:00","files":[`+bareJSON+`,`+backupJSON+`],"id":"`+secondDownload+`"}}`)
	wantHeader(t, got, "Content-Type", "application/json")

	records := []simulator.DownloadRecord{
		{ID: firstDownload, FileIDs: []string{simulator.FileInvoice}, CreatedAt: now.Now().Add(-30 * time.Second), State: simulator.Live},
		{ID: secondDownload, FileIDs: []string{simulator.FileBare, simulator.FileBackup}, CreatedAt: now.Now(), State: simulator.Live},
	}
	if got := s.Downloads(); !reflect.DeepEqual(got, records) {
		t.Errorf("got %v\nwant %v", got, records)
	}
}

func TestCreatedAtIsUTC(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*60*60)
	_, web := start(t, simulator.Options{Now: func() time.Time { return time.Date(2024, 1, 1, 1, 0, 0, 0, zone) }})
	got := call(t, web, "POST", "/api/downloads", `{"files":["`+simulator.FileKey+`"]}`)
	if !strings.Contains(got.body, `{"data":{"created_at":"2023-12-31 23:00:00",`) {
		t.Error(got.body)
	}
}

func TestDownloadLife(t *testing.T) {
	t.Parallel()
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now})
	// The id is the secret: performing needs no token.
	perform := func(id string) response { return call(t, web, "GET", "/download/"+id, "", "Authorization", "") }
	gone := func(id string) string {
		return `{"message":"No query results for model [App\\Models\\Download] ` + id + `"}`
	}

	once := create(t, s, web, simulator.FileInvoice)
	lapsing := create(t, s, web, simulator.FileKey)
	late := create(t, s, web, simulator.FileLicence)

	got := perform(once.ID)
	want(t, got, 200, string(simulator.DefaultData().Files[0].Content))
	wantHeader(t, got, "Content-Type", "application/pdf")
	wantHeader(t, got, "Content-Length", "43389")
	wantHeader(t, got, "Content-Disposition", "attachment; filename=invoice.pdf")
	want(t, perform(once.ID), 404, gone(once.ID))

	now.Advance(time.Minute - time.Nanosecond)
	if got := states(s); !reflect.DeepEqual(got, []simulator.State{simulator.Performed, simulator.Live, simulator.Live}) {
		t.Errorf("just before the minute is over: %v", got)
	}
	want(t, perform(late.ID), 200, "Licence\n\nYou may read this file – and so may čia, 日本, naïve readers.\n")
	now.Advance(time.Nanosecond)
	want(t, perform(lapsing.ID), 404, gone(lapsing.ID))
	if got := states(s); !reflect.DeepEqual(got, []simulator.State{simulator.Performed, simulator.Expired, simulator.Performed}) {
		t.Errorf("after the minute: %v", got)
	}
}

// TestPerformAsBrowser performs a download that is gone, and follows redirects.
func TestPerformAsBrowser(t *testing.T) {
	t.Parallel()
	const page, notFound = "200 text/html; charset=UTF-8 /login", "404 application/json /download/x"
	for accept, wanted := range map[string]string{
		"": page, "*/*": page, "text/html, application/json": page, "application/json, */*;q=0.8": notFound,
	} {
		s, web := start(t, simulator.Options{})
		resp, err := web.Client().Do(newRequest(t, "GET", web.URL+"/download/x", "", "Accept", accept))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Content-Type"), " ", resp.Request.URL.Path); got != wanted {
			t.Errorf("%q: %s, want %s", accept, got, wanted)
		}
		if len(s.Unexpected()) != 0 {
			t.Errorf("%q: unexpected requests", accept)
		}
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now, Lifetime: 2 * time.Second})
	create(t, s, web, simulator.FileKey)
	for _, state := range []simulator.State{simulator.Live, simulator.Live, simulator.Expired} {
		if got := states(s); got[0] != state {
			t.Errorf("%s: %s, want %s", now.Now(), got[0], state)
		}
		now.Advance(time.Second)
	}
}

func TestPerformBareFile(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	d := create(t, s, web, simulator.FileBare)
	got := call(t, web, "GET", "/download/"+d.ID, "")
	want(t, got, 200, "")
	wantHeader(t, got, "Content-Type", "application/octet-stream")
	wantHeader(t, got, "Content-Length", "0")
}

func TestPerformSeveralFiles(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	var archives []string
	for range 2 {
		d := create(t, s, web, simulator.FileLicence, simulator.FileInvoice)
		got := call(t, web, "GET", "/download/"+d.ID, "")
		wantHeader(t, got, "Content-Type", "application/zip")
		wantHeader(t, got, "Content-Length", strconv.Itoa(len(got.body)))
		archives = append(archives, got.body)
	}
	if archives[0] != archives[1] {
		t.Error("the archive is not the same every time")
	}
	archive, err := zip.NewReader(bytes.NewReader([]byte(archives[0])), int64(len(archives[0])))
	if err != nil {
		t.Fatal(err)
	}
	data := simulator.DefaultData()
	if len(archive.File) != 2 {
		t.Fatalf("%d entries", len(archive.File))
	}
	for i, f := range []simulator.File{data.Files[1], data.Files[0]} {
		entry, err := archive.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(entry)
		if err != nil || archive.File[i].Name != f.FullFilename || !bytes.Equal(content, f.Content) {
			t.Errorf("entry %d is %s of %d bytes: %v", i, archive.File[i].Name, len(content), err)
		}
	}
}

func TestPerformedOnceByMany(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	d := create(t, s, web, simulator.FileKey)
	var served atomic.Int32
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			got, err := do(web, newRequest(t, "GET", web.URL+"/download/"+d.ID, ""))
			if err != nil {
				t.Error(err)
			}
			if got.status == 200 {
				served.Add(1)
			}
		})
	}
	group.Wait()
	if served.Load() != 1 {
		t.Errorf("served %d times", served.Load())
	}
}
