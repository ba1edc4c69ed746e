package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
)

// TestRFC3339 compares results with those of Python's zoneinfo with fold=0.
func TestRFC3339(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ zone, text, want string }{
		{"UTC", "2019-05-15 14:11:00", "2019-05-15T14:11:00Z"},
		{"Zulu", "2019-05-15 14:11:00", "2019-05-15T14:11:00Z"},
		{"Etc/GMT+5", "2019-05-15 14:11:00", "2019-05-15T14:11:00-05:00"}, // POSIX sign: west is positive
		{"Asia/Kathmandu", "2019-05-15 14:11:00", "2019-05-15T14:11:00+05:45"},
		{"Pacific/Kiritimati", "2019-12-31 23:59:59", "2019-12-31T23:59:59+14:00"},

		// A time in RFC 3339 keeps its zone.
		{"Europe/Vilnius", "2019-05-08T00:18:03.000000Z", "2019-05-08T00:18:03Z"},
		{"UTC", "2019-05-08T00:18:03.250+03:00", "2019-05-08T00:18:03.25+03:00"},

		// Clocks are set forward: the times in between do not exist.
		{"Europe/Vilnius", "2019-03-31 02:59:59", "2019-03-31T02:59:59+02:00"},
		{"Europe/Vilnius", "2019-03-31 04:00:00", "2019-03-31T04:00:00+03:00"},
		{"Australia/Lord_Howe", "2019-10-06 01:59:59", "2019-10-06T01:59:59+10:30"},
		{"Australia/Lord_Howe", "2019-10-06 02:30:00", "2019-10-06T02:30:00+11:00"},
		{"Pacific/Apia", "2011-12-29 23:59:59", "2011-12-29T23:59:59-10:00"},
		{"Pacific/Apia", "2011-12-31 00:00:00", "2011-12-31T00:00:00+14:00"},

		// Clocks are set back: a time that occurs twice is the first of the two.
		{"Europe/Vilnius", "2019-10-27 02:59:59", "2019-10-27T02:59:59+03:00"},
		{"Europe/Vilnius", "2019-10-27 03:00:00", "2019-10-27T03:00:00+03:00"},
		{"Europe/Vilnius", "2019-10-27 03:59:59", "2019-10-27T03:59:59+03:00"},
		{"Europe/Vilnius", "2019-10-27 04:00:00", "2019-10-27T04:00:00+02:00"},
		{"Australia/Lord_Howe", "2019-04-07 01:30:00", "2019-04-07T01:30:00+11:00"},
		{"Australia/Lord_Howe", "2019-04-07 02:00:00", "2019-04-07T02:00:00+10:30"},
		{"Europe/Dublin", "2018-10-28 01:30:00", "2018-10-28T01:30:00+01:00"}, // its winter time is negative daylight saving time
		{"Antarctica/Troll", "2019-10-27 02:30:00", "2019-10-27T02:30:00+02:00"},
		{"Pacific/Kwajalein", "1969-09-30 12:00:00", "1969-09-30T12:00:00+11:00"}, // almost a whole day occurs twice

		// After the last transition that the database lists.
		{"Europe/Vilnius", "2050-10-30 03:30:00", "2050-10-30T03:30:00+03:00"},
		{"Europe/Vilnius", "9998-07-01 00:00:00", "9998-07-01T00:00:00+03:00"},

		// Offsets with seconds, which RFC 3339 does not allow, and those after them.
		{"Europe/Vilnius", "1800-01-01 00:00:00", "1799-12-31T22:18:44Z"},
		{"Europe/Vilnius", "1890-06-01 12:00:00", "1890-06-01T12:00:00+01:24"},
		{"America/New_York", "1883-11-18 12:03:57", "1883-11-18T16:59:59Z"}, // occurs twice
		{"America/New_York", "1883-11-18 12:03:58", "1883-11-18T12:03:58-05:00"},
		{"Africa/Monrovia", "1972-01-07 00:44:30", "1972-01-07T00:44:30Z"},
		{"Europe/Vilnius", "0001-01-02 00:00:00", "0001-01-01T22:18:44Z"},

		// The first and the last year. Python does not support the year 0.
		{"UTC", "0000-01-01 00:00:00", "0000-01-01T00:00:00Z"},
		{"UTC", "9999-12-31 23:59:59", "9999-12-31T23:59:59Z"},
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

func TestRFC3339Rejects(t *testing.T) {
	t.Parallel()
	const (
		noTime = "%q is not a time in the form YYYY-MM-DD HH:MM:SS or RFC 3339"
		noZone = "%q is not a time zone in the IANA database. Examples are Europe/Vilnius and UTC"
		noOwn  = "%q does not name a time zone. Set the name of one in the IANA database, such as Europe/Vilnius or UTC"
		skip   = "%q does not exist in %s, because clocks were set forward"
	)
	const good = "2019-05-15 14:11:00"
	type rejection struct {
		text, zone string
		argument   int64
		err        string
	}
	var tests []rejection
	for _, text := range []string{
		"", "yesterday", "1557929460", "2019-05-15", "2019-05-15 14:11", "2019-05-15T14:11:00", good + "Z", good + " ", good + "\x00", good + ".5",
		"2019-05-15\u00a014:11:00", "2019-5-15 14:11:00", "2019-05-15 4:11:00", "12019-05-15 14:11:00", "-2019-05-15 14:11:00",
		"2019-02-29 12:00:00", "0000-00-00 00:00:00", "2019-05-15 24:00:00", "2016-12-31 23:59:60", "２０１９-05-15 14:11:00", "2019-05-15 14:11:0\xff",
	} {
		tests = append(tests, rejection{text, "UTC", 0, fmt.Sprintf(noTime, text)})
	}
	for _, zone := range []string{
		"Europe/Nowhere", "../../etc/passwd", "/etc/localtime", "+02:00", "UTC+2", "utc", "europe/vilnius", `Europe\Vilnius`, "Europe/Vilnius ",
		"Europe/Vilnius\x00", "Europe", "Europe/Vilnius/", ".", "..", "/", "zone.tab", "\xff", "C:/Windows", "Żukė",
		// Other paths in a machine's directory of zones.
		"localtime", "posixrules", "posix/Europe/Vilnius", "Europe//Vilnius", "./Europe/Vilnius",
	} {
		tests = append(tests, rejection{good, zone, 1, fmt.Sprintf(noZone, zone)})
	}
	for _, zone := range []string{"", "Local"} {
		tests = append(tests, rejection{good, zone, 1, fmt.Sprintf(noOwn, zone)})
	}
	for zone, text := range map[string]string{
		"Europe/Vilnius": "2019-03-31 03:00:00", "America/New_York": "2019-03-10 02:59:59", "Australia/Lord_Howe": "2019-10-06 02:29:59",
		"Pacific/Apia": "2011-12-30 12:00:00", "Europe/Dublin": "2018-03-25 01:30:00", "America/Caracas": "2016-05-01 02:45:00",
		"Africa/Monrovia": "1972-01-07 00:20:00",
	} {
		tests = append(tests, rejection{text, zone, 0, fmt.Sprintf(skip, text, zone)})
	}
	tests = append(tests,
		rejection{"x", "y", 0, fmt.Sprintf(noTime, "x")}, // only the first error is reported
		rejection{strings.Repeat("ž", 120), "UTC", 0, fmt.Sprintf(noTime, strings.Repeat("ž", 120))},
		rejection{strings.Repeat("ž", 500), "UTC", 0, fmt.Sprintf(noTime, strings.Repeat("ž", 120)+"…")},
		rejection{"0000-01-01 00:00:00", "Europe/Vilnius", 0, `"0000-01-01 00:00:00" in Europe/Vilnius cannot be written in RFC 3339`}, // the year -1 in UTC
		rejection{good, strings.Repeat("ž", 500), 1, fmt.Sprintf(noZone, strings.Repeat("ž", 120)+"…")},
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

// TestAccRFC3339Function calls the function from a configuration.
func TestAccRFC3339Function(t *testing.T) {
	t.Parallel()
	output := func(text, zone string) string {
		return fmt.Sprintf(`output "test" { value = provider::privasfer::rfc3339(%q, %q) }`, text, zone)
	}
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{
			{
				// The function requires no provider block and no token.
				Config:            output("2019-10-27 03:30:00", "Europe/Vilnius"),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("test", knownvalue.StringExact("2019-10-27T03:30:00+03:00"))},
			},
			{
				Config:      output("2019-03-31 03:30:00", "Europe/Vilnius"),
				ExpectError: message(`Invalid value for "text" parameter: "2019-03-31 03:30:00" does not exist in Europe/Vilnius, because clocks were set forward.`),
			},
			{
				Config:      output("2019-05-15 14:11:00", "Local"),
				ExpectError: message(`Invalid value for "zone" parameter: "Local" does not name a time zone.`),
			},
		},
	})
}

