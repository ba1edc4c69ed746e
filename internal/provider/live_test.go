//go:build live

package provider

import (
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// Read before TestMain takes them away from every other test.
var (
	liveToken   = os.Getenv(envToken)
	liveBaseURL = os.Getenv(envBaseURL)
)

// TestLive reads what a real account holds. It creates, changes and deletes
// nothing.
func TestLive(t *testing.T) {
	if liveToken == "" {
		t.Fatal(envToken + " is not set")
	}
	t.Setenv(envToken, liveToken)
	t.Setenv(envBaseURL, liveBaseURL)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{{
			Config: `
				data "privasfer_files" "all" {}
				data "privasfer_inbox_mails" "all" {
					include_files = true
				}
				data "privasfer_mails" "all" {
					include_files = true
				}

				data "privasfer_file" "each" {
					for_each = toset(slice(data.privasfer_files.all.ids, 0, min(3, length(data.privasfer_files.all.ids))))
					id       = each.key
				}
				data "privasfer_inbox_mail" "each" {
					for_each      = toset(slice(data.privasfer_inbox_mails.all.ids, 0, min(3, length(data.privasfer_inbox_mails.all.ids))))
					id            = each.key
					include_files = true
				}
				data "privasfer_mail" "each" {
					for_each      = toset(slice(data.privasfer_mails.all.ids, 0, min(3, length(data.privasfer_mails.all.ids))))
					id            = each.key
					include_files = true
				}`,
		}},
	})
}
