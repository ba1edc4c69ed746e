package provider

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// engine is how the program under test treats an ephemeral resource whose time
// is over while it is in use: the one thing in which the engines differ.
type engine struct {
	name string

	// exit codes of a run with on_expiry = "error" whose consumer used the
	// download in time and ran long ("early"), or only after it expired.
	earlyExit, lateExit int

	// What such a run says, and how often it says "Download expired".
	early, late string
	lateUsed    bool // whether the late consumer got the dead value
	reports     int  // of the late one

	noWriteOnly bool // has no write-only arguments: Terraform before 1.11
}

// The engines, as measured. Terraform before 1.17 throws away what Renew
// reports, so that Close has to.
var (
	terraformBefore117 = engine{name: "Terraform before 1.17",
		early: "Warning: Download expired", late: "Warning: Download expired", lateUsed: true, reports: 1}
	terraformFrom117 = engine{name: "Terraform from 1.17 on", earlyExit: 1, lateExit: 1,
		early: "Error: Download expired", late: "Ephemeral resource instance has expired", reports: 0}
	openTofu = engine{name: "OpenTofu", earlyExit: 1, lateExit: 1,
		early: "Error: Download expired", late: "Error: Download expired", lateUsed: true, reports: 1}
)

// engineUnderTest is the engine that the tests run on.
func engineUnderTest(t *testing.T) engine {
	t.Helper()
	found, err := findEngine()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// findEngine asks the program what it is, once.
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
