package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// TestMain makes the test binary the helper that the demo runs.
func TestMain(m *testing.M) {
	if help, ok := helperOf(os.Args); ok {
		exitOn(help(os.Args[2:]))
		return
	}
	os.Exit(m.Run())
}

// run runs the demo with its own directory for temporary files, and checks that nothing is
// left in it. It ends a demo that hangs.
func run(t *testing.T, ctx context.Context, out io.Writer, chosen options) error {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("PLUGIN_UNIX_SOCKET_DIR", os.TempDir())     // a socket's name is limited to 104 characters, and temp is long
	for _, variable := range []string{"TMPDIR", "TMP"} { // TMP is for Windows
		t.Setenv(variable, temp)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	err := show(ctx, out, chosen)
	if ctx.Err() == context.DeadlineExceeded {
		t.Error("the demo did not end")
	}
	left, readErr := os.ReadDir(temp)
	if readErr != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, readErr)
	}
	return err
}

func TestDemo(t *testing.T) {
	for name, test := range map[string]struct {
		options    options
		want, lack string // starts of lines, without the indentation; a text that is absent
	}{
		"used": {options{}, `subject    Secure files
			sender     Sender Name <sender@email.address>
			file       licence.txt  77 B
			consumer   got 77 bytes, SHA-256
			plan       downloads created: 0
			apply      downloads created: 1, with a key for its URL
			use 1      200 OK, 43389 bytes, SHA-256
			use 2      404 Not Found
			yes        plan created nothing, and apply created one download
			yes        the consumer got licence.txt, byte for byte
			yes        the first use got invoice.pdf, byte for byte
			yes        the second use was rejected
			yes        one temporary key served the whole run, and was deleted
			yes        the state file (
			yes        the unpacked plan file (
			yes        the output of Terraform (
			apply      POST   /api/downloads
			apply      DELETE /api/keys/
			helper     GET    /download/`, "Download expired"},
		"expired": {options{Expire: true}, `apply      downloads created: 1, with a key for its URL
			use 1      404 Not Found
			| You can:
			yes        plan created nothing, and apply created one download
			yes        the simulator recorded the download as expired
			yes        Terraform reported the expiry once
			yes        the state file (`, "use 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(t, t.Context(), &out, test.options); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			for line := range strings.Lines(test.want) {
				if !strings.Contains(out.String(), "\n  "+strings.TrimSpace(line)) {
					t.Errorf("no line %q", line)
				}
			}
			if strings.Contains(out.String(), test.lack) || name == "used" && strings.Count(out.String(), "\n") > 45 { // one screen
				t.Errorf("it is too long, or has %q", test.lack)
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

func TestDemoNoticesWhatIsWrong(t *testing.T) {
	byProvider := func(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "terraform-provider-privasfer/") }
	byHelper := func(r *http.Request) bool { return !byProvider(r) }
	for name, test := range map[string]struct {
		caller func(*http.Request) bool
		claims []string
	}{
		// The fault does not use up the download.
		"the helper":   {byHelper, []string{"the second use was rejected", "the first use got invoice.pdf", "the simulator recorded the download as used"}},
		"the provider": {byProvider, []string{"the consumer got licence.txt, byte for byte"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t, t.Context(), &out, options{started: func(s *simulator.Server, _ *http.Server) {
				s.Inject("GET "+performPrefix, -1, simulator.When(test.caller, simulator.Status(http.StatusOK, nil, "not the file")))
			}})
			for _, claim := range test.claims {
				if err == nil || !strings.Contains(err.Error(), "not true: "+claim) {
					t.Errorf("%q goes unnoticed when it is false: %v", claim, err)
				}
			}
		})
	}
}

// The search finds a secret in each form of the content, and fails if there is nothing
// to search.
func TestCheckSecrets(t *testing.T) {
	content := fileNamed("licence.txt").Content
	quoted, err := json.Marshal(string(content))
	if err != nil {
		t.Fatal(err)
	}
	const clean = "file " + simulator.FileInvoice
	for searched, want := range map[string]bool{
		clean: true, "": false, clean + " token": false,
		clean + string(content): false, clean + string(quoted): false, clean + base64.StdEncoding.EncodeToString(content): false,
	} {
		d := &demo{out: io.Discard}
		d.checkSecrets("a file", []byte(searched), append(secretsOf(content), "token"))
		if got := len(d.failed) == 0; got != want {
			t.Errorf("%q: clean is %t, want %t", searched, got, want)
		}
	}
}

// No error of the helper contains the content, because it would be in Terraform's
// output.
func TestReceiveRejects(t *testing.T) {
	t.Setenv("CONTENT", "no base64")
	if err := receive([]string{"licence.txt"}); err == nil || err.Error() != "CONTENT is not base64" {
		t.Errorf("got %v", err)
	}
	if err := receive(nil); err == nil {
		t.Error("a name is missing, and it is no error")
	}
}

func TestDemoEndsWithoutItsSimulator(t *testing.T) {
	for _, request := range []string{"GET /api/inbox/", "POST /api/downloads", "GET " + performPrefix} {
		t.Run(request, func(t *testing.T) {
			err := run(t, t.Context(), io.Discard, options{started: func(s *simulator.Server, server *http.Server) {
				s.Inject(request, 1, simulator.Before(func() { _ = server.Close() }))
			}})
			if err == nil || !strings.Contains(err.Error(), "ended with 1") {
				t.Errorf("got %v, want Terraform's error", err)
			}
		})
	}
}

// TestDemoServes runs a configuration with the printed settings.
func TestDemoServes(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(t, ctx, writer, options{Serve: true})
		_ = writer.Close()
	}()

	workspace := terraform.Workspace{Dir: t.TempDir()}
	lines := bufio.NewScanner(reader)
	setting := regexp.MustCompile(`^(?:export |\$env:)(\w+) ?= ?'(.*)'$`)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Press Ctrl-C") {
		if found := setting.FindStringSubmatch(lines.Text()); found != nil {
			workspace.Env = append(workspace.Env, found[1]+"="+found[2])
		}
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	var err error
	if workspace.Program, err = terraform.Find(ctx, ""); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
		terraform {
			required_providers {
				privasfer = { source = %q }
			}
		}
		data "privasfer_file" "test" {
			id = %q
		}
		ephemeral "privasfer_download" "test" {
			file_ids = [%q]
			perform  = true
		}
		output "name" {
			value = data.privasfer_file.test.full_filename
		}`, terraform.Source, simulator.FileInvoice, simulator.FileInvoice)
	if err := os.WriteFile(filepath.Join(workspace.Dir, "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := workspace.Run(ctx, "apply", "-auto-approve", "-no-color")
	if err != nil || result.ExitCode != 0 || !strings.Contains(result.Output, `name = "invoice.pdf"`) {
		t.Errorf("%v, %s", err, result.Output)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDemoInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("os.Process.Signal knows no interrupt on Windows")
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	err := run(t, ctx, io.Discard, options{Expire: true, started: func(s *simulator.Server, _ *http.Server) {
		s.Inject("POST /api/downloads", 1, simulator.Before(interrupt))
	}})
	if err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v, want an interruption", err)
	}
}
