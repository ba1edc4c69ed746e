package provider

import (
	"fmt"

	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	eph "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// computedString, computedInt64 and computedBool return a computed attribute with
// a description: the kinds that most keys of the API map to.
func computedString(description string) data.StringAttribute {
	return data.StringAttribute{MarkdownDescription: description, Computed: true}
}

func computedInt64(description string) data.Int64Attribute {
	return data.Int64Attribute{MarkdownDescription: description, Computed: true}
}

func computedBool(description string) data.BoolAttribute {
	return data.BoolAttribute{MarkdownDescription: description, Computed: true}
}

// ephemeralAttributes converts data source attributes to those of an ephemeral
// resource, so that an object of the API is described once. It panics on a kind of
// attribute that no object of the API has, which the schema test would show.
func ephemeralAttributes(attributes map[string]data.Attribute) map[string]eph.Attribute {
	result := make(map[string]eph.Attribute, len(attributes))
	for name, attribute := range attributes {
		switch a := attribute.(type) {
		case data.StringAttribute:
			result[name] = eph.StringAttribute{MarkdownDescription: a.MarkdownDescription,
				Required: a.Required, Optional: a.Optional, Computed: a.Computed, Sensitive: a.Sensitive, Validators: a.Validators}
		case data.Int64Attribute:
			result[name] = eph.Int64Attribute{MarkdownDescription: a.MarkdownDescription,
				Required: a.Required, Optional: a.Optional, Computed: a.Computed, Sensitive: a.Sensitive, Validators: a.Validators}
		case data.BoolAttribute:
			result[name] = eph.BoolAttribute{MarkdownDescription: a.MarkdownDescription,
				Required: a.Required, Optional: a.Optional, Computed: a.Computed, Sensitive: a.Sensitive, Validators: a.Validators}
		case data.SingleNestedAttribute:
			result[name] = eph.SingleNestedAttribute{MarkdownDescription: a.MarkdownDescription, Computed: a.Computed,
				Attributes: ephemeralAttributes(a.Attributes)}
		case data.ListNestedAttribute:
			result[name] = eph.ListNestedAttribute{MarkdownDescription: a.MarkdownDescription, Computed: a.Computed,
				NestedObject: eph.NestedAttributeObject{Attributes: ephemeralAttributes(a.NestedObject.Attributes)}}
		default:
			panic(fmt.Sprintf("attribute %s has the kind %T, which ephemeralAttributes does not know", name, a))
		}
	}
	return result
}

// onlyAtApply is the argument that defers an ephemeral resource to apply:
// timestamp() is unknown at plan in every engine.
const onlyAtApply = "`enabled = timestamp() != \"\"`"

// enabledArgument returns the enabled argument of an ephemeral resource.
func enabledArgument(purpose, past string) eph.BoolAttribute {
	return eph.BoolAttribute{
		MarkdownDescription: "Whether to " + purpose + ". With " + onlyAtApply + ", this happens at apply only, and all results are unknown at plan. " +
			"If `false`, nothing is " + past + " and all results are null. Defaults to `true`.",
		Optional: true,
	}
}

// isDisabled reports whether enabled is set to false.
func isDisabled(enabled types.Bool) bool { return !enabled.IsNull() && !enabled.ValueBool() }
