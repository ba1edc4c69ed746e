package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
)

// jsonPerson and jsonFile are what the API's pages show.
const (
	jsonPerson = `{"name":"Author Name","initials":"Author N.","email":"author@email.address","photo_url":"","timezone":"Europe/Vilnius"}`
	jsonFile   = `{"id":"fad2027a","filename":"invoice","type":"application/pdf","extension":"pdf","full_filename":"invoice.pdf",
		"size":43389,"formatted_size":"42.37 KB","encrypted_size":78508,"formatted_encrypted_size":"76.67 KB",
		"created_by":` + jsonPerson + `,"created_at":"2019-05-08 00:18:03","disk":"local-spaces","trashed":false}`
)

type wantValues = map[string]tftypes.Value

// The shapes, written down once more: what a test compares with must not come
// from the schema under test.
var (
	shapeOfPerson = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"name": tftypes.String, "initials": tftypes.String, "email": tftypes.String, "photo_url": tftypes.String,
		"timezone": tftypes.String,
	}}
	shapeOfFile = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"id": tftypes.String, "filename": tftypes.String, "type": tftypes.String, "extension": tftypes.String,
		"full_filename": tftypes.String, "size": tftypes.Number, "formatted_size": tftypes.String,
		"encrypted_size": tftypes.Number, "formatted_encrypted_size": tftypes.String,
		"created_by": shapeOfPerson,
		"created_at": tftypes.String, "disk": tftypes.String, "trashed": tftypes.Bool,
	}}
	shapeOfFiles    = tftypes.List{ElementType: shapeOfFile}
	shapeOfContact  = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"name": tftypes.String, "email": tftypes.String}}
	shapeOfDownload = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"id": tftypes.String, "created_at": tftypes.String, "files": shapeOfFiles,
	}}

	nullPerson   = tftypes.NewValue(shapeOfPerson, nil)
	nullContact  = tftypes.NewValue(shapeOfContact, nil)
	nullDownload = tftypes.NewValue(shapeOfDownload, nil)
	nullFiles    = tftypes.NewValue(shapeOfFiles, nil)

	nullString = tftypes.NewValue(tftypes.String, nil)
	nullNumber = tftypes.NewValue(tftypes.Number, nil)
	nullBool   = tftypes.NewValue(tftypes.Bool, nil)
)

func stringOf(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

func int64Of(n int64) tftypes.Value { return tftypes.NewValue(tftypes.Number, n) }

func boolOf(b bool) tftypes.Value { return tftypes.NewValue(tftypes.Bool, b) }

func stringsOf(elements ...string) tftypes.Value {
	list := make([]tftypes.Value, len(elements))
	for i, element := range elements {
		list[i] = stringOf(element)
	}
	return tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, list)
}

func wantPerson(name, initials, email, photoURL, timezone tftypes.Value) tftypes.Value {
	return tftypes.NewValue(shapeOfPerson, wantValues{
		"name": name, "initials": initials, "email": email, "photo_url": photoURL, "timezone": timezone})
}

func wantContact(name, email tftypes.Value) tftypes.Value {
	return tftypes.NewValue(shapeOfContact, wantValues{"name": name, "email": email})
}

func wantDownload(id string, createdAt, files tftypes.Value) tftypes.Value {
	return tftypes.NewValue(shapeOfDownload, wantValues{"id": stringOf(id), "created_at": createdAt, "files": files})
}

func wantFiles(files ...wantValues) tftypes.Value {
	list := make([]tftypes.Value, len(files))
	for i, file := range files {
		list[i] = tftypes.NewValue(shapeOfFile, file)
	}
	return tftypes.NewValue(shapeOfFiles, list)
}

// with returns the values with some of them replaced.
func (c valuesCase) with(changes wantValues) wantValues {
	changed := maps.Clone(c.want)
	maps.Copy(changed, changes)
	return changed
}

// valuesCase is an object of the API and what becomes of it.
type valuesCase struct {
	json string
	want wantValues
}

