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
	"slices"
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

// The next steps that errors name.
const (
	stepReach       = "Check that the API can be reached from this machine: base_url, DNS, the proxy settings in HTTPS_PROXY and NO_PROXY, and the certificates that the machine trusts."
	stepSlow        = "The API, the network or a proxy in between is slow. Raise the provider's `request_timeout`, or try again later."
	stepCertificate = "The server's certificate is not one that this machine trusts for that host. Check base_url; where a proxy inspects TLS, give its certificate authority in the provider's `ca_cert_pem` argument."
	stepUnusable    = "What answered may not be the Privasfer API: check base_url, and any proxy in between. If it is, try again later and report it."
	stepRedirect    = "The API documents no redirect, and the provider never follows one with the token: base_url is probably wrong."
	stepToken       = "Check the provider's `token` argument or the environment variable PRIVASFER_TOKEN:"
	stepRoute       = "The API has no such route there: base_url is probably wrong."
	stepNotFound    = "Either the API does not find something that was named, or base_url is wrong: the API's words above may say which."
	stepMail        = "Check the id, and that the token is of the account that it belongs to. If every id is reported missing, base_url is probably wrong."
	stepRateLimit   = "Privasfer allows 300 requests a minute per IP address, and the provider paces its own. Wait as long as the API asks, and look for what else uses up the limit from this address."
	stepServer      = "The fault is at the server's side, Privasfer's or that of a proxy in between. Try again later."
	stepCorrect     = "Correct what the API complains about and run again."
)

// mayHaveMade is told where a download may exist although its call failed.
const mayHaveMade = "A download may have been made all the same. It lapses within one minute."

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

// fault is a row of the table: what goes wrong, and what the user is told.
type fault struct {
	answer simulator.Fault                               // how the simulator answers, or
	server func(t *testing.T, api http.Handler) []string // another server: its base URL, more arguments

	arguments string // of the provider

	reads, creates int  // requests, with max_retries = 1
	unreached      bool // none of them arrives

	summary string // where it is not the caller's own
	text    string // of the error after method and path
	open    bool   // the text goes on in words of the system
	asked   string // how long the API asked to wait

	step     string
	readStep string // where it is not the same

	mayHaveMade bool
}

// TestAccFaults shows for everything that can go wrong on the way to the API
// and back what a plan says of it, how often the call is made, and that nothing
// is shown that should not be.
func TestAccFaults(t *testing.T) {
	t.Parallel()
	for name, row := range faults(t) {
		for kind, caller := range callers {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{})
				baseURL, arguments := api.URL, []string{"max_retries = 1", row.arguments}
				if row.server != nil {
					more := row.server(t, api)
					baseURL, arguments = more[0], append(arguments, more[1:]...)
				}
				if row.answer != nil {
					api.Inject(caller.method+" "+caller.path, -1, row.answer)
				}
				w := newWorkspace(t, providerFor(baseURL, arguments...)+caller.block, WithRetryWait(time.Millisecond))
				row.check(t, caller, w.run(1, "plan"))

				want := row.attempts(caller)
				if row.unreached {
					want = 0
				}
				if got := len(api.Requests()); got != want {
					t.Errorf("got %d requests, want %d", got, want)
				}
			})
		}
	}
}

func (f fault) attempts(c caller) int {
	if c.method == http.MethodPost {
		return f.creates
	}
	return f.reads
}

func (f fault) check(t *testing.T, c caller, output string) {
	t.Helper()
	checkShown(t, output)

	line := message(c.method + " " + c.path + f.text).String()
	if f.open {
		line += `(?s:.{0,400}?)`
	}
	for _, suffix := range []string{
		map[bool]string{true: fmt.Sprintf("(after %d attempts)", f.attempts(c))}[f.attempts(c) > 1],
		map[bool]string{true: "(the API asked to wait " + f.asked + ")"}[f.asked != ""],
	} {
		if suffix != "" {
			line += `[\s│]+` + message(suffix).String()
		}
	}
	if !strings.HasSuffix(f.text, ".") {
		line += `\.`
	}
	if !regexp.MustCompile(line).MatchString(output) {
		t.Errorf("the output lacks %s:\n%s", line, output)
	}

	summary, step := c.summary, f.step
	if f.summary != "" {
		summary = f.summary
	}
	if c.method == http.MethodGet && f.readStep != "" {
		step = f.readStep
		summary = "Inbox mail not found"
	}
	checkOutput(t, output, "Error: "+summary, step)
	if got, want := message(mayHaveMade).MatchString(output), f.mayHaveMade && c.method == http.MethodPost; got != want {
		t.Errorf("it says that a download may have been made: %t, want %t:\n%s", got, want, output)
	}
}

