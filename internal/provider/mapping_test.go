package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/privasfer/terraform-provider-privasfer/internal/privasfer"
	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// Objects as JSON. The response of the API and the result of the provider are the same
// unless values are null, missing or unknown to the provider.
const (
	jsonPerson = `{"name":"Author Name","initials":"Author N.","email":"author@email.address","photo_url":"","timezone":"Europe/Vilnius"}`
	jsonFile   = `{"id":"fad2027a","filename":"invoice","type":"application/pdf","extension":"pdf","full_filename":"invoice.pdf",
		"size":43389,"formatted_size":"42.37 KB","encrypted_size":78508,"formatted_encrypted_size":"76.67 KB",
		"created_by":` + jsonPerson + `,"created_at":"2019-05-08 00:18:03","disk":"local-spaces","trashed":false}`
	emptyPerson = `{"name":"","initials":"","email":"","photo_url":"","timezone":""}`
	nullPerson  = `{"name":null,"initials":null,"email":null,"photo_url":null,"timezone":null}`
	nullFile    = `{"id":"f","filename":null,"type":null,"extension":null,"full_filename":null,"size":null,"formatted_size":null,
		"encrypted_size":null,"formatted_encrypted_size":null,"created_by":null,"created_at":null,"disk":null,"trashed":null}`
	jsonBody      = `,"body":"<p>Mail body</p>"`
	jsonSender    = `,"identifier":"1Kh2","subject":"Secure files","sender":{"name":"Sender Name","email":"sender@email.address"}`
	mailDownload  = `,"download":{"id":"15c00595","created_at":"2019-05-15 14:11:00","files":[` + jsonFile + `,` + nullFile + `]}`
	nullMail      = `,"identifier":null,"subject":null,"sender":null,"download":null`
	inboxMail     = jsonSender + mailDownload + `,"received_at":"2019-05-15 14:11:01","opened":true`
	nullInboxMail = nullMail + `,"received_at":null,"opened":null`
	sentMail      = jsonSender + mailDownload + `,"recipient":` + jsonPerson + `,"recipient_email":"recipient@email.address",
		"created_at":"2019-05-08 16:21:47","sent_at":"2019-05-08 16:21:48","status":"success","opened_at":"2019-05-09 08:00:00"`
	nullSent = nullMail + `,"recipient":null,"recipient_email":null,"created_at":null,"sent_at":null,"status":null,"opened_at":null`
)

