package provider

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// binary builds the released program once, for what only a process of its own
// can show: its logs, and its environment.
var binary = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(sharedDir, "provider")
	return dir, terraform.BuildProvider(context.Background(), dir, ".")
})

// newBinaryWorkspace is a workspace that runs the released program. Whatever
// the run leaves in the folder for temporary files is in the workspace too.
func newBinaryWorkspace(t *testing.T, config string, env ...string) *workspace {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	built, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// A folder of its own, since the workspace writes a file beside the program.
	own := t.TempDir()
	programs, err := os.ReadDir(built)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range programs {
		if err := os.Link(filepath.Join(built, entry.Name()), filepath.Join(own, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	w := &workspace{t: t, Workspace: terraform.Workspace{Program: path, Dir: t.TempDir(), Env: env}}
	w.write(config)
	if err := w.UseProvider(own); err != nil {
		t.Fatal(err)
	}
	temporary := filepath.Join(w.Dir, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	w.Env = append(w.Env, "TMPDIR="+temporary, "TMP="+temporary, "TEMP="+temporary, "PLUGIN_UNIX_SOCKET_DIR="+sharedDir)
	return w
}

// traced makes a run log everything that can be logged, and returns the file.
func (w *workspace) traced() string {
	file := filepath.Join(w.Dir, "trace.log")
	w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_CORE=TRACE", "TF_LOG_PROVIDER=TRACE", "TF_LOG_PROVIDER_PRIVASFER=TRACE",
		"TF_LOG_SDK=TRACE", "TF_LOG_SDK_FRAMEWORK=TRACE", "TF_LOG_SDK_PROTO=TRACE", "TF_LOG_PATH="+file)
	return file
}

// checkLeftovers searches the output and every file of the workspace, archives
// unpacked, for secrets, as they are, in base64, and an id without its dashes. The configuration is what the user wrote and no exception either.
func (w *workspace) checkLeftovers(output string, secrets ...string) {
	w.t.Helper()
	searched := map[string][]byte{"the output": []byte(output)}
	err := filepath.WalkDir(w.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		searched[filepath.ToSlash(strings.TrimPrefix(path, w.Dir))] = content
		if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
			for name, content := range unzip(w.t, path) {
				searched[path+" "+name] = content
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, place := range []string{"/trace.log", "/main.tf"} {
		if len(searched[place]) == 0 {
			w.t.Errorf("there is no %s to search", place)
		}
	}
	for place, content := range searched {
		for _, secret := range secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), strings.ReplaceAll(secret, "-", "")} {
				if at := bytes.Index(content, []byte(form)); at >= 0 {
					around := content[max(0, at-200):min(len(content), at+200)]
					w.t.Errorf("%s holds %q:\n%s", place, form, around)
				}
			}
		}
	}
}

// loggedRequests returns what the provider's log tells of each attempt of a
// request: "GET /path 200, attempt 1, request id". A field that is not there is
// "-".
func loggedRequests(t *testing.T, log string) []string {
	t.Helper()
	var requests []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, " [DEBUG] provider.terraform-provider-privasfer") || !strings.Contains(line, ": Privasfer API request: ") {
			continue
		}
		field := func(name string) string {
			if found := regexp.MustCompile(" " + name + `=(\S+)`).FindStringSubmatch(line); found != nil {
				return found[1]
			}
			return "-"
		}
		if _, err := strconv.ParseUint(field("duration_ms"), 10, 32); err != nil {
			t.Errorf("no duration in the line %s", line)
		}
		requests = append(requests, fmt.Sprintf("%s %s %s, attempt %s, %s", field("method"), field("path"), field("status"), field("attempt"), field("request_id")))
	}
	slices.Sort(requests)
	return requests
}

// identified lets the simulator answer as it does, with a request id.
func identified(w http.ResponseWriter, r *http.Request, next http.Handler) {
	w.Header().Set("X-Request-Id", "request-4711")
	next.ServeHTTP(w, r)
}

// TestAccSecrets runs the released program through plan and apply with every
// log at its fullest, and finds neither the token nor a download's id in
// anything that is left: the ids were only where the configuration put them, in
// the environment of a provisioner, and Terraform does not log that.
func TestAccSecrets(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		provider string
		env      []string
	}{
		"token from the environment": {env: []string{envToken + "=" + testToken}},
		"token from an ephemeral variable": {
			provider: "variable \"token\" {\n  type = string\n  ephemeral = true\n}\nprovider \"privasfer\" {\n  token = var.token\n}\n",
			env:      []string{"TF_VAR_token=" + testToken},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("", -1, identified)
			got := filepath.Join(t.TempDir(), "got")
			w := newBinaryWorkspace(t, test.provider+fmt.Sprintf(`
				data "privasfer_inbox_mail" "test" {
					id            = %q
					include_files = true
				}
				ephemeral "privasfer_download" "test" {
					file_ids = [%q]
				}
				resource "terraform_data" "consumer" {
					input = data.privasfer_inbox_mail.test.subject
					%s
				}`, simulator.MailFull, simulator.FileInvoice,
				helper(0, "ephemeral.privasfer_download.test.id", api.downloadURL(), got)),
				append(test.env, envBaseURL+"="+api.URL)...)
			log := w.traced()
			output := w.run(0, "plan", "-out", "plan")
			output += w.run(0, "apply", "plan")
			output += w.run(0, "show", "-json", "plan") + w.run(0, "show", "-json")

			if used := readFile(t, got); !strings.HasPrefix(used, "200 OK\n") {
				t.Errorf("the provisioner got %q", used[:min(len(used), 40)])
			}
			secrets := []string{testToken}
			for _, download := range api.Downloads() {
				secrets = append(secrets, download.ID)
			}
			if len(secrets) != 3 {
				t.Fatalf("got %d downloads, want 2: one at plan, one at apply", len(secrets)-1)
			}
			w.checkLeftovers(output, secrets...)

			// What was searched is a log, and of the provider's too.
			content := readFile(t, log)
			want := []string{
				"GET " + reader.path + " 200, attempt 1, request-4711",
				"POST " + creator.path + " 201, attempt 1, request-4711",
				"POST " + creator.path + " 201, attempt 1, request-4711",
			}
			if got := loggedRequests(t, content); !slices.Equal(got, want) {
				t.Errorf("the log tells of\n%q, want\n%q", got, want)
			}
			for _, line := range []string{
				`(?m)\[TRACE\] provider\.terraform-provider-privasfer.* tf_rpc=OpenEphemeralResource`,
				`(?m)\[TRACE\] .*provisioner "local-exec"`,
			} {
				if !regexp.MustCompile(line).MatchString(content) {
					t.Errorf("the log has no line like %s", line)
				}
			}
			if query := regexp.MustCompile(`(?m)^.*provider\.terraform-provider-privasfer.*include=.*$`).FindString(content); query != "" {
				t.Errorf("the provider logs the query:\n%s", query)
			}
		})
	}
}