var (
	bareFileCase = valuesCase{`{"id":"f"}`, wantValues{
		"id": stringOf("f"), "filename": nullString, "type": nullString, "extension": nullString, "full_filename": nullString,
		"size": nullNumber, "formatted_size": nullString, "encrypted_size": nullNumber,
		"formatted_encrypted_size": nullString, "created_by": nullPerson, "created_at": nullString, "disk": nullString,
		"trashed": nullBool,
	}}
	fullFileCase = valuesCase{jsonFile, wantValues{
		"id": stringOf("fad2027a"), "filename": stringOf("invoice"), "type": stringOf("application/pdf"), "extension": stringOf("pdf"),
		"full_filename": stringOf("invoice.pdf"), "size": int64Of(43389), "formatted_size": stringOf("42.37 KB"),
		"encrypted_size": int64Of(78508), "formatted_encrypted_size": stringOf("76.67 KB"),
		"created_by": wantPerson(stringOf("Author Name"), stringOf("Author N."), stringOf("author@email.address"), stringOf(""), stringOf("Europe/Vilnius")),
		"created_at": stringOf("2019-05-08 00:18:03"), "disk": stringOf("local-spaces"), "trashed": boolOf(false),
	}}
	bareInboxMailCase = valuesCase{`{"id":"m"}`, wantValues{
		"id": stringOf("m"), "identifier": nullString, "subject": nullString, "body": nullString, "sender": nullContact,
		"download": nullDownload, "received_at": nullString, "opened": nullBool,
	}}
	bareMailCase = valuesCase{`{"id":"m"}`, wantValues{
		"id": stringOf("m"), "identifier": nullString, "subject": nullString, "body": nullString, "sender": nullContact,
		"recipient": nullPerson, "recipient_email": nullString, "created_at": nullString, "sent_at": nullString,
		"status": nullString, "opened_at": nullString, "download": nullDownload,
	}}
)

// checkValues maps what a JSON text holds, and compares all of it.
func checkValues[T any](t *testing.T, mapping func(*T) wantValues, tests map[string]valuesCase) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var object T
			if err := json.Unmarshal([]byte(test.json), &object); err != nil {
				t.Fatal(err)
			}
			got := mapping(&object)
			for _, key := range slices.Sorted(maps.Keys(got)) {
				if want, ok := test.want[key]; !ok || !got[key].Equal(want) {
					t.Errorf("%s is %s, want %v", key, got[key], want)
				}
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got\n%v, want\n%v", got, test.want)
			}
		})
	}
}

func TestFileValues(t *testing.T) {
	t.Parallel()
	checkValues(t, fileValues, map[string]valuesCase{
		"full":    fullFileCase,
		"missing": bareFileCase,
		"null": {`{"id":"f","filename":null,"type":null,"extension":null,"full_filename":null,"size":null,"formatted_size":null,
			"encrypted_size":null,"formatted_encrypted_size":null,"created_by":null,"created_at":null,"disk":null,"trashed":null}`,
			bareFileCase.want},
		"empty": {`{"id":"f","filename":"","type":"","extension":"","full_filename":"","size":0,"formatted_size":"",
			"encrypted_size":0,"formatted_encrypted_size":"","created_by":{},"created_at":"","disk":"","trashed":false}`, wantValues{
			"id": stringOf("f"), "filename": stringOf(""), "type": stringOf(""), "extension": stringOf(""), "full_filename": stringOf(""),
			"size": int64Of(0), "formatted_size": stringOf(""), "encrypted_size": int64Of(0),
			"formatted_encrypted_size": stringOf(""), "created_by": wantPerson(nullString, nullString, nullString, nullString, nullString),
			"created_at": nullString, // no time
			"disk":       stringOf(""), "trashed": boolOf(false),
		}},
		"beyond 32 bits": {`{"id":"f","size":4294967296,"encrypted_size":9007199254740993}`, bareFileCase.with(wantValues{
			"size": int64Of(4294967296), "encrypted_size": int64Of(9007199254740993)})},
		"the largest and the smallest": {`{"id":"f","size":-9223372036854775808,"encrypted_size":9223372036854775807}`,
			bareFileCase.with(wantValues{
				"size": int64Of(-9223372036854775808), "encrypted_size": int64Of(9223372036854775807)})},
		"unknown keys": {`{"id":"f","category":{"id":1},"url":"https://x","files":[1],"body":"secret","created_by":{"id":7,"name":"N"},"trashed":true}`,
			bareFileCase.with(wantValues{
				"created_by": wantPerson(stringOf("N"), nullString, nullString, nullString, nullString), "trashed": boolOf(true)})},
		"texts as they are": {`{"id":" f ","filename":"ž\u0000\n😀","created_at":"yesterday","disk":"${x}"}`,
			bareFileCase.with(wantValues{
				"id": stringOf(" f "), "filename": stringOf("ž\x00\n😀"), "created_at": stringOf("yesterday"), "disk": stringOf("${x}")})},
		"a time of white space": {`{"id":"f","created_at":" "}`, bareFileCase.with(wantValues{"created_at": stringOf(" ")})},
	})
}

