package provider

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// hasActions reports whether the engine supports actions. Terraform does from 1.14 on,
// OpenTofu does not.
var hasActions = sync.OnceValues(func() (bool, error) {
	path, err := program()
	if err != nil {
		return false, err
	}
	output, err := exec.Command(path, "version").Output()
	if err != nil {
		return false, err
	}
	var major, minor int
	_, err = fmt.Sscanf(string(output), "Terraform v%d.%d", &major, &minor)
	return err == nil && (major > 1 || minor >= 14), nil
})

// needsActions skips a test on an engine without actions or, if needed is false, on one
// with actions.
func needsActions(t *testing.T, needed bool) {
	t.Helper()
	has, err := hasActions()
	switch {
	case err != nil:
		t.Fatal(err)
	case has != needed:
		t.Skip("Terraform has actions from 1.14 on, and OpenTofu has none")
	}
}

// savingBlocks returns an action that saves an uploaded file, and a resource that
// triggers it.
func savingBlocks(path string, events ...string) string {
	return fmt.Sprintf(`
		action "privasfer_save_download" "test" {
			config {
				file_ids = [%q]
				path     = %q
			}
		}
		resource "terraform_data" "test" {
			lifecycle {
				action_trigger {
					events  = [%s]
					actions = [action.privasfer_save_download.test]
				}
			}
		}
		`, simulator.FileInvoice, filepath.ToSlash(path), strings.Join(events, ", "))
}

// TestAccSaveDownload checks that a trigger saves the file once, and that plan, a later
// apply and destroy do not save it.
func TestAccSaveDownload(t *testing.T) {
	t.Parallel()
	needsActions(t, true)
	api := newAPI(t, simulator.Options{})
	dir, path := oldFile(t)
	saved := func() {
		files{"file": contentOf(t, simulator.DefaultData(), simulator.FileInvoice)}.check(t, dir)
	}
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_14_0)},
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{
			{Config: api.performer() + savingBlocks(path, "before_create"), PostApplyFunc: saved},
			{Config: api.performer() + savingBlocks(path, "before_create"), PostApplyFunc: saved},
		},
	})
	api.checkRequests(t, postKey, postDownload, postDownloadKey, getContent)
}

// TestAccSaveDownload_messages checks that the engine shows the progress and a warning,
// invoked and triggered. Some versions of Terraform drop a triggered action's warnings.
func TestAccSaveDownload_messages(t *testing.T) {
	t.Parallel()
	needsActions(t, true)
	api := newAPI(t, simulator.Options{})
	dir, path := oldFile(t)
	w := newWorkspace(t, api.performer()+strings.Replace(savingBlocks(path, "before_create"), simulator.FileInvoice, simulator.FileBackup, 1))
	content := contentOf(t, simulator.DefaultData(), simulator.FileBackup)
	for _, args := range [][]string{{"-invoke=action.privasfer_save_download.test"}, nil} {
		output := w.run(0, append([]string{"apply", "-auto-approve"}, args...)...)
		checkOutput(t, output, `Saving "backup.tar.gz", 10 bytes`, "Saved 10 bytes, SHA-256 "+sumOf(content),
			"The content differs in size from the file", "According to Privasfer, the file has 5368709120 bytes. The content has 10.")
		api.checkNoSecrets(t, output)
	}
	files{"file": content}.check(t, dir)
}

// TestAccSaveDownload_failed checks that an action that fails before its resource is
// created runs again in the next apply, and one that fails afterwards does not.
func TestAccSaveDownload_failed(t *testing.T) {
	t.Parallel()
	needsActions(t, true)
	for event, again := range map[string]bool{"before_create": true, "after_create": false} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			dir, path := oldFile(t)
			api.Inject("GET /download/", 1, simulator.Truncate())
			w := newWorkspace(t, api.performer()+savingBlocks(path, event))
			output := w.run(1, "apply", "-auto-approve")
			checkOutput(t, output, "Cannot perform the download", "the response was cut short")
			api.checkNoSecrets(t, output)
			files{"file": "old"}.check(t, dir)

			w.run(0, "apply", "-auto-approve")
			want := "old"
			if again {
				want = contentOf(t, simulator.DefaultData(), simulator.FileInvoice)
			}
			files{"file": want}.check(t, dir)
		})
	}
}

