//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// BenchmarkPlanList plans one list of files. "peak-MB" is the provider's peak memory.
func BenchmarkPlanList(b *testing.B) {
	for _, count := range []int{1, 5_000, 20_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			api := newAPI(b, simulator.Options{HideRateLimit: true, Data: &simulator.Data{Files: simulator.ManyFiles(count)}},
				(*httptest.Server).Start)
			measure(b, api, `data "privasfer_files" "test" {}`, "plan")
		})
	}
}

// BenchmarkPlanLookups plans lookups of single files.
func BenchmarkPlanLookups(b *testing.B) {
	for _, count := range []int{200, 2_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			api := newAPI(b, simulator.Options{HideRateLimit: true, Data: &simulator.Data{Files: simulator.ManyFiles(count)}},
				(*httptest.Server).Start)
			measure(b, api, lookups("privasfer_file", count, `format("file-%06d", count.index + 1)`), "plan")
		})
	}
}

// BenchmarkPerform plans a download that is performed. The content of a text is in two
// results, that of any other file in one.
func BenchmarkPerform(b *testing.B) {
	for _, test := range []struct {
		name string
		size int
		text bool
	}{
		{"1KiB", 1 << 10, false},
		{"1MiB", 1 << 20, false},
		{"16MiB", 16 << 20, false},
		{"16MiBText", 16 << 20, true},
	} {
		b.Run(test.name, func(b *testing.B) {
			file := simulator.LargeFile("large", test.size)
			if test.text {
				file.Content = bytes.Repeat([]byte("text\n"), test.size/5)
			}
			api := newAPI(b, simulator.Options{HideRateLimit: true, Data: &simulator.Data{Files: []simulator.File{file}}},
				(*httptest.Server).Start)
			measure(b, api, `
				ephemeral "privasfer_download" "test" {
					file_ids          = ["large"]
					perform           = true
					max_content_bytes = 16777216
				}`, "plan")
		})
	}
}

// measure runs Terraform with a provider in a separate process, and reports that
// process's peak memory and CPU time.
func measure(b *testing.B, api *api, config string, args ...string) {
	b.Helper()
	w := newWorkspace(b, ".", api.configuration()+config)
	binary := filepath.Join(w.providers, "terraform-provider-privasfer")
	peak, cpu := 0, time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		provider := exec.CommandContext(b.Context(), binary, "-debug")
		provider.Env = append(os.Environ(), "PRIVASFER_PIN="+pin, "PRIVASFER_DOWNLOAD_URL="+api.listener.URL+"/download/{key}")
		provider.Cancel = func() error { return provider.Process.Signal(os.Interrupt) }
		reattach := start(b, provider)
		attached := terraform.Workspace{Program: w.Program, Dir: w.Dir}
		if err := attached.UseReattached(b.TempDir(), reattach); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		run(b, &attached, args...)
		b.StopTimer()
		peak = max(peak, peakMemory(b, provider.Process.Pid))
		cpu += stop(provider)
		b.StartTimer()
	}
	b.ReportMetric(float64(peak)/1024, "peak-MB")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "provider-cpu-s")
}

// peakMemory returns the peak memory of a process so far, in KiB.
func peakMemory(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var peak int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &peak); err == nil {
			return peak
		}
	}
	b.Fatal("the system does not report the peak of memory")
	return 0
}

// stop ends the provider and returns its CPU time.
func stop(provider *exec.Cmd) time.Duration {
	_ = provider.Process.Signal(os.Interrupt)
	_ = provider.Wait() // it was interrupted
	return provider.ProcessState.UserTime() + provider.ProcessState.SystemTime()
}

// start starts a provider and returns the TF_REATTACH_PROVIDERS that it prints.
func start(b *testing.B, provider *exec.Cmd) string {
	b.Helper()
	output, err := provider.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := provider.Start(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
	defer cancel()
	lines := bufio.NewScanner(output)
	for ctx.Err() == nil && lines.Scan() {
		if _, value, ok := strings.Cut(lines.Text(), "TF_REATTACH_PROVIDERS="); ok {
			return strings.Trim(value, "'")
		}
	}
	b.Fatal("the provider did not say how to reach it")
	return ""
}
