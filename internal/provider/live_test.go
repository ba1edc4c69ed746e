package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// liveConfiguration reads the objects of any account, and does not change the account.
// It uses count because terraform-plugin-testing does not support for_each.
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

// TestAccLiveConfiguration does the same as TestLive with the simulator.
func TestAccLiveConfiguration(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		data *simulator.Data
		each int // the number of lookups of each kind
	}{
		"an account":       {nil, 3},
		"one with nothing": {&simulator.Data{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{Data: test.data})
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(),
				Steps:                    []resource.TestStep{{Config: api.providerBlock() + liveConfiguration}},
			})
			paths := map[string]map[string]bool{}
			for _, request := range api.Requests() {
				kind, id, _ := strings.Cut(strings.TrimPrefix(request.Path, "/api/"), "/")
				if paths[kind] == nil {
					paths[kind] = map[string]bool{}
				}
				paths[kind][id] = true // "" is the list
			}
			for _, kind := range []string{"files", "inbox", "mails"} {
				if got := len(paths[kind]); got != 1+test.each || !paths[kind][""] {
					t.Errorf("got requests for %s %v, want the list and %d objects", kind, paths[kind], test.each)
				}
			}
		})
	}
}
