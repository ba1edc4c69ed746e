package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// BenchmarkReadInboxMail measures a lookup through the plugin protocol, including the
// work of the simulator.
func BenchmarkReadInboxMail(b *testing.B) {
	server := newProtocolServer(b, newAPI(b, simulator.Options{HideRateLimit: true}), nil)
	const mail = "privasfer_inbox_mail"
	request := &tfprotov6.ReadDataSourceRequest{
		TypeName: mail,
		Config:   dynamicValue(b, server.schemas.DataSourceSchemas[mail], values{"id": simulator.MailFull}),
	}
	b.ReportAllocs()
	for b.Loop() {
		response, err := server.ReadDataSource(b.Context(), request)
		if err != nil || len(response.Diagnostics) > 0 {
			b.Fatal(err, response)
		}
	}
}
