// Demo shows the provider's main job: real Terraform runs examples/demo with the
// provider built from this source tree, against a simulator of Privasfer on this
// machine. It needs no account, and no network if Terraform is on PATH.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if help, ok := helperOf(os.Args); ok {
		exitOn(help(os.Args[2:]))
		return
	}
	var chosen options
	flag.BoolVar(&chosen.Expire, "expire", false, "let the download expire while it is in use")
	flag.BoolVar(&chosen.Keep, "keep", false, "keep the temporary directory with the state and the plan")
	flag.BoolVar(&chosen.Serve, "serve", false, "keep the simulator running for your own configurations, until Ctrl-C")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := show(ctx, os.Stdout, chosen)
	stop()
	exitOn(err)
}

func exitOn(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "demo:", err)
	os.Exit(1)
}
