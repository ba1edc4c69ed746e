package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// fetchCommand makes this program the helper that examples/demo runs.
const fetchCommand = "fetch"

// answer is what the helper saw of one use of the download: Terraform hides
// the output of a provisioner that was given an ephemeral value.
type answer struct {
	Status int
	Size   int
	SHA256 string
}

// fetch uses a download once and adds the answer to the report. A refusal is
// an answer too: whether it is the right one, the demo decides. No error shows
// the download's id, so that none can bring it into Terraform's output.
func fetch(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: %s URL", fetchCommand)
	}
	if delay := os.Getenv("DELAY"); delay != "" {
		parsed, err := time.ParseDuration(delay)
		if err != nil {
			return fmt.Errorf("reading DELAY: %w", err)
		}
		time.Sleep(parsed)
	}
	got, err := get(strings.ReplaceAll(args[0], "{id}", url.PathEscape(os.Getenv("DOWNLOAD_ID"))))
	if err != nil {
		return fmt.Errorf("fetching the download: %w", err)
	}
	line, err := json.Marshal(got)
	if err != nil {
		return err
	}
	report, err := os.OpenFile(os.Getenv("REPORT"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the report: %w", err)
	}
	_, err = report.Write(append(line, '\n'))
	return errors.Join(err, report.Close())
}

func get(address string) (answer, error) {
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Get(address) //nolint:noctx // Terraform ends this process when it is interrupted
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return answer{}, withURL.Err
	}
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	sum := sha256.Sum256(body)
	return answer{Status: response.StatusCode, Size: len(body), SHA256: hex.EncodeToString(sum[:])}, err
}

// readReport returns the answers in the order of the uses.
func readReport(path string) ([]answer, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var answers []answer
	for decoder := json.NewDecoder(file); ; {
		var next answer
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			return answers, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the helper's report: %w", err)
		}
		answers = append(answers, next)
	}
}
