package provider

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// The ends of errors about a download that was created but whose content was not
// received.
const (
	lapses = "The download was created and may have been used. If not, it expires within one minute."
	unused = "The download was created but not used. It expires within one minute."
)

// TestAccPerform_largest checks that the engine accepts content of the maximum size.
func TestAccPerform_largest(t *testing.T) {
	t.Parallel()
	const size = 16 << 20
	text := simulator.File{ID: "text", FullFilename: "a.txt", Size: size, Content: bytes.Repeat([]byte("a"), size)}
	api := newAPI(t, simulator.Options{Data: &simulator.Data{Files: []simulator.File{text}}})
	newWorkspace(t, api.performer()+block("test", ofFile("text"), "perform = true", "max_content_bytes = 16777216")).run(0, "plan")
}

// TestPerform_errors checks the errors of a download that is ready but whose content
// cannot be received. TestDiagnostics and the client's tests check the other failures.
func TestPerform_errors(t *testing.T) {
	t.Parallel()
	const whole = "GET /download/{key} returned 200 OK: "
	large := simulator.DefaultData()
	large.Files = append(large.Files, simulator.LargeFile("large", 1<<20+1))
	for name, test := range map[string]struct {
		provider, arguments values
		fault               simulator.Fault
		want, step, end     string
	}{
		"too large": {arguments: performed.and(values{"max_content_bytes": 76}), want: whole + "the response has 77 bytes and is larger than 76 bytes.",
			step: "Raise `max_content_bytes`, up to 16777216 (16 MiB), if the file is expected to be that large.", end: lapses},
		"more than 1 MiB": {arguments: performed.and(values{"file_ids": []string{"large"}}), want: whole + "the response has 1048577 bytes and is larger than 1 MiB.",
			step: "Raise `max_content_bytes`", end: lapses},
		"cut by an Apache": {arguments: receivedPerformed, fault: simulator.CutByApache(), want: whole + "the response was cut short: unexpected EOF.", end: stepBroken},
		"a login page": {arguments: performed, fault: simulator.HTML(), want: whole + "the response is an HTML page, not the file.",
			step: stepContent, end: lapses},
		"connection refused": {provider: values{"download_url": "http://127.0.0.1:1/?key={key}"}, arguments: performed, want: "GET /: dial tcp 127.0.0.1:1:",
			step: stepReach, end: unused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Data: large})
			if test.fault != nil {
				api.Inject("GET /download/", -1, test.fault)
			}
			report := newProtocolServer(t, api, values{"max_retries": 0}.and(test.provider)).open(t, test.arguments).report
			checkReport(t, report, "ERROR: Cannot perform the download: "+test.want, test.step)
			if !strings.HasSuffix(report, test.end+"\n") {
				t.Errorf("it does not end with %q: %s", test.end, report)
			}
		})
	}
}

// TestPerform_warnings checks that content that may not be the file is returned with a
// warning.
func TestPerform_warnings(t *testing.T) {
	t.Parallel()
	const (
		page   = "WARNING: The content is a web page: The media type of the content is text/html."
		length = "WARNING: The content differs in size from the file: According to Privasfer, the file has %d bytes. The content has %d.\n"
	)
	data := simulator.DefaultData()
	data.Files = append(data.Files, simulator.File{ID: "page", Type: new("text/html"), FullFilename: "a.html", Size: 3, Content: []byte("<p>")})
	for name, test := range map[string]struct {
		arguments values
		html      bool
		want      string // "": no warning
	}{
		"a page for a mail's file":   {receivedPerformed, true, page},
		"a mail's file":              {receivedPerformed, false, ""},
		"the file is a page":         {values{"file_ids": []string{"page"}, "perform": true}, false, ""},
		"a page, and nothing better": {values{"file_ids": []string{simulator.FileBare}, "perform": true}, true, ""}, // the type of the file is null
		"another length":             {values{"file_ids": []string{simulator.FileBackup}, "perform": true}, false, fmt.Sprintf(length, 5368709120, 10)},
		"several files":              {values{"file_ids": []string{simulator.FileBackup, simulator.FileKey}, "perform": true}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Data: data})
			if test.html {
				api.Inject("GET /download/", -1, simulator.Status(200, http.Header{"Content-Type": {"text/html; charset=UTF-8"}}, ""))
			}
			o := newProtocolServer(t, api, nil).open(t, test.arguments)
			checkReport(t, o.report, test.want)
			if o.values["content_sha256"].IsNull() {
				t.Error("there is no content")
			}
		})
	}
}

// TestPerform_minuteOver checks that a download is performed within its minute, most of
// which its public key has taken.
func TestPerform_minuteOver(t *testing.T) {
	t.Parallel()
	clock := &testClock{now: noon}
	api := newAPI(t, simulator.Options{Now: clock.Now})
	api.Inject("POST /api/downloads/", -1, simulator.Before(func() { clock.Advance(58_500 * time.Millisecond) }))
	api.Inject("GET /download/", -1, simulator.Hang())
	checkReport(t, newProtocolServer(t, api, nil, WithClock(clock.Now)).open(t, performed).report,
		"GET /download/{key}: the download's minute ended before its content arrived.", lapses)
}

// TestPerform_life checks that content and a received download do not expire: Open sets
// neither RenewAt nor private data, and Close reports nothing.
func TestPerform_life(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string]values{"performed": performed, "received": receivedPerformed, "received, keyed": receivedKeyed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &testClock{now: noon}
			server := newProtocolServer(t, newAPI(t, simulator.Options{Now: clock.Now}), nil, WithClock(clock.Now))
			o := server.open(t, arguments)
			o.check(t, values{"expires_at": nil})
			if !o.RenewAt.IsZero() || strings.Contains(string(o.Private), downloadLifeKey) {
				t.Errorf("RenewAt is %s, the private data %q", o.RenewAt, o.Private)
			}
			clock.Advance(time.Hour)
			if got := server.close(t, o.Private); len(got) != 0 {
				t.Errorf("Close reports %q", got[0].Summary)
			}
		})
	}
}
