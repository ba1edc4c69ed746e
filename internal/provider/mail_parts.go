package provider

import (
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// Attributes and values that inbox mails and sent mails share.

var (
	contactType      = objectType(contactAttributes())
	mailDownloadType = objectType(mailDownloadAttributes())
)

func bodyAttribute() data.StringAttribute {
	return data.StringAttribute{
		MarkdownDescription: "The body of the mail, such as `<p>Mail body</p>`.",
		Computed:            true,
		Sensitive:           true,
	}
}

func senderAttribute() data.SingleNestedAttribute {
	return data.SingleNestedAttribute{
		MarkdownDescription: "The sender of the mail.",
		Computed:            true,
		Attributes:          contactAttributes(),
	}
}

func contactAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"name":  computedString("The name."),
		"email": computedString("The email address."),
	}
}

func mailDownloadAttribute() data.SingleNestedAttribute {
	return data.SingleNestedAttribute{
		MarkdownDescription: "The download that came with the mail. Null if the mail has none.",
		Computed:            true,
		Attributes:          mailDownloadAttributes(),
	}
}

func mailDownloadAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id":         computedString("The id of the download."),
		"created_at": computedString("The time at which the download was created, " + timeNote),
		"files": data.ListNestedAttribute{
			MarkdownDescription: "The files of the download, in the order of the API. Null unless `include_files` is `true`.",
			Computed:            true,
			NestedObject:        data.NestedAttributeObject{Attributes: fileAttributes()},
		},
	}
}

func contactValue(c *privasfer.Contact) tftypes.Value {
	if c == nil {
		return tftypes.NewValue(contactType, nil)
	}
	return tftypes.NewValue(contactType, map[string]tftypes.Value{
		"name":  stringValue(c.Name),
		"email": stringValue(c.Email),
	})
}

func mailDownloadValue(d *privasfer.MailDownload) tftypes.Value {
	if d == nil {
		return tftypes.NewValue(mailDownloadType, nil)
	}
	return tftypes.NewValue(mailDownloadType, map[string]tftypes.Value{
		"id":         stringValue(&d.ID),
		"created_at": timeValue(d.CreatedAt),
		"files":      filesValue(d.Files),
	})
}

// withoutBody deletes the body from a mail's attributes or values, and returns
// them. A body may be a secret, and a list would store all bodies in the state.
func withoutBody[V any](attributes map[string]V) map[string]V {
	delete(attributes, "body")
	return attributes
}
