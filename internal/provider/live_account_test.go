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
			Config: liveConfiguration,
		}},
	})
}