func TestInboxMailValues(t *testing.T) {
	t.Parallel()
	checkValues(t, inboxMailValues, map[string]valuesCase{
		"full": {`{"id":"m","identifier":"1Kh2","subject":"Secure files","body":"<p>Mail body</p>",
			"sender":{"name":"Sender Name","email":"sender@email.address"},
			"download":{"id":"15c00595","created_at":"2019-05-15 14:11:00","files":[` + jsonFile + `,{"id":"f"}]},
			"received_at":"2019-05-15 14:11:01","opened":true}`, wantValues{
			"id": stringOf("m"), "identifier": stringOf("1Kh2"), "subject": stringOf("Secure files"), "body": stringOf("<p>Mail body</p>"),
			"sender":      wantContact(stringOf("Sender Name"), stringOf("sender@email.address")),
			"download":    wantDownload("15c00595", stringOf("2019-05-15 14:11:00"), wantFiles(fullFileCase.want, bareFileCase.want)),
			"received_at": stringOf("2019-05-15 14:11:01"), "opened": boolOf(true),
		}},
		"missing": bareInboxMailCase,
		"null": {`{"id":"m","identifier":null,"subject":null,"body":null,"sender":null,"download":null,"received_at":null,"opened":null}`,
			bareInboxMailCase.want},
		"empty": {`{"id":"m","identifier":"","subject":"","body":"","sender":{},"download":{"id":"d","created_at":"","files":[]},
			"received_at":"","opened":false}`, wantValues{
			"id": stringOf("m"), "identifier": stringOf(""), "subject": stringOf(""), "body": stringOf(""), "sender": wantContact(nullString, nullString),
			"download":    wantDownload("d", nullString, wantFiles()),
			"received_at": nullString, "opened": boolOf(false),
		}},
		"files not included": {`{"id":"m","download":{"id":"d"}}`,
			bareInboxMailCase.with(wantValues{"download": wantDownload("d", nullString, nullFiles)})},
		"files: null": {`{"id":"m","download":{"id":"d","files":null}}`,
			bareInboxMailCase.with(wantValues{"download": wantDownload("d", nullString, nullFiles)})},
		"huge": {`{"id":"m","body":"` + strings.Repeat("ž", 1<<20) + `","download":{"id":"d","files":[{"id":"f","encrypted_size":4294967296}]}}`,
			bareInboxMailCase.with(wantValues{
				"body": stringOf(strings.Repeat("ž", 1<<20)),
				"download": wantDownload("d", nullString,
					wantFiles(bareFileCase.with(wantValues{"encrypted_size": int64Of(4294967296)}))),
			})},
		"unknown keys": {`{"id":"m","author":{"name":"x"},"opened_at":"x","status":"x","sender":{"id":1,"email":"e"},
			"download":{"id":"d","url":"https://x","token":"x"}}`, bareInboxMailCase.with(wantValues{
			"sender": wantContact(nullString, stringOf("e")), "download": wantDownload("d", nullString, nullFiles)})},
	})
}

