// Package terraform runs the real terraform or tofu program with a provider from this
// source tree. The demo, the tests and the benchmarks share it. It is not part of the
// provider.
//
// A run does not depend on the user's own Terraform settings: this package writes its
// CLI configuration file, and no registry is asked for the provider.
package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/checkpoint"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/src"
)

// Source is the provider's address in a configuration.
const Source = "privasfer/privasfer"

// EnvPath is the environment variable that names the program to use. It is the one that
// terraform-plugin-testing reads too.
const EnvPath = "TF_ACC_TERRAFORM_PATH"

// Find returns the path of the program: the one in EnvPath, else terraform on PATH, else
// a Terraform in the directory cache, where it installs the latest one if there is none. If
// cache is empty, it uses a directory in the user's cache.
func Find(ctx context.Context, cache string) (string, error) {
	if path := os.Getenv(EnvPath); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("terraform"); err == nil {
		return filepath.Abs(path)
	}
	if cache == "" {
		userCache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding a directory to install terraform into: %w", err)
		}
		cache = filepath.Join(userCache, "terraform-provider-privasfer")
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", err
	}
	path, err := install.NewInstaller().Ensure(ctx, []src.Source{
		&fs.AnyVersion{ExactBinPath: filepath.Join(cache, binaryName("terraform"))},
		&checkpoint.LatestVersion{Product: product.Terraform, InstallDir: cache},
	})
	if err != nil {
		return "", fmt.Errorf("finding or installing terraform (set %s to use one of yours): %w", EnvPath, err)
	}
	return path, nil
}

// Root returns the root of this source tree.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// BuildProvider compiles the main package pkg of this source tree into the
// directory dir, under the name that Terraform looks for.
func BuildProvider(ctx context.Context, dir, pkg string, flags ...string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	args := slices.Concat([]string{"build"}, flags, []string{"-o", filepath.Join(dir, binaryName("terraform-provider-privasfer")), pkg})
	build := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are this project's own
	build.Dir = Root()
	// An interrupted build leaves temporary files behind, which are deleted with dir.
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTMPDIR="+dir)
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the provider: %w\n%s", err, output)
	}
	return nil
}

func binaryName(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// Workspace is a directory with a configuration in which the program runs.
type Workspace struct {
	Program string   // path of terraform or tofu
	Dir     string   // where the configuration is
	Env     []string // on top of the caller's environment, KEY=value
}

// UseProvider makes the workspace use the provider that BuildProvider put into dir. It
// writes the CLI configuration file there too.
func (w *Workspace) UseProvider(dir string) error {
	config := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", Source, filepath.ToSlash(dir))
	return w.writeCLIConfig(dir, config)
}

// UseReattached makes the workspace use a provider that is already running. reattach is
// the JSON for TF_REATTACH_PROVIDERS. It writes the CLI configuration file into dir.
func (w *Workspace) UseReattached(dir, reattach string) error {
	w.Env = append(w.Env, "TF_REATTACH_PROVIDERS="+reattach)
	return w.writeCLIConfig(dir, "")
}

func (w *Workspace) writeCLIConfig(dir, config string) error {
	file := filepath.Join(dir, "cli.tfrc")
	w.Env = append(w.Env, "TF_CLI_CONFIG_FILE="+file)
	return os.WriteFile(file, []byte(config), 0o600)
}

// Result is the output of a run, both streams combined, and its exit code.
type Result struct {
	Output   string
	ExitCode int
}

// Run runs the program to its end. Cancelling the context interrupts it like Ctrl-C
// does, and kills it if it has not ended 30 seconds later, as on Windows, where one
// program cannot interrupt another. The error is for a program that could not be run,
// not for one that failed.
func (w *Workspace) Run(ctx context.Context, args ...string) (Result, error) {
	var output bytes.Buffer
	command := w.Command(ctx, args...)
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return Result{}, fmt.Errorf("running %s: %w", filepath.Base(w.Program), err)
	}
	return Result{Output: output.String(), ExitCode: command.ProcessState.ExitCode()}, nil
}

// Command prepares a run, for a caller that handles its streams.
func (w *Workspace) Command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, w.Program, args...) //nolint:gosec // the arguments are this project's own
	command.Dir = w.Dir
	command.Env = append(environment(), w.Env...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	return command
}

// environment returns the caller's environment without the settings of Terraform and of
// this provider, so that a run does not depend on the user.
func environment() []string {
	kept := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "PRIVASFER_")
	})
	return append(kept, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0")
}
