package provider

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// marker marks data that must not be shown.
const marker = "BODY-MARKER"

// maxReport limits the length of an error or warning, in characters.
const maxReport = 1200

// The beginnings of some next steps.
const (
	stepReach    = "Check that this machine can reach the server"
	stepBroken   = "Run again. If it happens again, check the network and any proxy in between."
	stepSlow     = "Raise the provider's `request_timeout`"
	stepUnusable = "The response may not come from the Privasfer API"
	stepServer   = "The error is on the side of the server"
	stepMail     = "Check the id and the account of the token."
	stepContent  = "Check the provider's `download_url`"
)

// mayHaveCreated is reported if a failed request may have created a download.
const mayHaveCreated = "A download may have been created nevertheless. It expires within one minute."

// caller is a block that calls the API when it is planned.
type caller struct {
	block        string
	call         func(s protocolServer, t testing.TB) (report string) // makes the same call without an engine
	method, path string
	summary      string
}

var (
	reader = caller{
		block: fmt.Sprintf(`
			data "privasfer_inbox_mail" "test" { id = %q }
			`, simulator.MailFull),
		call:    protocolServer.readMail,
		method:  http.MethodGet,
		path:    "/api/inbox/" + simulator.MailFull,
		summary: "Cannot read the inbox mail",
	}
	creator = caller{
		block: fmt.Sprintf(`
			ephemeral "privasfer_download" "test" { file_ids = [%q] }
			`, simulator.FileInvoice),
		call:    func(s protocolServer, t testing.TB) string { return s.open(t, plain).report },
		method:  http.MethodPost,
		path:    "/api/downloads",
		summary: "Cannot create the download",
	}
	callers = map[string]caller{"data source": reader, "ephemeral resource": creator}
)

// TestFaults checks the error and the number of attempts for some failures, and that
// the error shows no secret and nothing of a body except its message. The client's
// tests and TestNextStep check all failures.
func TestFaults(t *testing.T) {
	t.Parallel()
	page := http.Header{"Content-Type": {"text/html; charset=UTF-8"}}
	stackTrace := fmt.Sprintf(`{"message":"Server Error","exception":%q,"trace":[%s{}]}`, marker, strings.Repeat(`{"file":"`+marker+`"},`, 5_000))
	for name, row := range map[string]struct {
		response simulator.Fault
		provider values

		reads, creates int    // attempts with max_retries = 1
		text, step     string // of the error after the method and path, and of the next step
		mayHaveCreated bool
	}{
		"cut short": {response: simulator.Truncate(), reads: 2, creates: 1, text: ` returned 20\d \S+: the response was cut short: unexpected EOF`, step: stepBroken, mayHaveCreated: true},
		"no response": {response: simulator.Hang(), provider: values{"request_timeout": "300ms"}, reads: 2, creates: 1,
			text: ": no complete response within 300ms", step: stepSlow, mayHaveCreated: true},
		"a web page": {response: simulator.Status(200, page, "<!DOCTYPE html>"+marker), reads: 1, creates: 1,
			text: " returned 200 OK: the response is an HTML page, not JSON", step: stepUnusable, mayHaveCreated: true},
		"429": {response: rejecting(429, "Too Many Attempts.", "Retry-After", "1"), reads: 2, creates: 2,
			text: ` returned 429 Too Many Requests: Too Many Attempts. \(after 2 attempts\) \(Retry-After of 1s\)`, step: "Privasfer allows 300 requests per minute"},
		"500 in debug mode": {response: simulator.Status(500, jsonHeader(), stackTrace), reads: 2, creates: 1,
			text: " returned 500 Internal Server Error: Server Error", step: stepServer, mayHaveCreated: true},
		"401": {response: rejecting(401, "Unauthenticated."), reads: 1, creates: 1, text: " returned 401 Unauthorized: Unauthenticated.", step: "PRIVASFER_TOKEN"},
	} {
		for kind, c := range callers {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{})
				api.Inject(c.method+" "+c.path, -1, row.response)
				report := c.call(newProtocolServer(t, api, values{"max_retries": 1}.and(row.provider)), t)
				checkReport(t, report, row.step)
				summary, requests := "("+c.summary+"|Privasfer does not accept the token)", row.reads
				if c.method == http.MethodPost {
					requests = row.creates
				}
				if !regexp.MustCompile("^ERROR: " + summary + ": " + regexp.QuoteMeta(c.method+" "+c.path) + row.text).MatchString(report) {
					t.Errorf("the report lacks %s: %s", row.text, report)
				}
				if got, want := strings.Contains(report, mayHaveCreated), row.mayHaveCreated && c.method == http.MethodPost; got != want {
					t.Errorf("it says that a download may have been created: %t, want %t: %s", got, want, report)
				}
				if got := len(api.Requests()); got != requests {
					t.Errorf("got %d requests, want %d", got, requests)
				}
			})
		}
	}
}

// rejecting responds with an error that has a message and, in another key, the marker.
func rejecting(code int, text string, header ...string) simulator.Fault {
	return simulator.Status(code, jsonHeader(header...), fmt.Sprintf(`{"message":%q,"debug":%q}`, text, marker))
}

// jsonHeader returns the header of a JSON response with more fields, given as
// alternating keys and values.
func jsonHeader(more ...string) http.Header {
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(more); i += 2 {
		header.Set(more[i], more[i+1])
	}
	return header
}