func TestMailValues(t *testing.T) {
	t.Parallel()
	checkValues(t, mailValues, map[string]valuesCase{
		"full": {`{"id":"m","identifier":"1Kh2","subject":"Secure files","body":"<p>Mail body</p>",
			"sender":{"name":"Sender Name","email":"sender@email.address"},"recipient":` + jsonPerson + `,
			"recipient_email":"recipient@email.address","created_at":"2019-05-08 16:21:47","sent_at":"2019-05-08 16:21:48",
			"status":"success","opened_at":"2019-05-09 08:00:00","download":{"id":"d","created_at":"2019-05-15 14:11:00","files":[` + jsonFile + `]}}`, wantValues{
			"id": stringOf("m"), "identifier": stringOf("1Kh2"), "subject": stringOf("Secure files"), "body": stringOf("<p>Mail body</p>"),
			"sender":          wantContact(stringOf("Sender Name"), stringOf("sender@email.address")),
			"recipient":       wantPerson(stringOf("Author Name"), stringOf("Author N."), stringOf("author@email.address"), stringOf(""), stringOf("Europe/Vilnius")),
			"recipient_email": stringOf("recipient@email.address"), "created_at": stringOf("2019-05-08 16:21:47"),
			"sent_at": stringOf("2019-05-08 16:21:48"), "status": stringOf("success"), "opened_at": stringOf("2019-05-09 08:00:00"),
			"download": wantDownload("d", stringOf("2019-05-15 14:11:00"), wantFiles(fullFileCase.want)),
		}},
		"missing": bareMailCase,
		"null": {`{"id":"m","identifier":null,"subject":null,"body":null,"sender":null,"recipient":null,"recipient_email":null,
			"created_at":null,"sent_at":null,"status":null,"opened_at":null,"download":null}`, bareMailCase.want},
		"empty": {`{"id":"m","identifier":"","subject":"","body":"","sender":{"name":"","email":""},
			"recipient":{"name":"","initials":"","email":"","photo_url":"","timezone":""},"recipient_email":"",
			"created_at":"","sent_at":"","status":"","opened_at":"","download":{"id":"d","files":[]}}`, wantValues{
			"id": stringOf("m"), "identifier": stringOf(""), "subject": stringOf(""), "body": stringOf(""), "sender": wantContact(stringOf(""), stringOf("")),
			"recipient": wantPerson(stringOf(""), stringOf(""), stringOf(""), stringOf(""), stringOf("")), "recipient_email": stringOf(""),
			"created_at": nullString, "sent_at": nullString, "status": stringOf(""), "opened_at": nullString,
			"download": wantDownload("d", nullString, wantFiles()),
		}},
		"unopened": {`{"id":"m","opened_at":""}`, bareMailCase.want},
		"huge": {`{"id":"m","download":{"id":"d","files":[{"id":"f","encrypted_size":9223372036854775807}]}}`,
			bareMailCase.with(wantValues{"download": wantDownload("d", nullString,
				wantFiles(bareFileCase.with(wantValues{"encrypted_size": int64Of(9223372036854775807)})))})},
		"unknown keys": {`{"id":"m","received_at":"x","opened":true,"author":{},"recipient":{"id":1,"email":"e"}}`,
			bareMailCase.with(wantValues{"recipient": wantPerson(nullString, nullString, stringOf("e"), nullString, nullString)})},
	})
}

func TestPersonValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		json string
		want tftypes.Value
	}{
		{`null`, nullPerson},
		{`{}`, wantPerson(nullString, nullString, nullString, nullString, nullString)},
		{`{"name":null,"initials":"","email":"e","timezone":"Europe/Vilnius","id":1}`,
			wantPerson(nullString, stringOf(""), stringOf("e"), nullString, stringOf("Europe/Vilnius"))},
		{jsonPerson, wantPerson(stringOf("Author Name"), stringOf("Author N."), stringOf("author@email.address"), stringOf(""), stringOf("Europe/Vilnius"))},
	} {
		var decoded *privasfer.Person
		if err := json.Unmarshal([]byte(test.json), &decoded); err != nil {
			t.Fatal(err)
		}
		if got := personValue(decoded); !got.Equal(test.want) {
			t.Errorf("%s is %s, want %s", test.json, got, test.want)
		}
	}
}

// No list, an empty list, and a list in the API's order are three things.
func TestFilesValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		json string
		want tftypes.Value
	}{
		{`null`, nullFiles},
		{`[]`, wantFiles()},
		{`[{"id":"f"}]`, wantFiles(bareFileCase.want)},
		{`[{"id":"f"},` + jsonFile + `,{"id":"f"}]`, wantFiles(bareFileCase.want, fullFileCase.want, bareFileCase.want)},
	} {
		var files []privasfer.File
		if err := json.Unmarshal([]byte(test.json), &files); err != nil {
			t.Fatal(err)
		}
		if got := filesValue(files); !got.Equal(test.want) {
			t.Errorf("%s is %s, want %s", test.json, got, test.want)
		}
	}
}

