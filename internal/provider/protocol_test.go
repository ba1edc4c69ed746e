package provider

import (
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// testClock is a clock that moves when it is told to.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.In(aZone)
}

func (c *testClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// protocolServer is the provider as an engine sees it.
type protocolServer struct {
	tfprotov6.ProviderServer
}

func newProtocolServer(t testing.TB, api *testAPI, terraformVersion string, options ...Option) protocolServer {
	t.Helper()
	server := providerserver.NewProtocol6(New(testVersion, options...)())()
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: terraformVersion,
		Config: dynamicValue(t, schema.Provider, map[string]tftypes.Value{
			"token":        tftypes.NewValue(tftypes.String, testToken),
			"base_url":     tftypes.NewValue(tftypes.String, api.URL),
			"download_url": tftypes.NewValue(tftypes.String, api.downloadURL()+"{id}"),
		}),
	})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatal(err, configured.Diagnostics)
	}
	return protocolServer{server}
}

// open opens a download, for its id.
func (s protocolServer) open(t *testing.T, onExpiry string) *tfprotov6.OpenEphemeralResourceResponse {
	t.Helper()
	arguments := map[string]tftypes.Value{"file_ids": idSet(simulator.FileInvoice)}
	if onExpiry != "" {
		arguments["on_expiry"] = tftypes.NewValue(tftypes.String, onExpiry)
	}
	response, _ := s.openWith(t, arguments)
	return response
}

// performed opens a download that is performed, and returns its result too.
func (s protocolServer) performed(t *testing.T, onExpiry string) (*tfprotov6.OpenEphemeralResourceResponse, map[string]tftypes.Value) {
	t.Helper()
	return s.openWith(t, map[string]tftypes.Value{
		"file_ids":  idSet(simulator.FileLicence),
		"perform":   tftypes.NewValue(tftypes.Bool, true),
		"on_expiry": tftypes.NewValue(tftypes.String, onExpiry),
	})
}

func (s protocolServer) openWith(t *testing.T, arguments map[string]tftypes.Value) (*tfprotov6.OpenEphemeralResourceResponse, map[string]tftypes.Value) {
	t.Helper()
	schemas, err := s.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	schema := schemas.EphemeralResourceSchemas["privasfer_download"]
	response, err := s.OpenEphemeralResource(t.Context(), &tfprotov6.OpenEphemeralResourceRequest{
		TypeName: "privasfer_download",
		Config:   dynamicValue(t, schema, arguments),
	})
	if err != nil || len(response.Diagnostics) > 0 {
		t.Fatal(err, response)
	}
	value, err := response.Result.Unmarshal(schema.ValueType())
	if err != nil {
		t.Fatal(err)
	}
	var result map[string]tftypes.Value
	if err := value.As(&result); err != nil {
		t.Fatal(err)
	}
	return response, result
}

func idSet(id string) tftypes.Value {
	return tftypes.NewValue(tftypes.Set{ElementType: tftypes.String}, []tftypes.Value{tftypes.NewValue(tftypes.String, id)})
}

func (s protocolServer) close(t *testing.T, private []byte) []*tfprotov6.Diagnostic {
	t.Helper()
	response, err := s.CloseEphemeralResource(t.Context(), &tfprotov6.CloseEphemeralResourceRequest{
		TypeName: "privasfer_download", Private: private})
	if err != nil {
		t.Fatal(err)
	}
	return response.Diagnostics
}

// dynamicValue is a configuration with some attributes set and the rest null.
func dynamicValue(t testing.TB, schema *tfprotov6.Schema, set map[string]tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	objectType, ok := schema.ValueType().(tftypes.Object)
	if !ok {
		t.Fatalf("the schema is a %T", schema.ValueType())
	}
	values := map[string]tftypes.Value{}
	for name, attributeType := range objectType.AttributeTypes {
		values[name] = tftypes.NewValue(attributeType, nil)
		if value, ok := set[name]; ok {
			values[name] = value
		}
	}
	value, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, values))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}
