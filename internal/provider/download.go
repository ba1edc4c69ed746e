package provider

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	eph "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// downloadSource is the id of an existing download, or the files of a download that
// the provider creates.
type downloadSource struct {
	id      string
	fileIDs []string
}

// downloadSourceOf returns the source in a configuration: download_id or file_ids.
func downloadSourceOf(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) downloadSource {
	return downloadSource{
		id:      argument[types.String](ctx, config, "download_id", diags).ValueString(),
		fileIDs: sortedStrings(ctx, argument[types.Set](ctx, config, "file_ids", diags), diags),
	}
}

// created reports whether the provider creates the download, which then lives one
// minute.
func (s downloadSource) created() bool { return s.id == "" }

// readyDownload is a download that can be performed.
type readyDownload struct {
	*privasfer.Download
	key       string    // empty if not requested
	expiresAt time.Time // zero if the provider did not create the download
}

func (d *readyDownload) expired(now time.Time) bool {
	return !d.expiresAt.IsZero() && !now.Before(d.expiresAt)
}

// remaining returns the time until the download expires, or 0 if it does not expire.
func (d *readyDownload) remaining(now time.Time) time.Duration {
	if d.expiresAt.IsZero() {
		return 0
	}
	return max(1, d.expiresAt.Sub(now))
}

// ready creates the download of a source, and its public download key if withKey is
// set. It creates the temporary key first, so that this does not take up the
// download's minute, and no download is created if the PIN is wrong.
func (c *configured) ready(ctx context.Context, source downloadSource, withKey bool, diags *diag.Diagnostics) *readyDownload {
	if withKey {
		if err := c.client.PrepareKey(ctx); err != nil {
			diags.Append(temporaryKeyDiagnostic(err))
			return nil
		}
	}
	ready := &readyDownload{Download: &privasfer.Download{ID: source.id}}
	if source.created() {
		download, sent, err := c.client.CreateDownload(ctx, source.fileIDs)
		if err != nil {
			diags.Append(createDiagnostic(err))
			return nil
		}
		ready.Download, ready.expiresAt = download, sent.Add(c.downloadLifetime)
		if ready.expired(c.now()) {
			diags.Append(tooLateDiagnostic())
			return nil
		}
	}
	if withKey {
		key, err := c.client.CreateDownloadKey(ctx, ready.ID)
		if err != nil {
			diags.Append(downloadKeyDiagnostic(err, source))
			return nil
		}
		ready.key = key
	}
	if ready.expired(c.now()) {
		diags.Append(tooLateDiagnostic())
		return nil
	}
	return ready
}

// urlValue returns the URL at which a download is performed, or null if it cannot be
// made.
func (c *configured) urlValue(download *readyDownload) tftypes.Value {
	if c.downloadURL == nil || c.downloadURL.NeedsKey() && download.key == "" {
		return stringValue(nil)
	}
	filled, err := c.downloadURL.For(download.ID, download.key)
	if err != nil {
		return stringValue(nil)
	}
	return stringValue(new(filled.String()))
}

// defaultMaxContentBytes is the default of max_content_bytes.
const defaultMaxContentBytes = 1 << 20

// perform performs a download, and returns the values of its content.
func (c *configured) perform(ctx context.Context, download *readyDownload, source downloadSource, limit types.Int64, diags *diag.Diagnostics) map[string]tftypes.Value {
	var bytes bytes.Buffer
	content, err := c.client.PerformDownload(ctx, privasfer.Performance{
		Download:  download.Download,
		Key:       download.key,
		Remaining: download.remaining(c.now()),
		Limit:     cmp.Or(limit.ValueInt64(), defaultMaxContentBytes),
		Begin:     func(begun privasfer.Content) { bytes.Grow(int(max(0, begun.Length))) },
	}, &bytes)
	if err != nil {
		diags.Append(performDiagnostic(err, source))
		return nil
	}
	diags.Append(contentWarnings(content.Type, content.Length, download.Files)...)
	return contentValues(content.Type, bytes.Bytes())
}

// The arguments of a downloadSource.
const (
	fileIDsDescription = "The ids of files that you have uploaded to Privasfer. At least one, and none of them empty. The provider creates a " +
		"download of the files, which is for a single use and lives one minute. Exactly one of `file_ids` and `download_id` must be set."

	downloadIDDescription = "The id of an existing download, such as `download.id` of `privasfer_inbox_mail`. " +
		"Use it for the files of a mail that was sent to you. No download is created."
)

func fileIDsValidators() []validator.Set {
	return []validator.Set{
		setvalidator.SizeAtLeast(1),
		setvalidator.NoNullValues(),
		setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1)),
	}
}

