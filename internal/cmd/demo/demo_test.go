package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestMain makes the tests' own program the helper that the demo runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == fetchCommand {
		exitOn(fetch(os.Args[2:]))
		return
	}
	os.Exit(m.Run())
}

// run runs the demo with a folder for temporary files of its own, and checks
// that nothing is left in it. A run that hangs is ended.
func run(t *testing.T, ctx context.Context, out io.Writer, options Options) error {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
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
		"  yes        to Privasfer the download is used\n",
		"  yes        the state file (",
		"  yes        the plan file, unpacked, (",
		"  yes        all that Terraform printed (",
		"  apply      POST /api/downloads ",
	)
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
		"  yes        to Privasfer the download is expired, not used\n",
		"  yes        Terraform reported the expiry once\n",
		"  yes        the state file (",
	)
	if !strings.Contains(out.String(), ": Download expired\n") || strings.Contains(out.String(), "  use 2") {
		t.Errorf("not the expiry of one use:\n%s", &out)
	}
}

func TestDemoNoticesWhatIsWrong(t *testing.T) {
	var out bytes.Buffer
	err := run(t, t.Context(), &out, Options{started: func(s *simulator.Server, _ *http.Server) {
		s.Inject("GET "+performPrefix, 1, simulator.Status(http.StatusOK, nil, "not the invoice"))
	}})
	// The fault used nothing up, so the second use gets the file.
	for _, claim := range []string{"the first use was answered, the second refused", "the first use got invoice.pdf"} {
		if err == nil || !strings.Contains(err.Error(), "not so that "+claim) {
			t.Errorf("%q goes unnoticed when it is false: %v", claim, err)
		}
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

func TestDemoInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	err := run(t, ctx, io.Discard, Options{Expire: true, started: func(s *simulator.Server, _ *http.Server) {
		s.Inject("POST /api/downloads", 1, simulator.Before(interrupt))
	}})
	if err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v, want an interruption", err)
	}
}