// "" is no time, and anything else is the API's own text.
func TestTimeValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text *string
		want tftypes.Value
	}{
		{nil, nullString},
		{new(""), nullString},
		{new("2019-05-15 14:11:00"), stringOf("2019-05-15 14:11:00")},
		{new(" "), stringOf(" ")},
		{new("0000-00-00 00:00:00"), stringOf("0000-00-00 00:00:00")},
		{new("2019-05-15T14:11:00Z"), stringOf("2019-05-15T14:11:00Z")},
	} {
		if got := timeValue(test.text); !got.Equal(test.want) {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestDownloadValues(t *testing.T) {
	t.Parallel()
	checkValues(t, downloadValues, map[string]valuesCase{
		"full": {`{"id":"d","created_at":"2019-05-15 14:11:00","files":[` + jsonFile + `]}`, wantValues{
			"id": stringOf("d"), "created_at": stringOf("2019-05-15 14:11:00"), "files": wantFiles(fullFileCase.want)}},
		"bare":  {`{"id":"d"}`, wantValues{"id": stringOf("d"), "created_at": nullString, "files": nullFiles}},
		"empty": {`{"id":"d","created_at":"","files":[]}`, wantValues{"id": stringOf("d"), "created_at": nullString, "files": wantFiles()}},
	})
}

// What is left out is null.
func TestContentValues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content privasfer.Content
		want    wantValues
	}{
		"text": {privasfer.Content{Bytes: []byte("ž\x00\n"), Type: "text/plain"}, wantValues{
			"content": stringOf("ž\x00\n"), "content_base64": stringOf("xb4ACg=="), "content_length": int64Of(4),
			"content_sha256": stringOf("f95b72864a6155ae5252d0e48b01a62fc6ae5ddaea7d4adfa045ed59e7d9fea1"),
			"content_type":   stringOf("text/plain"),
		}},
		"not text, without a type": {privasfer.Content{Bytes: []byte{0xff, 0x00}}, wantValues{
			"content_base64": stringOf("/wA="), "content_length": int64Of(2),
			"content_sha256": stringOf("ea5dbf9596d187e9500f23e9a680109475341cf4e81f7e043f7d97152c10772f"),
		}},
		"nothing": {privasfer.Content{}, wantValues{
			"content": stringOf(""), "content_base64": stringOf(""), "content_length": int64Of(0),
			"content_sha256": stringOf("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
		}},
	} {
		if got := contentValues(&test.content); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// What the configuration gives stays, whatever the API answers: Terraform takes
// nothing else for it.
func TestSetResults(t *testing.T) {
	t.Parallel()
	schema := data.Schema{Attributes: map[string]data.Attribute{
		"id":     data.StringAttribute{Required: true},
		"size":   data.Int64Attribute{Computed: true},
		"opened": data.BoolAttribute{Computed: true},
	}}
	shape := schema.Type().TerraformType(t.Context())
	given := tftypes.NewValue(shape, wantValues{"id": stringOf("given"), "size": nullNumber, "opened": nullBool})
	config := tfsdk.Config{Schema: schema, Raw: given.Copy()}
	state := tfsdk.State{Schema: schema}
	diags := setResults(t.Context(), &state, config, map[string]tftypes.Value{"id": stringOf("answered"), "size": int64Of(1)})
	want := tftypes.NewValue(shape, wantValues{"id": stringOf("given"), "size": int64Of(1), "opened": nullBool})
	if diags.HasError() || !state.Raw.Equal(want) {
		t.Errorf("got %s, want %s; %v", state.Raw, want, diags)
	}
	if !config.Raw.Equal(given) {
		t.Errorf("the configuration became %s", config.Raw)
	}

	config.Raw = tftypes.NewValue(shape, tftypes.UnknownValue)
	if diags := setResults(t.Context(), &state, config, nil); !diags.HasError() || !strings.HasSuffix(diags[0].Detail(), bugStep) {
		t.Errorf("an unknown configuration is %v", diags)
	}
}

func TestWithoutBody(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]struct {
		attributes map[string]data.Attribute
		values     wantValues
		shown      map[string]data.Attribute
	}{
		"inbox mail": {withoutBody(inboxMailAttributes()),
			withoutBody(inboxMailValues(&privasfer.InboxMail{ID: "m", Body: new("secret")})), inboxMailAttributes()},
		"sent mail": {withoutBody(mailAttributes()),
			withoutBody(mailValues(&privasfer.Mail{ID: "m", Body: new("secret")})), mailAttributes()},
	} {
		delete(list.shown, "body")
		checkKeys(t, name+", attributes", list.attributes, list.shown)
		checkKeys(t, name+", values", list.values, list.shown)
		if strings.Contains(fmt.Sprint(list.values), "secret") {
			t.Errorf("%s: the body is in %v", name, list.values)
		}
	}
}

// checkKeys compares two sets of keys.
func checkKeys[A, B any](t *testing.T, name string, got map[string]A, want map[string]B) {
	t.Helper()
	gotKeys, wantKeys := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))
	if !slices.Equal(gotKeys, wantKeys) {
		t.Errorf("%s: the keys are\n%q, want\n%q", name, gotKeys, wantKeys)
	}
}

