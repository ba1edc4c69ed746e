package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// serve prints how to use the simulator, and leaves it running until the context ends.
func (d *demo) serve(ctx context.Context) error {
	d.print("\nIn another shell, set these variables and run Terraform, without init, on your own configuration:\n\n")
	setting, quote := "export %s='%s'\n", `'\''`
	if runtime.GOOS == "windows" {
		setting, quote = "$env:%s = '%s'\n", "''" // PowerShell
	}
	for _, variable := range append(d.workspace.Env, "PRIVASFER_DOWNLOAD_URL="+d.downloadURL()) {
		name, value, _ := strings.Cut(variable, "=")
		d.print(setting, name, strings.ReplaceAll(value, "'", quote))
	}
	d.print("\nThe configuration must contain:\n\n  terraform {\n    required_providers {\n      privasfer = { source = %q }\n    }\n  }\n", terraform.Source)
	data := simulator.DefaultData()
	d.print("\nThe inbox of the simulator has these mails:\n\n")
	for _, mail := range data.InboxMails {
		subject := "no subject"
		if mail.Subject != nil {
			subject = fmt.Sprintf("%q", *mail.Subject)
		}
		d.print("  %s  %s\n", mail.ID, subject)
	}
	d.print("\nThese files are uploaded:\n\n")
	for _, file := range data.Files {
		d.print("  %s  %s\n", file.ID, file.FullFilename)
	}
	d.print("\nPress Ctrl-C to stop the simulator.\n")
	<-ctx.Done()
	d.print("\nThe simulator has stopped.\n")
	return nil
}
