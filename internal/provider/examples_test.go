package provider

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// recordVariable makes this test binary act as a program that an example runs. Its
// value is the file in which the program records its name and programVariables.
const recordVariable = "TEST_KEEP"

// programVariables are the environment variables that the examples set for a program.
var programVariables = []string{"DOWNLOAD_URL", "PASSWORD", "LICENCE"}

func record(file string) int {
	recorded := map[string]string{"program": filepath.Base(os.Args[0])}
	for _, variable := range programVariables {
		if value, ok := os.LookupEnv(variable); ok {
			recorded[variable] = value
		}
	}
	content, err := json.Marshal(recorded)
	if err == nil {
		// A second run fails, because no example runs its program twice.
		var created *os.File
		if created, err = os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			_, err = created.Write(content)
			err = errors.Join(err, created.Close())
		}
	}
	if err != nil {
		return 2
	}
	return 0
}

func readRecord(t *testing.T, file string) map[string]string {
	t.Helper()
	var recorded map[string]string
	if err := json.Unmarshal([]byte(readFile(t, file)), &recorded); err != nil {
		t.Fatal(err)
	}
	return recorded
}

// example is the expected behavior of a file in examples/.
type example struct {
	data    *simulator.Data // DefaultData if nil
	token   string          // the environment variable with the token; PRIVASFER_TOKEN if ""
	extra   string          // added to the example, to use what it declares
	standin func() *standin // the other provider of the example

	planned, applied []string // requests, see checkRequests

	outputs   map[string]knownvalue.Check
	resources map[string]knownvalue.Check // the "output" of a terraform_data, by its address

	// program is the program that the example runs, and environment its variables.
	// {url} stands for the URL of the download.
	program     string
	environment map[string]string

	// standinPlan and standinApply are the calls of the other provider.
	standinPlan, standinApply []string

	downloads int             // the number created by plan and apply
	state     simulator.State // of each of them
	files     []string        // in each of them

	secrets []string // must not be stored, like the token, the PIN, keys and ids of created downloads
}

// The secrets of the kubeconfig in the data set.
const (
	clusterCA    = "MARKER-CLUSTER-CA-51c0"
	clusterToken = "MARKER-CLUSTER-TOKEN-9ae7"
)

func contentOf(t *testing.T, data *simulator.Data, id string) string {
	t.Helper()
	at := slices.IndexFunc(data.Files, func(file simulator.File) bool { return file.ID == id })
	if at < 0 {
		t.Fatalf("there is no file %s", id)
	}
	return string(data.Files[at].Content)
}