// Schema and mapping agree, in keys and in types, wherever an object appears:
// what the mapping leaves out or adds would end a run with the framework's
// words.
func TestMappingAgreesWithTheSchema(t *testing.T) {
	t.Parallel()
	file, inboxMail, mail := fileValues(&privasfer.File{}), inboxMailValues(&privasfer.InboxMail{}), mailValues(&privasfer.Mail{})

	for name, test := range map[string]struct {
		source    datasource.DataSource
		values    wantValues
		arguments []string
	}{
		"file":       {newFileDataSource(), file, nil},
		"inbox_mail": {newInboxMailDataSource(), inboxMail, []string{"include_files"}},
		"mail":       {newMailDataSource(), mail, []string{"include_files"}},
		"files": {newFilesDataSource(), listValuesOf(t, newFilesDataSource(), privasfer.File{}),
			[]string{"keyword", "sort"}},
		"inbox_mails": {newInboxMailsDataSource(), listValuesOf(t, newInboxMailsDataSource(), privasfer.InboxMail{}),
			[]string{"keyword", "sort", "include_files"}},
		"mails": {newMailsDataSource(), listValuesOf(t, newMailsDataSource(), privasfer.Mail{}),
			[]string{"keyword", "sort", "include_files"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var response datasource.SchemaResponse
			test.source.Schema(t.Context(), datasource.SchemaRequest{}, &response)
			shape := make(map[string]tftypes.Type)
			for key, attribute := range response.Schema.Attributes {
				shape[key] = attribute.GetType().TerraformType(t.Context())
			}
			checkAgrees(t, shape, test.values, test.arguments)
		})
	}

	t.Run("ephemeral inbox_mail", func(t *testing.T) {
		t.Parallel()
		var response ephemeral.SchemaResponse
		newInboxMailEphemeralResource().Schema(t.Context(), ephemeral.SchemaRequest{}, &response)
		shape := make(map[string]tftypes.Type)
		for key, attribute := range response.Schema.Attributes {
			shape[key] = attribute.GetType().TerraformType(t.Context())
		}
		checkAgrees(t, shape, inboxMail, []string{"include_files", "enabled"})
	})
}

// checkAgrees checks that values and arguments together are what a schema has.
func checkAgrees(t *testing.T, shape map[string]tftypes.Type, mapped wantValues, arguments []string) {
	t.Helper()
	all := maps.Clone(mapped)
	for _, argument := range arguments {
		if _, ok := mapped[argument]; ok {
			t.Errorf("the argument %s is mapped", argument)
		}
		switch argument {
		case "include_files", "enabled":
			all[argument] = nullBool
		default:
			all[argument] = nullString
		}
	}
	checkKeys(t, "values", all, shape)
	for key, value := range all {
		if got := value.Type(); !got.Equal(shape[key]) {
			t.Errorf("%s is a %s, in the schema a %s", key, got, shape[key])
		}
	}
}

// listValuesOf is what a plural data source makes of objects.
func listValuesOf[T any](t *testing.T, source datasource.DataSource, objects ...T) wantValues {
	t.Helper()
	list, ok := source.(*listDataSource[T])
	if !ok {
		t.Fatalf("the data source is a %T", source)
	}
	return list.listValues(objects)
}