// TestAccSecrets_failing does the same for runs that fail, on a server that
// repeats the token, or whose answer holds an id and cannot be used.
func TestAccSecrets_failing(t *testing.T) {
	t.Parallel()
	const id = "d0d0d0d0-5ec2-4e7d-8a11-0123456789ab"
	tests := map[string]struct {
		answer            simulator.Fault
		status, requestID string
		reads, creates    int
	}{
		"server error": {answer: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			simulator.Status(500, jsonHeader("X-Request-Id", "request-4711", "Set-Cookie", "session="+marker),
				fmt.Sprintf(`{"message":"Saw %s.","exception":%q,"trace":[%q]}`, r.Header.Get("Authorization"), marker, id))(w, r, next)
		}, status: "500", requestID: "request-4711", reads: 2, creates: 1},
		"unusable": {answer: simulator.Status(200, jsonHeader("X-Request-Id", "request-4711"),
			`{"data":{"id":"`+id+`","subject":["`+marker+`"],"files":"`+marker+`"}}`), status: "200", requestID: "request-4711", reads: 1, creates: 1},
		"redirect": {answer: simulator.Status(302, http.Header{"X-Request-Id": {"request-4711"},
			"Location": {"https://elsewhere.example/" + marker + "/" + id}}, ""), status: "302", requestID: "request-4711", reads: 1, creates: 1},
		"no answer": {answer: simulator.Reset(), status: "0", requestID: "-", reads: 2, creates: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("", -1, test.answer)
			w := newBinaryWorkspace(t, "provider \"privasfer\" {\n  max_retries = 1\n}\n"+reader.block+creator.block,
				envToken+"="+testToken, envBaseURL+"="+api.URL)
			log := w.traced()
			output := w.run(1, "plan", "-out", "plan")
			w.checkLeftovers(output, testToken, id, marker)

			var want []string
			for caller, attempts := range map[caller]int{reader: test.reads, creator: test.creates} {
				for number := range attempts {
					want = append(want, fmt.Sprintf("%s %s %s, attempt %d, %s", caller.method, caller.path, test.status, number+1, test.requestID))
				}
				if got := api.Count(caller.method, ""); got != attempts {
					t.Errorf("got %d requests %s, want %d", got, caller.method, attempts)
				}
			}
			slices.Sort(want)
			if got := loggedRequests(t, readFile(t, log)); !slices.Equal(got, want) {
				t.Errorf("the log tells of\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestAccSecrets_unsolicited: a server that sends more than it announces has
// net/http log the rest, by a logger of its own.
func TestAccSecrets_unsolicited(t *testing.T) {
	t.Parallel()
	const rest = "REST-OF-A-MAIL"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				body := `{"data":{"id":"m"}}`
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				time.Sleep(100 * time.Millisecond) // until the connection is idle
				_, _ = fmt.Fprint(conn, rest)
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	w := newBinaryWorkspace(t, fmt.Sprintf(`
		provider "privasfer" {
			base_url = "http://%s/api"
		}
		ephemeral "privasfer_inbox_mail" "test" {
			id = "m"
		}
		resource "terraform_data" "slow" {
			%s
		}`, listener.Addr(), helper(time.Second, "ephemeral.privasfer_inbox_mail.test.subject", "", "")), envToken+"="+testToken)
	log := w.traced()
	output := w.run(0, "plan")
	output += w.run(0, "apply", "-auto-approve")
	w.checkLeftovers(output, testToken, rest)
	if !strings.Contains(readFile(t, log), "Privasfer API request") {
		t.Error("the log has no requests")
	}
}

// TestAccSecrets_tokenAsID: whoever takes the token for an id is told of it without
// it.
func TestAccSecrets_tokenAsID(t *testing.T) {
	t.Parallel()
	for name, block := range map[string]string{
		"lookup":           "data \"privasfer_file\" \"test\" {\n  id = var.id\n}\n",
		"ephemeral lookup": "ephemeral \"privasfer_inbox_mail\" \"test\" {\n  id = var.id\n}\n",
		"download":         "ephemeral \"privasfer_download\" \"test\" {\n  file_ids = [var.id]\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// By a variable, since Terraform shows the line that errs.
			config := newAPI(t, simulator.Options{}).providerBlock() + fmt.Sprintf("variable \"id\" {\n  default = %q\n}\n", testToken) + block
			output := newWorkspace(t, config).run(1, "plan")
			checkOutput(t, output, "***")
			if strings.Contains(output, testToken) {
				t.Errorf("the output has the token:\n%s", output)
			}
		})
	}
}
