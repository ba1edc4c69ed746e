package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
)

// The wanted values are those of another implementation, Python's zoneinfo
// with fold=0.
func TestRFC3339(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ zone, text, want string }{
		{"UTC", "2019-05-15 14:11:00", "2019-05-15T14:11:00Z"},
		{"UTC", "2020-02-29 12:00:00", "2020-02-29T12:00:00Z"},
		{"Etc/GMT+5", "2019-05-15 14:11:00", "2019-05-15T14:11:00-05:00"}, // the sign is POSIX's
		{"Asia/Kathmandu", "2019-05-15 14:11:00", "2019-05-15T14:11:00+05:45"},
		{"America/St_Johns", "2019-05-15 14:11:00", "2019-05-15T14:11:00-02:30"},
		{"Pacific/Kiritimati", "2019-12-31 23:59:59", "2019-12-31T23:59:59+14:00"},

		// A time in RFC 3339 has its own zone.
		{"Europe/Vilnius", "2019-05-08T00:18:03.000000Z", "2019-05-08T00:18:03Z"},
		{"UTC", "2019-05-08T00:18:03.250+03:00", "2019-05-08T00:18:03.25+03:00"},

		// Clocks are set forward: nothing is between the two.
		{"Europe/Vilnius", "2019-01-15 12:00:00", "2019-01-15T12:00:00+02:00"},
		{"Europe/Vilnius", "2019-03-31 02:59:59", "2019-03-31T02:59:59+02:00"},
		{"Europe/Vilnius", "2019-03-31 04:00:00", "2019-03-31T04:00:00+03:00"},
		{"Europe/Vilnius", "2019-05-15 14:11:00", "2019-05-15T14:11:00+03:00"},
		{"America/New_York", "2019-03-10 01:59:59", "2019-03-10T01:59:59-05:00"},
		{"America/New_York", "2019-03-10 03:00:00", "2019-03-10T03:00:00-04:00"},
		{"Australia/Lord_Howe", "2019-10-06 01:59:59", "2019-10-06T01:59:59+10:30"},
		{"Australia/Lord_Howe", "2019-10-06 02:30:00", "2019-10-06T02:30:00+11:00"},
		{"Pacific/Apia", "2011-12-29 23:59:59", "2011-12-29T23:59:59-10:00"},
		{"Pacific/Apia", "2011-12-31 00:00:00", "2011-12-31T00:00:00+14:00"},

		// Clocks are set back: what is there twice is the first.
		{"Europe/Vilnius", "2019-10-27 02:59:59", "2019-10-27T02:59:59+03:00"},
		{"Europe/Vilnius", "2019-10-27 03:00:00", "2019-10-27T03:00:00+03:00"},
		{"Europe/Vilnius", "2019-10-27 03:30:00", "2019-10-27T03:30:00+03:00"},
		{"Europe/Vilnius", "2019-10-27 03:59:59", "2019-10-27T03:59:59+03:00"},
		{"Europe/Vilnius", "2019-10-27 04:00:00", "2019-10-27T04:00:00+02:00"},
		{"America/New_York", "2019-11-03 00:59:59", "2019-11-03T00:59:59-04:00"},
		{"America/New_York", "2019-11-03 01:00:00", "2019-11-03T01:00:00-04:00"},
		{"America/New_York", "2019-11-03 01:30:00", "2019-11-03T01:30:00-04:00"},
		{"America/New_York", "2019-11-03 01:59:59", "2019-11-03T01:59:59-04:00"},
		{"America/New_York", "2019-11-03 02:00:00", "2019-11-03T02:00:00-05:00"},
		{"Australia/Lord_Howe", "2019-04-07 01:29:59", "2019-04-07T01:29:59+11:00"},
		{"Australia/Lord_Howe", "2019-04-07 01:30:00", "2019-04-07T01:30:00+11:00"},
		{"Australia/Lord_Howe", "2019-04-07 01:45:00", "2019-04-07T01:45:00+11:00"},
		{"Australia/Lord_Howe", "2019-04-07 02:00:00", "2019-04-07T02:00:00+10:30"},
		{"Europe/Dublin", "2018-10-28 01:30:00", "2018-10-28T01:30:00+01:00"}, // winter is its daylight saving time
		{"Antarctica/Troll", "2019-10-27 02:30:00", "2019-10-27T02:30:00+02:00"},
		{"Pacific/Kwajalein", "1969-09-30 12:00:00", "1969-09-30T12:00:00+11:00"}, // almost a whole day twice

		// Beyond the changes that the database lists one by one.
		{"Europe/Vilnius", "2050-10-30 03:30:00", "2050-10-30T03:30:00+03:00"},
		{"Europe/Vilnius", "9998-07-01 00:00:00", "9998-07-01T00:00:00+03:00"},
		{"Europe/Vilnius", "9998-12-31 23:59:59", "9998-12-31T23:59:59+02:00"},

		// An offset with seconds, which RFC 3339 cannot write.
		{"Europe/Vilnius", "1800-01-01 00:00:00", "1799-12-31T22:18:44Z"},
		{"Europe/Vilnius", "1890-06-01 12:00:00", "1890-06-01T12:00:00+01:24"},
		{"America/New_York", "1800-01-01 00:00:00", "1800-01-01T04:56:02Z"},
		{"America/New_York", "1883-11-18 11:59:00", "1883-11-18T16:55:02Z"},
		{"America/New_York", "1883-11-18 12:01:00", "1883-11-18T16:57:02Z"}, // twice
		{"America/New_York", "1883-11-18 12:03:57", "1883-11-18T16:59:59Z"}, // twice
		{"America/New_York", "1883-11-18 12:03:58", "1883-11-18T12:03:58-05:00"},
		{"Africa/Monrovia", "1971-01-01 00:00:00", "1971-01-01T00:44:30Z"},
		{"Africa/Monrovia", "1972-01-06 23:59:59", "1972-01-07T00:44:29Z"},
		{"Africa/Monrovia", "1972-01-07 00:44:30", "1972-01-07T00:44:30Z"},
		{"Europe/Vilnius", "0001-01-02 00:00:00", "0001-01-01T22:18:44Z"},

		// Python has neither of these years; the offsets are those of the years beside them.
		{"UTC", "0000-01-01 00:00:00", "0000-01-01T00:00:00Z"},
		{"UTC", "9999-12-31 23:59:59", "9999-12-31T23:59:59Z"},
		{"America/New_York", "9999-12-31 23:59:59", "9999-12-31T23:59:59-05:00"},
	} {
		t.Run(test.zone+" "+test.text, func(t *testing.T) {
			t.Parallel()
			got, err := rfc3339(test.text, test.zone)
			if err != nil || got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

func TestRFC3339Refuses(t *testing.T) {
	t.Parallel()
	const (
		noTime = "%q is neither a time of the form YYYY-MM-DD HH:MM:SS nor one in RFC 3339"
		noZone = "%q is not a zone of the IANA database. Examples are Europe/Vilnius and UTC"
		noOwn  = "%q is no zone of its own: it would depend on the machine. Name one of the IANA database, such as Europe/Vilnius or UTC"
		skip   = "%q does not exist in %s: the clocks were set forward over it"
	)
	const good = "2019-05-15 14:11:00"
	type refusal struct {
		text, zone string
		argument   int64
		err        string
	}
	var tests []refusal
	for _, text := range []string{
		"", " ", "yesterday", "now", "0", "1557929460", "2019-05-15", "14:11:00", "2019-05-15 14:11", "2019-05-15T14:11:00",
		good + "Z", good + " UTC", good + "+03:00", good + " ", " " + good, good + "\n", good + "\x00",
		"2019-05-15  14:11:00", "2019-05-15\t14:11:00", "2019-05-15\u00a014:11:00", "2019/05/15 14:11:00", "15-05-2019 14:11:00",
		"2019-05-15 14.11.00", "2019-5-15 14:11:00", "2019-05-5 14:11:00", "2019-05-15 4:11:00", "2019-05-15 14:1:00",
		"2019-05-15 14:11:0", "19-05-15 14:11:00", "12019-05-15 14:11:00", "-2019-05-15 14:11:00", "+2019-05-15 14:11:00",
		good + ".5", good + ".000", good + ",5", good + ".", "2019-05-15 02:11:00 PM",
		"2019-02-29 12:00:00", "2019-02-30 12:00:00", "2019-04-31 12:00:00", "2019-00-15 14:11:00", "2019-13-15 14:11:00",
		"2019-05-00 14:11:00", "2019-05-32 14:11:00", "0000-00-00 00:00:00",
		"2019-05-15 24:00:00", "2019-05-15 14:60:00", "2019-05-15 14:11:60", "2016-12-31 23:59:60",
		"２０１９-05-15 14:11:00", "٢٠١٩-٠٥-١٥ ١٤:١١:٠٠", "2019-05-15 14:11:0\u03010", good + "\u0301", "2019\u201005\u201015 14:11:00",
		"\ufeff" + good, "2019-05-15 14:11:0\xff",
	} {
		tests = append(tests, refusal{text, "UTC", 0, fmt.Sprintf(noTime, text)})
	}
	for _, zone := range []string{
		"Europe/Nowhere", "../../etc/passwd", "Europe/../../../etc/passwd", "/etc/localtime", "/usr/share/zoneinfo/Europe/Vilnius",
		"+02:00", "UTC+2", "GMT+02:00", "Z", "utc", "local", "europe/vilnius", `Europe\Vilnius`, "Europe/Vilnius ", " Europe/Vilnius",
		"Europe/Vilnius\n", "Europe/Vilnius\x00", "Europe", "Europe/", "Europe/Vilnius/", ".", "..", "/", " ", "Vilnius", "EEST", "zone.tab", "\xff",
		"C:/Windows", "Żukė",
	} {
		tests = append(tests, refusal{good, zone, 1, fmt.Sprintf(noZone, zone)})
	}
	for _, zone := range []string{"", "Local"} {
		tests = append(tests, refusal{good, zone, 1, fmt.Sprintf(noOwn, zone)})
	}
	for zone, texts := range map[string][]string{
		"Europe/Vilnius":      {"2019-03-31 03:00:00", "2019-03-31 03:30:00", "2019-03-31 03:59:59", "2050-03-27 03:30:00"},
		"America/New_York":    {"2019-03-10 02:00:00", "2019-03-10 02:30:00", "2019-03-10 02:59:59"},
		"Australia/Lord_Howe": {"2019-10-06 02:00:00", "2019-10-06 02:15:00", "2019-10-06 02:29:59"},
		"Pacific/Apia":        {"2011-12-30 00:00:00", "2011-12-30 12:00:00", "2011-12-30 23:59:59"},
		"Pacific/Kwajalein":   {"1993-08-21 12:00:00"},
		"Europe/Dublin":       {"2018-03-25 01:30:00"},
		"America/Caracas":     {"2016-05-01 02:45:00"},
		"Africa/Casablanca":   {"2018-06-17 02:30:00"},
		"Africa/Monrovia":     {"1972-01-07 00:20:00"},
	} {
		for _, text := range texts {
			tests = append(tests, refusal{text, zone, 0, fmt.Sprintf(skip, text, zone)})
		}
	}
	tests = append(tests,
		refusal{"x", "y", 0, fmt.Sprintf(noTime, "x")}, // one complaint at a time
		refusal{strings.Repeat("ž", 500), "UTC", 0, fmt.Sprintf(noTime, strings.Repeat("ž", 120)+"…")},
		refusal{good, strings.Repeat("ž", 500), 1, fmt.Sprintf(noZone, strings.Repeat("ž", 120)+"…")},
	)
	for _, test := range tests {
		t.Run(fmt.Sprintf("%.30q in %.30q", test.text, test.zone), func(t *testing.T) {
			t.Parallel()
			got, err := rfc3339(test.text, test.zone)
			if err == nil {
				t.Fatalf("got %q", got)
			}
			if got != "" || err.Text != test.err {
				t.Errorf("got %q and the error\n%s, want\n%s", got, err.Text, test.err)
			}
			if err.FunctionArgument == nil || *err.FunctionArgument != test.argument {
				t.Errorf("the error is about argument %v, want %d", err.FunctionArgument, test.argument)
			}
		})
	}
}

// The function's result is the pure function's, and so is its error.
func TestRFC3339Run(t *testing.T) {
	t.Parallel()
	run := func(text, zone string) (attr.Value, *function.FuncError) {
		response := function.RunResponse{Result: function.NewResultData(types.StringUnknown())}
		newRFC3339Function().Run(t.Context(), function.RunRequest{
			Arguments: function.NewArgumentsData([]attr.Value{types.StringValue(text), types.StringValue(zone)}),
		}, &response)
		return response.Result.Value(), response.Error
	}
	got, err := run("2019-05-15 14:11:00", "Europe/Vilnius")
	if want := types.StringValue("2019-05-15T14:11:00+03:00"); err != nil || !got.Equal(want) {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	for argument, arguments := range [][2]string{{"x", "UTC"}, {"2019-05-15 14:11:00", ""}} {
		got, err := run(arguments[0], arguments[1])
		if err == nil || err.FunctionArgument == nil || *err.FunctionArgument != int64(argument) || !got.IsUnknown() {
			t.Errorf("got %s (%v), want an error about argument %d", got, err, argument)
		}
	}
}

// TestAccRFC3339Function is the function as a user calls it.
func TestAccRFC3339Function(t *testing.T) {
	t.Parallel()
	output := func(text, zone string) string {
		return fmt.Sprintf("output \"test\" {\n  value = provider::privasfer::rfc3339(%q, %q)\n}\n", text, zone)
	}
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{
			{
				// Without a provider block: it needs no token.
				Config:            output("2019-10-27 03:30:00", "Europe/Vilnius"),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("test", knownvalue.StringExact("2019-10-27T03:30:00+03:00"))},
			},
			{
				Config:      output("2019-03-31 03:30:00", "Europe/Vilnius"),
				ExpectError: message(`Invalid value for "text" parameter: "2019-03-31 03:30:00" does not exist in Europe/Vilnius: the clocks were set forward over it.`),
			},
			{
				Config:      output("2019-05-15 14:11:00", "Local"),
				ExpectError: message(`Invalid value for "zone" parameter: "Local" is no zone of its own: it would depend on the machine.`),
			},
		},
	})
}

func FuzzRFC3339(f *testing.F) {
	for _, seed := range [][2]string{
		{"2019-05-15 14:11:00", "Europe/Vilnius"}, {"2019-03-31 03:30:00", "Europe/Vilnius"}, {"2019-10-27 03:30:00", "Europe/Vilnius"},
		{"2019-04-07 01:45:00", "Australia/Lord_Howe"}, {"2011-12-30 12:00:00", "Pacific/Apia"}, {"1969-09-30 12:00:00", "Pacific/Kwajalein"},
		{"1883-11-18 12:01:00", "America/New_York"}, {"1800-01-01 00:00:00", "Europe/Vilnius"}, {"9999-12-31 23:59:59", "America/New_York"},
		{"0000-01-01 00:00:00", "UTC"}, {"", ""}, {"2019-05-15 14:11:00", "Local"}, {"2019-02-30 00:00:00", "UTC"},
		{"2019-05-15 14:11:00.5", "UTC"}, {"2019-05-15 14:11:00", "../../etc/passwd"}, {"\xff", "\xff"}, {"x\n", "\x1b[0m"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, zone string) {
		got, refused := rfc3339(text, zone)
		if refused != nil {
			if got != "" || refused.FunctionArgument == nil || *refused.FunctionArgument < 0 || *refused.FunctionArgument > 1 {
				t.Fatalf("%q and the error %v", got, refused)
			}
			if strings.ContainsFunc(refused.Text, unicode.IsControl) || utf8.RuneCountInString(refused.Text) > 2000 {
				t.Errorf("not fit to be shown: %q", refused.Text)
			}
			return
		}
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := time.Parse(time.RFC3339, got)
		if err != nil {
			t.Fatal(err)
		}
		const wallClock = "2006-01-02 15:04:05"
		if shown := parsed.In(location).Format(wallClock); shown != text {
			t.Errorf("%q in %q is %s, when clocks show %q", text, zone, got, shown)
		}
		// No earlier moment shows the same: none within the offsets in use around it.
		for hours := -48; hours <= 48; hours++ {
			_, offset := parsed.Add(time.Duration(hours) * time.Hour).In(location).Zone()
			asUTC, err := time.Parse(wallClock, text)
			if err != nil {
				t.Fatal(err)
			}
			other := asUTC.Add(-time.Duration(offset) * time.Second)
			if other.Before(parsed) && other.In(location).Format(wallClock) == text {
				t.Fatalf("%q in %q is %s, and %s is earlier", text, zone, got, other)
			}
		}
	})
}

// A result outside the years that RFC 3339 can write is no result.
func TestRFC3339BeforeTheYearZero(t *testing.T) {
	t.Parallel()
	got, err := rfc3339("0000-01-01 00:00:00", "Europe/Vilnius") // 1 h 41 min 16 s ahead of UTC then
	if err == nil || err.FunctionArgument == nil || *err.FunctionArgument != 0 {
		t.Errorf("got %q (%v), want an error about argument 0", got, err)
	}
}

// What a machine has beside the zones in its folder of zones is no zone of the
// database: the first is the machine's own, and none is there without zone
// files.
func TestRFC3339MachinesOwnZones(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"localtime", "posixrules", "posix/Europe/Vilnius", "right/Europe/Vilnius", "Europe//Vilnius", "./Europe/Vilnius", "Europe/./Vilnius"} {
		got, err := rfc3339("2019-05-15 14:11:00", zone)
		if err == nil || err.FunctionArgument == nil || *err.FunctionArgument != 1 {
			t.Errorf("%q: got %q (%v), want an error about argument 1", zone, got, err)
		}
	}
}
