package provider

import (
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// TestSchema checks which attributes of the provider, the data sources and the ephemeral
// resources are sensitive, and that all have a description.
func TestSchema(t *testing.T) {
	t.Parallel()
	server := providerserver.NewProtocol6(New(testVersion)())()
	response, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(response.Diagnostics) > 0 {
		t.Fatal(err, response.Diagnostics)
	}

	var sensitive []string
	var walk func(path string, attributes []*tfprotov6.SchemaAttribute)
	walk = func(path string, attributes []*tfprotov6.SchemaAttribute) {
		for _, attribute := range attributes {
			name := path + "." + attribute.Name
			if attribute.Description == "" {
				t.Errorf("%s has no description", name)
			}
			if attribute.Sensitive {
				sensitive = append(sensitive, name)
			}
			if attribute.NestedType != nil {
				walk(name, attribute.NestedType.Attributes)
			}
		}
	}
	walk("provider", response.Provider.Block.Attributes)
	for name, schema := range response.DataSourceSchemas {
		walk("data."+name, schema.Block.Attributes)
	}
	for name, schema := range response.EphemeralResourceSchemas {
		walk("ephemeral."+name, schema.Block.Attributes)
	}
	slices.Sort(sensitive)
	want := []string{
		"data.privasfer_inbox_mail.body",
		"data.privasfer_mail.body",
		"ephemeral.privasfer_download.content",
		"ephemeral.privasfer_download.content_base64",
		"ephemeral.privasfer_download.id",
		"ephemeral.privasfer_download.key",
		"ephemeral.privasfer_download.url",
		"ephemeral.privasfer_inbox_mail.body",
		"provider.pin",
		"provider.token",
	}
	if !slices.Equal(sensitive, want) {
		t.Errorf("sensitive are\n%q, want\n%q", sensitive, want)
	}
}
