package simulator_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	const (
		lapsing, deleted = "LCJZwzaaDNgFru2Fi5yLIVrc3wvvHYVR", "opC6Z5haBV3NCxo9MtDdFW46T2MnhSoK"
		public           = "wX8ohRm1xPswQQHXmWizkG4YMavnxO7F"
		keys             = "/api/downloads/" + simulator.DownloadFull + "/keys"
	)
	unknown := invalid("pinKey", "Pin key does not exists")
	now := newClock()
	s, web := start(t, simulator.Options{Now: now.Now})
	for i, step := range []struct {
		advance              time.Duration
		method, target, body string
		status               int
		response             string
	}{
		{0, "POST", "/api/keys", `{"pin":"` + pin + `"}`, 201, `{"data":{"expires_at":"2024-03-01 00:59:30","key":"` + lapsing + `"}}`},
		{0, "POST", "/api/keys", `{"pin":"` + pin + `"}`, 201, `{"data":{"expires_at":"2024-03-01 00:59:30","key":"` + deleted + `"}}`},
		{0, "DELETE", "/api/keys/" + deleted, "", 204, ""},
		{0, "DELETE", "/api/keys/" + deleted, "", 404, noModel("Key", deleted)},
		{0, "POST", keys, `{"pinKey":"` + deleted + `"}`, 422, unknown},
		{time.Hour - 1, "POST", keys, `{"pinKey":"` + lapsing + `"}`, 201, `{"data":{"key":"` + public + `"}}`},
		{0, "POST", keys, `{"pinKey":"` + public + `"}`, 422, unknown},
		{1, "POST", keys, `{"pinKey":"` + lapsing + `"}`, 422, unknown},
		{0, "DELETE", "/api/keys/" + lapsing, "", 404, noModel("Key", lapsing)},
	} {
		now.Advance(step.advance)
		want(t, call(t, web, step.method, step.target, step.body), step.status, step.response)
		if t.Failed() {
			t.Fatalf("step %d", i)
		}
	}
	begin := now.Now().Add(-time.Hour)
	if got := s.TemporaryKeys(); !reflect.DeepEqual(got, []simulator.KeyRecord{{lapsing, begin, simulator.Expired}, {deleted, begin, simulator.Deleted}}) {
		t.Errorf("temporary keys: %v", got)
	}
	if got := s.DownloadKeys(); !reflect.DeepEqual(got, []simulator.DownloadKeyRecord{{public, simulator.DownloadFull}}) {
		t.Errorf("public keys: %v", got)
	}
}
