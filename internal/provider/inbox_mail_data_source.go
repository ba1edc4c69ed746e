package provider

import (
	"context"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

var _ datasource.DataSourceWithConfigure = (*inboxMailDataSource)(nil)

func newInboxMailDataSource() datasource.DataSource { return &inboxMailDataSource{} }

type inboxMailDataSource struct {
	provider *configured
}

var (
	inboxMailType    = objectType(inboxMailAttributes())
	contactType      = objectType(contactAttributes())
	mailDownloadType = objectType(mailDownloadAttributes())
)

func (d *inboxMailDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_inbox_mail"
}

func (d *inboxMailDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = data.Schema{
		MarkdownDescription: "A mail that was sent to the owner of the token, with the download that came with it. " +
			"Everything read is kept in the state, the mail's `body` included.",
		Attributes: inboxMailAttributes(),
	}
}

// inboxMailAttributes describes a mail of the inbox with the arguments that
// choose it.
func inboxMailAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id": data.StringAttribute{
			MarkdownDescription: "The mail's id. It must not be empty or contain a slash, a backslash, `?`, `#`, white space or a control character.",
			Required:            true,
			Validators:          []validator.String{idValidator},
		},
		"include_files": data.BoolAttribute{
			MarkdownDescription: "Whether to ask for the files in the mail's download too. Without it `download.files` is null.",
			Optional:            true,
		},
		"identifier": computedString("The identifier, such as `1Kh2`."),
		"subject":    computedString("The subject."),
		"body": data.StringAttribute{
			MarkdownDescription: "The body, as the API sends it, such as `<p>Mail body</p>`.",
			Computed:            true,
			Sensitive:           true,
		},
		"sender": data.SingleNestedAttribute{
			MarkdownDescription: "Who sent the mail.",
			Computed:            true,
			Attributes:          contactAttributes(),
		},
		"download": data.SingleNestedAttribute{
			MarkdownDescription: "The download that came with the mail. It exists already; reading the mail creates none.",
			Computed:            true,
			Attributes:          mailDownloadAttributes(),
		},
		"received_at": computedString("When the mail was received, " + timeNote),
		"opened":      computedBool("Whether the mail was opened."),
	}
}

func contactAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"name":  computedString("The name."),
		"email": computedString("The email address."),
	}
}

func mailDownloadAttributes() map[string]data.Attribute {
	return map[string]data.Attribute{
		"id":         computedString("The download's id."),
		"created_at": computedString("When the download was created, " + timeNote),
		"files": data.ListNestedAttribute{
			MarkdownDescription: "The files in the download, in the API's order. Null unless `include_files` is true.",
			Computed:            true,
			NestedObject:        data.NestedAttributeObject{Attributes: fileAttributes()},
		},
	}
}

func (d *inboxMailDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.provider = configuredFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *inboxMailDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var id types.String
	var includeFiles types.Bool
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("id"), &id)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("include_files"), &includeFiles)...)
	client := d.provider.require(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	mail, err := client.InboxMail(ctx, id.ValueString(), includeFiles.ValueBool())
	if statusOf(err) == http.StatusNotFound {
		resp.Diagnostics.Append(notFoundDiagnostic("Inbox mail", id.ValueString(), err))
		return
	}
	if err != nil {
		resp.Diagnostics.Append(apiErrorDiagnostic("read the inbox mail", err))
		return
	}

	values := inboxMailValues(mail)
	values["id"], values["include_files"] = id, includeFiles
	resp.Diagnostics.Append(resp.State.Set(ctx, types.ObjectValueMust(inboxMailType.AttrTypes, values))...)
}

// inboxMailValues maps a mail to every attribute but the arguments.
func inboxMailValues(m *privasfer.InboxMail) map[string]attr.Value {
	return map[string]attr.Value{
		"identifier":  types.StringPointerValue(m.Identifier),
		"subject":     types.StringPointerValue(m.Subject),
		"body":        types.StringPointerValue(m.Body),
		"sender":      contactValue(m.Sender),
		"download":    mailDownloadValue(m.Download),
		"received_at": timeValue(m.ReceivedAt),
		"opened":      types.BoolPointerValue(m.Opened),
	}
}

func contactValue(c *privasfer.Contact) types.Object {
	if c == nil {
		return types.ObjectNull(contactType.AttrTypes)
	}
	return types.ObjectValueMust(contactType.AttrTypes, map[string]attr.Value{
		"name":  types.StringPointerValue(c.Name),
		"email": types.StringPointerValue(c.Email),
	})
}

func mailDownloadValue(d *privasfer.MailDownload) types.Object {
	if d == nil {
		return types.ObjectNull(mailDownloadType.AttrTypes)
	}
	return types.ObjectValueMust(mailDownloadType.AttrTypes, map[string]attr.Value{
		"id":         types.StringValue(d.ID),
		"created_at": timeValue(d.CreatedAt),
		"files":      filesValue(d.Files),
	})
}
