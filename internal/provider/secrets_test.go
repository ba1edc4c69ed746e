package provider

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
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
)

// traced turns on all logs of a run, and returns the path of the log file.
func (w *workspace) traced() string {
	file := filepath.Join(w.Dir, "trace.log")
	w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_CORE=TRACE", "TF_LOG_PROVIDER=TRACE", "TF_LOG_PROVIDER_PRIVASFER=TRACE",
		"TF_LOG_SDK=TRACE", "TF_LOG_SDK_FRAMEWORK=TRACE", "TF_LOG_SDK_PROTO=TRACE", "TF_LOG_PATH="+file)
	return file
}

// checkLeftovers fails the test if the output or a file of the workspace contains a
// secret, as it is, in base64 or without dashes. It unpacks archives, and searches the
// configuration too.
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
	forms := slices.Clone(secrets)
	for _, secret := range secrets {
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(secret)), strings.ReplaceAll(secret, "-", ""))
	}
	checkSearched(w.t, searched, forms)
}

// checkSearched fails the test if a text contains a secret. Keys name the texts.
func checkSearched(t *testing.T, searched map[string][]byte, secrets []string) {
	t.Helper()
	for place, content := range searched {
		for _, secret := range secrets {
			if at := bytes.Index(content, []byte(secret)); at >= 0 {
				t.Errorf("%s holds %q:\n%s", place, secret, content[max(0, at-200):min(len(content), at+200)])
			}
		}
	}
}

// loggedRequests returns the attempts in the provider's log, sorted: "GET /path 200",
// with the number of the attempt from the second on, and the request id if any.
func loggedRequests(t *testing.T, log string) []string {
	t.Helper()
	var requests []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, " [DEBUG] provider.terraform-provider-privasfer") || !strings.Contains(line, ": Privasfer API request: ") {
			continue
		}
		fields := map[string]string{}
		for _, field := range regexp.MustCompile(` (\w+)=(\S+)`).FindAllStringSubmatch(line, -1) {
			fields[field[1]] = strings.Trim(field[2], `"`)
		}
		if _, err := strconv.ParseUint(fields["duration_ms"], 10, 32); err != nil {
			t.Errorf("no duration in the line %s", line)
		}
		request := fmt.Sprintf("%s %s %s", fields["method"], fields["path"], fields["status"])
		if attempt := fields["attempt"]; attempt != "1" {
			request += " attempt " + attempt
		}
		requests = append(requests, strings.TrimSpace(request+" "+fields["request_id"]))
	}
	slices.Sort(requests)
	return requests
}