// reads are the requests and results of the data sources, and of the ephemeral resource
// privasfer_inbox_mail ("ephemeral"), for a response. Results include the arguments.
var reads = map[string]struct {
	kind      string
	arguments values
	request   string // "": none
	response  string
	want      string // "": the response
	engine    bool   // also read by TestAccReads
}{
	"file":      {"file", values{"id": "fad2027a"}, "/api/files/fad2027a", jsonFile, "", true},
	"bare file": {"file", values{"id": "f"}, "/api/files/f", `{"id":"f"}`, nullFile, false},
	"given id":  {"file", values{"id": "50%25~ž"}, "/api/files/50%2525~%C5%BE", `{"id":"other"}`, nullFile, false},
	"huge file": {"file", values{"id": "f"}, "/api/files/f", `{"id":"f","size":9007199254740993,"encrypted_size":9223372036854775807,"url":"https://x","body":"secret"}`,
		strings.NewReplacer(`"size":null`, `"size":9007199254740993`, `"encrypted_size":null`, `"encrypted_size":9223372036854775807`).Replace(nullFile), false},
	"odd file": {"file", values{"id": "f"}, "/api/files/f", `{"id":"f","disk":"ž\u0000\n😀${x}","created_at":" ","created_by":{"id":7}}`,
		strings.NewReplacer(`"disk":null`, `"disk":"ž\u0000\n😀${x}"`, `"created_at":null`, `"created_at":" "`, `"created_by":null`, `"created_by":`+nullPerson).Replace(nullFile), false},
	"empty file": {"file", values{"id": "f"}, "/api/files/f", emptyFile(`""`), emptyFile("null"), false},
	"files":      {"files", values{"keyword": "a b", "sort": "-size"}, "/api/files?keyword=a+b&sort=-size", `[` + nullFile + `,` + jsonFile + `]`, `{"ids":["f","fad2027a"],"files":[` + nullFile + `,` + jsonFile + `]}`, true},
	"no files":   {"files", nil, "/api/files", `[]`, `{"ids":[],"files":[]}`, false},

	"inbox mail": {"inbox_mail", values{"id": "m", "include_files": true}, "/api/inbox/m?include=download,download.files",
		`{"id":"m"` + jsonBody + inboxMail + `}`, "", true},
	"bare inbox mail": {"inbox_mail", values{"id": "m", "include_files": false}, "/api/inbox/m?include=download",
		`{"id":"m"}`, `{"body":null` + nullInboxMail + `}`, false},
	"empty inbox mail": {"inbox_mail", values{"id": "m"}, "/api/inbox/m?include=download",
		emptyInboxMail(`""`, `{}`), emptyInboxMail("null", `{"name":null,"email":null}`), false},
	"without files": {"inbox_mail", values{"id": "m"}, "/api/inbox/m?include=download",
		`{"id":"m","download":{"id":"d"}}`, `{"body":null` + strings.Replace(nullInboxMail, `"download":null`, `"download":{"id":"d","created_at":null,"files":null}`, 1) + `}`, false},
	"inbox mails": {"inbox_mails", values{"keyword": "a", "sort": "-received_at", "include_files": true}, "/api/inbox?include=download,download.files&keyword=a&sort=-received_at",
		`[{"id":"m"` + jsonBody + inboxMail + `},{"id":"n"}]`, `{"ids":["m","n"],"mails":[{"id":"m"` + inboxMail + `},{"id":"n"` + nullInboxMail + `}]}`, true},
	"no inbox mails": {"inbox_mails", values{"include_files": false}, "/api/inbox?include=download",
		`[]`, `{"ids":[],"mails":[]}`, false},
	"ephemeral": {"ephemeral", values{"id": "m", "include_files": true, "enabled": true}, "/api/inbox/m?include=download,download.files",
		`{"id":"m"` + jsonBody + inboxMail + `}`, "", false},
	"disabled ephemeral": {"ephemeral", values{"id": "m", "include_files": true, "enabled": false}, "", `{}`, `{"body":null` + nullInboxMail + `}`, false},

	"mail": {"mail", values{"id": "m", "include_files": true}, "/api/mails/m?include=download,download.files",
		`{"id":"m"` + jsonBody + sentMail + `}`, "", true},
	"bare mail": {"mail", values{"id": "m", "include_files": false}, "/api/mails/m?include=download",
		`{"id":"m"}`, `{"body":null` + nullSent + `}`, false},
	"empty mail": {"mail", values{"id": "m"}, "/api/mails/m?include=download",
		emptyMail(`""`), emptyMail("null"), false},
	"mails": {"mails", values{"keyword": "a", "sort": "sent_at", "include_files": true}, "/api/mails?include=download,download.files&keyword=a&sort=sent_at",
		`[{"id":"m"` + jsonBody + sentMail + `},{"id":"n"}]`, `{"ids":["m","n"],"mails":[{"id":"m"` + sentMail + `},{"id":"n"` + nullSent + `}]}`, true},
	"no mails": {"mails", values{"include_files": false}, "/api/mails?include=download",
		`[]`, `{"ids":[],"mails":[]}`, false},
}

// emptyFile, emptyInboxMail and emptyMail return an object with empty values. The
// result keeps an empty string, except that an empty time is null.
func emptyFile(time string) string {
	return `{"id":"f","filename":"","type":"","extension":"","full_filename":"","size":0,"formatted_size":"","encrypted_size":0,
		"formatted_encrypted_size":"","created_by":` + emptyPerson + `,"created_at":` + time + `,"disk":"","trashed":false}`
}

func emptyInboxMail(time, sender string) string {
	return `{"id":"m","identifier":"","subject":"","body":"","sender":` + sender + `,"download":{"id":"d","created_at":` + time + `,"files":[]},
		"received_at":` + time + `,"opened":false}`
}

func emptyMail(time string) string {
	return `{"id":"m","identifier":"","subject":"","body":"","sender":{"name":"","email":""},"recipient":` + emptyPerson + `,"recipient_email":"",
		"created_at":` + time + `,"sent_at":` + time + `,"status":"","opened_at":` + time + `,"download":{"id":"d","created_at":` + time + `,"files":[]}}`
}

// wanted returns a result with the arguments of its schema.
func wanted(t *testing.T, kind, result string, given values) map[string]any {
	t.Helper()
	want := decoded(t, result)
	for argument, kinds := range map[string]string{
		"id": "file inbox_mail mail ephemeral", "keyword": "files inbox_mails mails", "sort": "files inbox_mails mails",
		"include_files": "inbox_mail mail ephemeral inbox_mails mails", "enabled": "ephemeral",
	} {
		if strings.Contains(" "+kinds+" ", " "+kind+" ") {
			want[argument] = given[argument]
		}
	}
	return want
}

func decoded(t *testing.T, text string) (object map[string]any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		t.Fatal(err, text)
	}
	return object
}

