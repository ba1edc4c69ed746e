package provider

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// TestNextStep checks the remedy of each kind of failure, by status and place, and
// with or without a message from the API.
func TestNextStep(t *testing.T) {
	t.Parallel()
	withMessage := func(status int) *privasfer.APIError {
		return &privasfer.APIError{Kind: privasfer.Rejected, Status: status, Message: "Its words."}
	}
	withoutMessage := func(status int) *privasfer.APIError {
		return &privasfer.APIError{Kind: privasfer.Rejected, Status: status}
	}
	ofKind := func(kind privasfer.Kind) *privasfer.APIError { return &privasfer.APIError{Kind: kind} }
	tests := []struct {
		err          error
		api, content string // the beginning of the step; content is api if ""
	}{
		{ofKind(privasfer.Canceled), "The run was interrupted.", ""},
		{ofKind(privasfer.Invalid), "This is a bug in the provider", ""},
		{errors.New("another"), "This is a bug in the provider", ""},
		{ofKind(privasfer.Untrusted), "This machine does not trust the server's certificate for this host. Check `base_url`", "This machine does not trust the server's certificate for this host. Check `download_url`"},
		{ofKind(privasfer.Unreachable), "Check that this machine can reach the server", ""},
		{ofKind(privasfer.Disconnected), "Run again. If it happens again, check the network", ""},
		{ofKind(privasfer.TimedOut), "The API, the network or a proxy in between is slow. Raise the provider's `request_timeout`", ""},
		{ofKind(privasfer.DownloadExpired), "The server, the network or a proxy in between is too slow for the minute", ""},
		{ofKind(privasfer.RateLimited), "Privasfer allows 300 requests per minute", ""},
		{ofKind(privasfer.TooLarge), "The response may not come from the Privasfer API", ""},
		{ofKind(privasfer.ContentTooLarge), "Raise `max_content_bytes`", ""},
		{ofKind(privasfer.ListTooLong), "The provider does not read longer lists. Narrow the list down with `keyword`.", ""},
		{ofKind(privasfer.Unusable), "The response may not come from the Privasfer API", "Check the provider's `download_url`"},
		{ofKind(privasfer.Redirected), "The provider does not follow redirects of the API", "Check the provider's `download_url`"},
		{withMessage(400), "Correct what the API reports", "Check the provider's `download_url`"},
		{withoutMessage(400), "The response has no message from the API", "Check the provider's `download_url`"},
		{withoutMessage(413), "The response has no message from the API", "Check the provider's `download_url`"},
		{withMessage(401), "Check the provider's `token` argument or the environment variable PRIVASFER_TOKEN. The token may have been revoked", "Check the provider's `download_url`"},
		{withoutMessage(401), "The response has no message from the API, so it may come from a proxy or a firewall in between. Check the provider's `token`", "The response has no message from the API, so it may come from a proxy or a firewall in between. Check the provider's `download_url`"},
		{withMessage(403), "Check the provider's `token` argument or the environment variable PRIVASFER_TOKEN. The account of the token", "Check the provider's `download_url`"},
		{withoutMessage(403), "The response has no message from the API", "The response has no message from the API"},
		{withMessage(404), "Either the object does not exist, or `base_url` is wrong.", "Either the download no longer exists, because it was used or its minute is over, or the provider's `download_url` is wrong"},
		{withoutMessage(404), "Either the object does not exist, or `base_url` is wrong.", "Either the download no longer exists, because it was used or its minute is over, or the provider's `download_url` is wrong"},
		{withMessage(405), "The API has no such route: `base_url` is probably wrong.", "Check the provider's `download_url`"},
		{withMessage(419), "The API has no such route: `base_url` is probably wrong.", "Check the provider's `download_url`"},
		{&privasfer.APIError{Kind: privasfer.Rejected, Status: 422, Fields: []privasfer.FieldError{{Field: "a"}}}, "Correct what the API reports", "Check the provider's `download_url`"},
		{withMessage(429), "Privasfer allows 300 requests per minute", ""},
		{withoutMessage(429), "Privasfer allows 300 requests per minute", ""},
		{withMessage(500), "The error is on the side of the server", ""},
		{withoutMessage(502), "The error is on the side of the server", ""},
		{withoutMessage(599), "The error is on the side of the server", ""},
	}
	for _, test := range tests {
		for at, want := range []string{test.api, cmp.Or(test.content, test.api)} {
			if got := nextStep(test.err, place(at)); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ".") {
				t.Errorf("%v at %d: got %q, want %q", test.err, at, got, want)
			}
		}
	}
	for kind := privasfer.Rejected; kind < privasfer.Invalid; kind++ {
		if nextStep(ofKind(kind), atAPI) == bugStep {
			t.Errorf("kind %d has no remedy", kind)
		}
	}
}