// TestAccSecrets runs plan and apply with all logs on, and with lists, mails, downloads
// and their keys in use. It checks that no file and no output contains a secret: the
// token, the PIN, keys, ids of created downloads, contents, or bodies of mails. The
// configuration passes some of them to the environment of a provisioner, which the
// engines do not log.
func TestAccSecrets(t *testing.T) {
	t.Parallel()
	const content = "CONTENT-MARKER-5d0e-and-nothing-else"
	data := simulator.DefaultData()
	data.InboxMails, data.ReceivedFiles = simulator.ManyInboxMails(3), simulator.ManyFiles(3)
	data.Files = append(data.Files, simulator.File{ID: "secret", FullFilename: "secret.txt", Size: int64(len(content)), Content: []byte(content)})
	api := newAPI(t, simulator.Options{Data: data, PageSize: 2})
	var mu sync.Mutex
	var responses strings.Builder
	api.Inject("GET /api/", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		response := httptest.NewRecorder()
		next.ServeHTTP(response, r)
		mu.Lock()
		defer mu.Unlock()
		responses.Write(response.Body.Bytes())
		maps.Copy(w.Header(), response.Header())
		w.Header().Set("X-Request-Id", "request-4711")
		w.WriteHeader(response.Code)
		_, _ = w.Write(response.Body.Bytes())
	})
	dir := t.TempDir()
	fetched, saved := filepath.Join(dir, "fetched"), filepath.Join(dir, "saved")
	w := newBinaryWorkspace(t, fmt.Sprintf(`
		variable "token" {
			type      = string
			ephemeral = true
		}
		provider "privasfer" {
			token = var.token
		}
		data "privasfer_inbox_mails" "test" {
			include_files = true
		}
		data "privasfer_mails" "test" {
			sort = "sent_at"
		}
		ephemeral "privasfer_inbox_mail" "test" {
			id            = data.privasfer_inbox_mails.test.ids[0]
			include_files = true
		}
		%s
		%s
		%s
		resource "terraform_data" "consumer" {
			input = [data.privasfer_inbox_mails.test.mails, data.privasfer_mails.test.mails]
			%s
			%s
		}
		output "mails" {
			value = [data.privasfer_inbox_mails.test, data.privasfer_mails.test]
		}`, block("keyed", ofFile("secret"), "create_key = true"), block("performed", ofFile("secret"), "perform = true"),
		block("received", "download_id = data.privasfer_inbox_mails.test.mails[1].download.id", "perform = true"), helper(0, "ephemeral.privasfer_download.keyed.url", fetched), saver(`join(" ", [
			ephemeral.privasfer_inbox_mail.test.body,
			ephemeral.privasfer_download.performed.content,
			ephemeral.privasfer_download.received.content,
		])`, saved)),
		"TF_VAR_token="+testToken, envPIN+"="+testPIN, envBaseURL+"="+api.URL, envDownloadURL+"="+api.downloadURL()+"{key}")
	log := w.traced()
	output := w.run(0, "plan", "-out", "plan")
	output += w.run(0, "apply", "plan")
	output += w.run(0, "show", "-json", "plan") + w.run(0, "show", "-json")

	// The secrets were received and used.
	bodies := []string{simulator.BodyMany, simulator.BodySentFull, simulator.BodySentUnopened, simulator.BodySentSparse}
	for _, body := range bodies {
		if !strings.Contains(responses.String(), body) {
			t.Errorf("no response held %s", body)
		}
	}
	if got, want := readFile(t, saved), "<p>"+simulator.BodyMany+"-000001</p> "+content+" simulated report 000002\n"; got != want {
		t.Errorf("the provisioner got %q, want %q", got, want)
	}
	if got, want := readFile(t, fetched), "200 OK\n"+content; got != want {
		t.Errorf("the provisioner of the URL got %q, want %q", got, want)
	}
	sum := sha256.Sum256([]byte(content))
	secrets := append(api.secrets(), content, hex.EncodeToString(sum[:]), "simulated report")
	if got, want := len(secrets), 2+2+6+4+3; got != want { // plan and apply each create a temporary key, three public keys and two downloads
		t.Errorf("there are %d secrets, want %d", got, want)
	}
	w.checkLeftovers(output, append(secrets, bodies...)...)

	// The state has the lists, and the log has all requests.
	state := readFile(t, filepath.Join(w.Dir, "terraform.tfstate"))
	for _, id := range []string{"mail-000001", "mail-000003", simulator.SentFull, simulator.SentSparse, "report-000003.pdf"} {
		if !strings.Contains(state, id) {
			t.Errorf("the state lacks %s", id)
		}
	}
	traced := readFile(t, log)
	run := slices.Concat([]string{"GET /api/inbox/mail-000001 200 request-4711", postKey + " 201"},
		times(2, postDownload+" 201", getContent+" 200"), times(3, postDownloadKey+" 201"))
	want := slices.Concat(run, run, times(2, "GET /api/inbox 200 request-4711"), times(3, "GET /api/mails 200 request-4711")) // only plan reads lists
	if got := loggedRequests(t, traced); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("the log has\n%q, want\n%q", got, want)
	}
	for _, line := range []string{
		`(?m)\[TRACE\] provider\.terraform-provider-privasfer.* tf_rpc=OpenEphemeralResource`,
		`(?m)\[TRACE\] provider\.terraform-provider-privasfer.* tf_rpc=ReadDataSource`,
		`(?m)\[TRACE\] .*provisioner "local-exec"`,
	} {
		if !regexp.MustCompile(line).MatchString(traced) {
			t.Errorf("the log has no line like %s", line)
		}
	}
	if query := regexp.MustCompile(`(?m)^.*provider\.terraform-provider-privasfer.*include=.*$`).FindString(traced); query != "" {
		t.Errorf("the provider logs the query:\n%s", query)
	}
	for _, request := range api.Requests() { // the linker sets the version
		if got := request.Header.Get("User-Agent"); request.Header.Get("Authorization") != "" && !strings.HasPrefix(got, "terraform-provider-privasfer/0.0.0-test (+terraform/1.") {
			t.Errorf("User-Agent is %q", got)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(w.Dir, "tmp")); err != nil || len(entries) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", entries, err)
	}
}

// secrets returns the token, the PIN, and the keys and the ids of the downloads that
// were created.
func (a *testAPI) secrets() []string {
	secrets := append([]string{testToken, testPIN}, a.keys()...)
	for _, download := range a.Downloads() {
		secrets = append(secrets, download.ID)
	}
	return secrets
}

