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

// apiErrorDiagnostic says what could not be done, what the API or the network
// said, and what to do about it. The action completes "Cannot …".
func apiErrorDiagnostic(action string, err error) diag.Diagnostic {
	summary := "Cannot " + action
	var failure *privasfer.APIError
	if errors.As(err, &failure) && !bare(failure) {
		switch failure.Status {
		case http.StatusUnauthorized:
			summary = "Privasfer does not accept the token"
		case http.StatusForbidden:
			summary = "The token may not do this at Privasfer"
		}
	}
	return diag.NewErrorDiagnostic(summary, sentence(err.Error())+"\n\n"+nextStep(err, atAPI))
}

// lookupDiagnostic is the error of a lookup by id. The object is a noun, such as
// "inbox mail". One that is not there, or not for this token, has an error of
// its own: the API is not said to tell the two apart.
func lookupDiagnostic(object string, err error) diag.Diagnostic {
	if statusOf(err) != http.StatusNotFound {
		return apiErrorDiagnostic("read the "+object, err)
	}
	return diag.NewErrorDiagnostic(strings.ToUpper(object[:1])+object[1:]+" not found", notFoundDetail(object, err))
}

func notFoundDetail(object string, err error) string {
	return fmt.Sprintf("There is no %s with this id that the token may see. %s\n\n"+
		"Check the id, and that the token is of the account that it belongs to. If every id is reported missing, "+
		"`base_url` is probably wrong.", object, sentence(err.Error()))
}

// place is where a call failed.
type place int

const (
	atAPI     place = iota
	atContent       // where a download is performed
)

