package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// BenchmarkReadInboxMail is one lookup as an engine asks for it, the simulator's
// part included.
func BenchmarkReadInboxMail(b *testing.B) {
	benchmarkRead(b, simulator.Options{HideRateLimit: true}, "privasfer_inbox_mail", values{"id": simulator.MailFull})
}

// BenchmarkReadFiles is one list of 5,000 files.
func BenchmarkReadFiles(b *testing.B) {
	benchmarkRead(b, simulator.Options{HideRateLimit: true, Data: &simulator.Data{Files: simulator.ManyFiles(5_000)}}, "privasfer_files", nil)
}

func benchmarkRead(b *testing.B, options simulator.Options, dataSource string, arguments values) {
	server := newProtocolServer(b, newAPI(b, options), nil)
	request := &tfprotov6.ReadDataSourceRequest{
		TypeName: dataSource,
		Config:   dynamicValue(b, server.schemas.DataSourceSchemas[dataSource], arguments),
	}
	b.ReportAllocs()
	for b.Loop() {
		response, err := server.ReadDataSource(b.Context(), request)
		if err != nil || len(response.Diagnostics) > 0 {
			b.Fatal(err, response)
		}
	}
}
