package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
	"github.com/privasfer/terraform-provider-privasfer/internal/terraform"
)

// shortLifetime is the lifetime of a download with options.Expire, instead of a minute.
const shortLifetime = 2 * time.Second

// options selects what the demo shows.
type options struct {
	// Expire lets the download expire while it is in use.
	Expire bool
	// Keep leaves the temporary directory behind.
	Keep bool
	// Serve shows nothing, and leaves the simulator running until the context ends.
	Serve bool

	// started, if not nil, is called with the simulator before Terraform runs.
	started func(*simulator.Server, *http.Server)
}

// demo is one run.
type demo struct {
	out      io.Writer
	options  options
	dir      string // holds everything that is written
	token    string // new for each run, so that finding it proves something
	pin      string // likewise
	lifetime time.Duration

	simulator *simulator.Server
	url       string // of the simulator, without a path
	workspace terraform.Workspace

	planned     int             // number of requests made by plan
	diagnostics []diagnostic    // what apply reported
	printed     strings.Builder // everything that Terraform printed
	failed      []string        // claims that are false
}

// show runs the demo and prints it to out. It returns an error if a claim is false.
func show(ctx context.Context, out io.Writer, chosen options) (err error) {
	dir, err := os.MkdirTemp("", "privasfer-demo-")
	if err != nil {
		return fmt.Errorf("creating a temporary directory: %w", err)
	}
	defer func() {
		if chosen.Keep {
			fmt.Fprintf(out, "\nKept: %s\n", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()

	d := &demo{out: out, options: chosen, dir: dir, token: rand.Text(), pin: rand.Text(), lifetime: time.Minute}
	if chosen.Expire {
		d.lifetime = shortLifetime
	}
	err = d.run(ctx)
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

func (d *demo) run(ctx context.Context) error {
	d.print("Privasfer demo: real Terraform, this provider, and a simulator of Privasfer on this machine.\n\n")
	if err := d.prepareTerraform(ctx); err != nil {
		return err
	}
	stop, err := d.startSimulator(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if d.options.Serve {
		return d.serve(ctx)
	}

	if err := d.plan(ctx); err != nil {
		return err
	}
	if err := d.showMail(ctx); err != nil {
		return err
	}
	if err := d.apply(ctx); err != nil {
		return err
	}
	results, err := readReport(d.path("report.json"))
	if err != nil {
		return err
	}
	d.showReceived(results)
	d.showOwn(results)
	if err := d.showEvidence(results); err != nil {
		return err
	}
	d.showRequests()
	if len(d.failed) > 0 {
		return fmt.Errorf("failed checks: %s", strings.Join(d.failed, "; "))
	}
	return nil
}

// prepareTerraform builds the provider and writes a workspace that uses it.
func (d *demo) prepareTerraform(ctx context.Context) error {
	program, err := terraform.Find(ctx, "")
	if err != nil {
		return err
	}
	d.print("  Terraform  %s\n", program)

	d.print("  provider   built from this source tree")
	pkg, flags := ".", []string{"-buildvcs=false"}
	if d.options.Expire {
		pkg, flags = "./internal/cmd/demo/shortlived", append(flags, "-ldflags=-X main.lifetime="+d.lifetime.String())
		d.print(", with downloads that live %s instead of one minute", d.lifetime)
	}
	if err := terraform.BuildProvider(ctx, d.path("provider"), pkg, flags...); err != nil {
		return err
	}
	d.print("\n")

	d.workspace = terraform.Workspace{Program: program, Dir: d.path("workspace")}
	if err := copyExample(d.workspace.Dir); err != nil {
		return fmt.Errorf("copying examples/demo: %w", err)
	}
	return d.workspace.UseProvider(d.path("provider"))
}

// copyExample copies only the configuration: Terraform may have been run on the example,
// and its state is not part of the demo.
func copyExample(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(terraform.Root(), "examples", "demo", "*.tf"))
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// startSimulator serves the simulator on a free port of this machine until stop is
// called.
func (d *demo) startSimulator(ctx context.Context) (stop func(), err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	d.simulator = simulator.New(simulator.Options{Token: d.token, PIN: d.pin, Lifetime: d.lifetime})
	d.url = "http://" + listener.Addr().String()
	d.workspace.Env = append(d.workspace.Env, "PRIVASFER_TOKEN="+d.token, "PRIVASFER_PIN="+d.pin, "PRIVASFER_BASE_URL="+d.url+"/api")
	d.print("  simulator  %s/api\n", d.url)

	server := &http.Server{Handler: d.simulator, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // without a simulator, Terraform's calls fail
	}()
	if d.options.started != nil {
		d.options.started(d.simulator, server)
	}
	return func() {
		_ = server.Close()
		<-ended
	}, nil
}

// plan creates the plan file that apply uses, as careful users do.
func (d *demo) plan(ctx context.Context) error {
	helper, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	args := []string{
		"plan", "-out=" + planFile,
		"-var=mail_id=" + simulator.MailFull,
		"-var=download_url=" + d.downloadURL(),
		"-var=helper=" + helper,
		"-var=report=" + d.path("report.json"),
	}
	if d.options.Expire {
		// The engines differ in whether a use begins after the expiry, so there is no
		// second use.
		args = append(args, "-target=terraform_data.first_use", "-var=delay="+(d.lifetime+time.Second).String())
	}
	exitCode, output, err := d.terraform(ctx, args...)
	if err != nil {
		return err
	}
	if exitCode != 0 {
		return fmt.Errorf("terraform plan ended with %d:\n%s", exitCode, output)
	}
	d.planned = len(d.simulator.Requests())
	return nil
}

// apply may fail only if the download expires, which later versions of Terraform report
// as an error, and earlier ones as a warning.
func (d *demo) apply(ctx context.Context) error {
	exitCode, output, err := d.terraform(ctx, "apply", "-json", planFile)
	if err != nil {
		return err
	}
	d.diagnostics = diagnosticsOf(output)
	if exitCode == 0 {
		return nil
	}
	failure := fmt.Errorf("terraform apply ended with %d", exitCode)
	expired := false
	for _, reported := range d.diagnostics {
		switch {
		case reported.Severity != "error":
		case d.options.Expire && reported.Summary == expirySummary:
			expired = true
		default:
			return fmt.Errorf("%w: %s\n%s", failure, reported.Summary, reported.Detail)
		}
	}
	if !expired {
		return failure
	}
	return nil
}

// terraform runs a command of Terraform and keeps what it printed.
func (d *demo) terraform(ctx context.Context, args ...string) (exitCode int, output string, err error) {
	result, err := d.workspace.Run(ctx, append(args, "-no-color")...)
	if err != nil {
		return 0, "", err
	}
	d.printed.WriteString(result.Output)
	return result.ExitCode, result.Output, ctx.Err()
}

// showMail prints the configuration's outputs. They are read from the plan,
// since an apply in which the download expires may end before its outputs.
func (d *demo) showMail(ctx context.Context) error {
	shown, err := d.workspace.Command(ctx, "show", "-json", planFile).Output()
	if err != nil {
		return fmt.Errorf("running terraform show: %w", err)
	}
	d.printed.Write(shown)
	var plan struct {
		PlannedValues struct {
			Outputs struct {
				Mail struct {
					Value struct {
						Subject    string
						Sender     struct{ Name, Email string }
						ReceivedAt string `json:"received_at"`
					}
				}
				Files struct{ Value map[string]string }
			}
		} `json:"planned_values"`
	}
	if err := json.Unmarshal(shown, &plan); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	if d.options.Expire {
		return nil // that plan does not target the mail
	}
	mail, files := plan.PlannedValues.Outputs.Mail.Value, plan.PlannedValues.Outputs.Files.Value
	d.print("\nThe mail: data \"privasfer_inbox_mail\"\n")
	d.print("  subject    %s\n  sender     %s <%s>\n  received   %s\n", mail.Subject, mail.Sender.Name, mail.Sender.Email, mail.ReceivedAt)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		d.print("  file       %-12s %s\n", name, files[name])
	}
	if files["licence.txt"] == "" {
		return errors.New("the mail comes without licence.txt")
	}
	return nil
}

// downloadURL returns the URL at which the simulator performs downloads.
func (d *demo) downloadURL() string { return d.url + performPrefix + "{key}" }

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) print(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }
