package provider

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// marker is in every body that a fault sends, and may be in no output.
const marker = "BODY-MARKER"

// maxDiagnostic is how long an error may be as Terraform prints it, frame
// included, in characters.
const maxDiagnostic = 1500

// The beginnings of next steps; TestNextStep has all of them.
const (
	stepReach    = "Check that the server can be reached from this machine"
	stepBroken   = "Run again. If it happens again, check the network and any proxy in between."
	stepSlow     = "Raise the provider's `request_timeout`"
	stepUnusable = "What responded may not be the Privasfer API"
	stepServer   = "The fault is at the server's side"
	stepNotFound = "Either something that was named does not exist"
	stepMail     = "Check the id, and that the token is of the account that it belongs to."
	stepContent  = "Check the provider's `download_url`"
)

// mayHaveCreated is reported where a download may exist although its call failed.
const mayHaveCreated = "A download may have been created all the same. It lapses within one minute."

// caller is a block that calls the API when it is planned.
type caller struct {
	block        string
	method, path string
	summary      string
}

var (
	reader = caller{
		block:   fmt.Sprintf("data \"privasfer_inbox_mail\" \"test\" {\n  id = %q\n}\n", simulator.MailFull),
		method:  http.MethodGet,
		path:    "/api/inbox/" + simulator.MailFull,
		summary: "Cannot read the inbox mail",
	}
	creator = caller{
		block:   fmt.Sprintf("ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%q]\n}\n", simulator.FileInvoice),
		method:  http.MethodPost,
		path:    "/api/downloads",
		summary: "Cannot create the download",
	}
	callers = map[string]caller{"data source": reader, "ephemeral resource": creator}
)

// fault is a row of the table: what goes wrong, and what the user sees.
type fault struct {
	response  simulator.Fault                               // of the simulator, or
	server    func(t *testing.T, api http.Handler) []string // another server: its base URL, more arguments
	arguments string                                        // of the provider

	reads, creates int    // requests that arrive, with max_retries = 1
	text           string // of the error, after method and path
	step           string // a part of the next step
	mayHaveCreated bool
}

// TestAccFaults shows a dozen of the things that can go wrong on the way to the
// API and back by real runs: what a plan says of it, how often the call is made,
// and that nothing is shown that should not be. The client's tests and
// TestNextStep have all of them.
func TestAccFaults(t *testing.T) {
	t.Parallel()
	page := http.Header{"Content-Type": {"text/html; charset=UTF-8"}}
	stackTrace := fmt.Sprintf(`{"message":"Server Error","exception":%q,"trace":[%s{}]}`, marker, strings.Repeat(`{"file":"`+marker+`"},`, 5_000))
	for name, row := range map[string]fault{
		"nobody listens": {server: at("http://127.0.0.1:1/api"), text: ": dial tcp 127.0.0.1:1:", step: stepReach},
		"unknown authority": {server: func(t *testing.T, api http.Handler) []string { return []string{startTLS(t, api).URL + "/api"} },
			text: ": tls: failed to verify certificate:", step: "`ca_cert_pem`"},
		"TLS handshake stalls": {server: func(t *testing.T, _ http.Handler) []string { return []string{"https://" + silence(t) + "/api"} },
			arguments: `request_timeout = "300ms"`, text: ": no complete response within 300ms \\(after 2 attempts\\)", step: stepReach},
		"reset": {response: simulator.Reset(), reads: 2, creates: 1, text: ":", step: stepBroken, mayHaveCreated: true},
		"cut short": {response: simulator.Truncate(), reads: 2, creates: 1, text: ` returned 20\d \S+: the response was cut short: unexpected EOF`,
			step: stepBroken, mayHaveCreated: true},
		"no response": {response: simulator.Hang(), arguments: `request_timeout = "300ms"`, reads: 2, creates: 1,
			text: ": no complete response within 300ms", step: stepSlow, mayHaveCreated: true},
		"a web page": {response: simulator.Status(200, page, "<!DOCTYPE html>"+marker), reads: 1, creates: 1,
			text: " returned 200 OK: the response is a page of HTML, not JSON", step: stepUnusable, mayHaveCreated: true},
		"no object": {response: simulator.Answer(`{"data":{"id":["` + marker + `"]}}`), reads: 1, creates: 1,
			text: ` returned 200 OK: "data.id" is of type array where string was expected`, step: stepUnusable, mayHaveCreated: true},
		"huge": {response: simulator.Huge(4 << 30), reads: 1, creates: 1,
			text: " returned 200 OK: the response is larger than 16 MiB", step: stepUnusable, mayHaveCreated: true},
		"redirect": {response: simulator.Redirect(302, forbiddenHost(t)), reads: 1, creates: 1,
			text: ` returned 302 Found: the response is a redirect to http://127.0.0.1:\d+`, step: "`base_url` is probably wrong"},
		"a firewall": {response: simulator.Status(403, page, "<html>"+marker), reads: 1, creates: 1,
			text: " returned 403 Forbidden: the response is a page of HTML, not JSON", step: "a proxy or a firewall in between"},
		"429": {response: rejecting(429, "Too Many Attempts.", "Retry-After", "1"), reads: 2, creates: 2,
			text: ` returned 429 Too Many Requests: Too Many Attempts. \(after 2 attempts\) \(Retry-After of 1s\)`, step: "Privasfer allows 300 requests a minute"},
		"500 in debug mode": {response: simulator.Status(500, jsonHeader(), stackTrace), reads: 2, creates: 1,
			text: " returned 500 Internal Server Error: Server Error", step: stepServer, mayHaveCreated: true},
	} {
		for kind, caller := range callers {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				row.check(t, caller)
			})
		}
	}
}