func downloadAttributes() map[string]eph.Attribute {
	return map[string]eph.Attribute{
		"file_ids": eph.SetAttribute{
			MarkdownDescription: fileIDsDescription,
			Optional:            true,
			ElementType:         types.StringType,
			Validators:          fileIDsValidators(),
		},
		"download_id": eph.StringAttribute{
			MarkdownDescription: downloadIDDescription + " Requires `perform` or `create_key`.",
			Optional:            true,
			Validators:          []validator.String{idValidator},
		},
		"enabled": enabledArgument("open the ephemeral resource", "done"),
		"on_expiry": eph.StringAttribute{
			MarkdownDescription: "How to report that the download expired while in use: `error` or `warning`. Defaults to `error`.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.OneOf(expiryError, expiryWarning)},
		},
		"create_key": eph.BoolAttribute{
			MarkdownDescription: "Whether to create the public download key, for a consumer that performs the download itself. " +
				"Requires the provider's `pin`. Conflicts with `perform`. Defaults to `false`.",
			Optional: true,
		},
		"perform": eph.BoolAttribute{
			MarkdownDescription: "Whether to perform the download and return its content. This uses up a download of `file_ids`. " +
				"Requires the provider's `download_url`, and its `pin` if the URL contains `{key}`. Defaults to `false`.",
			Optional: true,
		},
		"max_content_bytes": eph.Int64Attribute{
			MarkdownDescription: "The maximum size of the content in bytes, from 1 to 16777216 (16 MiB). Defaults to `1048576` (1 MiB). " +
				"The content is copied several times: with 16 MiB of text, the provider uses up to 190 MB of memory.",
			Optional:   true,
			Validators: []validator.Int64{int64validator.Between(1, 16<<20)},
		},
		"id": eph.StringAttribute{
			MarkdownDescription: "The id of the download. Treat it as a secret.",
			Computed:            true,
			Sensitive:           true,
		},
		"key": eph.StringAttribute{
			MarkdownDescription: "The public download key, from which the URL of the download is made. Null unless `create_key` is `true`.",
			Computed:            true,
			Sensitive:           true,
		},
		"url": eph.StringAttribute{
			MarkdownDescription: "The URL at which the download is performed: the provider's `download_url` with the id and the key filled in. " +
				"Null if `download_url` is not set, if it contains `{key}` and `create_key` is not `true`, and with `perform`.",
			Computed:  true,
			Sensitive: true,
		},
		"files": eph.ListNestedAttribute{
			MarkdownDescription: "The files of the download, in the order of the API. Null with `download_id`.",
			Computed:            true,
			NestedObject:        eph.NestedAttributeObject{Attributes: ephemeralAttributes(fileAttributes())},
		},
		"created_at": eph.StringAttribute{
			MarkdownDescription: "The time at which the download was created, " + timeNote + " Null with `download_id`.",
			Computed:            true,
		},
		"expires_at": eph.StringAttribute{
			MarkdownDescription: "The time at which the download expires, in RFC 3339 and UTC: 59 seconds after the request was sent, " +
				"by the clock of this machine. Null with `perform`, and with `download_id`.",
			Computed: true,
		},
		"content": eph.StringAttribute{
			MarkdownDescription: "The content as text, which Terraform and OpenTofu normalize to Unicode NFC. Null if the content is not UTF-8, " +
				"and unless `perform` is `true`.",
			Computed:  true,
			Sensitive: true,
		},
		"content_base64": eph.StringAttribute{
			MarkdownDescription: "The exact bytes of the content, in base64. Null unless `perform` is `true`.",
			Computed:            true,
			Sensitive:           true,
		},
		"content_sha256": eph.StringAttribute{
			MarkdownDescription: "The SHA-256 checksum of the content, in hexadecimal. Null unless `perform` is `true`.",
			Computed:            true,
		},
		"content_type": eph.StringAttribute{
			MarkdownDescription: "The media type of the content. Null if the server does not send one, and unless `perform` is `true`.",
			Computed:            true,
		},
		"content_length": eph.Int64Attribute{
			MarkdownDescription: "The size of the content in bytes. Null unless `perform` is `true`.",
			Computed:            true,
		},
	}
}

// downloadValues returns the values of a download that has not been performed.
func downloadValues(d *readyDownload) map[string]tftypes.Value {
	values := map[string]tftypes.Value{
		"id":         stringValue(&d.ID),
		"files":      filesValue(d.Files),
		"created_at": timeValue(d.CreatedAt),
	}
	if !d.expiresAt.IsZero() {
		values["expires_at"] = stringValue(new(d.expiresAt.UTC().Format(time.RFC3339)))
	}
	return values
}

// contentValues returns the values of the content of a performed download, which no
// longer expires.
func contentValues(mediaType string, content []byte) map[string]tftypes.Value {
	sum := sha256.Sum256(content)
	values := map[string]tftypes.Value{
		"expires_at":     stringValue(nil),
		"content_base64": stringValue(new(base64.StdEncoding.EncodeToString(content))),
		"content_sha256": stringValue(new(hex.EncodeToString(sum[:]))),
		"content_length": int64Value(new(int64(len(content)))),
	}
	if utf8.Valid(content) {
		values["content"] = stringValue(new(string(content)))
	}
	if mediaType != "" {
		values["content_type"] = stringValue(&mediaType)
	}
	return values
}

// contentWarnings returns warnings for content that may not be the file: a web page
// if the file is not described, or a size that differs from that of the file.
func contentWarnings(mediaType string, length int64, files []privasfer.File) diag.Diagnostics {
	var diags diag.Diagnostics
	if len(files) == 0 && privasfer.IsHTML(mediaType) {
		diags.AddWarning("The content is a web page", "The media type of the content is text/html. "+
			"Unless the file is a web page, the provider's `download_url` leads to another page, such as a login page.")
	}
	if len(files) == 1 && files[0].Size != nil && *files[0].Size != length {
		diags.AddWarning("The content differs in size from the file", fmt.Sprintf("According to Privasfer, the file has %d bytes. The content has %d.",
			*files[0].Size, length))
	}
	return diags
}

// sortedStrings returns the strings of a set in a defined order, because the order
// of a set depends on the engine.
func sortedStrings(ctx context.Context, set types.Set, diags *diag.Diagnostics) []string {
	var values []string
	if known(set) {
		diags.Append(set.ElementsAs(ctx, &values, false)...)
	}
	slices.Sort(values)
	return values
}

var (
	downloadIDPath = path.Root("download_id")
	fileIDsPath    = path.Root("file_ids")
)
