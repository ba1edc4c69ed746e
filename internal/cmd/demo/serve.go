package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// serve leaves the simulator to whoever wants to try a configuration on it,
// until the context ends.
func (d *demo) serve(ctx context.Context) error {
	d.print("\nSet these in another shell, and run Terraform there (without init) on a configuration of yours:\n\n")
	setting := "export %s='%s'\n"
	if runtime.GOOS == "windows" {
		setting = "$env:%s = '%s'\n" // PowerShell's
	}
	for _, variable := range append(d.workspace.Env, "PRIVASFER_DOWNLOAD_URL="+d.downloadURL()) {
		name, value, _ := strings.Cut(variable, "=")
		d.print(setting, name, value)
	}
	d.print("\nThe simulator holds these mails of the inbox, for example:\n\n")
	for _, mail := range simulator.DefaultData().InboxMails {
		subject := "no subject"
		if mail.Subject != nil {
			subject = fmt.Sprintf("%q", *mail.Subject)
		}
		d.print("  %s  %s\n", mail.ID, subject)
	}
	d.print("\nIt responds until Ctrl-C.\n")
	<-ctx.Done()
	return nil
}
