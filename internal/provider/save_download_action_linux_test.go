package provider

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// replaceOpen replaces the open file of a directory with a device. Writing to /dev/full
// fails as on a full disk, and /dev/null cannot be synced.
func replaceOpen(dir, device string) error {
	opened, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, descriptor := range descriptors {
		file, _ := os.Readlink(filepath.Join("/proc/self/fd", descriptor.Name()))
		if !strings.HasPrefix(file, dir+"/") {
			continue
		}
		number, err := strconv.Atoi(descriptor.Name())
		if err != nil {
			return err
		}
		return syscall.Dup3(int(opened.Fd()), number, syscall.O_CLOEXEC)
	}
	return errors.New("no file in the directory is open")
}

// TestSaveDownload_fullDisk checks that a full disk is reported, and that the file is
// synced before it is renamed.
func TestSaveDownload_fullDisk(t *testing.T) {
	t.Parallel()
	const (
		failed = "ERROR at path: Cannot save the file: Writing the file failed: "
		next   = ". The path is unchanged.\n\nFree space on the disk, or choose another path."
		usedUp = "\n\nThe download was created and used. Run again to create another."
	)
	tests := map[string]struct {
		device string
		config values
		report string
	}{
		"full, a file that was uploaded": {"/dev/full", values{"file_ids": []string{simulator.FileInvoice}}, failed + "no space left on device" + next + usedUp},
		"full, a mail's":                 {"/dev/full", values{"download_id": simulator.DownloadFull}, failed + "no space left on device" + next},
		"not synced":                     {"/dev/null", values{"download_id": simulator.DownloadFull}, failed + "invalid argument" + next},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, dir := newAPI(t, simulator.Options{}), t.TempDir()
			path := filepath.Join(dir, strings.Repeat("x", 250)) // a long path does not displace the reason
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			api.Inject("GET /download/", 1, simulator.Before(func() {
				if err := replaceOpen(dir, test.device); err != nil {
					t.Error(err)
				}
			}))
			test.config["path"] = path
			if _, report := newActionServer(t, api, nil).invoke(t.Context(), t, test.config); report != test.report+"\n" {
				t.Errorf("reported\n%s\nwant\n%s", report, test.report)
			}
			files{filepath.Base(path): "old"}.check(t, dir)
		})
	}
}
