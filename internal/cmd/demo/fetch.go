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

// fetchCommand makes this program the helper that examples/demo runs.
const fetchCommand = "fetch"

// receiveCommand makes it the one that is given a content.
const receiveCommand = "receive"

// helperOf returns the helper that a command line asks for, if it does.
func helperOf(args []string) (help func(args []string) error, ok bool) {
	if len(args) < 2 {
		return nil, false
	}
	help, ok = map[string]func([]string) error{fetchCommand: fetch, receiveCommand: receive}[args[1]]
	return help, ok
}

// result is what the helper saw of one use of a download, or of a content that
// it was given: Terraform hides the output of a provisioner that was given an
// ephemeral value.
type result struct {
	Given  string // the name of a file whose content it was given
	Status int    // of a use
	Size   int
	SHA256 string
}

// fetch uses a download once and adds the result to the report. An error response
// is a result too: whether it is the right one, the demo decides. No error shows
// the download's URL, so that none can bring it into Terraform's output.
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

// receive adds the content that it was given to the report.
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

// resultOf completes a result by its content.
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
	// Asked for anything at all, a Laravel application would lead to a web page.
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

// readReport returns the results, those of the uses in their order.
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