func TestListValues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		json string
		want wantValues
	}{
		"none": {`[]`, wantValues{"ids": stringsOf(), "files": wantFiles()}},
		"null": {`null`, wantValues{"ids": stringsOf(), "files": wantFiles()}},
		"in the API's order": {`[{"id":"f"},` + jsonFile + `]`, wantValues{
			"ids":   stringsOf("f", "fad2027a"),
			"files": wantFiles(bareFileCase.want, fullFileCase.want),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var files []privasfer.File
			if err := json.Unmarshal([]byte(test.json), &files); err != nil {
				t.Fatal(err)
			}
			got := listValuesOf(t, newFilesDataSource(), files...)
			checkKeys(t, "values", got, test.want)
			for key, want := range test.want {
				if !got[key].Equal(want) {
					t.Errorf("%s is %s, want %s", key, got[key], want)
				}
			}
		})
	}
}

// A list of mails holds all of a mail but its body.
func TestListValuesOfMails(t *testing.T) {
	t.Parallel()
	inbox := listValuesOf(t, newInboxMailsDataSource(), privasfer.InboxMail{ID: "m", Body: new("secret"), Subject: new("s")})
	sent := listValuesOf(t, newMailsDataSource(), privasfer.Mail{ID: "m", Body: new("secret"), Subject: new("s")})
	for name, list := range map[string]struct {
		got, want wantValues
	}{
		"inbox": {inbox, bareInboxMailCase.with(wantValues{"subject": stringOf("s")})},
		"sent":  {sent, bareMailCase.with(wantValues{"subject": stringOf("s")})},
	} {
		delete(list.want, "body")
		var mails []tftypes.Value
		if err := list.got["mails"].As(&mails); err != nil || len(mails) != 1 {
			t.Fatalf("%s: the mails are %v, %v", name, list.got["mails"], err)
		}
		var mail wantValues
		if err := mails[0].As(&mail); err != nil || !reflect.DeepEqual(mail, list.want) {
			t.Errorf("%s: got %v, want %v, %v", name, mail, list.want, err)
		}
		if ids := list.got["ids"]; !ids.Equal(stringsOf("m")) {
			t.Errorf("%s: the ids are %s", name, ids)
		}
		if strings.Contains(fmt.Sprint(list.got), "secret") {
			t.Errorf("%s: the body is in %v", name, list.got)
		}
	}
}

// Callers that list the same at once share the objects: mapping changes none.
func TestMappingChangesNothing(t *testing.T) {
	t.Parallel()
	var file, again privasfer.File
	for _, to := range []*privasfer.File{&file, &again} {
		if err := json.Unmarshal([]byte(jsonFile), to); err != nil {
			t.Fatal(err)
		}
	}
	mail := privasfer.Mail{ID: "m", Body: new("b"), OpenedAt: new(""),
		Download: privasfer.Nullable[privasfer.MailDownload]{Value: &privasfer.MailDownload{ID: "d", CreatedAt: new(""), Files: []privasfer.File{file}}}}
	first := listValuesOf(t, newMailsDataSource(), mail)
	second := listValuesOf(t, newMailsDataSource(), mail)
	if !first["mails"].Equal(second["mails"]) {
		t.Errorf("got %s, then %s", first["mails"], second["mails"])
	}
	if *mail.Body != "b" || *mail.OpenedAt != "" || !reflect.DeepEqual(mail.Download.Value.Files, []privasfer.File{again}) {
		t.Errorf("the mail became %+v", mail)
	}
}

// BenchmarkListValues maps a list of 5,000 files.
func BenchmarkListValues(b *testing.B) {
	files := make([]privasfer.File, 5000)
	for i := range files {
		if err := json.Unmarshal([]byte(jsonFile), &files[i]); err != nil {
			b.Fatal(err)
		}
		files[i].ID = fmt.Sprintf("%s-%d", files[i].ID, i)
	}
	source, ok := newFilesDataSource().(*listDataSource[privasfer.File])
	if !ok {
		b.Fatalf("the data source is a %T", newFilesDataSource())
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := source.listValues(files); len(got) != 2 {
			b.Fatalf("got %d values", len(got))
		}
	}
}
