// Floor is a provider whose only data source responds at once. A plan with it takes only
// Terraform's own time: the floor against which the benchmarks measure Privasfer's
// provider.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func main() {
	err := providerserver.Serve(context.Background(), func() provider.Provider { return floorProvider{} },
		providerserver.ServeOpts{Address: "registry.terraform.io/privasfer/privasfer"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type floorProvider struct{}

func (floorProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "privasfer"
}

func (floorProvider) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (floorProvider) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
}

func (floorProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return floorDataSource{} }}
}

func (floorProvider) Resources(context.Context) []func() resource.Resource { return nil }

type floorDataSource struct{}

type floorModel struct {
	ID      types.String `tfsdk:"id"`
	Subject types.String `tfsdk:"subject"`
}

func (floorDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "privasfer_floor"
}

func (floorDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"id":      schema.StringAttribute{Required: true},
		"subject": schema.StringAttribute{Computed: true},
	}}
}

func (floorDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model floorModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	model.Subject = types.StringValue("A subject")
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}