// examples returns the files of examples/ except demo/ and actions/, which have other
// tests.
func examples(t *testing.T) map[string]example {
	t.Helper()
	const (
		body    = "<p>Mail body</p>"
		marked  = "MARKER-BODY-SECRET-7d21" // without < and >, which the state escapes
		secret  = "<p>" + marked + "</p>"
		getMail = "GET /api/inbox/" + simulator.MailFull + "?include=download"
		getKey  = "GET /api/inbox/" + simulator.MailUnopened + "?include=download"
		mailKey = "POST /api/downloads/" + simulator.DownloadUnopened + "/keys"
	)
	ownDownload := []string{postKey, postDownload, postDownloadKey, getContent}
	licence := contentOf(t, simulator.DefaultData(), simulator.FileLicence)
	key := contentOf(t, simulator.DefaultData(), simulator.FileKey)
	keySecrets := []string{strings.Split(key, "\n")[1], base64.StdEncoding.EncodeToString([]byte(key))}

	// The mail of the API's documentation, with a unique body to search for.
	secretBody := simulator.DefaultData()
	secretBody.InboxMails[0].Body = new(secret)

	kubeconfig := simulator.DefaultData()
	content := fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: partner
  cluster:
    server: https://cluster.invalid:6443
    certificate-authority-data: %s
users:
- name: partner
  user:
    token: %s
`, base64.StdEncoding.EncodeToString([]byte(clusterCA)), clusterToken)
	kubeconfig.Files = append(kubeconfig.Files,
		simulator.File{ID: "old", Filename: "old-kubeconfig", Extension: "yaml", FullFilename: "old-kubeconfig.yaml"},
		simulator.File{ID: "new", Filename: "kubeconfig", Extension: "yaml", FullFilename: "kubeconfig.yaml", Size: int64(len(content)), Content: content})
	configured := fmt.Sprintf(`configure {"cluster_ca_certificate":%q,"host":"https://cluster.invalid:6443","token":%q}`, clusterCA, clusterToken)

	newest := simulator.DefaultData()
	sender := &simulator.Sender{Name: "Sender Name", Email: "sender@email.address"}
	newest.InboxMails = append(newest.InboxMails,
		simulator.InboxMail{ID: "older", Sender: sender, ReceivedAt: "2019-05-15 14:10:59",
			Download: &simulator.MailDownload{ID: "older-download", FileIDs: []string{simulator.ReceivedKey}}},
		simulator.InboxMail{ID: "of another", Subject: new("From sender@email.address"), Sender: &simulator.Sender{Email: "other@email.address"},
			ReceivedAt: "2019-05-17 00:00:00", Download: &simulator.MailDownload{ID: "other-download", FileIDs: []string{simulator.FileBackup}}},
		simulator.InboxMail{ID: "no files", Sender: sender, ReceivedAt: "2019-05-18 00:00:00", Download: &simulator.MailDownload{ID: "no-files-download"}},
	)

	return map[string]example{
		"provider/provider.tf": {
			standin:     newAWS,
			planned:     []string{getKey},
			applied:     []string{postKey, mailKey, getContent},
			standinPlan: planSecret("server-key", "unknown"), standinApply: writeSecret("server-key", key),
			secrets: keySecrets,
		},
		"provider-token/provider.tf": {
			token:   "TF_VAR_privasfer_token",
			extra:   fmt.Sprintf(`data "privasfer_file" "test" { id = %q }`, simulator.FileInvoice),
			planned: []string{"GET /api/files/" + simulator.FileInvoice},
		},
		"data-sources/privasfer_file/data-source.tf": {
			planned: []string{"GET /api/files/" + simulator.FileInvoice},
			outputs: map[string]knownvalue.Check{"invoice": text("invoice.pdf, 42.37 KB")},
		},
		"data-sources/privasfer_files/data-source.tf": {
			planned: []string{"GET /api/files?keyword=invoice&sort=-created_at"},
			outputs: map[string]knownvalue.Check{"invoices": attributes{simulator.FileInvoice: text("invoice.pdf")}.exactly()},
		},
		"data-sources/privasfer_inbox_mail/data-source.tf": {
			planned: []string{getMail + ",download.files"},
			outputs: map[string]knownvalue.Check{
				"files_of_the_offer": attributes{"licence.txt": text("77 B")}.exactly()},
		},
		"data-sources/privasfer_inbox_mails/data-source.tf": {
			planned: []string{"GET /api/inbox?include=download&keyword=sender%40email.address&sort=-received_at"},
			outputs: map[string]knownvalue.Check{
				"subjects": attributes{simulator.MailFull: text("Secure files"), simulator.MailSparse: null}.exactly()},
		},
		"data-sources/privasfer_mail/data-source.tf": {
			planned: []string{"GET /api/mails?include=download&sort=-sent_at", "GET /api/mails/" + simulator.SentFull + "?include=download"},
			outputs: map[string]knownvalue.Check{"first": text("recipient@email.address, success")},
		},
		"data-sources/privasfer_mails/data-source.tf": {
			planned: []string{"GET /api/mails?include=download&sort=-sent_at"},
			outputs: map[string]knownvalue.Check{
				"unopened": knownvalue.ListExact([]knownvalue.Check{text("ruta@email.address"), null, null, text("")})},
		},
		"ephemeral-resources/privasfer_download/ephemeral-resource.tf": {
			standin:     newAWS,
			planned:     []string{getKey + ",download.files"},
			applied:     []string{postKey, mailKey, getContent},
			standinPlan: planSecret("server-key", "unknown"), standinApply: writeSecret("server-key", key),
			secrets: keySecrets,
		},
		"ephemeral-resources/privasfer_inbox_mail/ephemeral-resource.tf": {
			data:    secretBody,
			applied: []string{getMail},
			program: "use-the-password", environment: map[string]string{"PASSWORD": secret},
			secrets: []string{marked},
		},
		"functions/rfc3339/function.tf": {
			planned: []string{getMail},
			outputs: map[string]knownvalue.Check{"received_at": text("2019-05-15T14:11:00+03:00")},
		},
		"guides/body-into-write-only/main.tf": {
			data: secretBody, standin: newAWS,
			applied:     []string{getMail},
			standinPlan: planSecret("partner-password", "unknown"), standinApply: writeSecret("partner-password", secret),
			secrets: []string{marked},
		},
		"guides/data-source-or-ephemeral/main.tf": {
			planned: []string{getMail},
			applied: []string{getMail},
			outputs: map[string]knownvalue.Check{"subject": text("Secure files")},
			program: "use-the-password", environment: map[string]string{"PASSWORD": body},
		},
		"guides/find-a-file/main.tf": {
			planned: []string{"GET /api/files?keyword=licence"},
			applied: []string{postKey, postDownload, postDownloadKey},
			program: "use-the-download", environment: map[string]string{"DOWNLOAD_URL": "{url}"},
			downloads: 1, state: simulator.Live, files: []string{simulator.FileLicence},
		},
		"guides/key-into-write-only/main.tf": {
			standin:     newAWS,
			planned:     []string{"GET /api/files?keyword=server-key"},
			applied:     ownDownload,
			standinPlan: planSecret("server-key", "unknown"), standinApply: writeSecret("server-key", key),
			downloads: 1, state: simulator.Performed, files: []string{simulator.FileKey},
			secrets: keySecrets,
		},
		"guides/kubeconfig-into-provider/main.tf": {
			data: kubeconfig, standin: newKubernetes,
			planned:     append([]string{"GET /api/files?keyword=kubeconfig"}, ownDownload...),
			applied:     ownDownload,
			standinPlan: []string{configured, `plan {"metadata":[{"name":"partner"}]}`},
			standinApply: []string{configured,
				`plan {"metadata":[{"name":"partner"}]}`, `create {"metadata":[{"name":"partner"}]}`},
			downloads: 2, state: simulator.Performed, files: []string{"new"},
			secrets: []string{clusterCA, clusterToken, base64.StdEncoding.EncodeToString([]byte(clusterCA))},
		},
		"guides/licence-for-provisioner/main.tf": {
			planned: []string{"GET /api/files?keyword=licence"},
			applied: ownDownload,
			program: "install-the-licence", environment: map[string]string{"LICENCE": base64.StdEncoding.EncodeToString([]byte(licence))},
			downloads: 1, state: simulator.Performed, files: []string{simulator.FileLicence},
			secrets: []string{base64.StdEncoding.EncodeToString([]byte(licence)), "You may read this file"},
		},
		"guides/mails-by-id/main.tf": {
			planned: []string{"GET /api/inbox?include=download&sort=received_at"},
			resources: map[string]knownvalue.Check{
				fmt.Sprintf("terraform_data.mail[%q]", simulator.MailUnopened): attributes{
					"subject": text("Raktas – šiandien"), "received_at": text("2019-05-16 08:00:00")}.exactly(),
				fmt.Sprintf("terraform_data.mail[%q]", simulator.MailBare): attributes{"subject": null, "received_at": null}.exactly(),
			},
		},
		"guides/newest-mail/main.tf": {
			data:    newest,
			planned: []string{"GET /api/inbox?include=download,download.files&keyword=sender%40email.address"},
			applied: []string{postKey, "POST /api/downloads/" + simulator.DownloadFull + "/keys", getContent},
			program: "install-the-licence", environment: map[string]string{"LICENCE": base64.StdEncoding.EncodeToString([]byte(licence))},
			secrets: []string{base64.StdEncoding.EncodeToString([]byte(licence)), "You may read this file"},
		},
	}
}

// planSecret and writeSecret return the calls of the aws provider in plan and apply.
func planSecret(id, content string) []string {
	return []string{fmt.Sprintf(`plan {"secret_id":%q,"secret_string_wo":%q,"secret_string_wo_version":1}`, id, content)}
}

func writeSecret(id, content string) []string {
	plan := planSecret(id, content)
	return append(plan, strings.Replace(plan[0], "plan", "create", 1))
}

// TestAccExamples runs every example unchanged, and checks its requests at plan and
// apply, its results, and that no secret is stored. It sets the environment of this
// process, which serves the provider.
func TestAccExamples(t *testing.T) {
	root := filepath.Join(terraform.Root(), "examples")
	table := examples(t)
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(file) == ".tf" {
			name, _ := filepath.Rel(root, file)
			found[filepath.ToSlash(name)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(found, func(name string, _ bool) bool {
		return strings.HasPrefix(name, "demo/") || strings.HasPrefix(name, "actions/")
	})
	for name := range found {
		if _, ok := table[name]; !ok {
			t.Errorf("examples/%s is not in the table, so no test runs it", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if !found[name] {
			t.Errorf("there is no examples/%s", name)
			continue
		}
		t.Run(name, func(t *testing.T) { table[name].run(t, filepath.Join(root, name)) })
	}
}

func (e example) run(t *testing.T, file string) {
	if strings.Contains(readFile(t, file), "_wo ") && engineUnderTest(t).noWriteOnly {
		t.Skip("write-only arguments came with Terraform 1.11")
	}
	if e.program != "" && runtime.GOOS == "windows" {
		t.Skip("cmd.exe does not run ./" + e.program)
	}
	api := newAPI(t, simulator.Options{Data: e.data})
	token := testToken
	if e.token != "" {
		token = ""
	}
	t.Setenv(envToken, token)
	t.Setenv(envBaseURL, api.URL)
	t.Setenv(envPIN, testPIN)
	t.Setenv(envDownloadURL, api.downloadURL()+"{key}")
	providers := map[string]provider.Provider{terraform.Source: New(testVersion)()}
	other := &standin{calls: &calls{}}
	if e.standin != nil {
		other = e.standin()
		providers["hashicorp/"+other.name] = other
	}
	recorded := filepath.Join(t.TempDir(), "kept")
	w := exampleWorkspace(t, file, e.extra, providers)
	w.Env = append(w.Env, recordVariable+"="+recorded)
	if e.token != "" {
		w.Env = append(w.Env, e.token+"="+testToken)
	}
	if e.program != "" {
		w.addProgram(e.program)
	}

	output := w.run(0, "validate")
	api.checkRequests(t)
	output += w.run(0, "plan", "-out", "plan")
	api.checkRequests(t, e.planned...)
	checkCalls(t, other.calls.take(), e.standinPlan)
	output += w.run(0, "apply", "plan")
	api.checkRequests(t, e.applied...)
	checkCalls(t, other.calls.take(), e.standinApply)
	if strings.Contains(output, "Warning") {
		t.Errorf("the example warns:\n%s", output)
	}

	if got := len(api.Downloads()); got != e.downloads {
		t.Errorf("got %d downloads, want %d", got, e.downloads)
	}
	for _, download := range api.Downloads() {
		if download.State != e.state || !slices.Equal(download.FileIDs, e.files) {
			t.Errorf("a download of %q is %s, want %q and %s", download.FileIDs, download.State, e.files, e.state)
		}
	}
	if e.program != "" {
		want := map[string]string{"program": e.program}
		for variable, value := range e.environment {
			if value == "{url}" {
				value = api.downloadURL() + api.DownloadKeys()[0].Key
			}
			want[variable] = value
		}
		if got := readRecord(t, recorded); !maps.Equal(got, want) {
			t.Errorf("the program kept %q, want %q", got, want)
		}
	}

	var checks []statecheck.StateCheck
	for name, want := range e.outputs {
		checks = append(checks, statecheck.ExpectKnownOutputValue(name, want))
	}
	for address, want := range e.resources {
		checks = append(checks, statecheck.ExpectKnownValue(address, tfjsonpath.New("output"), want))
	}
	if len(checks) > 0 {
		w.checkState(checks...)
	}
	w.checkStored(output, append(api.secrets(), e.secrets...)...)
}

// exampleWorkspace returns a workspace with an example and more configuration. It adds
// a terraform block if the example has none.
func exampleWorkspace(t *testing.T, file, extra string, providers map[string]provider.Provider) *workspace {
	t.Helper()
	w := plainWorkspace(t)
	config := readFile(t, file)
	files := map[string]string{filepath.Base(file): config, "beside.tf": extra}
	if !regexp.MustCompile(`(?m)^terraform \{`).MatchString(config) {
		w.write("") // main.tf, a name that only examples with a terraform block have
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.UseReattached(t.TempDir(), serveAll(t, providers)); err != nil {
		t.Fatal(err)
	}
	return w
}

// addProgram adds this test binary to the workspace as a program.
func (w *workspace) addProgram(name string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	name = filepath.Join(w.Dir, name)
	if os.Link(self, name) != nil { // on another disk
		if err := os.WriteFile(name, []byte(readFile(w.t, self)), 0o700); err != nil {
			w.t.Fatal(err)
		}
	}
}

// checkStored fails the test if the plan file, the state or the output of a run
// contains a secret.
func (w *workspace) checkStored(output string, secrets ...string) {
	w.t.Helper()
	searched := map[string][]byte{
		"the output": []byte(output),
		"the state":  []byte(readFile(w.t, filepath.Join(w.Dir, "terraform.tfstate"))),
	}
	for name, content := range unzip(w.t, filepath.Join(w.Dir, "plan")) {
		searched["the plan's "+name] = content
	}
	checkSearched(w.t, searched, secrets)
}

func checkCalls(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("at the other provider arrived\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