func FuzzRFC3339(f *testing.F) {
	for _, seed := range [][2]string{
		{"2019-05-15 14:11:00", "Europe/Vilnius"}, {"2019-03-31 03:30:00", "Europe/Vilnius"}, {"2019-10-27 03:30:00", "Europe/Vilnius"},
		{"2019-04-07 01:45:00", "Australia/Lord_Howe"}, {"2011-12-30 12:00:00", "Pacific/Apia"}, {"1969-09-30 12:00:00", "Pacific/Kwajalein"},
		{"1883-11-18 12:01:00", "America/New_York"}, {"1800-01-01 00:00:00", "Europe/Vilnius"}, {"9999-12-31 23:59:59", "America/New_York"},
		{"0000-01-01 00:00:00", "UTC"}, {"", ""}, {"2019-05-15T14:11:00.5+01:00", "UTC"}, {"2019-05-15 14:11:00", "Local"}, {"2019-02-30 00:00:00", "UTC"},
		{"2019-05-15 14:11:00.5", "UTC"}, {"2019-05-15 14:11:00", "../../etc/passwd"}, {"\xff", "\xff"}, {"x\n", "\x1b[0m"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, zone string) {
		got, rejected := rfc3339(text, zone)
		if rejected != nil {
			if got != "" || rejected.FunctionArgument == nil || *rejected.FunctionArgument < 0 || *rejected.FunctionArgument > 1 {
				t.Fatalf("%q and the error %v", got, rejected)
			}
			if strings.ContainsFunc(rejected.Text, unicode.IsControl) || utf8.RuneCountInString(rejected.Text) > 2000 {
				t.Errorf("not fit to be shown: %q", rejected.Text)
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
		if zoned, err := time.Parse(time.RFC3339Nano, text); err == nil {
			if !zoned.Equal(parsed) {
				t.Errorf("%q became %s", text, got)
			}
			return
		}
		const wallClock = "2006-01-02 15:04:05"
		if shown := parsed.In(location).Format(wallClock); shown != text {
			t.Errorf("%q in %q is %s, when clocks show %q", text, zone, got, shown)
		}
		// No earlier time may show the same, with any offset in use within two days.
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
