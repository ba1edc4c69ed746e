package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var _ datasource.DataSourceWithConfigure = (*listDataSource[privasfer.File])(nil)

// listing describes a plural data source. T is the API's object.
type listing[T any] struct {
	name        string // of the data source, without the provider's
	objects     string // the name of the attribute with the objects, and a noun for them
	description string
	attributes  map[string]data.Attribute // of one object
	hasDownload bool                      // has the argument include_files
	sortKeys    []string
	searched    string // the fields that the API searches for the keyword

	list func(client *privasfer.Client, ctx context.Context, options privasfer.ListOptions) (*privasfer.List[T], error)

	// values returns the values of an object's attributes, including "id".
	values func(*T) map[string]tftypes.Value

	// Built once, because the framework creates a data source for each call.
	schema     map[string]data.Attribute
	objectType tftypes.Object // of one object
}

// listDataSource is a plural data source. If there are no objects, its lists are
// empty.
type listDataSource[T any] struct {
	*listing[T]
	provider *configured
}

func (d *listDataSource[T]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.name
}

func (d *listDataSource[T]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = data.Schema{MarkdownDescription: d.description, Attributes: d.schema}
}

// prepared sets the schema and the type of an object.
func (l listing[T]) prepared() *listing[T] {
	var sorts []string
	for _, key := range l.sortKeys {
		sorts = append(sorts, key, "-"+key)
	}
	l.schema = map[string]data.Attribute{
		"keyword": data.StringAttribute{
			MarkdownDescription: fmt.Sprintf("The text to search for in %s. Must not be empty. If not set, all %s are listed.", l.searched, l.objects),
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"sort": data.StringAttribute{
			MarkdownDescription: fmt.Sprintf("The key to sort by: `%s`. A leading `-` reverses the order. Defaults to the order of the API.",
				strings.Join(l.sortKeys, "`, `")),
			Optional:   true,
			Validators: []validator.String{stringvalidator.OneOf(sorts...)},
		},
		"ids": data.ListAttribute{
			MarkdownDescription: fmt.Sprintf("The ids of the %s, in the order of the API.", l.objects),
			Computed:            true,
			ElementType:         types.StringType,
		},
		l.objects: data.ListNestedAttribute{
			MarkdownDescription: fmt.Sprintf("The %s, in the order of the API.", l.objects),
			Computed:            true,
			NestedObject:        data.NestedAttributeObject{Attributes: l.attributes},
		},
	}
	if l.hasDownload {
		l.schema["include_files"] = includeFilesArgument()
	}
	l.objectType = objectType(l.attributes)
	return &l
}

func (d *listDataSource[T]) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *listDataSource[T]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	keyword := argument[types.String](ctx, req.Config, "keyword", &resp.Diagnostics)
	sort := argument[types.String](ctx, req.Config, "sort", &resp.Diagnostics)
	var includeFiles types.Bool
	if d.hasDownload {
		includeFiles = argument[types.Bool](ctx, req.Config, "include_files", &resp.Diagnostics)
	}
	client := d.provider.require(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	list, err := d.list(client, ctx, privasfer.ListOptions{
		Keyword: keyword.ValueString(), Sort: sort.ValueString(), IncludeFiles: includeFiles.ValueBool()})
	if err != nil {
		resp.Diagnostics.Append(apiErrorDiagnostic("list the "+d.objects, err))
		return
	}
	if total := list.Total; total != nil && *total != int64(len(list.Objects)) {
		resp.Diagnostics.AddWarning("The list may be incomplete", fmt.Sprintf(
			"Privasfer counts %d %s in the list, but its pages had %d. Some may have been added, removed or moved while the pages were read.\n\n"+
				"Run again. If it happens again, set `sort`: without a fixed order, pages can miss objects.", *total, d.objects, len(list.Objects)))
	}
	resp.Diagnostics.Append(setResults(ctx, &resp.State, req.Config, d.listValues(list.Objects))...)
}

// listValues returns the list of ids and the list of objects.
func (d *listDataSource[T]) listValues(objects []T) map[string]tftypes.Value {
	ids := make([]tftypes.Value, len(objects))
	list := make([]tftypes.Value, len(objects))
	for i := range objects {
		values := d.values(&objects[i])
		ids[i] = values["id"]
		list[i] = tftypes.NewValue(d.objectType, values)
	}
	return map[string]tftypes.Value{
		"ids":     tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, ids),
		d.objects: tftypes.NewValue(tftypes.List{ElementType: d.objectType}, list),
	}
}