// TestAccSecrets_failing checks the same for plans with failed requests. The server
// echoes every request, or sends an invalid response or a redirect with an id.
func TestAccSecrets_failing(t *testing.T) {
	t.Parallel()
	const id = "d0d0d0d0-5ec2-4e7d-8a11-0123456789ab"
	echoes := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		body, _ := io.ReadAll(r.Body)
		saw := fmt.Sprintf("%s %s %s", r.Header.Get("Authorization"), r.URL.Path, body)
		encoded, _ := json.Marshal(map[string]any{"message": saw, "errors": map[string][]string{saw: {saw}}, "exception": marker, "trace": id})
		simulator.Status(500, jsonHeader("X-Request-Id", "request-4711", "Set-Cookie", "session="+marker), string(encoded))(w, r, nil)
	}
	const get = "GET /api/inbox/" + simulator.MailFull
	logged := func(status string) []string {
		return []string{get + status + " request-4711", postDownload + status + " request-4711", postKey + status + " request-4711"}
	}
	fine := func(more ...string) []string {
		return append(more, get+" 200", postDownload+" 201", postDownload+" 201", postKey+" 201")
	}
	tests := map[string]struct {
		match string
		fault simulator.Fault
		want  []string // in the log
	}{
		"all":        {"", echoes, append(logged(" 500"), get+" 500 attempt 2 request-4711")},
		"public key": {"POST /api/downloads/", echoes, fine(postDownloadKey + " 500 request-4711")},
		"content":    {"GET /download/", echoes, fine(postDownloadKey+" 201", getContent+" 500 request-4711")},
		"redirected content": {"GET /download/", simulator.After(simulator.Redirect(302, "http://127.0.0.1:1/"+marker+"?sig="+marker)),
			fine(postDownloadKey+" 201", getContent+" 302", getContent+" 0")},
		"deletion": {"DELETE /api/keys/", echoes, fine(postDownloadKey+" 201", getContent+" 200")},
		"unusable": {"", simulator.Status(200, jsonHeader("X-Request-Id", "request-4711"), `{"data":{"id":"`+id+`","key":["`+id+`"],"subject":["`+marker+`"],"files":"`+marker+`"}}`), logged(" 200")},
		"redirect": {"", simulator.Status(302, http.Header{"X-Request-Id": {"request-4711"}, "Location": {"https://elsewhere.example/" + marker + "/" + id}}, ""), logged(" 302")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject(test.match, -1, test.fault)
			w := newBinaryWorkspace(t, `
				variable "pin" {
					type      = string
					ephemeral = true
				}
				provider "privasfer" {
					max_retries = 1
					pin         = var.pin
				}
				`+reader.block+creator.block+block("performed", ofFile(simulator.FileInvoice), "perform = true"),
				envToken+"="+testToken, "TF_VAR_pin="+testPIN, envBaseURL+"="+api.URL, envDownloadURL+"="+api.downloadURL()+"{key}")
			log := w.traced()
			exitCode := 1
			if name == "deletion" {
				exitCode = 0 // not reported, because the key expires
			}
			w.checkLeftovers(w.run(exitCode, "plan", "-out", "plan"), append(api.secrets(), id, marker)...)
			slices.Sort(test.want)
			if got := loggedRequests(t, readFile(t, log)); !slices.Equal(got, test.want) {
				t.Errorf("the log has\n%q, want\n%q", got, test.want)
			}
		})
	}
}

// TestAccSecrets_unsolicited checks that bytes after the end of a response are not
// logged: net/http would log them with the logger of package log.
func TestAccSecrets_unsolicited(t *testing.T) {
	t.Parallel()
	const rest = "REST-OF-A-MAIL"
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{\"data\":{\"id\":\"m\"}}")
		time.Sleep(100 * time.Millisecond) // until the connection is idle
		_, _ = io.WriteString(conn, rest)
		_, _ = io.Copy(io.Discard, conn)
	}))
	t.Cleanup(api.Close)
	w := newBinaryWorkspace(t, fmt.Sprintf(`
		provider "privasfer" {
			base_url = "%s/api"
		}
		ephemeral "privasfer_inbox_mail" "test" {
			id = "m"
		}
		resource "terraform_data" "slow" {
			%s
		}`, api.URL, provisioner(time.Second, "TEST_SUBJECT", "ephemeral.privasfer_inbox_mail.test.subject", "")), envToken+"="+testToken)
	log := w.traced()
	w.checkLeftovers(w.run(0, "apply", "-auto-approve"), testToken, rest)
	if !strings.Contains(readFile(t, log), "Privasfer API request") {
		t.Error("the log has no requests")
	}
}
