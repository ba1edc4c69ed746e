package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// liveConfiguration reads what an account holds, whatever that is. It creates,
// changes and deletes nothing. It has count because terraform-plugin-testing
// knows no instances by name.
const liveConfiguration = `
data "privasfer_files" "all" {}
data "privasfer_inbox_mails" "all" {
	include_files = true
}
data "privasfer_mails" "all" {
	include_files = true
}

data "privasfer_file" "each" {
	count = min(3, length(data.privasfer_files.all.ids))
	id    = data.privasfer_files.all.ids[count.index]
}
data "privasfer_inbox_mail" "each" {
	count         = min(3, length(data.privasfer_inbox_mails.all.ids))
	id            = data.privasfer_inbox_mails.all.ids[count.index]
	include_files = true
}
data "privasfer_mail" "each" {
	count         = min(3, length(data.privasfer_mails.all.ids))
	id            = data.privasfer_mails.all.ids[count.index]
	include_files = true
}
`

// TestAccLiveConfiguration is what TestLive does, at the simulator.
func TestAccLiveConfiguration(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		data     *simulator.Data
		requests int // at least: the lists, and three objects of each
	}{
		"an account":       {nil, 3 + 3*3},
		"one with nothing": {&simulator.Data{}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Data: test.data})
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(),
				Steps:                    []resource.TestStep{{Config: api.providerBlock() + liveConfiguration}},
			})
			if got := len(api.Requests()); got < test.requests {
				t.Errorf("got %d requests, want %d at least", got, test.requests)
			}
		})
	}
}
