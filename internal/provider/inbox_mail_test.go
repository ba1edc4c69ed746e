package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestAccInboxMailDataSource checks every attribute by its exact value, for
// mails that are full, empty, or lack whatever a mail can lack.
func TestAccInboxMailDataSource(t *testing.T) {
	t.Parallel()
	sender := func(name, email knownvalue.Check) knownvalue.Check {
		return knownvalue.ObjectExact(map[string]knownvalue.Check{"name": name, "email": email})
	}
	download := func(id string, createdAt, files knownvalue.Check) knownvalue.Check {
		return knownvalue.ObjectExact(map[string]knownvalue.Check{
			"id": knownvalue.StringExact(id), "created_at": createdAt, "files": files})
	}
	tests := map[string]struct {
		arguments string
		query     string
		want      map[string]knownvalue.Check
	}{
		"full": {
			arguments: fmt.Sprintf("id = %q", simulator.MailFull),
			query:     "include=download",
			want: map[string]knownvalue.Check{
				"id":            knownvalue.StringExact(simulator.MailFull),
				"include_files": knownvalue.Null(),
				"identifier":    knownvalue.StringExact("1Kh2"),
				"subject":       knownvalue.StringExact("Secure files"),
				"body":          knownvalue.StringExact("<p>Mail body</p>"),
				"sender":        sender(knownvalue.StringExact("Sender Name"), knownvalue.StringExact("sender@email.address")),
				"download":      download(simulator.DownloadFull, knownvalue.StringExact("2019-05-15 14:11:00"), knownvalue.Null()),
				"received_at":   knownvalue.StringExact("2019-05-15 14:11:00"),
				"opened":        knownvalue.Bool(true),
			},
		},
		"with files": {
			arguments: fmt.Sprintf("id = %q\ninclude_files = true", simulator.MailFull),
			query:     "include=download,download.files",
			want: map[string]knownvalue.Check{
				"include_files": knownvalue.Bool(true),
				"download": download(simulator.DownloadFull, knownvalue.StringExact("2019-05-15 14:11:00"),
					knownvalue.ListExact([]knownvalue.Check{invoiceFile, licenceFile})),
			},
		},
		"files not wanted": {
			arguments: fmt.Sprintf("id = %q\ninclude_files = false", simulator.MailFull),
			query:     "include=download",
			want: map[string]knownvalue.Check{
				"include_files": knownvalue.Bool(false),
				"download":      download(simulator.DownloadFull, knownvalue.StringExact("2019-05-15 14:11:00"), knownvalue.Null()),
			},
		},
		"unopened": {
			arguments: fmt.Sprintf("id = %q", simulator.MailUnopened),
			query:     "include=download",
			want: map[string]knownvalue.Check{
				"subject": knownvalue.StringExact("Raktas – šiandien"),
				"body":    knownvalue.StringExact("<p>Ačiū &amp; iki</p>"),
				"sender":  sender(knownvalue.StringExact("Rūta Žukė"), knownvalue.StringExact("ruta@email.address")),
				"opened":  knownvalue.Bool(false),
			},
		},
		"null or missing": {
			arguments: fmt.Sprintf("id = %q\ninclude_files = true", simulator.MailBare),
			query:     "include=download,download.files",
			want: map[string]knownvalue.Check{
				"identifier":  knownvalue.Null(),
				"subject":     knownvalue.Null(),
				"body":        knownvalue.Null(),
				"sender":      knownvalue.Null(),
				"download":    knownvalue.Null(),
				"received_at": knownvalue.Null(), // "" is no time
				"opened":      knownvalue.Bool(false),
			},
		},
		"missing inside": {
			arguments: fmt.Sprintf("id = %q\ninclude_files = true", simulator.MailSparse),
			query:     "include=download,download.files",
			want: map[string]knownvalue.Check{
				"sender":   sender(knownvalue.Null(), knownvalue.StringExact("sender@email.address")),
				"download": download(simulator.DownloadSparse, knownvalue.Null(), knownvalue.Null()),
				"opened":   knownvalue.Null(),
			},
		},
		"empty": {
			arguments: fmt.Sprintf("id = %q\ninclude_files = true", simulator.MailEmpty),
			query:     "include=download,download.files",
			want: map[string]knownvalue.Check{
				"identifier":  knownvalue.StringExact(""),
				"subject":     knownvalue.StringExact(""),
				"body":        knownvalue.StringExact(""),
				"sender":      sender(knownvalue.StringExact(""), knownvalue.StringExact("")),
				"download":    download(simulator.DownloadEmpty, knownvalue.Null(), knownvalue.ListSizeExact(0)),
				"received_at": knownvalue.Null(), // "" is no time
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			var checks []statecheck.StateCheck
			for attribute, want := range test.want {
				checks = append(checks, statecheck.ExpectKnownValue("data.privasfer_inbox_mail.test", tfjsonpath.New(attribute), want))
			}
			checks = append(checks, statecheck.ExpectSensitiveValue("data.privasfer_inbox_mail.test", tfjsonpath.New("body")))
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(),
				Steps: []resource.TestStep{{
					Config:            api.providerBlock() + fmt.Sprintf("data \"privasfer_inbox_mail\" \"test\" {\n%s\n}", test.arguments),
					ConfigStateChecks: checks,
				}},
			})
			requests := api.Requests()
			if len(requests) == 0 {
				t.Error("nothing was asked")
			}
			for _, request := range requests {
				if request.RawQuery != test.query {
					t.Errorf("the query is %q, want %q", request.RawQuery, test.query)
				}
			}
		})
	}
}
