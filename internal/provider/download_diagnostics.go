package provider

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// What a user sees where a download, its keys or its content cannot be had. Each
// error says what became of a download that the provider has created.

// temporaryKeyDiagnostic is the error where no temporary key could be made,
// and so no download was created.
func temporaryKeyDiagnostic(err error) diag.Diagnostic {
	diagnostic := apiErrorDiagnostic("create the temporary key", err)
	var failure *privasfer.APIError
	if !errors.As(err, &failure) || failure.Kind == privasfer.Canceled {
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

// createDiagnostic is the error where a download could not be created, or the
// response not be used.
func createDiagnostic(err error) diag.Diagnostic {
	var failure *privasfer.APIError
	errors.As(err, &failure)
	if failure != nil && failure.Status == http.StatusUnprocessableEntity {
		if complaints, others := fileComplaints(failure.Fields); complaints != "" {
			rest := *failure
			rest.Fields = others
			return diag.NewAttributeErrorDiagnostic(fileIDsPath, "Privasfer rejected the files",
				complaints+"\n\n"+sentence(rest.Error())+"\n\n"+nextStep(err, atAPI))
		}
	}
	diagnostic := apiErrorDiagnostic("create the download", err)
	if failure != nil && !failure.NotProcessed {
		return diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+
			"\n\nA download may have been created nevertheless. It expires within one minute.")
	}
	return diagnostic
}

// fileComplaints are the lines of what the API says of the input "files" and of
// the files in it, and what it says of others.
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

// tooLateDiagnostic is the error where a download was over before it was ready.
func tooLateDiagnostic() diag.Diagnostic {
	return diag.NewErrorDiagnostic("Download expired before its response arrived",
		"Privasfer created the download, but its response took longer than the one minute that a download lives. It can no longer be used.\n\n"+
			"Run again. If it happens again, the network or the service is too slow to use a download.")
}

// downloadKeyDiagnostic is the error where the public key of a download could
// not be created.
func downloadKeyDiagnostic(err error, source downloadSource) diag.Diagnostic {
	const gone = "\n\nThe download may have expired: it lives one minute. Run again."
	const unused = "\n\nThe download was created but not used. It expires within one minute."
	var failure *privasfer.APIError
	switch {
	case errors.As(err, &failure) && strings.HasSuffix(failure.Path, "/keys") && !strings.HasSuffix(failure.Path, "/{id}/keys"):
		// The temporary key was rejected, and another could not be made.
		diagnostic := temporaryKeyDiagnostic(err)
		if !source.created() {
			return diagnostic
		}
		return diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+unused)
	case statusOf(err) == http.StatusNotFound && !source.created():
		return diag.NewAttributeErrorDiagnostic(downloadIDPath, "Download not found", notFoundDetail("download", err))
	case statusOf(err) == http.StatusNotFound:
		return diag.NewErrorDiagnostic("Cannot create the public download key", sentence(err.Error())+gone)
	}
	diagnostic := apiErrorDiagnostic("create the public download key", err)
	if !source.created() {
		return diagnostic
	}
	return diag.NewErrorDiagnostic(diagnostic.Summary(), diagnostic.Detail()+unused)
}

// performDiagnostic is the error where the content of a download could not be
// had.
func performDiagnostic(err error, source downloadSource) diag.Diagnostic {
	detail := sentence(err.Error()) + "\n\n" + nextStep(err, atContent)
	if source.created() {
		fate := "and may have been used. If not, it expires"
		var failure *privasfer.APIError
		if errors.As(err, &failure) && failure.NotProcessed {
			fate = "but not used. It expires"
		}
		detail += fmt.Sprintf("\n\nThe download was created %s within one minute.", fate)
	}
	return diag.NewErrorDiagnostic("Cannot perform the download", detail)
}
