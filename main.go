// Terraform-provider-privasfer is the Terraform and OpenTofu provider for
// Privasfer, a secure file transfer service. Terraform runs it; see README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log" //nolint:depguard // to silence it
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/privasfer/terraform-provider-privasfer/internal/provider"
)

// version is set by the linker when a release is built.
var version = "dev"

func main() {
	// net/http logs unsolicited bytes from a server, and Terraform keeps what a provider
	// writes to its standard error.
	log.SetOutput(io.Discard)
	tuneRuntime()
	debugging := flag.Bool("debug", false, "serve the provider for a debugger, and print how Terraform finds it")
	flag.Parse()

	var cleanup provider.Cleanup
	err := providerserver.Serve(context.Background(), provider.New(version, provider.WithCleanup(&cleanup)), providerserver.ServeOpts{
		Address: "registry.terraform.io/privasfer/privasfer",
		Debug:   *debugging,
	})
	cleanup.Run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tuneRuntime tunes the runtime for a process that lives only as long as a plan and
// mostly waits. BENCHMARKS.md has the effect of each setting.
func tuneRuntime() {
	// The framework formats its trace lines even if they are not logged. Windows
	// preserves the case of variable names, but ignores it.
	if !slices.ContainsFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(strings.ToUpper(variable), "TF_LOG") }) {
		_ = os.Setenv("TF_LOG_SDK", "OFF")
	}
	// Collect garbage less often. A larger percentage with a memory limit would cost far
	// more than it saves with a large list, all of which is alive.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(150)
	}
}
