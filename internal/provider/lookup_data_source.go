package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var _ datasource.DataSourceWithConfigure = (*lookupDataSource)(nil)

// lookup finds one object of the API by its id. It is the whole difference
// between one singular data source and another.
type lookup struct {
	name        string // of the type, without the provider's
	object      string // the object as a noun in a sentence
	description string
	attributes  map[string]data.Attribute // the object's, "id" among them
	hasDownload bool                      // takes include_files

	// read returns the values of the attributes.
	read func(ctx context.Context, client *privasfer.Client, id string, includeFiles bool) (map[string]attr.Value, error)

	// Made of the above once: the framework makes a data source for each call.
	schema     map[string]data.Attribute // with the arguments that find the object
	objectType types.ObjectType
}

// prepared completes a lookup.
func (l lookup) prepared() *lookup {
	l.schema = maps.Clone(l.attributes)
	l.schema["id"] = data.StringAttribute{
		MarkdownDescription: "The " + l.object + "'s id. It must not be empty or contain a slash, a backslash, `?`, `#`, white space or a control character.",
		Required:            true,
		Validators:          []validator.String{idValidator},
	}
	if l.hasDownload {
		l.schema["include_files"] = includeFilesArgument()
	}
	l.objectType = objectType(l.schema)
	return &l
}

// lookupDataSource is a singular data source: it errs when there is nothing.
type lookupDataSource struct {
	*lookup
	provider *configured
}

func (d *lookupDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.name
}

func (d *lookupDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = data.Schema{MarkdownDescription: d.description, Attributes: d.schema}
}

func (d *lookupDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *lookupDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	values := d.find(ctx, d.provider, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, types.ObjectValueMust(d.objectType.AttrTypes, values))...)
}

// find reads the object that a configuration asks for, and returns it with the
// arguments as they were given.
func (l *lookup) find(ctx context.Context, p *configured, config tfsdk.Config, diags *diag.Diagnostics) map[string]attr.Value {
	var id types.String
	diags.Append(config.GetAttribute(ctx, path.Root("id"), &id)...)
	var includeFiles types.Bool
	if l.hasDownload {
		diags.Append(config.GetAttribute(ctx, path.Root("include_files"), &includeFiles)...)
	}
	client := p.require(diags)
	if diags.HasError() {
		return nil
	}

	values, err := l.read(ctx, client, id.ValueString(), includeFiles.ValueBool())
	if err != nil {
		diags.Append(lookupDiagnostic(l.object, id.ValueString(), err))
		return nil
	}
	values["id"] = id
	if l.hasDownload {
		values["include_files"] = includeFiles
	}
	return values
}

func includeFilesArgument() data.BoolAttribute {
	return data.BoolAttribute{
		MarkdownDescription: "Whether to ask for the files in a mail's download too. Without it `download.files` is null.",
		Optional:            true,
	}
}
