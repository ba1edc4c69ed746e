package provider

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestAccInboxMailEphemeralResource checks the requests of each command for each value
// of enabled, and for a mail whose id is known only after apply. It performs the
// download of that mail.
func TestAccInboxMailEphemeralResource(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{Data: &simulator.Data{ReceivedFiles: simulator.ManyFiles(6), InboxMails: simulator.ManyInboxMails(6)}})
	config, subjects := api.performer(), ""
	for i, enabled := range []string{"null", "true", "false", "terraform.applying", `timestamp() != ""`} {
		config += fmt.Sprintf(`
			ephemeral "privasfer_inbox_mail" "mail%[1]d" {
				id      = "mail-00000%[1]d"
				enabled = %[2]s
			}`, i+1, enabled)
		subjects += fmt.Sprintf("ephemeral.privasfer_inbox_mail.mail%d.subject,\n", i+1)
	}
	fetched, saved := filepath.Join(t.TempDir(), "fetched"), filepath.Join(t.TempDir(), "saved")
	w := newWorkspace(t, config+fmt.Sprintf(`
		resource "terraform_data" "id" {
			input = "mail-000006"
		}
		ephemeral "privasfer_inbox_mail" "later" {
			id            = terraform_data.id.output
			include_files = true
		}
		ephemeral "privasfer_download" "test" {
			download_id = ephemeral.privasfer_inbox_mail.later.download.id
			create_key  = true
		}
		resource "terraform_data" "consumer" {
			%s
			%s
		}`, helper(0, "ephemeral.privasfer_download.test.url", fetched), saver("jsonencode(["+subjects+"])", saved)))

	get := func(mail int) string { return fmt.Sprintf("GET /api/inbox/mail-00000%d?include=download", mail) }
	planned := []string{get(1), get(2)}
	known := []string{get(6) + ",download.files", postKey, "POST /api/downloads/download-000006/keys"}
	w.run(0, "plan", "-out", "plan")
	api.checkRequests(t, planned...)
	w.run(0, "apply", "plan")
	api.checkRequests(t, slices.Concat(planned, []string{get(4), get(5), getContent}, known)...)
	w.run(0, "plan", "-destroy")
	api.checkRequests(t, slices.Concat(planned, known)...)
	if got, want := readFile(t, saved), `["Report 000001","Report 000002",null,"Report 000004","Report 000005"]`; got != want {
		t.Errorf("the consumer got %s, want %s", got, want)
	}
	if got, want := readFile(t, fetched), "200 OK\nsimulated report 000006\n"; got != want {
		t.Errorf("the consumer of the URL got %q, want %q", got, want)
	}
}
