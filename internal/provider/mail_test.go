package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// The sent mails of the data set as lists show them, with the files of their
// downloads: null where they were not asked for.

func sentFull(files knownvalue.Check) attributes {
	return attributes{
		"id":         text(simulator.SentFull),
		"identifier": text("3Np5"),
		"subject":    text("Invoice for May"),
		"sender":     contactCheck(text("Author Name"), text("author@email.address")),
		"recipient": personCheck(text("Recipient Name"), text("Recipient N."), text("recipient@email.address"),
			text("https://photos.invalid/recipient.png"), text("Europe/Vilnius")),
		"recipient_email": text("recipient@email.address"),
		"created_at":      text("2019-05-20 14:39:29"),
		"sent_at":         text("2019-05-20 14:39:31"),
		"status":          text("success"),
		"opened_at":       text("2019-05-21 07:00:59"),
		"download":        downloadCheck(simulator.DownloadSentFull, text("2019-05-20 14:39:30"), files),
	}
}

func sentUnopened(files knownvalue.Check) attributes {
	return attributes{
		"id":              text(simulator.SentUnopened),
		"identifier":      text("4Qr8"),
		"subject":         text("Raktas – rytoj"),
		"sender":          contactCheck(text("Author Name"), text("author@email.address")),
		"recipient":       personCheck(text("Rūta Žukė"), text("Rūta Ž."), text("ruta@email.address"), text(""), text("UTC")),
		"recipient_email": text("ruta@email.address"),
		"created_at":      text("2019-05-08 16:21:47"),
		"sent_at":         text("2019-05-08 16:21:48"),
		"status":          text("success"),
		"opened_at":       null, // "" is no time
		"download":        downloadCheck(simulator.DownloadSentUnopened, text("2019-05-08 16:21:47"), files),
	}
}

func sentBare() attributes {
	return attributes{
		"id":              text(simulator.SentBare),
		"identifier":      null,
		"subject":         null,
		"sender":          null,
		"recipient":       null,
		"recipient_email": null,
		"created_at":      null, // "" is no time
		"sent_at":         null,
		"status":          null,
		"opened_at":       null,
		"download":        null,
	}
}

func sentSparse() attributes {
	return attributes{
		"id":              text(simulator.SentSparse),
		"identifier":      null,
		"subject":         null,
		"sender":          contactCheck(null, text("author@email.address")),
		"recipient":       personCheck(null, null, text("recipient@email.address"), null, null),
		"recipient_email": null,
		"created_at":      null,
		"sent_at":         null,
		"status":          null,
		"opened_at":       null,
		"download":        downloadCheck(simulator.DownloadSentSparse, null, null),
	}
}

func sentEmpty(files knownvalue.Check) attributes {
	return attributes{
		"id":              text(simulator.SentEmpty),
		"identifier":      text(""),
		"subject":         text(""),
		"sender":          contactCheck(text(""), text("")),
		"recipient":       personCheck(text(""), text(""), text(""), text(""), text("")),
		"recipient_email": text(""),
		"created_at":      null, // "" is no time
		"sent_at":         null,
		"status":          text(""),
		"opened_at":       null,
		"download":        downloadCheck(simulator.DownloadSentEmpty, null, files),
	}
}

// sentIDs are those of the data set, in the API's order.
var sentIDs = []string{simulator.SentFull, simulator.SentUnopened, simulator.SentBare, simulator.SentSparse, simulator.SentEmpty}

// TestAccMailDataSource checks every attribute by its exact value, and what
// include_files makes of the query.
func TestAccMailDataSource(t *testing.T) {
	t.Parallel()
	one := func(id, includeFiles string, body knownvalue.Check, want attributes) reading {
		r := reading{kind: "mail", arguments: fmt.Sprintf("id = %q\ninclude_files = %s", id, includeFiles)}
		query, argument := "include=download", null
		switch includeFiles {
		case "true":
			query, argument = "include=download,download.files", knownvalue.Bool(true)
		case "false":
			argument = knownvalue.Bool(false)
		}
		r.requests = []string{"GET /api/mails/" + id + "?" + query}
		r.want = want.and(attributes{"body": body, "include_files": argument}).exactly()
		return r
	}
	w := checkReadings(t, simulator.Options{}, map[string]reading{
		"full": one(simulator.SentFull, "null", text("<p>"+simulator.BodySentFull+"</p>"), sentFull(null)),
		"with_files": one(simulator.SentFull, "true", text("<p>"+simulator.BodySentFull+"</p>"),
			sentFull(knownvalue.ListExact([]knownvalue.Check{invoiceFile, licenceFile}))),
		"unopened":      one(simulator.SentUnopened, "false", text("<p>"+simulator.BodySentUnopened+" &amp; iki</p>"), sentUnopened(null)),
		"bare":          one(simulator.SentBare, "true", null, sentBare()),
		"sparse":        one(simulator.SentSparse, "true", text(simulator.BodySentSparse), sentSparse()),
		"empty":         one(simulator.SentEmpty, "true", text(""), sentEmpty(knownvalue.ListExact(nil))),
		"empty_without": one(simulator.SentEmpty, "false", text(""), sentEmpty(null)),
	})
	w.checkState(statecheck.ExpectSensitiveValue("data.privasfer_mail.full", tfjsonpath.New("body")))
}

