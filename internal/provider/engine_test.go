package provider

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// engine describes how an engine treats an ephemeral resource that expires while it is
// in use.
type engine struct {
	name string

	// The exit codes of a run with on_expiry = "error". The consumer uses the download
	// in time and only runs long ("early"), or uses it after the expiry ("late").
	earlyExit, lateExit int

	early, late string // in the output of such a run
	lateUsed    bool   // whether the late consumer got the expired value
	reports     int    // the number of "Download expired" in the output of the late run

	noWriteOnly bool // does not support write-only arguments: Terraform before 1.11
}

// The engines, as measured. Terraform before 1.17 discards the diagnostics of Renew,
// so that Close reports the expiry.
var (
	terraformBefore117 = engine{name: "Terraform before 1.17",
		early: "Warning: Download expired", late: "Warning: Download expired", lateUsed: true, reports: 1}
	terraformFrom117 = engine{name: "Terraform from 1.17 on", earlyExit: 1, lateExit: 1,
		early: "Error: Download expired", late: "Ephemeral resource instance has expired", reports: 0}
	openTofu = engine{name: "OpenTofu", earlyExit: 1, lateExit: 1,
		early: "Error: Download expired", late: "Error: Download expired", lateUsed: true, reports: 1}
)

// engineUnderTest returns the engine that the tests run on.
func engineUnderTest(t *testing.T) engine {
	t.Helper()
	found, err := findEngine()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// findEngine determines the engine from its version output, once.
var findEngine = sync.OnceValues(func() (engine, error) {
	path, err := program()
	if err != nil {
		return engine{}, err
	}
	output, err := exec.Command(path, "version").Output()
	if err != nil {
		return engine{}, fmt.Errorf("%s version: %w", path, err)
	}
	name, version, _ := strings.Cut(string(output), " v")
	switch {
	case name == "OpenTofu":
		return openTofu, nil
	case showsRenewDiagnostics(version):
		return terraformFrom117, nil
	}
	found := terraformBefore117
	found.noWriteOnly = strings.HasPrefix(version, "1.10.")
	return found, nil
})

func (e engine) String() string { return "on " + e.name }
