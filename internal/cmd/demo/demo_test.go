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
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// TestMain makes the tests' own program the helper that the demo runs.
func TestMain(m *testing.M) {
	if help, ok := helperOf(os.Args); ok {
		exitOn(help(os.Args[2:]))
		return
	}
	os.Exit(m.Run())
}

// run runs the demo with a folder for temporary files of its own, and checks
// that nothing is left in it. A run that hangs is ended.
func run(t *testing.T, ctx context.Context, out io.Writer, options Options) error {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("PLUGIN_UNIX_SOCKET_DIR", os.TempDir())     // the name of a socket may have 104 characters, and temp is long
	for _, variable := range []string{"TMPDIR", "TMP"} { // TMP is for Windows
		t.Setenv(variable, temp)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	err := Run(ctx, out, options)
	if ctx.Err() == context.DeadlineExceeded {
		t.Error("the demo did not end")
	}
	left, readErr := os.ReadDir(temp)
	if readErr != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, readErr)
	}
	return err
}

func wantLines(t *testing.T, output string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !strings.Contains(output, "\n"+line) {
			t.Errorf("no line %q", line)
		}
	}
	if t.Failed() {
		t.Log(output)
	}
}

func TestDemo(t *testing.T) {
	var out bytes.Buffer
	if err := run(t, t.Context(), &out, Options{}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	wantLines(t, out.String(),
		"  subject    Secure files\n",
		"  sender     Sender Name <sender@email.address>\n",
		"  received   2019-05-15 14:11:00\n",
		"  file       invoice.pdf  42.37 KB\n",
		"  file       licence.txt  77 B\n",
		"  plan       downloads created: 0\n",
		"  apply      downloads created: 1\n",
		"  use 1      200 OK, 43389 bytes, SHA-256 ",
		"  use 2      404 Not Found\n",
		"The content of licence.txt: the same with perform = true\n  plan       downloads created: 0\n  apply      downloads created: 1\n"+
			"  consumer   got 77 bytes, SHA-256 ",
		"  yes        plan created no download, apply created two\n",
		"  yes        the first use got invoice.pdf, byte for byte\n",
		"  yes        the consumer got licence.txt, byte for byte\n",
		"  yes        to Privasfer both downloads are used\n",
		"  yes        the state file (",
		"  yes        the plan file, unpacked, (",
		"  yes        all that Terraform printed (",
		"  apply      POST /api/downloads ",
		"  apply      GET  /download/",
		"  helper     GET  /download/",
	)
	// One screen.
	if lines := strings.Count(out.String(), "\n"); lines > 45 {
		t.Errorf("%d lines", lines)
	}
}

func TestDemoExpire(t *testing.T) {
	var out bytes.Buffer
	if err := run(t, t.Context(), &out, Options{Expire: true}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	wantLines(t, out.String(),
		"  apply      downloads created: 1\n",
		"  use 1      404 Not Found\n",
		"  | There are three ways out:\n",
		"  yes        plan created no download, apply created one\n",
		"  yes        to Privasfer the download is expired, not used\n",
		"  yes        Terraform reported the expiry once\n",
		"  yes        the state file (",
	)
	if !strings.Contains(out.String(), ": Download expired\n") || strings.Contains(out.String(), "  use 2") ||
		strings.Contains(out.String(), "perform = true") {
		t.Errorf("not the expiry of one use:\n%s", &out)
	}
}

func TestDemoNoticesWhatIsWrong(t *testing.T) {
	byProvider := func(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "terraform-provider-privasfer/") }
	byHelper := func(r *http.Request) bool { return !byProvider(r) }
	for name, test := range map[string]struct {
		caller func(*http.Request) bool
		claims []string
	}{
		// The fault used nothing up.
		"the helper":   {byHelper, []string{"the first use was answered, the second refused", "the first use got invoice.pdf", "to Privasfer both downloads are used"}},
		"the provider": {byProvider, []string{"the consumer got licence.txt, byte for byte", "to Privasfer both downloads are used"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t, t.Context(), &out, Options{started: func(s *simulator.Server, _ *http.Server) {
				s.Inject("GET "+performPrefix, -1, simulator.When(test.caller, simulator.Status(http.StatusOK, nil, "not the file")))
			}})
			for _, claim := range test.claims {
				if err == nil || !strings.Contains(err.Error(), "not so that "+claim) {
					t.Errorf("%q goes unnoticed when it is false: %v", claim, err)
				}
			}
		})
	}
}

