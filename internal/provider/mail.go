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
	description: "Reads a mail that the owner of the token has sent, with its download. " +
		"All attributes are stored in the state, including the `body`. " +
		"To keep the body out of the state, use `privasfer_mails`.",
	attributes:  mailAttributes(),
	hasDownload: true,
	read:        (*privasfer.Client).Mail,
	values:      mailValues,
}.prepared()

var mailListing = listing[privasfer.Mail]{
	name:    "mails",
	objects: "mails",
	description: "Lists the mails that the owner of the token has sent, without their bodies. " +
		"Use it to find mails, and to see their status and when they were opened.",
	attributes:  withoutBody(mailAttributes()),
	hasDownload: true,
	sortKeys:    privasfer.MailSortKeys,
	searched:    "the identifier, the subject, the email address and name of the recipient, and the name of the sender",
	list:        (*privasfer.Client).Mails,
	values:      func(m *privasfer.Mail) map[string]tftypes.Value { return withoutBody(mailValues(m)) },
}.prepared()

// mailAttributes returns the attributes of a sent mail.
func mailAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id":         computedString("The id of the mail."),
		"identifier": computedString("The identifier of the mail, such as `1Kh2`."),
		"subject":    computedString("The subject of the mail."),
		"body":       bodyAttribute(),
		"sender":     senderAttribute(),
		"recipient": data.SingleNestedAttribute{
			MarkdownDescription: "The recipient of the mail.",
			Computed:            true,
			Attributes:          personAttributes(),
		},
		"recipient_email": computedString("The email address to which the mail was sent."),
		"created_at":      computedString("The time at which the mail was created, " + timeNote),
		"sent_at":         computedString("The time at which the mail was sent, " + timeNote),
		"status":          computedString("The status of the mail, such as `success`."),
		"opened_at":       computedString("The time at which the mail was opened, " + timeNote + " Null if the mail has not been opened."),
		"download":        mailDownloadAttribute(),
	}
}

// mailValues returns the values of mailAttributes.
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