// TestDiagnostics checks the summary, the attribute and the detail of each error.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	failure := func(change func(*privasfer.APIError)) *privasfer.APIError {
		f := &privasfer.APIError{Kind: privasfer.Rejected, Attempts: 1, Method: "POST", Path: "/api/x", Status: 422, Message: "Invalid.", NotProcessed: true}
		change(f)
		return f
	}
	fields := func(fields ...privasfer.FieldError) *privasfer.APIError {
		return failure(func(f *privasfer.APIError) { f.Fields = fields })
	}
	status := func(status int, message string) *privasfer.APIError {
		return failure(func(f *privasfer.APIError) { f.Status, f.Message, f.NotProcessed = status, message, status < 500 })
	}
	const (
		correct = "Correct what the API reports, and run again."
		server  = "The error is on the side of the server, which is Privasfer or a proxy in between. Try again later."
	)
	created, received := downloadSource{fileIDs: []string{"a"}}, downloadSource{id: "a"}
	atKeys := &privasfer.APIError{Kind: privasfer.Rejected, Method: "POST", Path: "/api/keys", Status: 404, Attempts: 2}
	tests := map[string]struct {
		got     diag.Diagnostic
		at      string
		summary string
		detail  []string // paragraphs
	}{
		"rejected": {got: apiErrorDiagnostic("list the files", status(422, "No")), summary: "Cannot list the files",
			detail: []string{"POST /api/x returned 422 Unprocessable Entity: No.", correct}},
		"token":            {got: apiErrorDiagnostic("list the files", status(401, "Unauthenticated.")), summary: "Privasfer does not accept the token"},
		"a firewall's 401": {got: apiErrorDiagnostic("list the files", status(401, "")), summary: "Cannot list the files"},
		"permission":       {got: apiErrorDiagnostic("list the files", status(403, "No.")), summary: "The token does not have the required permission"},
		"not found": {got: lookupDiagnostic("inbox mail", status(404, "")), summary: "Inbox mail not found",
			detail: []string{"There is no inbox mail with this id, or the token has no access to it. POST /api/x returned 404 Not Found.",
				"Check the id and the account of the token. If every id is reported as missing, `base_url` is probably wrong."}},
		"lookup rejected": {got: lookupDiagnostic("file", status(422, "No.")), summary: "Cannot read the file"},
		"files": {got: createDiagnostic(fields(privasfer.FieldError{Field: "files", Message: "Required."},
			privasfer.FieldError{Field: "files.0", Value: "a", Message: "Unknown."}, privasfer.FieldError{Field: "files.7", Message: "Odd."},
			privasfer.FieldError{Field: "quota", Message: "Full."})),
			at: "file_ids", summary: "Privasfer rejected the files",
			detail: []string{"Required.\nFile \"a\": Unknown.\nOdd.", "POST /api/x returned 422 Unprocessable Entity: Invalid. [quota: Full.].", correct}},
		"another input": {got: createDiagnostic(fields(privasfer.FieldError{Field: "filesystem", Message: "Full."})), summary: "Cannot create the download",
			detail: []string{"POST /api/x returned 422 Unprocessable Entity: Invalid. [filesystem: Full.].", correct}},
		"perhaps created": {got: createDiagnostic(status(500, "Server Error")), summary: "Cannot create the download",
			detail: []string{"POST /api/x returned 500 Internal Server Error: Server Error.",
				server, mayHaveCreated}},
		"wrong PIN": {got: temporaryKeyDiagnostic(fields(privasfer.FieldError{Field: "pin", Message: "Invalid PIN."})), summary: "Privasfer does not accept the PIN",
			detail: []string{"POST /api/x returned 422 Unprocessable Entity: Invalid. [pin: Invalid PIN.].",
				"Check the provider's `pin` argument or the environment variable PRIVASFER_PIN. " + sentOnce}},
		"no temporary key": {got: temporaryKeyDiagnostic(status(500, "No.")), summary: "Cannot create the temporary key",
			detail: []string{"POST /api/x returned 500 Internal Server Error: No.", server, sentOnce}},
		"no temporary key, token": {got: temporaryKeyDiagnostic(status(401, "No.")), summary: "Privasfer does not accept the token"},
		"no temporary key, interrupted": {got: temporaryKeyDiagnostic(failure(func(f *privasfer.APIError) { f.Kind, f.Status, f.Message = privasfer.Canceled, 0, "" })),
			summary: "Cannot create the temporary key", detail: []string{"POST /api/x.", "The run was interrupted."}},
		"temporary key, not sent": {got: temporaryKeyDiagnostic(failure(func(f *privasfer.APIError) { f.Kind, f.Status, f.Message = privasfer.Unreachable, 0, "" })),
			summary: "Cannot create the temporary key", detail: []string{"POST /api/x.", networkStep + " and `base_url`.", notAgain}},
		"temporary key, sent twice": {got: temporaryKeyDiagnostic(failure(func(f *privasfer.APIError) { f.Status, f.Message, f.Attempts = 429, "", 2 })),
			summary: "Cannot create the temporary key", detail: []string{"POST /api/x returned 429 Too Many Requests (after 2 attempts).", rateLimitStep, notAgain}},
		"no PIN": {got: temporaryKeyDiagnostic(privasfer.ErrNoPIN), summary: "Cannot create the temporary key", detail: []string{"the client has no PIN.", bugStep}},
		"no public key, created": {got: downloadKeyDiagnostic(status(500, "No."), created), summary: "Cannot create the public download key",
			detail: []string{"POST /api/x returned 500 Internal Server Error: No.", server, unused}},
		"no public key, received": {got: downloadKeyDiagnostic(status(500, "No."), received), summary: "Cannot create the public download key",
			detail: []string{"POST /api/x returned 500 Internal Server Error: No.", server}},
		"another temporary key, created": {got: downloadKeyDiagnostic(atKeys, created), summary: "Cannot create the temporary key",
			detail: []string{"POST /api/keys returned 404 Not Found (after 2 attempts).",
				"Either the object does not exist, or `base_url` is wrong.", notAgain, unused}},
		"another temporary key, received": {got: downloadKeyDiagnostic(atKeys, received), summary: "Cannot create the temporary key"},
		"gone, created": {got: downloadKeyDiagnostic(status(404, "No."), created), summary: "Cannot create the public download key",
			detail: []string{"POST /api/x returned 404 Not Found: No.", "The download may have expired: it lives one minute. Run again."}},
		"gone, received": {got: downloadKeyDiagnostic(status(404, "No."), received), at: "download_id", summary: "Download not found",
			detail: []string{"There is no download with this id, or the token has no access to it. POST /api/x returned 404 Not Found: No.",
				"Check the id and the account of the token. If every id is reported as missing, `base_url` is probably wrong."}},
		"perhaps used": {got: performDiagnostic(status(500, ""), created), summary: "Cannot perform the download",
			detail: []string{"POST /api/x returned 500 Internal Server Error.", server, lapses}},
		"perhaps used, received": {got: performDiagnostic(status(500, ""), received), summary: "Cannot perform the download",
			detail: []string{"POST /api/x returned 500 Internal Server Error.", server}},
		"not used": {got: performDiagnostic(status(http.StatusTooManyRequests, "Slow down!"), created), summary: "Cannot perform the download",
			detail: []string{"POST /api/x returned 429 Too Many Requests: Slow down!", rateLimitStep, unused}},
		"not used, received": {got: performDiagnostic(status(http.StatusTooManyRequests, "Slow down!"), received), summary: "Cannot perform the download",
			detail: []string{"POST /api/x returned 429 Too Many Requests: Slow down!", rateLimitStep}},
		"no API error": {got: createDiagnostic(errors.New("odd")), summary: "Cannot create the download", detail: []string{"odd.", bugStep}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.got.Summary() != test.summary {
				t.Errorf("summary %q, want %q", test.got.Summary(), test.summary)
			}
			if want := strings.Join(test.detail, "\n\n"); test.detail != nil && test.got.Detail() != want {
				t.Errorf("wrong detail\n got: %s\nwant: %s", test.got.Detail(), want)
			}
			at := ""
			if withPath, ok := test.got.(diag.DiagnosticWithPath); ok {
				at = withPath.Path().String()
			}
			if at != test.at {
				t.Errorf("at %q, want %q", at, test.at)
			}
		})
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"No": "No.", "No.": "No.", "No!": "No!", "No?": "No?", "": "."} {
		if got := sentence(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
