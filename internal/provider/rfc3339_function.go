package provider

import (
	"context"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the zones, for machines without zone files

	"github.com/hashicorp/terraform-plugin-framework/function"
)

var _ function.Function = (*rfc3339Function)(nil)

func newRFC3339Function() function.Function { return &rfc3339Function{} }

type rfc3339Function struct{}

func (f *rfc3339Function) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "rfc3339"
}

func (f *rfc3339Function) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Convert a time of the API to RFC 3339",
		MarkdownDescription: "Converts a time of the API, such as `2019-05-15 14:11:00`, to RFC 3339, for functions such as `timecmp` and `formatdate`. The API does not name the time zone of its " +
			"times, so you must specify it. If a time occurs twice because clocks are set back, the result is the first. " +
			"A time that does not exist because clocks are set forward is an error. A time that is already in RFC 3339 keeps its own time zone.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "text",
				MarkdownDescription: "The time, as `YYYY-MM-DD HH:MM:SS` or in RFC 3339.",
			},
			function.StringParameter{
				Name:                "zone",
				MarkdownDescription: "The name of the time zone in the IANA database, such as `Europe/Vilnius` or `UTC`.",
			},
		},
		Return: function.StringReturn{},
	}
}

func (f *rfc3339Function) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text, zone string
	resp.Error = req.Arguments.Get(ctx, &text, &zone)
	if resp.Error != nil {
		return
	}
	result, funcError := rfc3339(text, zone)
	if funcError != nil {
		resp.Error = funcError
		return
	}
	resp.Error = resp.Result.Set(ctx, result)
}

// apiTime is the layout of the API's times.
const apiTime = "2006-01-02 15:04:05"

// rfc3339 converts a time without a zone, as clocks in the zone showed it. A time in
// RFC 3339 keeps its own zone. Errors have no full stop, because the engines add one.
func rfc3339(text, zone string) (string, *function.FuncError) {
	var zoned time.Time
	isZoned := zoned.UnmarshalText([]byte(text)) == nil
	asUTC, err := time.Parse(apiTime, text)
	if !isZoned && (err != nil || asUTC.Format(apiTime) != text) {
		return "", function.NewArgumentFuncError(0, fmt.Sprintf("%q is not a time in the form YYYY-MM-DD HH:MM:SS or RFC 3339", shorten(text)))
	}
	if zone == "" || zone == "Local" {
		return "", function.NewArgumentFuncError(1, fmt.Sprintf("%q does not name a time zone. "+
			"Set the name of one in the IANA database, such as Europe/Vilnius or UTC", zone))
	}
	location, err := time.LoadLocation(zone)
	if err != nil || !inDatabase(zone) {
		return "", function.NewArgumentFuncError(1, fmt.Sprintf("%q is not a time zone in the IANA database. "+
			"Examples are Europe/Vilnius and UTC", shorten(zone)))
	}
	if isZoned { // a later version of the API may send it
		return zoned.Format(time.RFC3339Nano), nil
	}
	local := firstOf(asUTC, location)
	if local.Format(apiTime) != text {
		return "", function.NewArgumentFuncError(0, fmt.Sprintf("%q does not exist in %s, because clocks were set forward", text, zone))
	}
	if _, offset := local.Zone(); offset%60 != 0 {
		local = local.UTC() // before 1900 offsets have seconds, which RFC 3339 does not allow
	}
	if local.Year() < 0 {
		return "", function.NewArgumentFuncError(0, fmt.Sprintf("%q in %s cannot be written in RFC 3339", text, zone))
	}
	return local.Format(time.RFC3339), nil
}

// inDatabase reports whether a name has the form of the IANA database: each part
// begins with a capital letter. The directory of a machine's zones has other files
// too, such as "localtime", and some file systems ignore case.
func inDatabase(zone string) bool {
	for part := range strings.SplitSeq(zone, "/") {
		if part == "" || part[0] < 'A' || part[0] > 'Z' {
			return false
		}
	}
	return true
}

// firstOf returns the first time at which clocks in a location showed the date and
// time of asUTC. Which of two times time.Date returns is not specified.
func firstOf(asUTC time.Time, location *time.Location) time.Time {
	chosen := time.Date(asUTC.Year(), asUTC.Month(), asUTC.Day(), asUTC.Hour(), asUTC.Minute(), asUTC.Second(), 0, location)
	begin, _ := chosen.ZoneBounds()
	if begin.IsZero() {
		return chosen
	}
	_, before := begin.Add(-1).Zone()
	if earlier := asUTC.Add(-time.Duration(before) * time.Second); earlier.Before(begin) {
		return earlier.In(location)
	}
	return chosen
}

// shorten cuts a value of the user that an error contains.
func shorten(text string) string {
	const length = 120
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length]) + "…"
	}
	return text
}
