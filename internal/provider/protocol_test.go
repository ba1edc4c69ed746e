package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// testClock is a clock that a test advances.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.In(localZone)
}

func (c *testClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// values are the attributes of a block: []string for a set, or a value that
// tftypes.NewValue accepts. An attribute that is missing or nil is null.
type values map[string]any

// unknown is a value that is known only after apply.
const unknown = tftypes.UnknownValue

func (v values) and(more values) values {
	result := maps.Clone(v)
	maps.Copy(result, more)
	return result
}

func valueOf(typ tftypes.Type, value any) tftypes.Value {
	if texts, ok := value.([]string); ok {
		elements := []tftypes.Value{}
		for _, text := range texts {
			elements = append(elements, tftypes.NewValue(tftypes.String, text))
		}
		value = elements
	}
	return tftypes.NewValue(typ, value)
}

// dynamicValue returns the configuration of a block.
func dynamicValue(t testing.TB, schema *tfprotov6.Schema, set values) *tfprotov6.DynamicValue {
	t.Helper()
	object, _ := schema.ValueType().(tftypes.Object)
	all := map[string]tftypes.Value{}
	for name, attributeType := range object.AttributeTypes {
		all[name] = valueOf(attributeType, set[name])
	}
	for name := range set {
		if _, ok := all[name]; !ok {
			t.Fatalf("there is no attribute %s", name)
		}
	}
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, all))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// protocolServer calls the provider as an engine does, for tests that need no engine.
type protocolServer struct {
	tfprotov6.ProviderServer
	schemas *tfprotov6.GetProviderSchemaResponse
}

// configure validates and configures a provider, and returns its diagnostics.
func configure(t testing.TB, terraformVersion string, arguments values, options ...Option) (server protocolServer, report string) {
	t.Helper()
	options = append([]Option{WithRetryWait(time.Millisecond)}, options...)
	s := protocolServer{ProviderServer: providerserver.NewProtocol6(New(testVersion, options...)())()}
	var err error
	if s.schemas, err = s.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatal(err)
	}
	config := dynamicValue(t, s.schemas.Provider, arguments)
	validated, err := s.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: config})
	if err != nil || len(validated.Diagnostics) > 0 {
		return s, reported(err, validated.Diagnostics)
	}
	configured, err := s.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{TerraformVersion: terraformVersion, Config: config})
	return s, reported(err, configured.Diagnostics)
}

// arguments returns the arguments of a provider that can perform downloads.
func (a *testAPI) arguments() values {
	return values{"token": testToken, "base_url": a.URL, "pin": testPIN, "download_url": a.downloadURL() + "{key}"}
}

// newProtocolServer returns a provider for the simulator. Arguments override those of
// api.arguments.
func newProtocolServer(t testing.TB, api *testAPI, arguments values, options ...Option) protocolServer {
	t.Helper()
	s, report := configure(t, "1.11.4", api.arguments().and(arguments), options...)
	if report != "" {
		t.Fatal(report)
	}
	return s
}

// reported returns the errors and warnings as text, with their attributes.
func reported(err error, diagnostics []*tfprotov6.Diagnostic) string {
	var text strings.Builder
	if err != nil {
		fmt.Fprintf(&text, "FAILED: %s\n", err)
	}
	for _, d := range diagnostics {
		at := ""
		if d.Attribute != nil {
			at = " at " + strings.NewReplacer(`AttributeName("`, "", `")`, "").Replace(d.Attribute.String())
		}
		fmt.Fprintf(&text, "%s%s: %s: %s\n", d.Severity, at, d.Summary, d.Detail)
	}
	return text.String()
}

// opened is the result of opening an ephemeral resource.
type opened struct {
	*tfprotov6.OpenEphemeralResourceResponse
	result tftypes.Value
	values map[string]tftypes.Value // of the result
	report string
}

const downloadType = "privasfer_download"

// validate returns the diagnostics of an ephemeral resource's arguments.
func (s protocolServer) validate(ctx context.Context, t testing.TB, typeName string, arguments values) string {
	t.Helper()
	response, err := s.ValidateEphemeralResourceConfig(ctx, &tfprotov6.ValidateEphemeralResourceConfigRequest{
		TypeName: typeName, Config: dynamicValue(t, s.schemas.EphemeralResourceSchemas[typeName], arguments)})
	return reported(err, response.Diagnostics)
}

