// Shortlived is the provider for the demo's -expire flag, where the simulator's
// downloads live less than a minute. The released provider has no such setting.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/privasfer/terraform-provider-privasfer/internal/provider"
)

// lifetime is a Go duration, set by the linker.
var lifetime string

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	parsed, err := time.ParseDuration(lifetime)
	if err != nil {
		return fmt.Errorf("the lifetime that the linker has set: %w", err)
	}
	var cleanup provider.Cleanup
	defer cleanup.Run(context.Background())
	return providerserver.Serve(context.Background(),
		provider.New("demo", provider.WithDownloadLifetime(parsed), provider.WithCleanup(&cleanup)),
		providerserver.ServeOpts{Address: "registry.terraform.io/privasfer/privasfer"})
}
