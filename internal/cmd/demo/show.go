package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// expirySummary is what the provider calls a download that expired in use.
const expirySummary = "Download expired"

// diagnostic is an error or a warning of Terraform's.
type diagnostic struct {
	Severity, Summary, Detail string
}

// diagnosticsOf reads the output of a command that was given -json.
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

// showDownload prints what became of the download whose id was given away, use
// by use.
func (d *demo) showDownload(answers []answer) {
	d.print("\nThe download of invoice.pdf: ephemeral \"privasfer_download\", by its id\n")
	d.showCreations(simulator.FileInvoice)
	for i, answer := range usesOf(answers) {
		text := fmt.Sprintf("%d %s", answer.Status, http.StatusText(answer.Status))
		if answer.Status == http.StatusOK {
			text += fmt.Sprintf(", %d bytes, SHA-256 %.16s…", answer.Size, answer.SHA256)
		}
		d.print("  use %d      %s\n", i+1, text)
	}
	if d.options.Expire {
		d.showExpiry()
		return
	}
	d.print("  A download is for one use, within one minute; -expire shows the end of that minute.\n")
	d.showContent(answers)
}

// showContent prints what became of the download that the provider performed.
func (d *demo) showContent(answers []answer) {
	d.print("\nThe content of licence.txt: the same with perform = true\n")
	d.showCreations(simulator.FileLicence)
	for _, answer := range givenOf(answers) {
		d.print("  consumer   got %d bytes, SHA-256 %.16s…\n", answer.Size, answer.SHA256)
	}
}

func (d *demo) showCreations(fileID string) {
	requests := d.simulator.Requests()
	d.print("  plan       downloads created: %d\n", creations(requests[:d.planned], fileID))
	d.print("  apply      downloads created: %d\n", creations(requests[d.planned:], fileID))
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
	d.print("The minute, here %s, begins with the download: whatever uses it has to begin by its end.\n", d.lifetime)
}

// wrap breaks a line at spaces, where it is longer than width.
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

// showRequests prints the simulator's log. A download's id is shortened as it
// would be in a good log: who has all of it has the file.
func (d *demo) showRequests() {
	d.print("\nWhat was called\n")
	for i, request := range d.simulator.Requests() {
		caller, path := "plan", request.Path
		if i >= d.planned {
			caller = "apply"
		}
		if id, ok := strings.CutPrefix(path, performPrefix); ok {
			path = fmt.Sprintf("%s%.8s…", performPrefix, id)
		}
		if !strings.HasPrefix(request.Header.Get("User-Agent"), "terraform-provider-privasfer/") {
			caller = "helper"
		}
		d.print("  %-10s %-4s %-50s %d\n", caller, request.Method, path, request.Status)
	}
}
