package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// expirySummary is the summary of the provider's diagnostic for a download that expired
// in use.
const expirySummary = "Download expired"

// diagnostic is an error or a warning of Terraform.
type diagnostic struct {
	Severity, Summary, Detail string
}

// diagnosticsOf returns the diagnostics in the output of a command with -json.
func diagnosticsOf(output string) []diagnostic {
	var found []diagnostic
	for line := range strings.Lines(output) {
		var message struct{ Diagnostic diagnostic }
		if json.Unmarshal([]byte(line), &message) == nil && message.Diagnostic.Summary != "" {
			found = append(found, message.Diagnostic)
		}
	}
	return found
}

func (d *demo) expiryDiagnostics() []diagnostic {
	var found []diagnostic
	for _, reported := range d.diagnostics {
		if reported.Summary == expirySummary {
			found = append(found, reported)
		}
	}
	return found
}

// showReceived prints the results for the mail's file, which the provider downloaded.
func (d *demo) showReceived(results []result) {
	if d.options.Expire {
		return
	}
	d.print("\nThe mail's file: ephemeral \"privasfer_download\" with download_id and perform\n")
	for _, result := range givenOf(results) {
		d.print("  consumer   got %d bytes, SHA-256 %.16s…\n", result.Size, result.SHA256)
	}
}

// showOwn prints each use of the download that the provider created.
func (d *demo) showOwn(results []result) {
	requests := d.simulator.Requests()
	d.print("\nAn uploaded file: ephemeral \"privasfer_download\" with file_ids and create_key\n")
	d.print("  plan       downloads created: %d\n", count(requests[:d.planned], http.MethodPost, "/api/downloads"))
	d.print("  apply      downloads created: %d, with a key for its URL\n", count(requests[d.planned:], http.MethodPost, "/api/downloads"))
	for i, result := range usesOf(results) {
		text := fmt.Sprintf("%d %s", result.Status, http.StatusText(result.Status))
		if result.Status == http.StatusOK {
			text += fmt.Sprintf(", %d bytes, SHA-256 %.16s…", result.Size, result.SHA256)
		}
		d.print("  use %d      %s\n", i+1, text)
	}
	if d.options.Expire {
		d.showExpiry()
		return
	}
	d.print("  To see a download expire: go run ./internal/cmd/demo -expire\n")
}

func (d *demo) showExpiry() {
	d.print("\nThe use began after the download had expired. Terraform reports:\n")
	for _, reported := range d.expiryDiagnostics() {
		d.print("  | %s: %s\n  |\n", strings.ToUpper(reported.Severity[:1])+reported.Severity[1:], reported.Summary)
		for line := range strings.SplitSeq(reported.Detail, "\n") {
			for _, part := range wrap(line, 96) {
				d.print("%s\n", strings.TrimRight("  | "+part, " "))
			}
		}
	}
	d.print("The minute, here %s, starts when the download is created. A use must begin before it ends.\n", d.lifetime)
}

// wrap breaks a line at spaces if it is longer than width.
func wrap(line string, width int) []string {
	var lines []string
	for len(line) > width {
		at := strings.LastIndex(line[:width+1], " ")
		if at <= 0 {
			break
		}
		lines = append(lines, line[:at])
		line = line[at+1:]
	}
	return append(lines, line)
}

// showRequests prints the simulator's log. It shortens keys and ids, because a whole one
// would give access to the file.
func (d *demo) showRequests() {
	d.print("\nRequests\n")
	secret := regexp.MustCompile(`(/keys/|/downloads/|/download/)(.{8})[^/]*`)
	for i, request := range d.simulator.Requests() {
		caller := "plan"
		if i >= d.planned {
			caller = "apply"
		}
		if !strings.HasPrefix(request.Header.Get("User-Agent"), "terraform-provider-privasfer/") {
			caller = "helper"
		}
		d.print("  %-10s %-6s %-50s %d\n", caller, request.Method, secret.ReplaceAllString(request.Path, "$1$2…"), request.Status)
	}
}
