package provider

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// standin is a stand-in for another provider of an example, with the part of its schema
// that the example uses. It records its calls.
type standin struct {
	name      string
	arguments map[string]providerschema.Attribute
	resource  standinResource
	calls     *calls
}

// calls records the calls of a stand-in, with the configuration as JSON.
type calls struct {
	mu    sync.Mutex
	lines []string
}

func (c *calls) add(call string, config tftypes.Value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, call+" "+describe(config))
}

func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.lines
	c.lines = nil
	return taken
}

func (s *standin) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = s.name
}

func (s *standin) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerschema.Schema{Attributes: s.arguments}
}

func (s *standin) Configure(_ context.Context, req provider.ConfigureRequest, _ *provider.ConfigureResponse) {
	if len(s.arguments) > 0 {
		s.calls.add("configure", req.Config.Raw)
	}
}

func (s *standin) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (s *standin) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource {
		served := s.resource
		served.calls = s.calls
		return &served
	}}
}

// standinResource stores its plan, which has no write-only values.
type standinResource struct {
	name       string
	schema     schema.Schema
	validators []resource.ConfigValidator
	calls      *calls
}

var (
	_ resource.ResourceWithConfigValidators = (*standinResource)(nil)
	_ resource.ResourceWithModifyPlan       = (*standinResource)(nil)
)

func (r *standinResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.name
}

func (r *standinResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.schema
}

func (r *standinResource) ConfigValidators(context.Context) []resource.ConfigValidator {
	return r.validators
}

func (r *standinResource) ModifyPlan(_ context.Context, req resource.ModifyPlanRequest, _ *resource.ModifyPlanResponse) {
	r.calls.add("plan", req.Config.Raw)
}

func (r *standinResource) Create(_ context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.calls.add("create", req.Config.Raw)
	resp.State.Raw = req.Plan.Raw
}

func (r *standinResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (r *standinResource) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

func (r *standinResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// newAWS returns a stand-in for hashicorp/aws. Like the real provider, it rejects a
// version without a secret string and vice versa, and treats null as not set.
func newAWS() *standin {
	return &standin{
		name:  "aws",
		calls: &calls{},
		resource: standinResource{
			name: "aws_secretsmanager_secret_version",
			schema: schema.Schema{Attributes: map[string]schema.Attribute{
				"secret_id":                schema.StringAttribute{Required: true},
				"secret_string_wo":         schema.StringAttribute{Optional: true, Sensitive: true, WriteOnly: true},
				"secret_string_wo_version": schema.Int64Attribute{Optional: true},
			}},
			validators: []resource.ConfigValidator{
				resourcevalidator.RequiredTogether(path.MatchRoot("secret_string_wo"), path.MatchRoot("secret_string_wo_version")),
			},
		},
	}
}

// newKubernetes returns a stand-in for hashicorp/kubernetes.
func newKubernetes() *standin {
	return &standin{
		name:  "kubernetes",
		calls: &calls{},
		arguments: map[string]providerschema.Attribute{
			"host":                   providerschema.StringAttribute{Optional: true},
			"cluster_ca_certificate": providerschema.StringAttribute{Optional: true},
			"token":                  providerschema.StringAttribute{Optional: true},
		},
		resource: standinResource{
			name: "kubernetes_namespace_v1",
			schema: schema.Schema{Blocks: map[string]schema.Block{
				"metadata": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{
					Attributes: map[string]schema.Attribute{"name": schema.StringAttribute{Optional: true}},
				}},
			}},
		},
	}
}
