package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Objects of the API are mapped to tftypes, the values of the plugin protocol. With
// the framework's own types in between, a list of thousands of objects takes about
// 30 % more time and memory (BENCHMARKS.md).

// argument returns the value of an argument in a configuration.
func argument[T attr.Value](ctx context.Context, config tfsdk.Config, name string, diags *diag.Diagnostics) T {
	var value T
	diags.Append(config.GetAttribute(ctx, path.Root(name), &value)...)
	return value
}

// settable is the state of a data source or the result of an ephemeral resource.
type settable interface {
	Set(ctx context.Context, value any) diag.Diagnostics
}

// setResults sets target to the configuration, with results in place of its null
// attributes: the engines reject an argument whose value changes.
func setResults(ctx context.Context, target settable, config tfsdk.Config, results map[string]tftypes.Value) diag.Diagnostics {
	var given map[string]tftypes.Value
	if err := config.Raw.As(&given); err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Cannot read the configuration", sentence(err.Error())+" "+bugStep)}
	}
	values := maps.Clone(given)
	for name, result := range results {
		if values[name].IsNull() {
			values[name] = result
		}
	}
	return target.Set(ctx, tftypes.NewValue(config.Raw.Type(), values))
}

// objectType returns the type of an object with these attributes.
func objectType(attributes map[string]data.Attribute) tftypes.Object {
	types := make(map[string]tftypes.Type, len(attributes))
	for name, attribute := range attributes {
		types[name] = attribute.GetType().TerraformType(context.Background())
	}
	return tftypes.Object{AttributeTypes: types}
}

// stringValue, int64Value and boolValue convert nil to null.
func stringValue(s *string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

func int64Value(n *int64) tftypes.Value { return tftypes.NewValue(tftypes.Number, n) }

func boolValue(b *bool) tftypes.Value { return tftypes.NewValue(tftypes.Bool, b) }

// timeValue keeps the text of a time, because no page of the API names the time
// zone. The API sends "" for an event that has not happened, which becomes null.
func timeValue(text *string) tftypes.Value {
	if text != nil && *text == "" {
		text = nil
	}
	return stringValue(text)
}
