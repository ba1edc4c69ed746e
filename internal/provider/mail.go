package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

func newMailDataSource() datasource.DataSource {
	return &lookupDataSource[privasfer.Mail]{lookup: mailLookup}
}

func newMailsDataSource() datasource.DataSource {
	return &listDataSource[privasfer.Mail]{listing: mailListing}
}

var mailLookup = lookup[privasfer.Mail]{
	name:   "mail",
	object: "mail",
	description: "A mail that the owner of the token has sent, with its download. " +
		"Everything read is kept in the state, the mail's `body` included. " +
		"Use it to see what became of a mail: its `status`, and when it was opened; where the body may not be in the state, use `privasfer_mails`.",
	attributes:  mailAttributes(),
	hasDownload: true,
	read:        (*privasfer.Client).Mail,
	values:      mailValues,
}.prepared()

var mailListing = listing[privasfer.Mail]{
	name:    "mails",
	objects: "mails",
	description: "Mails that the owner of the token has sent, without their bodies. Where there is none, the lists are empty. " +
		"Use it to find the ids of mails, and what became of them.",
	attributes:  withoutBody(mailAttributes()),
	hasDownload: true,
	sortKeys:    privasfer.MailSortKeys,
	searched:    "sent mails",
	list:        (*privasfer.Client).Mails,
	values:      func(m *privasfer.Mail) map[string]tftypes.Value { return withoutBody(mailValues(m)) },
}.prepared()

// mailAttributes describes a sent mail, wherever the API names one.
func mailAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id":         computedString("The mail's id."),
		"identifier": computedString("The identifier, such as `1Kh2`."),
		"subject":    computedString("The subject."),
		"body":       bodyAttribute(),
		"sender":     senderAttribute(),
		"recipient": data.SingleNestedAttribute{
			MarkdownDescription: "Who the mail was sent to.",
			Computed:            true,
			Attributes:          personAttributes(),
		},
		"recipient_email": computedString("The email address that the mail was sent to."),
		"created_at":      computedString("When the mail was created, " + timeNote),
		"sent_at":         computedString("When the mail was sent, " + timeNote),
		"status":          computedString("The API's word for what became of the mail, such as `success`."),
		"opened_at":       computedString("When the mail was opened, " + timeNote + " Null while it is unopened."),
		"download":        mailDownloadAttribute(),
	}
}

// mailValues maps a sent mail to the values of mailAttributes.
func mailValues(m *privasfer.Mail) map[string]tftypes.Value {
	return map[string]tftypes.Value{
		"id":              stringValue(&m.ID),
		"identifier":      stringValue(m.Identifier),
		"subject":         stringValue(m.Subject),
		"body":            stringValue(m.Body),
		"sender":          contactValue(m.Sender.Value),
		"recipient":       personValue(m.Recipient.Value),
		"recipient_email": stringValue(m.RecipientEmail),
		"created_at":      timeValue(m.CreatedAt),
		"sent_at":         timeValue(m.SentAt),
		"status":          stringValue(m.Status),
		"opened_at":       timeValue(m.OpenedAt),
		"download":        mailDownloadValue(m.Download.Value),
	}
}
