package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var _ datasource.DataSourceWithConfigure = (*lookupDataSource[privasfer.File])(nil)

// lookup describes a singular data source. T is the API's object.
type lookup[T any] struct {
	name        string // of the data source, without the provider's
	object      string // a noun for error messages, such as "inbox mail"
	description string
	attributes  map[string]data.Attribute // of the object, including "id"
	hasDownload bool                      // has the argument include_files

	read func(client *privasfer.Client, ctx context.Context, id string, includeFiles bool) (*T, error)

	// values returns the values of the attributes.
	values func(*T) map[string]tftypes.Value

	// schema is attributes with the arguments. It is built once, because the
	// framework creates a data source for each call.
	schema map[string]data.Attribute
}

// prepared sets the schema.
func (l lookup[T]) prepared() *lookup[T] {
	l.schema = maps.Clone(l.attributes)
	l.schema["id"] = data.StringAttribute{
		MarkdownDescription: "The id of the " + l.object + ". Must not be empty, `.` or `..`, or contain a slash, a backslash, `?`, `#`, whitespace or a control character.",
		Required:            true,
		Validators:          []validator.String{idValidator},
	}
	if l.hasDownload {
		l.schema["include_files"] = includeFilesArgument()
	}
	return &l
}

// lookupDataSource is a singular data source. An object that does not exist is an
// error.
type lookupDataSource[T any] struct {
	*lookup[T]
	provider *configured
}

func (d *lookupDataSource[T]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.name
}

func (d *lookupDataSource[T]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = data.Schema{MarkdownDescription: d.description, Attributes: d.schema}
}

func (d *lookupDataSource[T]) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *lookupDataSource[T]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	values := d.find(ctx, d.provider, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(setResults(ctx, &resp.State, req.Config, values)...)
}

// find reads the object with the id in a configuration, and returns its values.
func (l *lookup[T]) find(ctx context.Context, p *configured, config tfsdk.Config, diags *diag.Diagnostics) map[string]tftypes.Value {
	id := argument[types.String](ctx, config, "id", diags)
	var includeFiles types.Bool
	if l.hasDownload {
		includeFiles = argument[types.Bool](ctx, config, "include_files", diags)
	}
	client := p.require(diags)
	if diags.HasError() {
		return nil
	}

	object, err := l.read(client, ctx, id.ValueString(), includeFiles.ValueBool())
	if err != nil {
		diags.Append(lookupDiagnostic(l.object, err))
		return nil
	}
	return l.values(object)
}

func includeFilesArgument() data.BoolAttribute {
	return data.BoolAttribute{
		MarkdownDescription: "Whether to also read the files of the download. If `false`, `download.files` is null. Defaults to `false`.",
		Optional:            true,
	}
}
