package provider

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// What is reported of a download that was created where its content was not had.
const (
	lapses = "The download was created, and may have been used up. Where it was not, it lapses within one minute."
	unused = "The download was created, and was not used. It lapses within one minute."
)

// TestAccPerform_largest: the engine takes the largest content that there may be.
func TestAccPerform_largest(t *testing.T) {
	t.Parallel()
	const size = 16 << 20
	text := simulator.File{ID: "text", FullFilename: "a.txt", Size: size, Content: bytes.Repeat([]byte("a"), size)}
	api := newAPI(t, simulator.Options{Data: &simulator.Data{Files: []simulator.File{text}}})
	newWorkspace(t, api.performer()+block("test", ofFile("text"), "perform = true", "max_content_bytes = 16777216")).run(0, "plan")
}

// TestPerform_errors: what is reported where a download is ready and its content
// cannot be had, and how often that was requested. Errors of a download that the
// provider did not create say nothing of a creation.
func TestPerform_errors(t *testing.T) {
	t.Parallel()
	const status = "GET /download/{key} returned "
	large := simulator.DefaultData()
	large.Files = append(large.Files, simulator.LargeFile("large", 1<<20+1))
	tests := map[string]struct {
		fault     simulator.Fault
		provider  values
		arguments values
		requests  int // that arrive; 0: one
		want      string
		step      string
		unused    bool // the download certainly was not used
		created   bool // the row is for one that the provider creates
	}{
		"too large": {arguments: values{"max_content_bytes": 76}, want: status + "200 OK: the response has 77 bytes and is larger than 76 bytes.",
			step: "Raise `max_content_bytes`, up to 16777216 (16 MiB), if the file is meant to be that large."},
		"more than 1 MiB": {arguments: values{"file_ids": []string{"large"}}, want: status + "200 OK: the response has 1048577 bytes and is larger than 1 MiB.",
			step: "Raise `max_content_bytes`", created: true},
		"cut short":        {fault: simulator.Truncate(), want: status + "200 OK: the response was cut short: unexpected EOF.", step: stepBroken},
		"cut by an Apache": {fault: simulator.CutByApache(), want: status + "200 OK: the response was cut short: unexpected EOF.", step: stepBroken},
		"redirect to a dead host": {fault: simulator.After(simulator.Redirect(302, "http://127.0.0.1:1/"+marker+"?sig="+marker)),
			want: "GET /download/{key}: dial tcp 127.0.0.1:1:", step: stepReach},
		"no response":  {fault: simulator.Hang(), provider: values{"request_timeout": "1s"}, want: "GET /download/{key}: no complete response within 1s.", step: stepSlow},
		"a login page": {fault: simulator.HTML(), want: status + "200 OK: the response is a page of HTML, not the file.", step: stepContent, created: true},
		"404": {fault: simulator.JSONError(404, "No such route."), want: status + "404 Not Found: No such route.",
			step: "Either the download is gone, because its minute is over or it was used, or `download_url` is wrong"},
		"503 with Retry-After": {fault: simulator.Maintenance("0"), requests: 2, want: status + "503 Service Unavailable: Service Unavailable (after 2 attempts).",
			step: stepServer, unused: true},
		"429 past the minute": {fault: simulator.Status(429, http.Header{"Retry-After": {"61"}}, ""), want: status + "429 Too Many Requests (Retry-After of 1m1s).",
			step: "Privasfer allows 300 requests a minute", unused: true, created: true},
		"nobody listens": {provider: values{"download_url": "http://127.0.0.1:1/?key={key}"}, requests: -1, want: "GET /: dial tcp 127.0.0.1:1:",
			step: stepReach, unused: true},
	}
	for name, test := range tests {
		for kind, base := range map[string]values{"created": performed, "received": receivedPerformed} {
			if kind == "received" && test.created {
				continue
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{Data: large})
				if test.fault != nil {
					api.Inject("GET /download/", -1, test.fault)
				}
				report := newProtocolServer(t, api, values{"max_retries": 1}.and(test.provider)).open(t, base.and(test.arguments)).report
				checkReport(t, report, "ERROR: Cannot perform the download: "+test.want, test.step)
				created := kind == "created"
				if strings.Contains(report, unused) != (created && test.unused) || strings.Contains(report, lapses) != (created && !test.unused) {
					t.Errorf("the report is wrong about the download: %s", report)
				}
				if got, want := api.Count(http.MethodGet, "/download/"), max(0, cmp.Or(test.requests, 1)); got != want {
					t.Errorf("the content was requested %d times, want %d", got, want)
				}
			})
		}
	}
}

