//go:build live

package provider

import (
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// Read before TestMain clears the variables.
var (
	liveToken   = os.Getenv(envToken)
	liveBaseURL = os.Getenv(envBaseURL)
)

// TestLive reads the objects of a real account. It does not change the account.
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
