package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// fetchCommand is the command of the helper that uses a download, for examples/demo.
const fetchCommand = "fetch"

// receiveCommand is the command of the helper that receives content.
const receiveCommand = "receive"

// helperOf returns the helper that a command line names, if any.
func helperOf(args []string) (help func(args []string) error, ok bool) {
	if len(args) < 2 {
		return nil, false
	}
	help, ok = map[string]func([]string) error{fetchCommand: fetch, receiveCommand: receive}[args[1]]
	return help, ok
}

// result is what the helper saw of a use of a download, or of content that it received.
// It is reported in a file, because Terraform hides the output of a provisioner with an
// ephemeral value.
type result struct {
	Given  string // name of the file whose content it received
	Status int    // HTTP status of a use
	Size   int
	SHA256 string
}

// fetch uses a download once and adds the result to the report. An error response is a
// result too, which the demo checks. No error shows the download's URL, because it would
// be in Terraform's output.
func fetch(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: %s NUMBER", fetchCommand)
	}
	if delay := os.Getenv("DELAY"); delay != "" {
		parsed, err := time.ParseDuration(delay)
		if err != nil {
			return fmt.Errorf("reading DELAY: %w", err)
		}
		time.Sleep(parsed)
	}
	got, err := get(os.Getenv("DOWNLOAD_URL"))
	if err != nil {
		return fmt.Errorf("fetching the download: %w", err)
	}
	return addToReport(got)
}

// receive adds the content that it received to the report.
func receive(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: %s NAME", receiveCommand)
	}
	content, err := base64.StdEncoding.DecodeString(os.Getenv("CONTENT"))
	if err != nil {
		return errors.New("CONTENT is not base64") // no more: it is secret
	}
	return addToReport(resultOf(result{Given: args[0]}, content))
}

// resultOf adds the size and checksum of content to a result.
func resultOf(got result, content []byte) result {
	sum := sha256.Sum256(content)
	got.Size, got.SHA256 = len(content), hex.EncodeToString(sum[:])
	return got
}

func addToReport(got result) error {
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

func get(address string) (result, error) {
	request, err := http.NewRequest(http.MethodGet, address, nil) //nolint:noctx // Terraform ends this process when it is interrupted
	if err != nil {
		return result{}, errors.New("DOWNLOAD_URL is not a URL") // no more: it is secret
	}
	// With */* alone, a Laravel application would redirect to a web page.
	request.Header.Set("Accept", "application/json, */*;q=0.8")
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return result{}, withURL.Err
	}
	if err != nil {
		return result{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return resultOf(result{Status: response.StatusCode}, body), err
}

// readReport returns the results in the order of the report.
func readReport(path string) ([]result, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var results []result
	for decoder := json.NewDecoder(file); ; {
		var next result
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			return results, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the helper's report: %w", err)
		}
		results = append(results, next)
	}
}
