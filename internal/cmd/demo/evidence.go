package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// The files that Terraform writes.
const (
	planFile  = "demo.tfplan"
	stateFile = "terraform.tfstate"
)

// performPrefix is the path below which the simulator performs downloads.
const performPrefix = "/download/"

// showEvidence checks and prints the claims.
func (d *demo) showEvidence(results []result) error {
	d.print("\nChecks (secrets: token, PIN, keys, content, id of the created download)\n")
	downloads := d.simulator.Downloads()
	if len(downloads) != 1 {
		return fmt.Errorf("%d downloads were created, not 1", len(downloads))
	}
	d.checkRequests()
	d.checkUses(results, downloads[0])
	d.checkKeys()

	state, err := os.ReadFile(filepath.Join(d.workspace.Dir, stateFile))
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	plan, err := unzip(filepath.Join(d.workspace.Dir, planFile))
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	secrets := append(secretsOf(fileNamed("licence.txt").Content), d.token, d.pin, downloads[0].ID)
	for _, key := range d.simulator.TemporaryKeys() {
		secrets = append(secrets, key.Key)
	}
	for _, key := range d.simulator.DownloadKeys() {
		secrets = append(secrets, key.Key)
	}
	d.checkSecrets("the state file", state, secrets)
	d.checkSecrets("the unpacked plan file", plan, secrets)
	d.checkSecrets("the output of Terraform", []byte(d.printed.String()), secrets)
	return nil
}

// secretsOf returns texts that reveal content in any form: its long lines, and its
// base64.
func secretsOf(content []byte) []string {
	secrets := []string{base64.StdEncoding.EncodeToString(content)}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); len(line) > 20 {
			secrets = append(secrets, line)
		}
	}
	return secrets
}

func (d *demo) checkRequests() {
	requests := d.simulator.Requests()
	created := count(requests[:d.planned], http.MethodPost, "")
	d.check(created == 0, "plan created nothing, and apply created one download")
	d.check(len(d.simulator.Unexpected()) == 0, "the simulator received no unexpected request")
}

// count returns the number of requests with a method and a path, or with any path if
// that is "".
func count(requests []simulator.Request, method, path string) (found int) {
	for _, request := range requests {
		if request.Method == method && (path == "" || request.Path == path) {
			found++
		}
	}
	return found
}

// checkKeys checks that one temporary key served both downloads and is deleted.
func (d *demo) checkKeys() {
	keys := d.simulator.TemporaryKeys()
	d.check(len(keys) == 1 && keys[0].State == simulator.Deleted, "one temporary key served the whole run, and was deleted")
}

// checkUses compares what the helper saw with what the simulator did.
func (d *demo) checkUses(results []result, download simulator.DownloadRecord) {
	var seen, served []int
	for _, result := range usesOf(results) {
		seen = append(seen, result.Status)
	}
	for _, key := range d.simulator.DownloadKeys() {
		for _, request := range d.simulator.Requests() {
			if key.DownloadID == download.ID && request.Path == performPrefix+key.Key {
				served = append(served, request.Status)
			}
		}
	}
	if d.options.Expire {
		d.check(slices.Equal(served, []int{404}) && slices.Equal(seen, served), "the use was too late and was rejected")
		d.check(download.State == simulator.Expired, "the simulator recorded the download as expired")
		d.check(len(d.expiryDiagnostics()) == 1, "Terraform reported the expiry once")
		return
	}
	invoice := resultOf(result{Status: http.StatusOK}, fileNamed("invoice.pdf").Content)
	licence := resultOf(result{Given: "licence.txt"}, fileNamed("licence.txt").Content)
	d.check(slices.Equal(givenOf(results), []result{licence}), "the consumer got licence.txt, byte for byte")
	d.check(slices.Index(usesOf(results), invoice) == 0, "the first use got invoice.pdf, byte for byte")
	d.check(slices.Equal(served, []int{200, 404}) && slices.Equal(seen, served), "the second use was rejected")
	d.check(download.State == simulator.Performed, "the simulator recorded the download as used")
}

// usesOf returns the results of uses of a download.
func usesOf(results []result) []result {
	return slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.Given != "" })
}

// givenOf returns the results for content that the helper received.
func givenOf(results []result) []result {
	return slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.Given == "" })
}

// fileNamed returns a file of the simulator.
func fileNamed(name string) (found simulator.File) {
	for _, file := range simulator.DefaultData().Files {
		if file.FullFilename == name {
			return file
		}
	}
	return found
}

// checkSecrets checks that content contains no secret. It must contain the id of the
// user's own file, or else the search would prove nothing.
func (d *demo) checkSecrets(name string, content []byte, secrets []string) {
	if !bytes.Contains(content, []byte(simulator.FileInvoice)) {
		d.check(false, name+" can be searched")
		return
	}
	d.check(!leaks(content, secrets), fmt.Sprintf("%s (%d bytes) contains no secret", name, len(content)))
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

// check prints whether a claim is true, and records a false one.
func (d *demo) check(ok bool, claim string) {
	if ok {
		d.print("  yes        %s\n", claim)
		return
	}
	d.print("  NO         %s\n", claim)
	d.failed = append(d.failed, "not true: "+claim)
}