// remedies are what a user is advised to do about a failure of a kind, and of a
// status if one is given: the first row that matches.
var remedies = []struct {
	kind   privasfer.Kind
	status int       // 0: any; 500: from there on
	bare   bool      // only for a response without a message of the API's
	step   [2]string // by place; "" at the second: as at the API
}{
	{kind: privasfer.Canceled, step: [2]string{"The run was interrupted."}},
	{kind: privasfer.Invalid, step: [2]string{bugStep}},
	{kind: privasfer.Untrusted, step: [2]string{
		"The server's certificate is not one that this machine trusts for that host. Check `base_url`; where a proxy " +
			"inspects TLS, give its certificate authority in the provider's `ca_cert_pem` argument.",
		"The server's certificate is not one that this machine trusts for that host. Check `download_url`; where a proxy " +
			"inspects TLS, give its certificate authority in the provider's `ca_cert_pem` argument."}},
	{kind: privasfer.Unreachable, step: [2]string{networkStep + " and `base_url`.", networkStep + " and `download_url`."}},
	{kind: privasfer.Disconnected, step: [2]string{"Run again. If it happens again, check the network and any proxy in between."}},
	{kind: privasfer.TimedOut, step: [2]string{
		"The API, the network or a proxy in between is slow. Raise the provider's `request_timeout`, or try again later."}},
	{kind: privasfer.DownloadOver, step: [2]string{
		"The server, the network or a proxy in between is too slow for the minute that a download lives. Run again."}},
	{kind: privasfer.RateLimited, step: [2]string{rateLimitStep}},
	{kind: privasfer.TooLarge, step: [2]string{notTheAPIStep}},
	{kind: privasfer.ContentTooLarge, step: [2]string{"Raise `max_content_bytes`, up to 16777216 (16 MiB), if the file is meant to be that large."}},
	{kind: privasfer.Unwritable, step: [2]string{unwritableStep}},
	{kind: privasfer.ListTooLong, step: [2]string{"The provider reads no more of a list. Narrow it down with `keyword`."}},
	{kind: privasfer.Unusable, step: [2]string{notTheAPIStep, downloadURLStep}},
	{kind: privasfer.Redirected, step: [2]string{
		"The API documents no redirect, and the provider never follows one with the token: `base_url` is probably wrong.", downloadURLStep}},

	{kind: privasfer.Rejected, status: http.StatusTooManyRequests, step: [2]string{rateLimitStep}},
	{kind: privasfer.Rejected, status: 500, step: [2]string{
		"The fault is at the server's side, Privasfer's or that of a proxy in between. Try again later."}},
	{kind: privasfer.Rejected, status: http.StatusUnauthorized, bare: true, step: [2]string{firewallStep + tokenStep, firewallStep + downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusForbidden, bare: true, step: [2]string{firewallStep + tokenStep, firewallStep + downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusUnauthorized, step: [2]string{
		tokenStep + " The token may have been revoked, or belong to another Privasfer than `base_url` names. A new one is made on " +
			"the profile's API page.", downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusForbidden, step: [2]string{
		tokenStep + " It must be a token of an account that has this permission.", downloadURLStep}},
	{kind: privasfer.Rejected, status: http.StatusNotFound, step: [2]string{
		"Either something that was named does not exist, or `base_url` is wrong.",
		"Either the download is gone, because its minute is over or it was used, or `download_url` is wrong: the API publishes no such URL, " +
			"so it is the one that you gave."}},
	{kind: privasfer.Rejected, status: http.StatusMethodNotAllowed, step: [2]string{noRouteStep, downloadURLStep}},
	{kind: privasfer.Rejected, status: statusPageExpired, step: [2]string{noRouteStep, downloadURLStep}},
	{kind: privasfer.Rejected, bare: true, step: [2]string{
		"The response gives no reason in the API's form, so it may come from a proxy or a firewall in between: check those, and `base_url`.", downloadURLStep}},
	{kind: privasfer.Rejected, step: [2]string{"Correct what the API complains about and run again.", downloadURLStep}},
}

const (
	networkStep = "Check that the server can be reached from this machine: DNS, the proxy settings in HTTPS_PROXY and NO_PROXY,"

	notTheAPIStep = "What responded may not be the Privasfer API: check `base_url`, and any proxy in between. If it is, try again " +
		"later and report it."

	downloadURLStep = "Check the provider's `download_url`: the API publishes no such URL, so it is the one that you gave."

	firewallStep = "The response has no message in the API's form, so it may come from a proxy or a firewall in between. "

	unwritableStep = "Free space on the disk, or choose another path."

	tokenStep = "Check the provider's `token` argument or the environment variable " + envToken + "."

	noRouteStep = "The API has no such route there: `base_url` is probably wrong."

	rateLimitStep = "Privasfer allows 300 requests a minute per IP address, and the provider paces its own. Wait as long as the " +
		"API asks, and look for what else uses up the limit from this address."
)

// nextStep is what a user is advised to do about a failed call.
func nextStep(err error, at place) string {
	var failure *privasfer.APIError
	if !errors.As(err, &failure) {
		return bugStep
	}
	for _, remedy := range remedies {
		status := remedy.status == 0 || remedy.status == failure.Status || remedy.status == 500 && failure.Status >= 500
		if remedy.kind == failure.Kind && status && (bare(failure) || !remedy.bare) {
			return cmp.Or(remedy.step[at], remedy.step[atAPI])
		}
	}
	return bugStep
}

// bare reports that a response has no message of the API's.
func bare(failure *privasfer.APIError) bool { return failure.Message == "" && len(failure.Fields) == 0 }

const bugStep = "This is a bug of the provider: please report it."

// statusPageExpired is what the framework that the API seems to be built on
// responds where a web page is called instead of the API.
const statusPageExpired = 419

// kindOf returns the kind of an API error, or 0.
func kindOf(err error) privasfer.Kind {
	var failure *privasfer.APIError
	if errors.As(err, &failure) {
		return failure.Kind
	}
	return 0
}

// statusOf returns the HTTP status of an API error, or 0.
func statusOf(err error) int {
	var apiError *privasfer.APIError
	if errors.As(err, &apiError) {
		return apiError.Status
	}
	return 0
}

// sentence ends a text with a full stop where it has none: the API's own words
// often bring one.
func sentence(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
