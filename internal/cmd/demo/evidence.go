package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// The files that Terraform keeps.
const (
	planFile  = "demo.tfplan"
	stateFile = "terraform.tfstate"
)

// performPrefix is where the simulator lets a download be used.
const performPrefix = "/download/"

// showEvidence checks what must be so, and prints it.
func (d *demo) showEvidence(answers []answer) error {
	d.print("\nThe evidence\n")
	downloads := d.simulator.Downloads()
	if len(downloads) != 1 {
		return fmt.Errorf("%d downloads were created, not one", len(downloads))
	}
	d.checkRequests()
	d.checkUses(answers, downloads[0])

	state, err := os.ReadFile(filepath.Join(d.workspace.Dir, stateFile))
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	plan, err := unzip(filepath.Join(d.workspace.Dir, planFile))
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	secrets := []string{downloads[0].ID, d.token}
	d.checkSecrets("the state file", state, secrets)
	d.checkSecrets("the plan file, unpacked,", plan, secrets)
	d.checkSecrets("all that Terraform printed", []byte(d.printed.String()), secrets)
	return nil
}

func (d *demo) checkRequests() {
	requests := d.simulator.Requests()
	d.check(creations(requests[:d.planned]) == 0 && creations(requests) == 1, "plan created no download, apply created one")
	d.check(len(d.simulator.Unexpected()) == 0, "nothing was asked that Privasfer does not offer")
}

// creations counts the requests that create a download.
func creations(requests []simulator.Request) (count int) {
	for _, request := range requests {
		if request.Method == http.MethodPost && request.Path == "/api/downloads" {
			count++
		}
	}
	return count
}

// checkUses compares what the helper saw with what the simulator did.
func (d *demo) checkUses(answers []answer, download simulator.DownloadRecord) {
	var seen, answered []int
	for _, answer := range answers {
		seen = append(seen, answer.Status)
	}
	for _, request := range d.simulator.Requests() {
		if strings.HasPrefix(request.Path, performPrefix) {
			answered = append(answered, request.Status)
		}
	}
	if d.options.Expire {
		d.check(slices.Equal(answered, []int{404}) && slices.Equal(seen, answered), "the use came too late and was refused")
		d.check(download.State == simulator.Expired, "to Privasfer the download is expired, not used")
		d.check(len(d.expiryDiagnostics()) == 1, "Terraform reported the expiry once")
		return
	}
	d.check(slices.Equal(answered, []int{200, 404}) && slices.Equal(seen, answered), "the first use was answered, the second refused")
	d.check(len(answers) > 0 && answers[0] == invoice(), "the first use got invoice.pdf, byte for byte")
	d.check(download.State == simulator.Performed, "to Privasfer the download is used")
}

// invoice is the answer that the first use must get.
func invoice() answer {
	for _, file := range simulator.DefaultData().Files {
		if file.ID == simulator.FileInvoice {
			sum := sha256.Sum256(file.Content)
			return answer{Status: http.StatusOK, Size: len(file.Content), SHA256: hex.EncodeToString(sum[:])}
		}
	}
	return answer{}
}

// checkSecrets searches content for what must not be in it, and for the mail's
// id, which must be: else the search would prove nothing.
func (d *demo) checkSecrets(name string, content []byte, secrets []string) {
	if !bytes.Contains(content, []byte(simulator.MailFull)) {
		d.check(false, name+" can be searched")
		return
	}
	d.check(!leaks(content, secrets), fmt.Sprintf("%s (%d bytes) has neither the download's id nor the token", name, len(content)))
}

func leaks(content []byte, secrets []string) bool {
	return slices.ContainsFunc(secrets, func(secret string) bool { return bytes.Contains(content, []byte(secret)) })
}

// unzip returns the content of all files in an archive, one after another.
func unzip(path string) ([]byte, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }()
	var content bytes.Buffer
	for _, entry := range archive.File {
		reader, err := entry.Open()
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(&content, reader)
		_ = reader.Close()
		if err != nil {
			return nil, err
		}
	}
	return content.Bytes(), nil
}

// check prints a claim as true or false, and remembers a false one.
func (d *demo) check(ok bool, claim string) {
	if ok {
		d.print("  yes        %s\n", claim)
		return
	}
	d.print("  NO         %s\n", claim)
	d.failed = append(d.failed, "it is not so that "+claim)
}
