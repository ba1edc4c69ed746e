// Package bench measures whole runs of real Terraform against the simulator:
// make bench. The figures are in BENCHMARKS.md.
package bench

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

const (
	token       = "benchmark"
	pin         = "1a2s3d"
	parallelism = 10 // Terraform's default
)

// BenchmarkPlanReads plans lookups of 200 mails, with a latency of 20 ms each. "ratio"
// is its time as a multiple of the least possible time: that of the same plan with a
// data source that responds at once, plus the latency of the responses at Terraform's
// parallelism.
func BenchmarkPlanReads(b *testing.B) {
	for name, start := range map[string]func(*httptest.Server){
		"HTTP":  (*httptest.Server).Start,
		"HTTPS": (*httptest.Server).StartTLS,
	} {
		b.Run(name, func(b *testing.B) {
			const reads, latency = 200, 20 * time.Millisecond
			api := newAPI(b, simulator.Options{HideRateLimit: true, Latency: latency, Data: mails(reads)}, start)
			measured := newWorkspace(b, ".", api.configuration()+lookups("privasfer_inbox_mail", reads, mailID))
			floor := newWorkspace(b, "./internal/bench/floor", lookups("privasfer_floor", reads, mailID))

			var floorTime time.Duration
			for b.Loop() {
				b.StopTimer()
				started := time.Now()
				plan(b, floor)
				floorTime += time.Since(started)
				b.StartTimer()
				plan(b, measured)
			}
			runs := float64(b.N)
			least := floorTime.Seconds()/runs + reads/parallelism*latency.Seconds()
			b.ReportMetric(b.Elapsed().Seconds()/runs/least, "ratio")
			b.ReportMetric(floorTime.Seconds()/runs, "floor-s")
			b.ReportMetric(float64(len(api.Requests()))/runs, "requests")
			b.ReportMetric(float64(api.connections.Load())/runs, "connections")
		})
	}
}

// BenchmarkPlanRateLimited plans 300 lookups under a limit of 100 requests in 4 seconds.
// "rejected" is the number of requests over the limit, "reads-s" the time from the first
// request to the last.
func BenchmarkPlanRateLimited(b *testing.B) {
	const reads, latency = 300, 20 * time.Millisecond
	rejected, took := 0, time.Duration(0)
	for b.Loop() {
		b.StopTimer() // a new simulator, whose first window has not begun
		api := newAPI(b, simulator.Options{RateLimit: 100, RateWindow: 4 * time.Second, Latency: latency, Data: mails(reads)},
			(*httptest.Server).Start)
		w := newWorkspace(b, ".", api.configuration()+lookups("privasfer_inbox_mail", reads, mailID))
		b.StartTimer()
		plan(b, w)
		requests := api.Requests()
		took += requests[len(requests)-1].Time.Sub(requests[0].Time)
		for _, request := range requests {
			if request.Status == http.StatusTooManyRequests {
				rejected++
			}
		}
	}
	b.ReportMetric(float64(rejected)/float64(b.N), "rejected")
	b.ReportMetric(took.Seconds()/float64(b.N), "reads-s")
}

// BenchmarkSchema reads the provider's schema, as every command does at its start.
// "ratio" is its time as a multiple of the floor's.
func BenchmarkSchema(b *testing.B) {
	measured, floor := newWorkspace(b, ".", ""), newWorkspace(b, "./internal/bench/floor", "")
	var floorTime time.Duration
	for b.Loop() {
		b.StopTimer()
		started := time.Now()
		run(b, &floor.Workspace, "providers", "schema", "-json")
		floorTime += time.Since(started)
		b.StartTimer()
		run(b, &measured.Workspace, "providers", "schema", "-json")
	}
	b.ReportMetric(b.Elapsed().Seconds()/floorTime.Seconds(), "ratio")
}

// api is a simulator that listens and counts connections.
type api struct {
	*simulator.Server
	listener    *httptest.Server
	connections atomic.Int64
}

func newAPI(b *testing.B, options simulator.Options, start func(*httptest.Server)) *api {
	b.Helper()
	options.Token, options.PIN = token, pin
	a := &api{Server: simulator.New(options)}
	a.listener = httptest.NewUnstartedServer(a.Server)
	a.listener.EnableHTTP2 = true
	// Set before the start, so that httptest calls it from its own hook, which Close
	// needs.
	a.listener.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			a.connections.Add(1)
		}
	}
	start(a.listener)
	b.Cleanup(a.listener.Close)
	return a
}

func (a *api) configuration() string {
	config := fmt.Sprintf("provider \"privasfer\" {\n  token    = %q\n  base_url = \"%s/api\"\n", token, a.listener.URL)
	if certificate := a.listener.Certificate(); certificate != nil {
		config += fmt.Sprintf("  ca_cert_pem = %q\n", certificatePEM(certificate))
	}
	return config + "}\n"
}

func certificatePEM(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

// mailID is the expression of an id of mails.
const mailID = `"mail-${count.index}"`

// lookups returns data sources that look up as many objects, each by an expression for
// its id.
func lookups(dataSource string, count int, id string) string {
	return fmt.Sprintf(`
		data %q "test" {
			count = %d
			id    = %s
		}`, dataSource, count, id)
}

// mails returns an account with count mails, mail-0 and up.
func mails(count int) *simulator.Data {
	template := simulator.DefaultData().InboxMails[0]
	data := &simulator.Data{}
	for i := range count {
		mail := template
		mail.ID = fmt.Sprintf("mail-%d", i)
		mail.Download = nil
		data.InboxMails = append(data.InboxMails, mail)
	}
	return data
}

// workspace is a directory with a configuration, and the directory with its provider.
type workspace struct {
	terraform.Workspace
	providers string
}

// newWorkspace builds the provider in pkg and a workspace that uses it.
func newWorkspace(b *testing.B, pkg, config string) *workspace {
	b.Helper()
	program, err := terraform.Find(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := terraform.BuildProvider(b.Context(), dir, pkg, "-trimpath", "-ldflags=-s -w"); err != nil {
		b.Fatal(err)
	}
	w := &workspace{Workspace: terraform.Workspace{Program: program, Dir: b.TempDir()}, providers: dir}
	if err := w.UseProvider(dir); err != nil {
		b.Fatal(err)
	}
	config = fmt.Sprintf("terraform {\n  required_providers {\n    privasfer = { source = %q }\n  }\n}\n%s", terraform.Source, config)
	if err := os.WriteFile(filepath.Join(w.Dir, "main.tf"), []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	return w
}

func plan(b *testing.B, w *workspace) {
	b.Helper()
	run(b, &w.Workspace, "plan")
}

func run(b *testing.B, w *terraform.Workspace, args ...string) {
	b.Helper()
	result, err := w.Run(b.Context(), args...)
	if err != nil {
		b.Fatal(err)
	}
	if result.ExitCode != 0 {
		b.Fatalf("%v ended with %d:\n%s", args, result.ExitCode, result.Output)
	}
}
