package simulator_test

import (
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	const (
		mail    = "/api/inbox/" + simulator.MailFull
		file    = `{"files":["` + simulator.FileInvoice + `"]}`
		noRoute = `{"message":""}`
		missing = `{"errors":{"files":["The files field is required."]},"message":"The given data was invalid."}`
		include = "are not allowed. Allowed include(s) are `download, download.files`.\"}"
	)
	tests := map[string]struct {
		method, target, body string
		headers              []string
		status               int
		response             string
		unexpected           bool
	}{
		"root":              {method: "GET", target: "/", status: 404, response: noRoute, unexpected: true},
		"unknown route":     {method: "GET", target: "/api/x", status: 404, response: noRoute, unexpected: true},
		"without base path": {method: "GET", target: "/inbox/1", status: 404, response: noRoute, unexpected: true},
		"doubled base path": {method: "GET", target: "/api/api/inbox/1", status: 404, response: noRoute, unexpected: true},
		"trailing slash":    {method: "GET", target: mail + "/", status: 404, response: noRoute, unexpected: true},
		"doubled slash":     {method: "GET", target: "/api//inbox/1", status: 404, response: noRoute, unexpected: true},
		"no id":             {method: "GET", target: "/api/inbox/", status: 404, response: noRoute, unexpected: true},
		"escaped slash":     {method: "GET", target: "/api/inbox/a%2Fb", status: 404, response: noRoute, unexpected: true},
		"dots":              {method: "GET", target: "/api/inbox/%2e%2e", status: 404, response: noRoute, unexpected: true},
		"dot":               {method: "GET", target: "/api/inbox/.", status: 404, response: noRoute, unexpected: true},
		"route before auth": {method: "GET", target: "/api/x", headers: []string{"Authorization", ""}, status: 404, response: noRoute, unexpected: true},
		"route as HTML":     {method: "GET", target: "/api/x", headers: []string{"Accept", "*/*"}, status: 404, response: "<!DOCTYPE html>\n<title>Not Found</title>\n", unexpected: true},

		"wrong method": {method: "DELETE", target: "/api/downloads", status: 405, unexpected: true,
			response: `{"message":"The DELETE method is not supported for this route. Supported methods: POST."}`},
		"wrong method before auth": {method: "POST", target: "/api/inbox/1", headers: []string{"Authorization", ""}, status: 405, unexpected: true,
			response: `{"message":"The POST method is not supported for this route. Supported methods: GET, HEAD."}`},
		"wrong method as HTML": {method: "GET", target: "/api/downloads", headers: []string{"Accept", "text/html, application/json"}, status: 405, unexpected: true,
			response: "<!DOCTYPE html>\n<title>Method Not Allowed</title>\n"},

		"no token":            {method: "GET", target: mail, headers: []string{"Authorization", ""}, status: 401, response: `{"message":"Unauthenticated."}`},
		"wrong token":         {method: "GET", target: mail, headers: []string{"Authorization", "Bearer " + token + "x"}, status: 401, response: `{"message":"Unauthenticated."}`},
		"no scheme":           {method: "GET", target: mail, headers: []string{"Authorization", token}, status: 401, response: `{"message":"Unauthenticated."}`},
		"lower case scheme":   {method: "GET", target: mail, headers: []string{"Authorization", "bearer " + token}, status: 401, response: `{"message":"Unauthenticated."}`},
		"two spaces":          {method: "GET", target: mail, headers: []string{"Authorization", "Bearer  " + token}, status: 401, response: `{"message":"Unauthenticated."}`},
		"auth before object":  {method: "GET", target: "/api/inbox/x", headers: []string{"Authorization", ""}, status: 401, response: `{"message":"Unauthenticated."}`},
		"auth before input":   {method: "POST", target: "/api/downloads", headers: []string{"Authorization", ""}, status: 401, response: `{"message":"Unauthenticated."}`},
		"auth as redirect":    {method: "GET", target: mail, headers: []string{"Authorization", "", "Accept", ""}, status: 302, response: "<!DOCTYPE html>\n<title>Found</title>\n"},
		"JSON accepted later": {method: "GET", target: mail, headers: []string{"Authorization", "", "Accept", "text/html, application/json"}, status: 302, response: "<!DOCTYPE html>\n<title>Found</title>\n"},
		"JSON by suffix":      {method: "GET", target: mail, headers: []string{"Authorization", "", "Accept", "application/problem+json"}, status: 401, response: `{"message":"Unauthenticated."}`},

		"unknown mail":         {method: "GET", target: "/api/inbox/x", status: 404, response: `{"message":"No query results for model [App\\Models\\InboxMail] x"}`},
		"id in upper case":     {method: "GET", target: "/api/inbox/" + strings.ToUpper(simulator.MailFull), status: 404, response: `{"message":"No query results for model [App\\Models\\InboxMail] 2EF14B84-87D0-4ABB-813F-2351A4251345"}`},
		"unknown mail as HTML": {method: "GET", target: "/api/inbox/x", headers: []string{"Accept", "text/html"}, status: 404, response: "<!DOCTYPE html>\n<title>Not Found</title>\n"},
		"file as a mail":       {method: "GET", target: "/api/inbox/" + simulator.FileInvoice, status: 404, response: `{"message":"No query results for model [App\\Models\\InboxMail] ` + simulator.FileInvoice + `"}`},

		"unknown parameter":      {method: "GET", target: mail + "?includes=download", status: 400, response: "{\"message\":\"Unknown query parameter `includes`.\"}"},
		"repeated parameter":     {method: "GET", target: mail + "?include=download&include=download.files", status: 400, response: "{\"message\":\"Repeated query parameter `include`.\"}"},
		"malformed query":        {method: "GET", target: mail + "?include=%zz", status: 400, response: `{"message":"The query string is malformed."}`},
		"empty include":          {method: "GET", target: mail + "?include=", status: 400, response: "{\"message\":\"Requested include(s) `` " + include},
		"unknown include":        {method: "GET", target: mail + "?include=download,sender", status: 400, response: "{\"message\":\"Requested include(s) `sender` " + include},
		"space in include":       {method: "GET", target: mail + "?include=download,%20download.files", status: 400, response: "{\"message\":\"Requested include(s) ` download.files` " + include},
		"trailing comma":         {method: "GET", target: mail + "?include=download,", status: 400, response: "{\"message\":\"Requested include(s) `` " + include},
		"repeated include":       {method: "GET", target: mail + "?include=download,download", status: 400, response: "{\"message\":\"Requested include(s) `download` are repeated.\"}"},
		"files without download": {method: "GET", target: mail + "?include=download.files", status: 400, response: "{\"message\":\"Requested include(s) `download.files` need `download`.\"}"},
		"include as HTML":        {method: "GET", target: mail + "?include=x", headers: []string{"Accept", ""}, status: 400, response: "<!DOCTYPE html>\n<title>Bad Request</title>\n"},
		"parameter of POST":      {method: "POST", target: "/api/downloads?x=1", body: file, status: 400, response: "{\"message\":\"Unknown query parameter `x`.\"}"},
		"parameter of perform":   {method: "GET", target: "/download/x?x=1", status: 400, response: "{\"message\":\"Unknown query parameter `x`.\"}"},

		"no body":            {method: "POST", target: "/api/downloads", status: 422, response: missing},
		"no content type":    {method: "POST", target: "/api/downloads", body: file, headers: []string{"Content-Type", ""}, status: 422, response: missing},
		"wrong content type": {method: "POST", target: "/api/downloads", body: file, headers: []string{"Content-Type", "text/plain"}, status: 422, response: missing},
		"cut short":          {method: "POST", target: "/api/downloads", body: file[:len(file)-1], status: 422, response: missing},
		"two values":         {method: "POST", target: "/api/downloads", body: file + file, status: 422, response: missing},
		"invalid UTF-8":      {method: "POST", target: "/api/downloads", body: "{\"files\":[\"\xff\"]}", status: 422, response: missing},
		"array as body":      {method: "POST", target: "/api/downloads", body: `["` + simulator.FileInvoice + `"]`, status: 422, response: missing},
		"null as body":       {method: "POST", target: "/api/downloads", body: `null`, status: 422, response: missing},
		"no files":           {method: "POST", target: "/api/downloads", body: `{}`, status: 422, response: missing},
		"files null":         {method: "POST", target: "/api/downloads", body: `{"files":null}`, status: 422, response: missing},
		"files empty":        {method: "POST", target: "/api/downloads", body: `{"files":[]}`, status: 422, response: missing},
		"files a string":     {method: "POST", target: "/api/downloads", body: `{"files":"` + simulator.FileInvoice + `"}`, status: 422, response: missing},
		"files an object":    {method: "POST", target: "/api/downloads", body: `{"files":{"0":"` + simulator.FileInvoice + `"}}`, status: 422, response: missing},
		"key in wrong case":  {method: "POST", target: "/api/downloads", body: `{"Files":["` + simulator.FileInvoice + `"]}`, status: 400, response: "{\"message\":\"Unknown field `Files`.\"}"},
		"unknown field":      {method: "POST", target: "/api/downloads", body: `{"lifetime":2,"files":["` + simulator.FileInvoice + `"]}`, status: 400, response: "{\"message\":\"Unknown field `lifetime`.\"}"},
		"one unknown file": {method: "POST", target: "/api/downloads", body: `{"files":["` + simulator.FileInvoice + `","x"]}`, status: 422,
			response: `{"errors":{"files.1":["The selected files.1 is invalid."]},"message":"The given data was invalid."}`},
		"all invalid": {method: "POST", target: "/api/downloads", body: `{"files":["x",7,null]}`, status: 422,
			response: `{"errors":{"files.0":["The selected files.0 is invalid."],"files.1":["The selected files.1 is invalid."],"files.2":["The selected files.2 is invalid."]},"message":"The given data was invalid."}`},
		"input as HTML": {method: "POST", target: "/api/downloads", headers: []string{"Accept", "text/html"}, status: 422, response: "<!DOCTYPE html>\n<title>Unprocessable Entity</title>\n"},

		"unknown download": {method: "GET", target: "/download/x", status: 404, response: `{"message":"No query results for model [App\\Models\\Download] x"}`},
		"mail's download":  {method: "GET", target: "/download/" + simulator.DownloadFull, status: 404, response: `{"message":"No query results for model [App\\Models\\Download] ` + simulator.DownloadFull + `"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{})
			got := call(t, web, test.method, test.target, test.body, test.headers...)
			want(t, got, test.status, test.response)

			contentType := "text/html; charset=UTF-8"
			if strings.HasPrefix(test.response, "{") {
				contentType = "application/json"
			}
			wantHeader(t, got, "Content-Type", contentType)
			limit := "300"
			if test.unexpected || test.status == 401 || test.status == 302 || strings.HasPrefix(test.target, "/download/") {
				limit = ""
			}
			wantHeader(t, got, "X-RateLimit-Limit", limit)
			if unexpected := len(s.Unexpected()) == 1; unexpected != test.unexpected {
				t.Errorf("unexpected is %t", unexpected)
			}
			if made := s.Downloads(); len(made) != 0 {
				t.Errorf("a rejected request made downloads: %v", made)
			}
		})
	}
}

func TestErrorHeaders(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	wantHeader(t, call(t, web, "PUT", "/api/inbox/1", ""), "Allow", "GET, HEAD")
	wantHeader(t, call(t, web, "PUT", "/api/downloads", ""), "Allow", "POST")
	wantHeader(t, call(t, web, "GET", "/api/inbox/1", "", "Authorization", "", "Accept", ""), "Location", "/login")
}

func TestTwoAuthorizationHeaders(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{})
	r := newRequest(t, "GET", web.URL+"/api/inbox/"+simulator.MailFull, "")
	r.Header.Add("Authorization", "Bearer "+token)
	got, err := do(web, r)
	if err != nil {
		t.Fatal(err)
	}
	want(t, got, 401, `{"message":"Unauthenticated."}`)
}

func TestEmptyTokenLetsNobodyIn(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	for _, value := range []string{"", "Bearer", "Bearer ", "Bearer " + token} {
		r := newRequest(t, "GET", "http://localhost/api/inbox/"+simulator.MailFull, "")
		r.Header.Set("Authorization", value)
		w := newMemory()
		s.ServeHTTP(w, r)
		if w.status != 401 {
			t.Errorf("%q: status %d", value, w.status)
		}
	}
}

// memory is a ResponseWriter without a connection.
type memory struct {
	header http.Header
	status int
}

func newMemory() *memory                      { return &memory{header: http.Header{}} }
func (m *memory) Header() http.Header         { return m.header }
func (m *memory) WriteHeader(status int)      { m.status = status }
func (m *memory) Write(p []byte) (int, error) { return len(p), nil }

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{RateLimit: 1000})
	s.Inject("POST ", 5, simulator.JSONError(500, "Server Error"))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			r := newRequest(t, "GET", web.URL+"/api/inbox/"+simulator.MailFull+"?include=download", "")
			if got, err := do(web, r); err != nil || got.status != 200 {
				t.Errorf("%v %v", got, err)
			}
			r = newRequest(t, "POST", web.URL+"/api/downloads", `{"files":["`+simulator.FileKey+`"]}`)
			if _, err := do(web, r); err != nil {
				t.Error(err)
			}
			s.Requests()
			s.Downloads()
		})
	}
	group.Wait()
	if made := len(s.Downloads()); made != 15 {
		t.Errorf("%d downloads, want 15", made)
	}
	got := call(t, web, "GET", "/api/inbox/x", "")
	wantHeader(t, got, "X-RateLimit-Remaining", "964")
}

// TestImports keeps the package usable by the demo, and independent of the
// client: a mistake shared by both sides would be found by no test.
func TestImports(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		checked++
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if path == "testing" || path == "net/http/httptest" || strings.Contains(path, ".") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
	if checked == 0 {
		t.Fatal("no file checked")
	}
}
