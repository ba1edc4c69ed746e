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
	"strings"
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

// answer is what the helper saw of one use of a download, or of a content that
// it was given: Terraform hides the output of a provisioner that was given an
// ephemeral value.
type answer struct {
	Given  string // the name of a file whose content it was given
	Status int    // of a use
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
	return addToReport(answerOf(answer{Given: args[0]}, content))
}

// answerOf completes an answer by its content.
func answerOf(got answer, content []byte) answer {
	sum := sha256.Sum256(content)
	got.Size, got.SHA256 = len(content), hex.EncodeToString(sum[:])
	return got
}

func addToReport(got answer) error {
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
	request, err := http.NewRequest(http.MethodGet, address, nil) //nolint:noctx // Terraform ends this process when it is interrupted
	if err != nil {
		return answer{}, errors.New("the download's URL is not one")
	}
	request.Header.Set("Accept", "application/json, */*;q=0.8") // or an error is a web page
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return answer{}, withURL.Err
	}
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answerOf(answer{Status: response.StatusCode}, body), err
}

// readReport returns the answers, those to the uses in their order.
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
