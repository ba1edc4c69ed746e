package provider

import (
	"context"
	"crypto/tls"
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
	return diag.NewErrorDiagnostic(summary(action, err), sentence(err.Error())+"\n\n"+nextStep(err))
}

// lookupDiagnostic is the error of a lookup by id. The object is a noun, such as
// "inbox mail". One that is not there, or not for this token, has an error of
// its own: the API is not said to tell the two apart.
func lookupDiagnostic(object, id string, err error) diag.Diagnostic {
	if statusOf(err) != http.StatusNotFound {
		return apiErrorDiagnostic("read the "+object, err)
	}
	return diag.NewErrorDiagnostic(strings.ToUpper(object[:1])+object[1:]+" not found",
		fmt.Sprintf("There is none with the id %q that this token may see. %s\n\n"+
			"Check the id, and that the token is of the account that it belongs to. If every id is reported missing, "+
			"base_url is probably wrong.", shorten(id), sentence(err.Error())))
}

func summary(action string, err error) string {
	switch statusOf(err) {
	case http.StatusUnauthorized:
		return "Privasfer does not accept the token"
	case http.StatusForbidden:
		return "The token may not do this at Privasfer"
	}
	return "Cannot " + action
}

func nextStep(err error) string {
	status := statusOf(err)
	var apiError *privasfer.APIError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return "The run was interrupted."
	case !errors.As(err, &apiError):
		return bugStep
	case errors.As(err, &certificate):
		return "The server's certificate is not one that this machine trusts for that host. Check base_url; where a proxy " +
			"inspects TLS, give its certificate authority in the provider's `ca_cert_pem` argument."
	case apiError.RetryAfter > 0 && status == 0:
		return rateLimitStep
	case apiError.TooLong():
		return "The provider reads no more of a list. Narrow it down with `keyword`."
	case apiError.TimedOut() && !apiError.NeverSent:
		return "The API, the network or a proxy in between is slow. Raise the provider's `request_timeout`, or try again later."
	case status == 0:
		return "Check that the API can be reached from this machine: base_url, DNS, the proxy settings in HTTPS_PROXY and " +
			"NO_PROXY, and the certificates that the machine trusts."
	case apiError.Unusable():
		return "What answered may not be the Privasfer API: check base_url, and any proxy in between. If it is, try again " +
			"later and report it."
	case status >= 300 && status <= 399:
		return "The API documents no redirect, and the provider never follows one with the token: base_url is probably wrong."
	case status == http.StatusUnauthorized:
		return "Check the provider's `token` argument or the environment variable " + envToken + ": the token may have been " +
			"revoked, or belong to another Privasfer than base_url names. A new one is made on the profile's API page."
	case status == http.StatusForbidden:
		return "Check the provider's `token` argument or the environment variable " + envToken + ": it must be a token of an " +
			"account that has this permission."
	case status == http.StatusNotFound:
		return "Either the API does not find something that was named, or base_url is wrong: the API's words above may say which."
	case status == http.StatusMethodNotAllowed, status == statusPageExpired:
		return "The API has no such route there: base_url is probably wrong."
	case status == http.StatusTooManyRequests:
		return rateLimitStep
	case status >= 500:
		return "The fault is at the server's side, Privasfer's or that of a proxy in between. Try again later."
	}
	return "Correct what the API complains about and run again."
}

const bugStep = "This is a bug of the provider: please report it."

const rateLimitStep = "Privasfer allows 300 requests a minute per IP address, and the provider paces its own. Wait as long as the " +
	"API asks, and look for what else uses up the limit from this address."

// statusPageExpired is what the framework that the API seems to be built on
// answers where a web page is called instead of the API.
const statusPageExpired = 419

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

// shorten cuts a text of the user's that an error repeats.
func shorten(text string) string {
	const length = 120
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length]) + "…"
	}
	return text
}
