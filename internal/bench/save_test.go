//go:build linux

package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// BenchmarkSaveDownload saves a file of 1 GiB with the action, in a whole run of
// Terraform. "ratio" is its time as a multiple of that of a plain copy by net/http to
// the same disk, without the checksum and the sync.
func BenchmarkSaveDownload(b *testing.B) {
	const size = 1 << 30
	needActions(b)
	api := newAPI(b, simulator.Options{HideRateLimit: true, Data: &simulator.Data{Files: []simulator.File{
		{ID: "large", FullFilename: "large.bin", Type: new("application/octet-stream"), Size: size}}}}, (*httptest.Server).Start)
	// Respond without the simulator, which would hold the file in memory.
	api.Inject("GET /download/", -1, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		block := make([]byte, 1<<20)
		for range size / len(block) {
			_, _ = w.Write(block)
		}
	})
	dir := b.TempDir()
	b.SetBytes(size)
	measure(b, api, fmt.Sprintf(`
		action "privasfer_save_download" "test" {
			config {
				file_ids = ["large"]
				path     = %q
			}
		}
		`, filepath.Join(dir, "saved")), "apply", "-auto-approve", "-invoke=action.privasfer_save_download.test")

	took := b.Elapsed().Seconds() / float64(b.N)
	started := time.Now()
	for range b.N {
		copyPlainly(b, api.listener.URL+"/download/any", filepath.Join(dir, "copied"))
	}
	plain := time.Since(started).Seconds() / float64(b.N)
	b.ReportMetric(plain, "copy-s")
	b.ReportMetric(took/plain, "ratio")
}

func copyPlainly(b *testing.B, url, path string) {
	b.Helper()
	response, err := http.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(file, response.Body); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
}

// needActions skips a benchmark unless the program is Terraform 1.14 or later.
func needActions(b *testing.B) {
	b.Helper()
	program, err := terraform.Find(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	version, err := (&terraform.Workspace{Program: program, Dir: b.TempDir()}).Run(b.Context(), "version")
	if err != nil {
		b.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(version.Output, "Terraform v%d.%d", &major, &minor); err != nil || major == 1 && minor < 14 {
		b.Skip("Terraform has actions from 1.14 on, and OpenTofu has none")
	}
}