func (f fault) check(t *testing.T, c caller) {
	t.Helper()
	api := newAPI(t, simulator.Options{})
	baseURL, arguments := api.URL, []string{"max_retries = 1", f.arguments}
	if f.server != nil {
		more := f.server(t, api)
		baseURL, arguments = more[0], append(arguments, more[1:]...)
	}
	if f.response != nil {
		api.Inject(c.method+" "+c.path, -1, f.response)
	}
	w := newWorkspace(t, providerFor(baseURL, arguments...)+c.block, WithRetryWait(time.Millisecond))
	output := w.run(1, "plan")
	checkShown(t, output)
	checkOutput(t, output, "Error: "+c.summary, f.step)
	if line := regexp.MustCompile(`[\s│]+`).ReplaceAllString(output, " "); !regexp.MustCompile(regexp.QuoteMeta(c.method+" "+c.path) + f.text).MatchString(line) {
		t.Errorf("the output lacks %s:\n%s", f.text, output)
	}
	if got, want := message(mayHaveCreated).MatchString(output), f.mayHaveCreated && c.method == http.MethodPost; got != want {
		t.Errorf("it says that a download may have been created: %t, want %t:\n%s", got, want, output)
	}
	want := f.reads
	if c.method == http.MethodPost {
		want = f.creates
	}
	if got := len(api.Requests()); got != want {
		t.Errorf("got %d requests, want %d", got, want)
	}
}

// rejecting is an error response with a message and a marker beside it.
func rejecting(code int, text string, header ...string) simulator.Fault {
	return simulator.Status(code, jsonHeader(header...), fmt.Sprintf(`{"message":%q,"debug":%q}`, text, marker))
}

// jsonHeader is that of a response in JSON, and more: key and value by turns.
func jsonHeader(more ...string) http.Header {
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(more); i += 2 {
		header.Set(more[i], more[i+1])
	}
	return header
}

// at is a server that the test has no part in.
func at(baseURL string) func(*testing.T, http.Handler) []string {
	return func(t *testing.T, _ http.Handler) []string {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, baseURL, nil)
		if proxy, err := http.ProxyFromEnvironment(request); proxy != nil || err != nil {
			t.Skip("a proxy would answer in place of the host")
		}
		return []string{baseURL}
	}
}

// startTLS starts an HTTPS server whose certificate is for 127.0.0.1, ::1 and
// example.com, and that offers HTTP/2.
func startTLS(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// caOf is the argument that makes a server trusted.
func caOf(server *httptest.Server) string {
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return fmt.Sprintf("ca_cert_pem = %q", certificate)
}

// silence is the address of a server that takes connections and says nothing.
func silence(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var taken []net.Conn
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			taken = append(taken, conn)
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
		for _, conn := range taken {
			_ = conn.Close()
		}
	})
	return listener.Addr().String()
}

// forbiddenHost is a URL at a server that fails the test if anything is asked
// of it.
func forbiddenHost(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host was asked %s %s, with the token: %t", r.Method, r.URL, r.Header.Get("Authorization") != "")
	}))
	t.Cleanup(server.Close)
	return server.URL + "/login"
}

// TestAccFaults_echo: a server repeats the token wherever it can, and the error
// shows it nowhere.
func TestAccFaults_echo(t *testing.T) {
	t.Parallel()
	const scrubbed = "Could not use the header Authorization: Bearer ***."
	everywhere := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		simulator.Status(500, jsonHeader("X-Request-Id", "id-"+token),
			fmt.Sprintf(`{"message":"Saw %s.","errors":{%q:["And %s."]}}`, token, "field-"+token, token))(w, r, next)
	}
	tests := map[string]struct {
		fault simulator.Fault
		want  map[string][]string // by the kind of caller
	}{
		"in the message": {fault: simulator.EchoToken(), want: map[string][]string{
			"data source": {"Cannot read the inbox mail", reader.path + " returned 422 Unprocessable Entity: " + scrubbed + " [files: " + scrubbed + "]", "Correct what the API complains about and run again."},
			"ephemeral resource": {"Privasfer rejects the files", scrubbed, "Correct what the API complains about and run again.",
				creator.path + " returned 422 Unprocessable Entity: " + scrubbed},
		}},
		"everywhere": {fault: everywhere, want: map[string][]string{
			"data source":        {reader.path + " returned 500 Internal Server Error: Saw ***. [field-***: And ***.] (request id id-***)", "The fault is at the server's side"},
			"ephemeral resource": {creator.path + " returned 500 Internal Server Error: Saw ***. [field-***: And ***.] (request id id-***)", "The fault is at the server's side"},
		}},
	}
	for name, test := range tests {
		for kind, caller := range callers {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{})
				api.Inject("", -1, test.fault)
				w := newWorkspace(t, providerFor(api.URL, "max_retries = 0")+caller.block)
				output := w.run(1, "plan")
				checkShown(t, output)
				checkOutput(t, output, test.want[kind]...)
				if got := len(api.Requests()); got != 1 {
					t.Errorf("got %d requests, want 1", got)
				}
			})
		}
	}
}

