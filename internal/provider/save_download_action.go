package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/actionvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var (
	_ action.ActionWithConfigure        = (*saveDownloadAction)(nil)
	_ action.ActionWithConfigValidators = (*saveDownloadAction)(nil)
)

func newSaveDownloadAction() action.Action { return &saveDownloadAction{} }

// saveDownloadAction saves the content of a download to a path, in constant memory.
type saveDownloadAction struct {
	provider *configured
}

func (a *saveDownloadAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_save_download"
}

func (a *saveDownloadAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Saves the content of a download to a file. The file can have any size: the provider streams it to the disk. " +
			"If anything fails, the path is left unchanged. Requires Terraform 1.14 or later. OpenTofu does not support actions.",
		Attributes: map[string]schema.Attribute{
			"file_ids": schema.SetAttribute{
				MarkdownDescription: fileIDsDescription,
				Optional:            true,
				ElementType:         types.StringType,
				Validators:          fileIDsValidators(),
			},
			"download_id": schema.StringAttribute{
				MarkdownDescription: downloadIDDescription,
				Optional:            true,
				Validators:          []validator.String{idValidator},
			},
			"path": schema.StringAttribute{
				MarkdownDescription: "The path of the file on the machine that runs Terraform. Its directory must exist. An existing file is replaced " +
					"once the new one is complete. Terraform shows the path, so it must not contain a secret.",
				Required:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"file_permission": schema.StringAttribute{
				MarkdownDescription: "The permissions of the file in octal notation, such as `0644`. On Windows, the file is read-only if the owner has no write " +
					"permission, and the rest is ignored. Defaults to `0600`.",
				Optional: true,
				Validators: []validator.String{stringvalidator.RegexMatches(regexp.MustCompile(`^0?[0-7]{3}$`),
					"must be three octal digits with an optional leading 0, such as 0600")},
			},
			"sha256": schema.StringAttribute{
				MarkdownDescription: "The expected SHA-256 checksum of the file, in hexadecimal. If the checksum differs, the file is not saved.",
				Optional:            true,
				Validators: []validator.String{stringvalidator.RegexMatches(regexp.MustCompile(`^[0-9a-fA-F]{64}$`),
					"must be 64 hexadecimal digits")},
			},
		},
	}
}

func (a *saveDownloadAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

func (a *saveDownloadAction) ConfigValidators(context.Context) []action.ConfigValidator {
	return []action.ConfigValidator{actionvalidator.ExactlyOneOf(path.MatchRoot("file_ids"), path.MatchRoot("download_id"))}
}

// Invoke saves the file. On an error the path is unchanged, and no other file
// remains. Missing settings and a path that cannot be written are errors before a
// download is created.
func (a *saveDownloadAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	diags := &resp.Diagnostics
	source := downloadSourceOf(ctx, req.Config, diags)
	target := argument[types.String](ctx, req.Config, "path", diags).ValueString()
	permission := argument[types.String](ctx, req.Config, "file_permission", diags)
	sum := argument[types.String](ctx, req.Config, "sha256", diags)
	a.provider.require(diags)
	if diags.HasError() {
		return
	}
	withKey := a.provider.requireDownloadURL(path.Empty(), diags)
	if withKey {
		a.provider.requirePIN(path.Empty(), diags)
	}
	if diags.HasError() {
		return
	}

	progress := startProgress(ctx, resp.SendProgress, a.provider.progressInterval)
	defer progress.stop()
	file, err := newSavedFile(target, permissionOf(permission))
	if err != nil {
		diags.AddAttributeError(path.Root("path"), "Cannot write to the path", sentence(err.Error())+"\n\nNo download was created.")
		return
	}
	// Deferred last, so that the file is deleted first: to stop the progress can take
	// seconds, in which an engine may kill the provider.
	defer file.discard()

	download := a.provider.ready(ctx, source, withKey, diags)
	if diags.HasError() {
		return
	}
	content, err := a.provider.client.PerformDownload(ctx, privasfer.Performance{
		Download:  download.Download,
		Key:       download.key,
		Remaining: download.remaining(a.provider.now()),
		Begin:     func(c privasfer.Content) { progress.begin(nameOf(download.Files), c.Length, file.written) },
	}, file)
	switch want := strings.ToLower(sum.ValueString()); {
	case failureOf(err).Kind == privasfer.Unwritable:
		diags.Append(unsavedDiagnostic(errors.Unwrap(err), source))
		return
	case err != nil:
		diags.Append(performDiagnostic(err, source))
		return
	case want != "" && want != file.sum():
		diags.AddAttributeError(path.Root("sha256"), "Checksum mismatch", fmt.Sprintf(
			"The content has the SHA-256 checksum %s, but %s is expected. The path is unchanged.", file.sum(), want)+fateOf(source))
		return
	}
	if err := file.keep(ctx); err != nil {
		diags.Append(unsavedDiagnostic(err, source))
		return
	}
	warnings := contentWarnings(content.Type, content.Length, download.Files)
	for _, warning := range warnings { // Terraform 1.16 and 1.17 drop the warnings of a triggered action
		progress.send("Warning: " + warning.Summary() + ". " + warning.Detail())
	}
	diags.Append(warnings...)
	progress.send(fmt.Sprintf("Saved %d bytes, SHA-256 %s, at %s", content.Length, file.sum(), target))
}

// unsavedDiagnostic returns the diagnostic of content that could not be written.
func unsavedDiagnostic(err error, source downloadSource) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("path"), "Cannot save the file", "Writing the file failed: "+sentence(err.Error())+
		" The path is unchanged.\n\n"+unwritableStep+fateOf(source))
}

// fateOf returns a paragraph on the download of a file that could not be saved, if
// the provider created it.
func fateOf(source downloadSource) string {
	if !source.created() {
		return ""
	}
	return "\n\nThe download was created and used. Run again to create another."
}

func permissionOf(text types.String) os.FileMode {
	mode, err := strconv.ParseUint(text.ValueString(), 8, 9)
	if err != nil { // null: the schema validates any other value
		return 0o600
	}
	return os.FileMode(mode)
}

// nameOf returns the name of a download's files for a sentence.
func nameOf(files []privasfer.File) string {
	if len(files) == 1 && files[0].FullFilename != nil {
		return fmt.Sprintf("%.120q", *files[0].FullFilename) // may contain control characters
	}
	if len(files) > 1 {
		return fmt.Sprintf("%d files", len(files))
	}
	return "the file"
}
