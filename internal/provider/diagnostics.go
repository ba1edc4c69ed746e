package provider

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// apiErrorDiagnostic returns the diagnostic of a failed call: what failed, the error,
// and the next step. The action completes "Cannot …".
func apiErrorDiagnostic(action string, err error) diag.Diagnostic {
	summary := "Cannot " + action
	if failure := failureOf(err); !bare(failure) {
		switch failure.Status {
		case http.StatusUnauthorized:
			summary = "Privasfer does not accept the token"
		case http.StatusForbidden:
			summary = "The token does not have the required permission"
		}
	}
	return diag.NewErrorDiagnostic(summary, sentence(err.Error())+"\n\n"+nextStep(err, atAPI))
}

// lookupDiagnostic returns the diagnostic of a failed lookup by id. The object is a
// noun, such as "inbox mail". A 404 is "not found", whether the object does not exist
// or the token has no access to it: the API does not document a difference.
func lookupDiagnostic(object string, err error) diag.Diagnostic {
	if failureOf(err).Status != http.StatusNotFound {
		return apiErrorDiagnostic("read the "+object, err)
	}
	return diag.NewErrorDiagnostic(strings.ToUpper(object[:1])+object[1:]+" not found", notFoundDetail(object, err))
}

func notFoundDetail(object string, err error) string {
	return fmt.Sprintf("There is no %s with this id, or the token has no access to it. %s\n\n"+
		"Check the id and the account of the token. If every id is reported as missing, "+
		"`base_url` is probably wrong.", object, sentence(err.Error()))
}

// place is where a call failed.
type place int

const (
	atAPI     place = iota
	atContent       // where a download is performed
)

// remedies lists the next step for each kind of failure, and for a status if one is
// set. The first row that matches applies.
var remedies = []struct {
	kind   privasfer.Kind
	status int       // 0: any; 500: 500 and higher
	bare   bool      // only for a response without a message in the API's form
	step   [2]string // by place; an empty second step is the same as the first
}{
	{kind: privasfer.Canceled, step: [2]string{"The run was interrupted."}},
	{kind: privasfer.Invalid, step: [2]string{bugStep}},
	{kind: privasfer.Untrusted, step: [2]string{
		"This machine does not trust the server's certificate for this host. Check `base_url`. If a proxy inspects TLS, " +
			"set the provider's `ca_cert_pem` argument to the certificate of its authority.",
		"This machine does not trust the server's certificate for this host. Check `download_url`. If a proxy inspects TLS, " +
			"set the provider's `ca_cert_pem` argument to the certificate of its authority."}},
	{kind: privasfer.Unreachable, step: [2]string{networkStep + " and `base_url`.", networkStep + " and `download_url`."}},
	{kind: privasfer.Disconnected, step: [2]string{"Run again. If it happens again, check the network and any proxy in between."}},
	{kind: privasfer.TimedOut, step: [2]string{
		"The API, the network or a proxy in between is slow. Raise the provider's `request_timeout`, or try again later."}},
	{kind: privasfer.DownloadExpired, step: [2]string{
		"The server, the network or a proxy in between is too slow for the minute that a download lives. Run again."}},
	{kind: privasfer.RateLimited, step: [2]string{rateLimitStep}},
	{kind: privasfer.TooLarge, step: [2]string{notTheAPIStep}},
	{kind: privasfer.ContentTooLarge, step: [2]string{"Raise `max_content_bytes`, up to 16777216 (16 MiB), if the file is expected to be that large."}},
	{kind: privasfer.Unwritable, step: [2]string{unwritableStep}},
	{kind: privasfer.ListTooLong, step: [2]string{"The provider does not read longer lists. Narrow the list down with `keyword`."}},
	{kind: privasfer.Unusable, step: [2]string{notTheAPIStep, downloadURLStep}},
	{kind: privasfer.Redirected, step: [2]string{
		"The provider does not follow redirects of the API: `base_url` is probably wrong.", downloadURLStep}},

	{kind: privasfer.Rejected, status: http.StatusTooManyRequests, step: [2]string{rateLimitStep}},
	{kind: privasfer.Rejected, status: 500, step: [2]string{
		"The error is on the side of the server, which is Privasfer or a proxy in between. Try again later."}},
	{kind: privasfer.Rejected, status: http.StatusUnauthorized, bare: true, step: [2]string{firewallStep + tokenStep, firewallStep + downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusForbidden, bare: true, step: [2]string{firewallStep + tokenStep, firewallStep + downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusUnauthorized, step: [2]string{
		tokenStep + " The token may have been revoked, or belong to another Privasfer than the one at `base_url`. You can create a new " +
			"one on the API page of your profile.", downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusForbidden, step: [2]string{
		tokenStep + " The account of the token must have the permission.", downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusNotFound, step: [2]string{
		"Either the object does not exist, or `base_url` is wrong.",
		"Either the download no longer exists, because it was used or its minute is over, or the provider's " +
			"`download_url` is wrong."}},
	{kind: privasfer.Rejected, status: http.StatusMethodNotAllowed, step: [2]string{noRouteStep, downloadURLStep}},
	{kind: privasfer.Rejected, status: statusPageExpired, step: [2]string{noRouteStep, downloadURLStep}},
	{kind: privasfer.Rejected, bare: true, step: [2]string{
		"The response has no message from the API, so it may come from a proxy or a firewall in between. Check those, and `base_url`.", downloadURLStep}},
	{kind: privasfer.Rejected, step: [2]string{"Correct what the API reports, and run again.", downloadURLStep}},
}

const (
	networkStep = "Check that this machine can reach the server: DNS, the proxy settings in HTTPS_PROXY and NO_PROXY,"

	notTheAPIStep = "The response may not come from the Privasfer API. Check `base_url`, and any proxy in between. If both are correct, " +
		"try again later."

	downloadURLStep = "Check the provider's `download_url`."

	firewallStep = "The response has no message from the API, so it may come from a proxy or a firewall in between. "

	unwritableStep = "Free space on the disk, or choose another path."

	tokenStep = "Check the provider's `token` argument or the environment variable " + envToken + "."

	noRouteStep = "The API has no such route: `base_url` is probably wrong."

	rateLimitStep = "Privasfer allows 300 requests per minute and IP address, and the provider paces its own. Check what else sends " +
		"requests from this address, and run again later."
)

// nextStep returns what the user can do about a failed call.
func nextStep(err error, at place) string {
	failure := failureOf(err)
	for _, remedy := range remedies {
		status := remedy.status == 0 || remedy.status == failure.Status || remedy.status == 500 && failure.Status >= 500
		if remedy.kind == failure.Kind && status && (bare(failure) || !remedy.bare) {
			return cmp.Or(remedy.step[at], remedy.step[atAPI])
		}
	}
	return bugStep
}

// bare reports whether a response has no message in the API's form.
func bare(failure *privasfer.APIError) bool { return failure.Message == "" && len(failure.Fields) == 0 }

const bugStep = "This is a bug in the provider. Please report it."

// statusPageExpired is the status with which Laravel, on which the API seems to be
// built, rejects a POST to a web page instead of the API.
const statusPageExpired = 419

// failureOf returns the API error in an error. For any other error, which is a bug,
// it returns one without a kind.
func failureOf(err error) *privasfer.APIError {
	var failure *privasfer.APIError
	if errors.As(err, &failure) {
		return failure
	}
	return &privasfer.APIError{NotProcessed: true}
}

// sentence adds a full stop to a text that does not end with one: some messages of
// the API do.
func sentence(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