// TestPerform_warnings: a content that may not be the file is handed over, and
// the run warns.
func TestPerform_warnings(t *testing.T) {
	t.Parallel()
	const (
		page   = "WARNING: The content is a web page: The content came as text/html, and the API does not describe the download's files here."
		length = "WARNING: The content has another size than the file: Privasfer describes the file as %d bytes, and the content has %d.\n"
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
		"a page, and nothing better": {values{"file_ids": []string{simulator.FileBare}, "perform": true}, true, ""}, // its type is null
		"another length":             {values{"file_ids": []string{simulator.FileBackup}, "perform": true}, false, fmt.Sprintf(length, 5368709120, 10)},
		"several files":              {values{"file_ids": []string{simulator.FileBackup, simulator.FileKey}, "perform": true}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Data: data})
			if test.html {
				api.Inject("GET /download/", -1, simulator.ContentType("text/html; charset=UTF-8"))
			}
			o := newProtocolServer(t, api, nil).open(t, test.arguments)
			checkReport(t, o.report, test.want)
			if o.values["content_sha256"].IsNull() {
				t.Error("there is no content")
			}
		})
	}
}

// TestPerform_minuteOver: what comes too slowly comes too late. The keys have taken
// most of the minute, and performing has what is left.
func TestPerform_minuteOver(t *testing.T) {
	t.Parallel()
	clock := &testClock{now: noon}
	api := newAPI(t, simulator.Options{Now: clock.Now})
	api.Inject("POST /api/downloads/", -1, simulator.Before(func() { clock.Advance(58_500 * time.Millisecond) }))
	api.Inject("GET /download/", -1, simulator.Drip(10*time.Millisecond))
	checkReport(t, newProtocolServer(t, api, nil, WithClock(clock.Now)).open(t, performed).report,
		"GET /download/{key} returned 200 OK: the download's minute was over before its content had come.", lapses)
}

// TestPerform_life: a content does not expire. It asks for no renewal, keeps no
// life, and Close is silent whenever it comes.
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

// TestPerform_otherOrigin: the token is for the API's own origin, and a redirect
// to another neither carries it there nor names where it comes from.
func TestPerform_otherOrigin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		elsewhere func(w http.ResponseWriter, r *http.Request, api *testAPI)
		redirect  bool     // from the API; else download_url names the other origin
		want      string   // the content
		token     []string // of the content's request to the API
	}{
		"redirect": {redirect: true, token: []string{"Bearer " + testToken}, want: "elsewhere",
			elsewhere: func(w http.ResponseWriter, _ *http.Request, _ *testAPI) { _, _ = io.WriteString(w, "elsewhere") }},
		"performed there": {want: licenceText, elsewhere: func(w http.ResponseWriter, r *http.Request, api *testAPI) { api.ServeHTTP(w, r) }},
		"back to the API": {want: licenceText, token: []string{"Bearer " + testToken}, elsewhere: func(w http.ResponseWriter, r *http.Request, api *testAPI) {
			http.Redirect(w, r, strings.TrimSuffix(api.URL, "/api")+r.URL.Path, http.StatusFound)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			headers := make(chan http.Header, 9)
			elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				headers <- r.Header.Clone()
				test.elsewhere(w, r, api)
			}))
			t.Cleanup(elsewhere.Close)
			provider := values{"download_url": elsewhere.URL + "/download/{key}"}
			if test.redirect {
				provider = nil
				api.Inject("GET /download/", -1, simulator.After(simulator.Redirect(http.StatusTemporaryRedirect, elsewhere.URL+"/object?sig="+marker)))
			}
			newProtocolServer(t, api, provider).open(t, receivedPerformed).check(t, values{"content": test.want})
			want := http.Header{"Accept": {"application/json, */*;q=0.8"}, "Accept-Encoding": {"identity"}, "User-Agent": {"terraform-provider-privasfer/0.0.0-test (+terraform/1.11.4)"}}
			if got := <-headers; len(headers) > 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("the other origin got %v and %d more, want %v", got, len(headers), want)
			}
			for _, request := range api.Requests() {
				if got := request.Header; request.Method == http.MethodGet && !slices.Equal(got["Authorization"], test.token) || got["Referer"] != nil {
					t.Errorf("%s came with %v", request.Path, got)
				}
			}
		})
	}
}