// TestReads checks the request and every attribute of the result.
func TestReads(t *testing.T) {
	t.Parallel()
	for name, test := range reads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			var requests []string
			api.Inject("", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				requests = append(requests, r.RequestURI)
				simulator.Respond(`{"data":`+test.response+`}`)(w, r, next)
			})
			result, report := newProtocolServer(t, api, nil).result(t, test.kind, test.arguments)
			if report != "" {
				t.Fatal(report)
			}
			if test.want == "" {
				test.want = test.response
			}
			if got, want := asJSON(result), wanted(t, test.kind, test.want, test.arguments); !reflect.DeepEqual(got, any(want)) {
				t.Errorf("got\n%v, want\n%v", got, want)
			}
			if requests := strings.Join(requests, " "); requests != test.request {
				t.Errorf("got the requests %s, want %s", requests, test.request)
			}
		})
	}
}

// TestAccReads checks the complete results of each data source in an engine.
func TestAccReads(t *testing.T) {
	t.Parallel()
	responses, wants := map[string]string{}, map[string]any{}
	blocks, objects := "", ""
	for _, test := range reads {
		if !test.engine {
			continue
		}
		responses[test.request] = `{"data":` + test.response + `}`
		if test.want == "" {
			test.want = test.response
		}
		wants[test.kind] = wanted(t, test.kind, test.want, test.arguments)
		blocks += fmt.Sprintf(`data "privasfer_%s" "test" {`+"\n", test.kind)
		for argument, value := range test.arguments {
			blocks += fmt.Sprintf("%s = %#v\n", argument, value)
		}
		blocks += "}\n"
		objects += fmt.Sprintf("%[1]s = data.privasfer_%[1]s.test\n", test.kind)
	}
	api := newAPI(t, simulator.Options{})
	api.Inject("", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		response := responses[r.RequestURI]
		if response == "" {
			t.Errorf("got the request %s", r.RequestURI)
		}
		simulator.Respond(response)(w, r, next)
	})
	w := newWorkspace(t, api.providerBlock()+blocks+`
		output "all" {
			sensitive = true
			value = jsonencode({
				`+objects+`
			})
		}`)
	w.run(0, "apply", "-auto-approve")
	if got := decoded(t, w.run(0, "output", "-raw", "all")); !reflect.DeepEqual(got, wants) {
		t.Errorf("got\n%v, want\n%v", got, wants)
	}
}

// TestContentValues checks that content is null if it is not UTF-8, and not if it is
// empty. TestAccDownload_attributes checks the other values.
func TestContentValues(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"\xff\x00": `{"expires_at":null,"content_base64":"/wA=","content_length":2,"content_sha256":"ea5dbf9596d187e9500f23e9a680109475341cf4e81f7e043f7d97152c10772f"}`,
		"":         `{"expires_at":null,"content":"","content_base64":"","content_length":0,"content_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`,
	} {
		got := map[string]any{}
		for name, value := range contentValues("", []byte(content)) {
			got[name] = asJSON(value)
		}
		if want := decoded(t, want); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", content, got, want)
		}
	}
}

// TestSetResults checks that setResults does not change the configuration, and returns
// an error if it cannot be read.
func TestSetResults(t *testing.T) {
	t.Parallel()
	schema := data.Schema{Attributes: map[string]data.Attribute{"size": data.Int64Attribute{Computed: true}}}
	shape := schema.Type().TerraformType(t.Context())
	given := tftypes.NewValue(shape, map[string]tftypes.Value{"size": int64Value(nil)})
	config, state := tfsdk.Config{Schema: schema, Raw: given.Copy()}, tfsdk.State{Schema: schema}
	if diags := setResults(t.Context(), &state, config, map[string]tftypes.Value{"size": int64Value(new(int64(1)))}); diags.HasError() || !config.Raw.Equal(given) {
		t.Errorf("the configuration became %s; %v", config.Raw, diags)
	}
	config.Raw = tftypes.NewValue(shape, tftypes.UnknownValue)
	if diags := setResults(t.Context(), &state, config, nil); !diags.HasError() || !strings.HasSuffix(diags[0].Detail(), bugStep) {
		t.Errorf("an unknown configuration is %v", diags)
	}
}

// TestMappingChangesNothing checks that mapping does not change an object, because
// concurrent calls that read the same list share the objects.
func TestMappingChangesNothing(t *testing.T) {
	t.Parallel()
	var mail, again privasfer.Mail
	for _, to := range []*privasfer.Mail{&mail, &again} {
		if err := json.Unmarshal([]byte(emptyMail(`""`)), to); err != nil {
			t.Fatal(err)
		}
	}
	if mailListing.values(&mail); !reflect.DeepEqual(mail, again) {
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
	source := &listDataSource[privasfer.File]{listing: fileListing}
	b.ReportAllocs()
	for b.Loop() {
		if got := source.listValues(files); len(got) != 2 {
			b.Fatalf("got %d values", len(got))
		}
	}
}