// TestAccSaveDownload_interrupted checks that Ctrl-C leaves only the existing file. The
// rest depends on the version of Terraform.
func TestAccSaveDownload_interrupted(t *testing.T) {
	t.Parallel()
	needsActions(t, true)
	skipWithoutInterrupt(t)
	for name, args := range map[string][]string{"triggered": nil, "invoked": {"-invoke=action.privasfer_save_download.test"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			dir, path := oldFile(t)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			api.Inject("GET /download/", 1, interruptedHalfWay(interrupt))
			w := newWorkspace(t, api.performer()+savingBlocks(path, "before_create"))
			result, err := w.Run(ctx, append([]string{"apply", "-auto-approve", "-no-color"}, args...)...)
			if err != nil {
				t.Fatal(err)
			}
			files{"file": "old"}.check(t, dir)
			api.checkNoSecrets(t, result.Output)

			// The recovery that the page of the action describes.
			w.run(0, "apply", "-auto-approve", "-invoke=action.privasfer_save_download.test")
			files{"file": contentOf(t, simulator.DefaultData(), simulator.FileInvoice)}.check(t, dir)
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			w.run(0, "apply", "-auto-approve", "-replace=terraform_data.test")
			files{"file": contentOf(t, simulator.DefaultData(), simulator.FileInvoice)}.check(t, dir)
		})
	}
}

// TestAccSaveDownload_unsupported checks that an engine without actions loads the
// provider and rejects the action block.
func TestAccSaveDownload_unsupported(t *testing.T) {
	t.Parallel()
	needsActions(t, false)
	api := newAPI(t, simulator.Options{})
	lookup := api.providerBlock() + fmt.Sprintf(`
		data "privasfer_file" "test" { id = %q }
		`, simulator.FileInvoice)
	w := newWorkspace(t, lookup)
	w.run(0, "apply", "-auto-approve")
	api.checkRequests(t, "GET /api/files/"+simulator.FileInvoice)
	w.write(lookup + `action "privasfer_save_download" "test" {}`)
	checkOutput(t, w.run(1, "validate"), "Unsupported block type")
}

// newS3 returns a stand-in for hashicorp/aws with another resource than newAWS.
func newS3() *standin {
	return &standin{
		name:  "aws",
		calls: &calls{},
		resource: standinResource{
			name: "aws_s3_object",
			schema: schema.Schema{Attributes: map[string]schema.Attribute{
				"bucket": schema.StringAttribute{Required: true},
				"key":    schema.StringAttribute{Required: true},
				"source": schema.StringAttribute{Optional: true},
			}},
		},
	}
}

// TestAccSaveDownload_example checks that the example of the page saves the mail's file
// and creates the resource that uses it.
func TestAccSaveDownload_example(t *testing.T) { // not parallel: the path is relative to this process
	needsActions(t, true)
	api, other := newAPI(t, simulator.Options{}), newS3()
	for variable, value := range map[string]string{
		envToken: testToken, envBaseURL: api.URL, envPIN: testPIN, envDownloadURL: api.downloadURL() + "{key}",
	} {
		t.Setenv(variable, value)
	}
	w := exampleWorkspace(t, filepath.Join(terraform.Root(), "examples", "actions", actionType, "action.tf"), "",
		map[string]provider.Provider{terraform.Source: New(testVersion)(), "hashicorp/aws": other})
	t.Chdir(w.Dir)
	w.run(0, "validate")
	w.run(0, "plan", "-out", "plan")
	api.checkRequests(t, "GET /api/inbox/"+simulator.MailFull+"?include=download")
	const object = `{"bucket":"received-files","key":"offer.pdf","source":"./offer.pdf"}`
	checkCalls(t, other.calls.take(), []string{"plan " + object})

	output := w.run(0, "apply", "plan")
	api.checkRequests(t, postKey, "POST /api/downloads/"+simulator.DownloadFull+"/keys", getContent)
	checkCalls(t, other.calls.take(), []string{"plan " + object, "create " + object})
	if got := readFile(t, "offer.pdf"); got != contentOf(t, simulator.DefaultData(), simulator.FileLicence) {
		t.Errorf("the file is %q", got)
	}
	if strings.Contains(output, "Warning") {
		t.Errorf("the example warns:\n%s", output)
	}
	w.checkStored(output, append([]string{testToken, testPIN}, api.keys()...)...)
}