// stackTrace is what the API's framework answers in debug mode, of any length.
func stackTrace(frames int) string {
	body, err := json.Marshal(map[string]any{
		"message": "Server Error", "exception": marker, "file": "/var/www/" + marker + ".php", "line": 42,
		"trace": slices.Repeat([]any{map[string]any{"file": "/var/www/vendor/" + marker + ".php", "class": marker}}, frames),
	})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// whole is an answer of status 200 for a fault that sends part of one.
func whole(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintf(w, `{"data":{"id":%q,"subject":%q}}`, marker, strings.Repeat(marker, 100))
}

// partly lets a fault send part of an answer that has a marker in it.
func partly(f simulator.Fault) simulator.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) { f(w, r, http.HandlerFunc(whole)) }
}

// jsonHeader is that of an answer in JSON, and more: key and value by turns.
func jsonHeader(more ...string) http.Header {
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(more); i += 2 {
		header.Set(more[i], more[i+1])
	}
	return header
}

// refusing is an answer in JSON with a message and a marker beside it.
func refusing(code int, text string, header ...string) simulator.Fault {
	return simulator.Status(code, jsonHeader(header...), fmt.Sprintf(`{"message":%q,"debug":%q}`, text, marker))
}

// faults returns the table.
func faults(t *testing.T) map[string]fault {
	t.Helper()
	const short, enough = `request_timeout = "500ms"`, `request_timeout = "2s"`
	page := "<!DOCTYPE html>\n<title>" + marker + "</title>\n<p>" + marker + "</p>\n#0 /var/www/" + marker + ".php\n"
	html := http.Header{"Content-Type": {"text/html; charset=UTF-8"}}
	date, later := noon.Format(http.TimeFormat), noon.Add(time.Second).Format(http.TimeFormat)
	unusable := func(body, text string) fault {
		return fault{answer: simulator.Answer(body), reads: 1, creates: 1, text: " was answered 200 OK: " + text, step: stepUnusable, mayHaveMade: true}
	}

	table := map[string]fault{
		// No connection.
		"connection refused": {server: at("http://127.0.0.1:1/api"), reads: 2, creates: 2, unreached: true,
			text: ": dial tcp 127.0.0.1:1:", open: true, step: stepReach},
		"no such host": {server: at("https://" + noHost + "/api"), reads: 2, creates: 2, unreached: true,
			text: ": dial tcp: lookup " + noHost + ": no such host", step: stepReach},
		"unknown authority": {server: func(t *testing.T, api http.Handler) []string {
			return []string{startTLS(t, api).URL + "/api"}
		}, reads: 1, creates: 1, unreached: true, text: ": tls: failed to verify certificate:", open: true, step: stepCertificate},
		"wrong host name": {server: func(t *testing.T, api http.Handler) []string {
			server := startTLS(t, api)
			return []string{strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/api", caOf(server)}
		}, reads: 1, creates: 1, unreached: true, text: ": tls: failed to verify certificate:", open: true,
			step: stepCertificate},
		"handshake stalls": {server: func(t *testing.T, _ http.Handler) []string {
			return []string{"https://" + silence(t) + "/api"}
		}, arguments: short, reads: 2, creates: 1, unreached: true, text: ": no complete answer within 500ms", step: stepReach},
		"https asked of http": {server: func(t *testing.T, api http.Handler) []string {
			server := httptest.NewServer(api)
			t.Cleanup(server.Close)
			return []string{strings.Replace(server.URL, "http:", "https:", 1) + "/api"}
		}, reads: 2, creates: 1, unreached: true, text: ":", open: true, step: stepReach},

		// No answer, or part of one.
		"reset before the answer": {answer: simulator.Reset(), reads: 2, creates: 1, text: ":", open: true, step: stepReach, mayHaveMade: true},
		"reset in the middle": {answer: partly(simulator.ResetMidBody()), reads: 2, creates: 1,
			text: " was answered 200 OK: the answer was cut short:", open: true, step: stepUnusable, mayHaveMade: true},
		"closed in the middle": {answer: partly(simulator.Truncate()), reads: 2, creates: 1,
			text: " was answered 200 OK: the answer was cut short: unexpected EOF", step: stepUnusable, mayHaveMade: true},
		"no answer": {answer: simulator.Hang(), arguments: short, reads: 2, creates: 1,
			text: ": no complete answer within 500ms", step: stepSlow, mayHaveMade: true},
		"one byte at a time": {answer: simulator.Drip(10 * time.Millisecond), arguments: enough, reads: 2, creates: 1,
			text: " was answered 200 OK: no complete answer within 2s", step: stepSlow, mayHaveMade: true},

		// Answers that are none.
		"a web page":     unusable(page, "the answer is a page of HTML, not JSON"),
		"empty":          unusable("", "the answer is empty"),
		"white space":    unusable("\n \n", "the answer is empty"),
		"cut short":      unusable(`{"data":{"id":"`+marker, "the answer is not valid JSON: it errs or breaks off at byte 26 of 26"),
		"more than one":  unusable(`{"data":{"id":"`+marker+`"}} {}`, "the answer is not valid JSON: it errs or breaks off at byte 31 of 32"),
		"no envelope":    unusable(`{}`, `the answer has no "data"`),
		"null":           unusable(`{"data":null}`, `the answer has no "data"`),
		"no object":      unusable(`"`+marker+`"`, `"the answer" is of type string where object was expected`),
		"a list":         unusable(`{"data":["`+marker+`"]}`, `"data" is of type array where object was expected`),
		"a text":         unusable(`{"data":"`+marker+`"}`, `"data" is of type string where object was expected`),
		"id, a number":   unusable(`{"data":{"id":4711,"subject":"`+marker+`"}}`, `"data.id" is of type number where string was expected`),
		"id, an object":  unusable(`{"data":{"id":{"x":"`+marker+`"}}}`, `"data.id" is of type object where string was expected`),
		"no id":          unusable(`{"data":{"subject":"`+marker+`"}}`, `the answer has no "data.id"`),
		"empty id":       unusable(`{"data":{"id":"","subject":"`+marker+`"}}`, `the answer has no "data.id"`),
		"invalid UTF-8":  unusable("{\"data\":{\"id\":\""+marker+"\xff\"}}", "the answer is not valid UTF-8"),
		"nested":         unusable(`{"data":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+"}", "the answer is not valid JSON: it errs or breaks off at byte 10008 of 20009"),
		"nested, no end": unusable(`{"data":`+strings.Repeat(`{"`+marker+`":`, 100_000), "the answer is not valid JSON: it errs or breaks off at byte 149994 of 1500008"),
		"huge": {answer: simulator.Huge(4 << 30), reads: 1, creates: 1,
			text: " was answered 200 OK: the answer is larger than 16 MiB", step: stepUnusable, mayHaveMade: true},
		"204": {answer: simulator.Status(http.StatusNoContent, nil, ""), reads: 1, creates: 1,
			text: " was answered 204 No Content: the answer is empty", step: stepUnusable, mayHaveMade: true},

		// Refusals.
		"400": {answer: refusing(400, "Bad input"), reads: 1, creates: 1, text: " was answered 400 Bad Request: Bad input", step: stepCorrect},
		"401": {answer: refusing(401, "Unauthenticated."), reads: 1, creates: 1, text: " was answered 401 Unauthorized: Unauthenticated.",
			summary: "Privasfer does not accept the token", step: stepToken + " the token may have been revoked"},
		"401, a web page": {answer: simulator.Status(401, html, page), reads: 1, creates: 1, text: " was answered 401 Unauthorized",
			summary: "Privasfer does not accept the token", step: stepToken + " the token may have been revoked"},
		"403": {answer: refusing(403, "This action is unauthorized."), reads: 1, creates: 1, text: " was answered 403 Forbidden: This action is unauthorized.",
			summary: "The token may not do this at Privasfer", step: stepToken + " it must be a token of an account that has this permission."},
		"404 of a route": {answer: refusing(404, "The route could not be found."), reads: 1, creates: 1,
			text: " was answered 404 Not Found: The route could not be found.", step: stepNotFound, readStep: stepMail},
		"404, a web page": {answer: simulator.Status(404, html, page), reads: 1, creates: 1, text: " was answered 404 Not Found", step: stepNotFound, readStep: stepMail},
		"405":             {answer: refusing(405, "Not supported"), reads: 1, creates: 1, text: " was answered 405 Method Not Allowed: Not supported", step: stepRoute},
		"419":             {answer: refusing(419, "CSRF token mismatch."), reads: 1, creates: 1, text: " was answered 419: CSRF token mismatch.", step: stepRoute},
		"422, errors a string": {answer: simulator.Status(422, jsonHeader(), `{"message":"Invalid.","errors":"No room.","debug":"`+marker+`"}`), reads: 1, creates: 1,
			text: " was answered 422 Unprocessable Entity: Invalid. [errors: No room.]", step: stepCorrect},
		"422, errors nested": {answer: simulator.Status(422, jsonHeader(), `{"message":"Invalid.","errors":{"quota":{"a":[["One.",7,null]],"b":"Two."}}}`), reads: 1, creates: 1,
			text: " was answered 422 Unprocessable Entity: Invalid. [quota: One. Two.]", step: stepCorrect},
		"422, errors empty": {answer: simulator.Status(422, jsonHeader(), `{"message":"Invalid.","errors":{"files":[],"x":{},"y":null}}`), reads: 1, creates: 1,
			text: " was answered 422 Unprocessable Entity: Invalid.", step: stepCorrect},
		"422, errors a list": {answer: simulator.Status(422, jsonHeader(), `{"message":["`+marker+`"],"errors":["One.",{"a":"Two."}]}`), reads: 1, creates: 1,
			text: " was answered 422 Unprocessable Entity [errors: One. Two.]", step: stepCorrect},
		"422, errors without end": {answer: simulator.Status(422, jsonHeader(), endlessErrors(100, 60)), reads: 1, creates: 1,
			text: " was answered 422 Unprocessable Entity: Invalid. [field0: ", open: true, step: stepCorrect},
		"422, empty": {answer: simulator.Status(422, jsonHeader(), ""), reads: 1, creates: 1, text: " was answered 422 Unprocessable Entity", step: stepCorrect},

		// The rate limit and maintenance.
		"429": {answer: refusing(429, "Too Many Attempts."), reads: 2, creates: 2,
			text: " was answered 429 Too Many Requests: Too Many Attempts.", step: stepRateLimit},
		"429 with Retry-After": {answer: refusing(429, "Too Many Attempts.", "Retry-After", "1", "X-RateLimit-Limit", "300", "X-RateLimit-Remaining", "0"),
			reads: 2, creates: 2, text: " was answered 429 Too Many Requests: Too Many Attempts.", asked: "1s", step: stepRateLimit},
		"429 with a reset": {answer: refusing(429, "Too Many Attempts.", "Date", date, "X-RateLimit-Reset", fmt.Sprint(noon.Unix()+1)),
			reads: 2, creates: 2, text: " was answered 429 Too Many Requests: Too Many Attempts.", asked: "1s", step: stepRateLimit},
		"429 for an hour": {answer: refusing(429, "Too Many Attempts.", "Retry-After", "3600"), reads: 1, creates: 1,
			text: " was answered 429 Too Many Requests: Too Many Attempts.", asked: "1h0m0s", step: stepRateLimit},
		"503":                  {answer: refusing(503, "Service Unavailable"), reads: 2, creates: 1, text: " was answered 503 Service Unavailable: Service Unavailable", step: stepServer, mayHaveMade: true},
		"503 with seconds":     {answer: refusing(503, "Service Unavailable", "Retry-After", "1"), reads: 2, creates: 2, text: " was answered 503 Service Unavailable: Service Unavailable", asked: "1s", step: stepServer},
		"503 with a date":      {answer: refusing(503, "Service Unavailable", "Date", date, "Retry-After", later), reads: 2, creates: 2, text: " was answered 503 Service Unavailable: Service Unavailable", asked: "1s", step: stepServer},
		"503 until next month": {answer: refusing(503, "Service Unavailable", "Date", date, "Retry-After", noon.Add(720*time.Hour).Format(http.TimeFormat)), reads: 1, creates: 1, text: " was answered 503 Service Unavailable: Service Unavailable", asked: "720h0m0s", step: stepServer},

		// Server errors.
		"500 with a stack trace":          {answer: simulator.Status(500, jsonHeader(), stackTrace(50)), reads: 2, creates: 1, text: " was answered 500 Internal Server Error: Server Error", step: stepServer, mayHaveMade: true},
		"500 with a long stack trace":     {answer: simulator.Status(500, jsonHeader(), stackTrace(5000)), reads: 2, creates: 1, text: " was answered 500 Internal Server Error: Server Error", step: stepServer, mayHaveMade: true},
		"500 with an endless stack trace": {answer: simulator.Status(500, jsonHeader(), stackTrace(20_000)), reads: 2, creates: 1, text: " was answered 500 Internal Server Error", step: stepServer, mayHaveMade: true},
		"500, a web page":                 {answer: simulator.Status(500, html, page), reads: 2, creates: 1, text: " was answered 500 Internal Server Error", step: stepServer, mayHaveMade: true},
		"502, a web page":                 {answer: simulator.Status(502, html, page), reads: 2, creates: 1, text: " was answered 502 Bad Gateway", step: stepServer, mayHaveMade: true},
		"504, a web page":                 {answer: simulator.Status(504, html, page), reads: 2, creates: 1, text: " was answered 504 Gateway Timeout", step: stepServer, mayHaveMade: true},
		"501":                             {answer: refusing(501, "No."), reads: 1, creates: 1, text: " was answered 501 Not Implemented: No.", step: stepServer, mayHaveMade: true},
	}
	// Redirects. The simulator has no route where they lead to, and the other
	// host takes no request.
	for code, text := range map[int]string{301: "301 Moved Permanently", 302: "302 Found", 307: "307 Temporary Redirect", 308: "308 Permanent Redirect"} {
		for where, location := range map[string]string{
			"the same host": "/login",
			"another host":  forbiddenHost(t),
			"nowhere":       "https://%zz/" + marker,
		} {
			table[fmt.Sprintf("%d to %s", code, where)] = fault{
				answer: simulator.Status(code, http.Header{"Location": {location}, "Content-Type": {"text/html"}}, page),
				reads:  1, creates: 1, text: " was answered " + text, step: stepRedirect,
			}
		}
	}
	return table
}

// endlessErrors is a body with many complaints of many words.
func endlessErrors(fields, words int) string {
	errors := map[string][]string{}
	for i := range fields {
		errors[fmt.Sprintf("field%d", i)] = []string{strings.Repeat("word ", words)}
	}
	body, err := json.Marshal(map[string]any{"message": "Invalid.", "errors": errors})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// noHost is a name that no resolver asks anybody for: its first label is longer
// than the 63 characters of which a label may be.
var noHost = strings.Repeat("x", 64) + ".invalid"

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
// example.com, and that speaks HTTP/2.
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
			"data source": {"Cannot read the inbox mail", reader.path + " was answered 422 Unprocessable Entity: " + scrubbed + " [files: " + scrubbed + "]", stepCorrect},
			"ephemeral resource": {"Privasfer refuses the files", scrubbed, stepCorrect,
				creator.path + " was answered 422 Unprocessable Entity: " + scrubbed},
		}},
		"everywhere": {fault: everywhere, want: map[string][]string{
			"data source":        {reader.path + " was answered 500 Internal Server Error: Saw ***. [field-***: And ***.] (request id id-***)", stepServer},
			"ephemeral resource": {creator.path + " was answered 500 Internal Server Error: Saw ***. [field-***: And ***.] (request id id-***)", stepServer},
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

// TestAccFaults_longWait: once the API has asked for an hour, nobody else asks
// it or waits.
func TestAccFaults_longWait(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	api.Inject("", -1, refusing(429, "Too Many Attempts.", "Retry-After", "3600"))
	w := newWorkspace(t, api.providerBlock()+fmt.Sprintf(`
		data "privasfer_inbox_mail" "test" {
			for_each = toset([%q, %q, %q])
			id       = each.value
		}
		`, simulator.MailFull, simulator.MailBare, simulator.MailEmpty)+creator.block)
	output := w.run(1, "plan")
	for want, count := range map[string]int{
		" to wait 1h0m0s":  4,
		"was answered 429": 1,
		stepRateLimit:      4,
		mayHaveMade:        0,
	} {
		if got := len(message(want).FindAllString(output, -1)); got != count {
			t.Errorf("the output has %q %d times, want %d:\n%s", want, got, count, output)
		}
	}
	if got := len(api.Requests()); got != 1 {
		t.Errorf("got %d requests, want 1", got)
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

func TestSentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"No": "No.", "No.": "No.", "No!": "No!", "No?": "No?", "": "."} {
		if got := sentence(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
