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
	// net/http logs bytes that a server sends unasked, and Terraform keeps what a
	// provider writes to its standard error.
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

// tuneRuntime fits the process to what it is: it lives as long as a plan and
// waits most of that time. BENCHMARKS.md has what each setting brings.
func tuneRuntime() {
	// The framework formats its trace lines even when nobody listens. Windows keeps
	// the case of a name as it was set and ignores it.
	if !slices.ContainsFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(strings.ToUpper(variable), "TF_LOG") }) {
		_ = os.Setenv("TF_LOG_SDK", "OFF")
	}
	// Collect garbage less often. A memory limit beside a larger percentage would
	// cost a large list, which is alive as a whole, far more than it saves.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(150)
	}
}
