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
	if want := d.downloads(); len(downloads) != want {
		return fmt.Errorf("%d downloads were created, not %d", len(downloads), want)
	}
	d.checkRequests()
	d.checkUses(answers, downloads)

	state, err := os.ReadFile(filepath.Join(d.workspace.Dir, stateFile))
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	plan, err := unzip(filepath.Join(d.workspace.Dir, planFile))
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	secrets := append(secretsOf(fileNamed("licence.txt").Content), d.token)
	for _, download := range downloads {
		secrets = append(secrets, download.ID)
	}
	d.checkSecrets("the state file", state, secrets)
	d.checkSecrets("the plan file, unpacked,", plan, secrets)
	d.checkSecrets("all that Terraform printed", []byte(d.printed.String()), secrets)
	return nil
}

// downloads is how many are created: where one is to expire, only the one whose
// id is given away.
func (d *demo) downloads() int {
	if d.options.Expire {
		return 1
	}
	return 2
}

// secretsOf is what tells that a text is somewhere, however it is written down
// there: its long lines, and its base64.
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
	created := map[int]string{1: "one", 2: "two"}[d.downloads()]
	d.check(creations(requests[:d.planned], "") == 0 && creations(requests, "") == d.downloads(),
		"plan created no download, apply created "+created)
	d.check(len(d.simulator.Unexpected()) == 0, "nothing was asked that Privasfer does not offer")
}

// creations counts the requests that create a download of a file, or of any if
// its id is "".
func creations(requests []simulator.Request, fileID string) (count int) {
	for _, request := range requests {
		if request.Method == http.MethodPost && request.Path == "/api/downloads" && bytes.Contains(request.Body, []byte(fileID)) {
			count++
		}
	}
	return count
}

// checkUses compares what the helper saw with what the simulator did.
func (d *demo) checkUses(answers []answer, downloads []simulator.DownloadRecord) {
	var seen, answered []int
	for _, answer := range usesOf(answers) {
		seen = append(seen, answer.Status)
	}
	for _, request := range d.simulator.Requests() {
		if request.Path == performPrefix+downloadOf(downloads, simulator.FileInvoice).ID {
			answered = append(answered, request.Status)
		}
	}
	if d.options.Expire {
		d.check(slices.Equal(answered, []int{404}) && slices.Equal(seen, answered), "the use came too late and was refused")
		d.check(downloads[0].State == simulator.Expired, "to Privasfer the download is expired, not used")
		d.check(len(d.expiryDiagnostics()) == 1, "Terraform reported the expiry once")
		return
	}
	d.check(slices.Equal(answered, []int{200, 404}) && slices.Equal(seen, answered), "the first use was answered, the second refused")
	invoice := answerOf(answer{Status: http.StatusOK}, fileNamed("invoice.pdf").Content)
	licence := answerOf(answer{Given: "licence.txt"}, fileNamed("licence.txt").Content)
	d.check(slices.Index(usesOf(answers), invoice) == 0, "the first use got invoice.pdf, byte for byte")
	d.check(slices.Equal(givenOf(answers), []answer{licence}), "the consumer got licence.txt, byte for byte")
	used := func(download simulator.DownloadRecord) bool { return download.State == simulator.Performed }
	d.check(used(downloads[0]) && used(downloads[1]), "to Privasfer both downloads are used")
}

// usesOf are the answers to uses of a download.
func usesOf(answers []answer) []answer {
	return slices.DeleteFunc(slices.Clone(answers), func(a answer) bool { return a.Given != "" })
}

// givenOf are the answers that tell of a content that was given.
func givenOf(answers []answer) []answer {
	return slices.DeleteFunc(slices.Clone(answers), func(a answer) bool { return a.Given == "" })
}

// downloadOf is the download of a file.
func downloadOf(downloads []simulator.DownloadRecord, fileID string) (found simulator.DownloadRecord) {
	for _, download := range downloads {
		if slices.Contains(download.FileIDs, fileID) {
			return download
		}
	}
	return found
}

// fileNamed is a file of the simulator's.
func fileNamed(name string) (found simulator.File) {
	for _, file := range simulator.DefaultData().Files {
		if file.FullFilename == name {
			return file
		}
	}
	return found
}

// checkSecrets searches content for what must not be in it, and for the mail's
// id, which must be: else the search would prove nothing.
func (d *demo) checkSecrets(name string, content []byte, secrets []string) {
	if !bytes.Contains(content, []byte(simulator.MailFull)) {
		d.check(false, name+" can be searched")
		return
	}
	d.check(!leaks(content, secrets), fmt.Sprintf("%s (%d bytes) has no id of a download, no content and no token", name, len(content)))
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
