package provider

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// The diagnostics of this file say whether a download that the provider created may
// have been used.

// temporaryKeyDiagnostic returns the diagnostic of a temporary key that could not be
// created. No download has been created then.
func temporaryKeyDiagnostic(err error) diag.Diagnostic {
	diagnostic := apiErrorDiagnostic("create the temporary key", err)
	failure := failureOf(err)
	if failure.Kind == 0 || failure.Kind == privasfer.Canceled {
		return diagnostic
	}
	pin := "The PIN was sent once and is not sent again in this run, so that a wrong PIN cannot lock the account."
	if failure.Attempts != 1 || failure.Status == 0 && failure.NotProcessed { // not sent at all, or more than once
		pin = "The PIN is not sent again in this run, so that a wrong PIN cannot lock the account."
	}
	if privasfer.HasField(err, "pin") {
		return diag.NewErrorDiagnostic("Privasfer does not accept the PIN", sentence(err.Error())+
			"\n\nCheck the provider's `pin` argument or the environment variable "+envPIN+". "+pin)
	}
	return diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+"\n\n"+pin)
}

// createDiagnostic returns the diagnostic of a download that could not be created, or
// whose response is invalid.
func createDiagnostic(err error) diag.Diagnostic {
	failure := failureOf(err)
	if failure.Status == http.StatusUnprocessableEntity {
		if complaints, others := fileComplaints(failure.Fields); complaints != "" {
			rest := *failure
			rest.Fields = others
			return diag.NewAttributeErrorDiagnostic(fileIDsPath, "Privasfer rejected the files",
				complaints+"\n\n"+sentence(rest.Error())+"\n\n"+nextStep(err, atAPI))
		}
	}
	diagnostic := apiErrorDiagnostic("create the download", err)
	if !failure.NotProcessed {
		return diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+
			"\n\nA download may have been created nevertheless. It expires within one minute.")
	}
	return diagnostic
}

// fileComplaints returns the messages about the input "files" and its elements, one
// per line, and the other field errors.
func fileComplaints(fields []privasfer.FieldError) (lines string, others []privasfer.FieldError) {
	var complaints []string
	for _, field := range fields {
		switch {
		case field.Value != "":
			complaints = append(complaints, fmt.Sprintf("File %q: %s", field.Value, field.Message))
		case field.Field == "files", strings.HasPrefix(field.Field, "files."):
			complaints = append(complaints, field.Message)
		default:
			others = append(others, field)
		}
	}
	return strings.Join(complaints, "\n"), others
}

// tooLateDiagnostic returns the diagnostic of a download that expired before the
// provider could return it.
func tooLateDiagnostic() diag.Diagnostic {
	return diag.NewErrorDiagnostic("Download expired before it was ready",
		"Privasfer created the download, but the responses took longer than the one minute that a download lives. It can no longer be used.\n\n"+
			"Run again. If it happens again, the network or the service is too slow to use a download.")
}

// downloadKeyDiagnostic returns the diagnostic of a public download key that could
// not be created.
func downloadKeyDiagnostic(err error, source downloadSource) diag.Diagnostic {
	failure := failureOf(err)
	diagnostic := apiErrorDiagnostic("create the public download key", err)
	switch missing := failure.Status == http.StatusNotFound; {
	case strings.HasSuffix(failure.Path, "/keys") && !strings.HasSuffix(failure.Path, "/{id}/keys"):
		// The temporary key was rejected, and a new one could not be created.
		diagnostic = temporaryKeyDiagnostic(err)
	case missing && source.created():
		return diag.NewErrorDiagnostic(diagnostic.Summary(), sentence(err.Error())+
			"\n\nThe download may have expired: it lives one minute. Run again.")
	case missing:
		return diag.NewAttributeErrorDiagnostic(downloadIDPath, "Download not found", notFoundDetail("download", err))
	}
	if source.created() {
		return diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+
			"\n\nThe download was created but not used. It expires within one minute.")
	}
	return diagnostic
}

// performDiagnostic returns the diagnostic of a download that could not be performed.
func performDiagnostic(err error, source downloadSource) diag.Diagnostic {
	detail := sentence(err.Error()) + "\n\n" + nextStep(err, atContent)
	if source.created() {
		fate := "and may have been used. If not, it expires"
		if failureOf(err).NotProcessed {
			fate = "but not used. It expires"
		}
		detail += fmt.Sprintf("\n\nThe download was created %s within one minute.", fate)
	}
	return diag.NewErrorDiagnostic("Cannot perform the download", detail)
}
