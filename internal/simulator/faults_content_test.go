package simulator_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// identity is what a client sends that does not want compression. Without it,
// net/http's own client asks for gzip and unpacks it unseen.
var identity = []string{"Accept-Encoding", "identity", "Authorization", ""}

func decode(t *testing.T, encoding, body string) string {
	t.Helper()
	var reader io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "gzip", "x-gzip":
		reader, err = gzip.NewReader(reader)
	case "deflate":
		reader, err = zlib.NewReader(reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestContents(t *testing.T) {
	t.Parallel()
	data := simulator.DefaultData()
	large := simulator.LargeFile("large", 3<<20+1)
	data.Files = append(data.Files, large, simulator.LargeFile("one", 1), simulator.LargeFile("none", 0))
	s, web := start(t, simulator.Options{Data: data})
	for _, f := range data.Files {
		d := create(t, s, web, f.ID)
		got := call(t, web, "GET", "/download/"+d.ID, "", identity...)
		if got.status != 200 || got.body != string(f.Content) {
			t.Errorf("%s: %d, %d bytes", f.ID, got.status, len(got.body))
		}
		wantHeader(t, got, "Content-Length", strconv.Itoa(len(f.Content)))
		wantHeader(t, got, "Content-Encoding", "")
	}
	if len(large.Content) != 3<<20+1 || large.Size != 3<<20+1 || large.FormattedSize != "3.00 MB" {
		t.Errorf("large is %d bytes, says %d, %s", len(large.Content), large.Size, large.FormattedSize)
	}
	if !bytes.Equal(large.Content, simulator.LargeFile("again", 3<<20+1).Content) || bytes.Equal(large.Content[:32], large.Content[32:64]) {
		t.Error("large contents are not the same, or repeat")
	}
}

func TestNFD(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	d := create(t, s, web, simulator.FileNFD)
	got := call(t, web, "GET", "/download/"+d.ID, "")
	want(t, got, 200, "Re\u0301ne\u0301e\nZ\u030cuke\u0307\nBjo\u0308rn\n\u1112\u1161\u11ab\u1100\u1173\u11af\n\u212b\n")
	wantHeader(t, got, "Content-Type", "text/plain")
}

func TestContentFaults(t *testing.T) {
	t.Parallel()
	licence := string(simulator.DefaultData().Files[1].Content)
	const length = "77"
	tests := map[string]struct {
		fault     simulator.Fault
		encodings []string // the innermost first
		status    int
		body      string // after decoding
		headers   []string
		state     simulator.State
	}{
		"gzip": {fault: simulator.Encoded("gzip"), encodings: []string{"gzip"}, status: 200, body: licence, state: simulator.Performed,
			headers: []string{"Content-Encoding", "gzip", "Content-Type", "text/plain"}},
		"x-gzip": {fault: simulator.Encoded("x-gzip"), encodings: []string{"x-gzip"}, status: 200, body: licence, state: simulator.Performed,
			headers: []string{"Content-Encoding", "x-gzip"}},
		"deflate": {fault: simulator.Encoded("deflate"), encodings: []string{"deflate"}, status: 200, body: licence, state: simulator.Performed,
			headers: []string{"Content-Encoding", "deflate"}},
		"unknown encoding": {fault: simulator.Encoded("x-tar"), status: 200, body: licence, state: simulator.Performed,
			headers: []string{"Content-Encoding", "x-tar", "Content-Length", length}},
		"gzip twice": {fault: simulator.Chain(simulator.Encoded("gzip"), simulator.Encoded("gzip")), encodings: []string{"gzip", "gzip"},
			status: 200, body: licence, state: simulator.Performed, headers: []string{"Content-Encoding", "gzip|gzip"}},
		"chunked": {fault: simulator.Chunked(), status: 200, body: licence, state: simulator.Performed,
			headers: []string{"Content-Length", "", "Content-Type", "text/plain"}},
		"chunked gzip": {fault: simulator.Chain(simulator.Chunked(), simulator.Encoded("gzip")), encodings: []string{"gzip"},
			status: 200, body: licence, state: simulator.Performed, headers: []string{"Content-Length", "", "Content-Encoding", "gzip"}},
		"wrong type": {fault: simulator.ContentType("text/html; charset=x"), status: 200, body: licence, state: simulator.Performed,
			headers: []string{"Content-Type", "text/html; charset=x", "Content-Length", length}},
		"no type": {fault: simulator.ContentType(""), status: 200, body: licence, state: simulator.Performed,
			headers: []string{"Content-Type", "", "Content-Length", length}},
		"chunked without type": {fault: simulator.Chain(simulator.Chunked(), simulator.ContentType("")), status: 200, body: licence,
			state: simulator.Performed, headers: []string{"Content-Type", "", "Content-Length", ""}},
		"delayed": {fault: simulator.Chain(simulator.Delay(time.Millisecond), simulator.Chunked()), status: 200, body: licence,
			state: simulator.Performed, headers: []string{"Content-Length", ""}},
		"HTML": {fault: simulator.HTML(), status: 200, body: "<!DOCTYPE html>\n<title>Privasfer</title>\n<p>Please log in.</p>\n", state: simulator.Live},
		"HTML after": {fault: simulator.After(simulator.HTML()), status: 200, body: "<!DOCTYPE html>\n<title>Privasfer</title>\n<p>Please log in.</p>\n",
			state: simulator.Performed, headers: []string{"Content-Disposition", ""}},
		"redirect": {fault: simulator.Redirect(302, "https://elsewhere.invalid/"), status: 302, state: simulator.Live},
		"redirect after": {fault: simulator.After(simulator.Redirect(302, "https://elsewhere.invalid/")), status: 302, state: simulator.Performed,
			headers: []string{"Location", "https://elsewhere.invalid/", "Content-Type", "", "Content-Disposition", "", "Content-Length", "0"}},
		"when": {fault: simulator.When(func(r *http.Request) bool { return r.Header.Get("Accept-Encoding") == "identity" }, simulator.JSONError(502, "no")),
			status: 502, body: `{"message":"no"}`, state: simulator.Live},
		"when not": {fault: simulator.When(func(r *http.Request) bool { return r.Header.Get("Authorization") != "" }, simulator.JSONError(502, "no")),
			status: 200, body: licence, state: simulator.Performed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{})
			d := create(t, s, web, simulator.FileLicence)
			s.Inject("GET /download/", 1, test.fault)
			got := call(t, web, "GET", "/download/"+d.ID, "", identity...)
			if length := got.header.Get("Content-Length"); length != "" && length != strconv.Itoa(len(got.body)) {
				t.Errorf("Content-Length is %s, body of %d bytes", length, len(got.body))
			}
			for i := 0; i < len(test.headers); i += 2 {
				wantHeader(t, got, test.headers[i], test.headers[i+1])
			}
			for _, encoding := range test.encodings {
				got.body = decode(t, encoding, got.body)
			}
			want(t, got, test.status, test.body)
			if got := states(s); !reflect.DeepEqual(got, []simulator.State{test.state}) {
				t.Errorf("the download is %v, want %s", got, test.state)
			}
		})
	}
}

func TestEmptyContentFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault  simulator.Fault
		length string
	}{
		"Chunked":     {simulator.Chunked(), ""},
		"ContentType": {simulator.ContentType(""), "0"},
		"Encoded":     {simulator.Encoded("br"), "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{})
			d := create(t, s, web, simulator.FileBare)
			s.Inject("GET /download/", 1, test.fault)
			got := call(t, web, "GET", "/download/"+d.ID, "", identity...)
			want(t, got, 200, "")
			wantHeader(t, got, "Content-Length", test.length)
		})
	}
}

func TestEncodedCutShort(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	d := create(t, s, web, simulator.FileInvoice)
	s.Inject("GET /download/", 1, simulator.Chain(simulator.Truncate(), simulator.Encoded("gzip")))
	got, err := do(web, newRequest(t, "GET", web.URL+"/download/"+d.ID, "", identity...))
	if !errors.Is(err, io.ErrUnexpectedEOF) || got.status != 200 || got.body == "" {
		t.Errorf("%d, %d bytes: %v", got.status, len(got.body), err)
	}
	wantHeader(t, got, "Content-Encoding", "gzip")
	// A second try finds nothing.
	if got := call(t, web, "GET", "/download/"+d.ID, ""); got.status != 404 {
		t.Errorf("%d", got.status)
	}
}

// TestSecondOrigin performs a download whose content another server has, and
// finds at each what was sent to it.
func TestSecondOrigin(t *testing.T) {
	t.Parallel()
	storage := simulator.New(simulator.Options{})
	storage.Inject("GET /storage/", -1, simulator.Status(200, http.Header{"Content-Type": {"text/plain"}}, "content"))
	elsewhere := httptest.NewServer(storage)
	defer elsewhere.Close()

	s, web := start(t, simulator.Options{})
	d := create(t, s, web, simulator.FileLicence)
	s.Inject("GET /download/", 2, simulator.Redirect(302, "?"))
	s.Inject("GET /download/", 1, simulator.After(simulator.Redirect(302, elsewhere.URL+"/storage/x")))
	r := newRequest(t, "GET", web.URL+"/download/"+d.ID, "", "Authorization", "")
	response, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || string(content) != "content" {
		t.Errorf("%q: %v", content, err)
	}
	if s.Count("GET", "/download/"+d.ID) != 3 || s.Downloads()[0].State != simulator.Performed {
		t.Errorf("%d requests, %v", s.Count("GET", "/download/"), s.Downloads())
	}
	for _, r := range append(s.Requests()[1:], storage.Requests()...) {
		if len(r.Header["Authorization"]) != 0 || r.Header.Get("Accept") != "application/json" {
			t.Errorf("%s: %v", r.Path, r.Header)
		}
	}
	if len(storage.Requests()) != 1 || storage.Requests()[0].Path != "/storage/x" {
		t.Errorf("the second server saw %v", storage.Requests())
	}
}

func TestAfterCarriesOut(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	s.Inject("POST ", 1, simulator.After(simulator.Status(502, nil, "lost")))
	got := call(t, web, "POST", "/api/downloads", `{"files":["`+simulator.FileKey+`"]}`)
	want(t, got, 502, "lost")
	wantHeader(t, got, "X-RateLimit-Limit", "")
	if len(s.Downloads()) != 1 || s.Requests()[0].Status != 502 {
		t.Errorf("%v, %v", s.Downloads(), s.Requests())
	}
}