// TestAccHostileIDs: whatever is given for an id, it reaches one element of one
// route, or nothing.
func TestAccHostileIDs(t *testing.T) {
	t.Parallel()
	const (
		empty   = "it must not be empty"
		dots    = `it must not be "." or ".."`
		route   = "it must not contain a slash, a backslash, a question mark or a number sign"
		space   = "it must not contain white space"
		control = "it must not contain a control character"
	)
	tests := map[string]string{ // why the id of a mail is refused; "" where it is sent
		"":                              empty,
		".":                             dots,
		"..":                            dots,
		"/":                             route,
		"a/b":                           route,
		"../downloads":                  route,
		"..\\files":                     route,
		"a?include=author":              route,
		"a#b":                           route,
		"//elsewhere.example/x":         route,
		"https://elsewhere.example":     route,
		"a\nHost: elsewhere.example":    space,
		"a\r\n\r\nGET /api/files":       route,
		" ":                             space,
		"a\u2028b":                      space,
		"a\u00a0b":                      space,
		"a\x00b":                        control,
		"a\x1b[2Jb":                     control,
		strings.Repeat("a/", 5_000):     route,
		"...":                           "",
		"%2e%2e":                        "",
		"%2E%2E%2Fdownloads":            "",
		"a%2Fb":                         "",
		"%00":                           "",
		"%":                             "",
		"%zz":                           "",
		"a;b=c&d=e,f+g":                 "",
		"user:password@elsewhere":       "",
		"${jndi}'\"<script>":            "",
		"žąsis-🪿":                       "",
		"\u202etxt.exe":                 "",
		"\ufffd":                        "",
		strings.Repeat("a", 10_000):     "",
		strings.Repeat("žąsis", 10_000): "",
		strings.Repeat("%2e%2e", 2_000): "",
	}
	for id, refused := range tests {
		name := id[:min(len(id), 40)]
		t.Run("mail "+name, func(t *testing.T) {
			t.Parallel()
			output, requests := withID(t, id, "data \"privasfer_inbox_mail\" \"test\" {\n  id = var.id\n}\n")
			checkShown(t, output)
			if refused != "" {
				if !message(refused).MatchString(output) {
					t.Errorf("the output lacks %q:\n%s", refused, output)
				}
				if len(requests) > 0 {
					t.Errorf("got the request %s", requests[0])
				}
				return
			}
			want := "GET /api/inbox/" + url.PathEscape(id) + "?include=download"
			if len(requests) != 1 || requests[0] != want {
				t.Errorf("got the requests %q, want %q", requests, want)
			}
			checkOutput(t, output, "Inbox mail not found")
		})
		if id == "" { // of a file it is refused, which the schema's tests show
			continue
		}
		t.Run("file "+name, func(t *testing.T) {
			t.Parallel()
			output, requests := withID(t, id, "ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [var.id]\n}\n")
			checkShown(t, output)
			var body bytes.Buffer
			if err := json.NewEncoder(&body).Encode(map[string][]string{"files": {id}}); err != nil {
				t.Fatal(err)
			}
			want := "POST /api/downloads " + strings.TrimSpace(body.String())
			if len(requests) != 1 || requests[0] != want {
				t.Errorf("got the requests %q, want %q", requests, want)
			}
			checkOutput(t, output, "The selected files.0 is invalid.")
		})
	}
}

// withID plans a block that has an id from a variable. It returns the output
// and the requests as they were on the wire: method, target and body.
func withID(t *testing.T, id, block string) (output string, requests []string) {
	t.Helper()
	api := newAPI(t, simulator.Options{})
	var mu sync.Mutex
	api.Inject("", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		requests = append(requests, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body)))
		mu.Unlock()
		next.ServeHTTP(w, r)
	})
	w := newWorkspace(t, api.providerBlock()+"variable \"id\" {\n  type = string\n}\n"+block)
	variables, err := json.Marshal(map[string]string{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.Dir, "terraform.tfvars.json"), variables, 0o600); err != nil {
		t.Fatal(err)
	}
	output = w.run(1, "plan")
	mu.Lock()
	defer mu.Unlock()
	return output, requests
}