// openType validates and opens an ephemeral resource, as an engine does.
func (s protocolServer) openType(ctx context.Context, t testing.TB, typeName string, arguments values) *opened {
	t.Helper()
	if report := s.validate(ctx, t, typeName, arguments); report != "" {
		return &opened{report: report}
	}
	schema := s.schemas.EphemeralResourceSchemas[typeName]
	response, err := s.OpenEphemeralResource(ctx, &tfprotov6.OpenEphemeralResourceRequest{
		TypeName: typeName, Config: dynamicValue(t, schema, arguments)})
	o := &opened{OpenEphemeralResourceResponse: response, report: reported(err, response.Diagnostics)}
	if o.result, err = response.Result.Unmarshal(schema.ValueType()); err == nil {
		_ = o.result.As(&o.values)
	}
	return o
}

// open opens a privasfer_download.
func (s protocolServer) open(t testing.TB, arguments values) *opened {
	t.Helper()
	return s.openWith(t.Context(), t, arguments)
}

func (s protocolServer) openWith(ctx context.Context, t testing.TB, arguments values) *opened {
	t.Helper()
	return s.openType(ctx, t, downloadType, arguments)
}

// openMany opens n downloads with the same arguments concurrently.
func (s protocolServer) openMany(t testing.TB, n int, arguments values) []*opened {
	t.Helper()
	all := make([]*opened, n)
	var opening sync.WaitGroup
	for i := range all {
		opening.Go(func() { all[i] = s.open(t, arguments) })
	}
	opening.Wait()
	return all
}

// check checks that there is no error or warning, and the attributes in want.
func (o *opened) check(t testing.TB, want values) {
	t.Helper()
	if o.report != "" {
		t.Fatal(o.report)
	}
	for name, want := range want {
		if got := o.values[name]; !got.Equal(valueOf(got.Type(), want)) {
			t.Errorf("%s is %s, want %v", name, describe(got), want)
		}
	}
}

// close closes a privasfer_download.
func (s protocolServer) close(t testing.TB, private []byte) []*tfprotov6.Diagnostic {
	t.Helper()
	response, err := s.CloseEphemeralResource(t.Context(), &tfprotov6.CloseEphemeralResourceRequest{TypeName: downloadType, Private: private})
	if err != nil {
		t.Fatal(err)
	}
	return response.Diagnostics
}

// result validates and reads a data source, or opens the ephemeral resource
// privasfer_inbox_mail.
func (s protocolServer) result(t testing.TB, kind string, arguments values) (result tftypes.Value, report string) {
	t.Helper()
	if kind == "ephemeral" {
		o := s.openType(t.Context(), t, "privasfer_inbox_mail", arguments)
		return o.result, o.report
	}
	typeName := "privasfer_" + kind
	schema := s.schemas.DataSourceSchemas[typeName]
	config := dynamicValue(t, schema, arguments)
	validated, err := s.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: typeName, Config: config})
	if err != nil || len(validated.Diagnostics) > 0 {
		return result, reported(err, validated.Diagnostics)
	}
	response, err := s.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: config})
	if err == nil && response.State != nil {
		result, err = response.State.Unmarshal(schema.ValueType())
	}
	return result, reported(err, response.Diagnostics)
}

// asJSON returns a value as encoding/json decodes it, or "unknown" if it is unknown.
func asJSON(value tftypes.Value) any {
	var (
		object map[string]tftypes.Value
		list   []tftypes.Value
		text   string
		number big.Float
		truth  bool
	)
	switch {
	case !value.IsKnown():
		return "unknown"
	case value.IsNull():
		return nil
	case value.As(&text) == nil:
		return text
	case value.As(&number) == nil:
		return json.Number(number.Text('f', -1))
	case value.As(&truth) == nil:
		return truth
	case value.As(&object) == nil:
		result := map[string]any{}
		for name, attribute := range object {
			result[name] = asJSON(attribute)
		}
		return result
	case value.As(&list) == nil:
		result := []any{}
		for _, element := range list {
			result = append(result, asJSON(element))
		}
		return result
	}
	return value.String()
}

// describe returns a value as JSON.
func describe(value tftypes.Value) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(asJSON(value)) // never fails
	return strings.TrimSpace(text.String())
}

// readMail reads the inbox mail of the API's documentation.
func (s protocolServer) readMail(t testing.TB) (report string) {
	t.Helper()
	_, report = s.result(t, "inbox_mail", values{"id": simulator.MailFull})
	return report
}