// A content is found however it was written down.
func TestSecretsOf(t *testing.T) {
	content := fileNamed("licence.txt").Content
	quoted, err := json.Marshal(string(content))
	if err != nil {
		t.Fatal(err)
	}
	for name, written := range map[string][]byte{
		"as it is": content,
		"JSON":     quoted,
		"base64":   []byte(base64.StdEncoding.EncodeToString(content)),
	} {
		if !leaks(append([]byte("before "), written...), secretsOf(content)) {
			t.Errorf("%s: not found", name)
		}
	}
	if leaks([]byte("something else"), secretsOf(content)) {
		t.Error("found where it is not")
	}
}

// No error of the helper's repeats the content: it would be in Terraform's output.
func TestReceiveRefuses(t *testing.T) {
	t.Setenv("CONTENT", "no base64")
	if err := receive([]string{"licence.txt"}); err == nil || err.Error() != "CONTENT is not base64" {
		t.Errorf("got %v", err)
	}
	if err := receive(nil); err == nil {
		t.Error("a name is missing, and it is no error")
	}
}

// The search for secrets finds them, and is not content with nothing to search.
func TestCheckSecrets(t *testing.T) {
	for content, want := range map[string]bool{
		"mail " + simulator.MailFull:            true,
		"mail " + simulator.MailFull + " token": false,
		"id, mail " + simulator.MailFull:        false,
		"":                                      false,
	} {
		d := &demo{out: io.Discard}
		d.checkSecrets("a file", []byte(content), []string{"id", "token"})
		if got := len(d.failed) == 0; got != want {
			t.Errorf("%q: clean is %t, want %t", content, got, want)
		}
	}
}

func TestDemoEndsWithoutItsSimulator(t *testing.T) {
	for _, request := range []string{"GET /api/inbox/", "POST /api/downloads", "GET " + performPrefix} {
		t.Run(request, func(t *testing.T) {
			err := run(t, t.Context(), io.Discard, Options{started: func(s *simulator.Server, server *http.Server) {
				s.Inject(request, 1, simulator.Before(func() { _ = server.Close() }))
			}})
			if err == nil || !strings.Contains(err.Error(), "ended with 1") {
				t.Errorf("got %v, want Terraform's error", err)
			}
		})
	}
}

// TestDemoServes runs a configuration as somebody would who was told how to.
func TestDemoServes(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(t, ctx, writer, Options{Serve: true})
		_ = writer.Close()
	}()

	workspace := terraform.Workspace{Dir: t.TempDir()}
	lines := bufio.NewScanner(reader)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "It answers until") {
		if variable, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			workspace.Env = append(workspace.Env, strings.ReplaceAll(variable, "'", ""))
		}
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	var err error
	if workspace.Program, err = terraform.Find(ctx, ""); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("terraform {\n  required_providers {\n    privasfer = {\n      source = %q\n    }\n  }\n}\n"+
		"data \"privasfer_file\" \"test\" {\n  id = %q\n}\n"+
		"ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [%q]\n  perform = true\n}\n"+
		"output \"name\" {\n  value = data.privasfer_file.test.full_filename\n}\n", terraform.Source, simulator.FileInvoice, simulator.FileInvoice)
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
	err := run(t, ctx, io.Discard, Options{Expire: true, started: func(s *simulator.Server, _ *http.Server) {
		s.Inject("POST /api/downloads", 1, simulator.Before(interrupt))
	}})
	if err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v, want an interruption", err)
	}
}
