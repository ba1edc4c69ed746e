package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

func newInboxMailDataSource() datasource.DataSource {
	return &lookupDataSource[privasfer.InboxMail]{lookup: inboxMailLookup}
}

func newInboxMailsDataSource() datasource.DataSource {
	return &listDataSource[privasfer.InboxMail]{listing: inboxMailListing}
}

// inboxMailLookup is used by the data source and by the ephemeral resource.
var inboxMailLookup = lookup[privasfer.InboxMail]{
	name:   "inbox_mail",
	object: "inbox mail",
	description: "Reads a mail in the inbox of the token's owner, with the download that came with it. " +
		"All attributes are stored in the state, including the `body`. " +
		"If the body is a secret, use the ephemeral resource `privasfer_inbox_mail`.",
	attributes:  inboxMailAttributes(),
	hasDownload: true,
	read:        (*privasfer.Client).InboxMail,
	values:      inboxMailValues,
}.prepared()

var inboxMailListing = listing[privasfer.InboxMail]{
	name:    "inbox_mails",
	objects: "mails",
	description: "Lists the mails in the inbox of the token's owner, without their bodies. " +
		"Use it to find mails by their subject or sender.",
	attributes:  withoutBody(inboxMailAttributes()),
	hasDownload: true,
	sortKeys:    privasfer.InboxMailSortKeys,
	searched:    "the identifier, the subject, and the email address and name of the sender",
	list:        (*privasfer.Client).InboxMails,
	values:      func(m *privasfer.InboxMail) map[string]tftypes.Value { return withoutBody(inboxMailValues(m)) },
}.prepared()

// inboxMailAttributes returns the attributes of a mail in the inbox.
func inboxMailAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id":          computedString("The id of the mail."),
		"identifier":  computedString("The identifier of the mail, such as `1Kh2`."),
		"subject":     computedString("The subject of the mail."),
		"body":        bodyAttribute(),
		"sender":      senderAttribute(),
		"download":    mailDownloadAttribute(),
		"received_at": computedString("The time at which the mail was received, " + timeNote),
		"opened":      computedBool("Whether the mail has been opened."),
	}
}

// inboxMailValues returns the values of inboxMailAttributes.
func inboxMailValues(m *privasfer.InboxMail) map[string]tftypes.Value {
	return map[string]tftypes.Value{
		"id":          stringValue(&m.ID),
		"identifier":  stringValue(m.Identifier),
		"subject":     stringValue(m.Subject),
		"body":        stringValue(m.Body),
		"sender":      contactValue(m.Sender.Value),
		"download":    mailDownloadValue(m.Download.Value),
		"received_at": timeValue(m.ReceivedAt),
		"opened":      boolValue(m.Opened),
	}
}