// TestAccMailsDataSource checks every attribute of every mail, that no body is
// among them, and the arguments by the query that arrives.
func TestAccMailsDataSource(t *testing.T) {
	t.Parallel()
	checkReadings(t, simulator.Options{}, map[string]reading{
		"all": {kind: "mails", requests: []string{"GET /api/mails?include=download"},
			want: mailsCheck(null, null, null, sentIDs, sentFull(null), sentUnopened(null), sentBare(), sentSparse(), sentEmpty(null))},
		"with_files": {kind: "mails", arguments: `include_files = true`, requests: []string{"GET /api/mails?include=download,download.files"},
			want: mailsCheck(null, null, knownvalue.Bool(true), sentIDs,
				sentFull(knownvalue.ListExact([]knownvalue.Check{invoiceFile, licenceFile})),
				sentUnopened(knownvalue.ListExact([]knownvalue.Check{keyFile})),
				sentBare(), sentSparse(), sentEmpty(knownvalue.ListExact(nil)))},
		"files_not_wanted": {kind: "mails", arguments: "include_files = false\nsort = \"-sent_at\"",
			requests: []string{"GET /api/mails?include=download&sort=-sent_at"},
			want:     mailsCheck(null, text("-sent_at"), knownvalue.Bool(false), sentIDs, sentFull(null), sentUnopened(null), sentBare(), sentSparse(), sentEmpty(null))},
		"all_arguments": {kind: "mails", arguments: "keyword = \"raktas – RYTOJ\"\nsort = \"subject\"\ninclude_files = true",
			requests: []string{"GET /api/mails?include=download,download.files&keyword=raktas+%E2%80%93+RYTOJ&sort=subject"},
			want: mailsCheck(text("raktas – RYTOJ"), text("subject"), knownvalue.Bool(true), []string{simulator.SentUnopened},
				sentUnopened(knownvalue.ListExact([]knownvalue.Check{keyFile})))},
		"nothing": {kind: "mails", arguments: fmt.Sprintf("keyword = %q", simulator.BodySentFull), // bodies are not searched
			requests: []string{"GET /api/mails?include=download&keyword=" + simulator.BodySentFull},
			want:     mailsCheck(text(simulator.BodySentFull), null, null, nil)},
	})
}

// TestAccMailsDataSource_forEach: a map of mails by id is known at plan, so
// that a resource can be made for each.
func TestAccMailsDataSource_forEach(t *testing.T) {
	t.Parallel()
	api := newAPI(t, simulator.Options{})
	w := newWorkspace(t, api.providerBlock()+`
		data "privasfer_mails" "test" {
			sort = "subject"
		}
		resource "terraform_data" "test" {
			for_each = { for mail in data.privasfer_mails.test.mails : mail.id => mail if mail.sent_at != null }
			input    = each.value.recipient_email
		}
		output "keys" {
			value = keys(terraform_data.test)
		}`)
	w.run(0, "plan", "-out", "plan")
	api.checkRequests(t, "GET /api/mails?include=download&sort=subject")
	w.run(0, "apply", "plan")
	api.checkRequests(t)
	w.checkState(
		statecheck.ExpectKnownOutputValue("keys", texts(simulator.SentFull, simulator.SentUnopened)),
		statecheck.ExpectKnownValue(fmt.Sprintf("terraform_data.test[%q]", simulator.SentFull), tfjsonpath.New("output"), text("recipient@email.address")),
		statecheck.ExpectKnownValue(fmt.Sprintf("terraform_data.test[%q]", simulator.SentUnopened), tfjsonpath.New("output"), text("ruta@email.address")),
	)
}
