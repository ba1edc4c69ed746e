package simulator_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

var styles = map[string]simulator.PageStyle{
	"resource": simulator.PageResource, "top level": simulator.PageTopLevel,
	"simple": simulator.PageSimple, "cursor": simulator.PageCursor,
	"fractal": simulator.PageFractal, "JSON:API": simulator.PageJSONAPI,
}

// tiny are files of which nothing but the id is shown, so that a page can be
// compared whole.
func tiny(n int) *simulator.Data {
	data := &simulator.Data{}
	for i := range n {
		data.Files = append(data.Files, simulator.File{
			ID: string(rune('a' + i)), Filename: "tiny",
			Omit: []string{"filename", "type", "extension", "full_filename", "size", "formatted_size", "encrypted_size",
				"formatted_encrypted_size", "created_by", "created_at", "disk", "trashed"},
		})
	}
	return data
}

// next is the URL of the next page, in any style, empty on the last one.
func next(t *testing.T, got response) string {
	t.Helper()
	var page struct {
		Links       json.RawMessage
		NextPageURL string `json:"next_page_url"`
		Meta        struct {
			Pagination struct{ Links json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != 200 {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	var links struct{ Next string }
	for _, raw := range []json.RawMessage{page.Links, page.Meta.Pagination.Links} {
		if json.Unmarshal(raw, &links) == nil && links.Next != "" {
			return links.Next
		}
	}
	return page.NextPageURL
}

// walk follows the URLs of the next pages, at most to the given number, with
// the first page's other parameters, and returns the ids on each.
func walk(t *testing.T, web *httptest.Server, target string, pages int) (all [][]string) {
	t.Helper()
	first, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	for range pages {
		got := call(t, web, "GET", target, "")
		all = append(all, ids(t, got))
		link := next(t, got)
		if link == "" {
			return all
		}
		to, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		query := first.Query()
		for name, values := range to.Query() {
			query[name] = values
		}
		target = to.Path + "?" + query.Encode()
	}
	return all
}

func TestPages(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		style       simulator.PageStyle
		first, last string // of two pages; URL is the list's
		past, empty string
	}{
		"resource": {
			style: simulator.PageResource,
			first: `{"data":[{"id":"a"},{"id":"b"}],"links":{"first":"URL?page=1","last":"URL?page=2","next":"URL?page=2","prev":null},` +
				`"meta":{"current_page":1,"from":1,"last_page":2,"links":[{"active":false,"label":"&laquo; Previous","url":null},` +
				`{"active":true,"label":"1","url":"URL?page=1"},{"active":false,"label":"2","url":"URL?page=2"},` +
				`{"active":false,"label":"Next &raquo;","url":"URL?page=2"}],"path":"URL","per_page":2,"to":2,"total":3}}`,
			last: `{"data":[{"id":"c"}],"links":{"first":"URL?page=1","last":"URL?page=2","next":null,"prev":"URL?page=1"},` +
				`"meta":{"current_page":2,"from":3,"last_page":2,"links":[{"active":false,"label":"&laquo; Previous","url":"URL?page=1"},` +
				`{"active":false,"label":"1","url":"URL?page=1"},{"active":true,"label":"2","url":"URL?page=2"},` +
				`{"active":false,"label":"Next &raquo;","url":null}],"path":"URL","per_page":2,"to":3,"total":3}}`,
			past: `{"data":[],"links":{"first":"URL?page=1","last":"URL?page=2","next":null,"prev":"URL?page=8"},` +
				`"meta":{"current_page":9,"from":null,"last_page":2,"links":[{"active":false,"label":"&laquo; Previous","url":"URL?page=8"},` +
				`{"active":false,"label":"1","url":"URL?page=1"},{"active":false,"label":"2","url":"URL?page=2"},` +
				`{"active":false,"label":"Next &raquo;","url":null}],"path":"URL","per_page":2,"to":null,"total":3}}`,
			empty: `{"data":[],"links":{"first":"URL?page=1","last":"URL?page=1","next":null,"prev":null},` +
				`"meta":{"current_page":1,"from":null,"last_page":1,"links":[{"active":false,"label":"&laquo; Previous","url":null},` +
				`{"active":true,"label":"1","url":"URL?page=1"},` +
				`{"active":false,"label":"Next &raquo;","url":null}],"path":"URL","per_page":2,"to":null,"total":0}}`,
		},
		"top level": {
			style: simulator.PageTopLevel,
			first: `{"current_page":1,"data":[{"id":"a"},{"id":"b"}],"first_page_url":"URL?page=1","from":1,"last_page":2,"last_page_url":"URL?page=2",` +
				`"links":[{"active":false,"label":"&laquo; Previous","url":null},{"active":true,"label":"1","url":"URL?page=1"},` +
				`{"active":false,"label":"2","url":"URL?page=2"},{"active":false,"label":"Next &raquo;","url":"URL?page=2"}],` +
				`"next_page_url":"URL?page=2","path":"URL","per_page":2,"prev_page_url":null,"to":2,"total":3}`,
			last: `{"current_page":2,"data":[{"id":"c"}],"first_page_url":"URL?page=1","from":3,"last_page":2,"last_page_url":"URL?page=2",` +
				`"links":[{"active":false,"label":"&laquo; Previous","url":"URL?page=1"},{"active":false,"label":"1","url":"URL?page=1"},` +
				`{"active":true,"label":"2","url":"URL?page=2"},{"active":false,"label":"Next &raquo;","url":null}],` +
				`"next_page_url":null,"path":"URL","per_page":2,"prev_page_url":"URL?page=1","to":3,"total":3}`,
		},
		"simple": {
			style: simulator.PageSimple,
			first: `{"current_page":1,"data":[{"id":"a"},{"id":"b"}],"first_page_url":"URL?page=1","from":1,` +
				`"next_page_url":"URL?page=2","path":"URL","per_page":2,"prev_page_url":null,"to":2}`,
			last: `{"current_page":2,"data":[{"id":"c"}],"first_page_url":"URL?page=1","from":3,` +
				`"next_page_url":null,"path":"URL","per_page":2,"prev_page_url":"URL?page=1","to":3}`,
			past: `{"current_page":9,"data":[],"first_page_url":"URL?page=1","from":null,` +
				`"next_page_url":null,"path":"URL","per_page":2,"prev_page_url":"URL?page=8","to":null}`,
			empty: `{"current_page":1,"data":[],"first_page_url":"URL?page=1","from":null,` +
				`"next_page_url":null,"path":"URL","per_page":2,"prev_page_url":null,"to":null}`,
		},
		"fractal": {
			style: simulator.PageFractal,
			first: `{"data":[{"id":"a"},{"id":"b"}],"meta":{"pagination":{"count":2,"current_page":1,"links":{"next":"URL?page=2"},` +
				`"per_page":2,"total":3,"total_pages":2}}}`,
			last: `{"data":[{"id":"c"}],"meta":{"pagination":{"count":1,"current_page":2,"links":{"previous":"URL?page=1"},` +
				`"per_page":2,"total":3,"total_pages":2}}}`,
			empty: `{"data":[],"meta":{"pagination":{"count":0,"current_page":1,"links":[],"per_page":2,"total":0,"total_pages":1}}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{Data: tiny(3), PageSize: 2, PageStyle: test.style})
			for target, body := range map[string]string{
				"": test.first, "?page=1": test.first, "?page=2": test.last, "?page=9": test.past, "?keyword=nothing": test.empty,
			} {
				if body != "" {
					got := call(t, web, "GET", "/api/files"+target, "")
					want(t, got, 200, strings.ReplaceAll(body, "URL", web.URL+"/api/files"))
					wantHeader(t, got, "Content-Type", "application/json")
				}
			}
			if len(s.Unexpected()) != 0 {
				t.Error("an expected request is called unexpected")
			}
		})
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{Data: tiny(3), PageSize: 2, PageStyle: simulator.PageCursor})
	type page struct {
		Links map[string]*string
		Meta  map[string]any
	}
	read := func(target string) (p page) {
		got := call(t, web, "GET", target, "")
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || len(p.Links) != 4 || len(p.Meta) != 4 {
			t.Fatalf("%d %s: %v", got.status, got.body, err)
		}
		if p.Links["first"] != nil || p.Links["last"] != nil || p.Meta["per_page"] != 2.0 || p.Meta["path"] != web.URL+"/api/files" {
			t.Errorf("%s", got.body)
		}
		return p
	}
	first := read("/api/files")
	cursor, _ := first.Meta["next_cursor"].(string)
	if cursor == "" || url.QueryEscape(cursor) != cursor || *first.Links["next"] != web.URL+"/api/files?cursor="+cursor ||
		first.Links["prev"] != nil || first.Meta["prev_cursor"] != nil {
		t.Errorf("first page: %v", first)
	}
	last := read("/api/files?cursor=" + cursor)
	previous, _ := last.Meta["prev_cursor"].(string)
	if last.Links["next"] != nil || last.Meta["next_cursor"] != nil || *last.Links["prev"] != web.URL+"/api/files?cursor="+previous {
		t.Errorf("last page: %v", last)
	}
	wantIDs(t, call(t, web, "GET", "/api/files?cursor="+cursor, ""), "c")
	wantIDs(t, call(t, web, "GET", "/api/files?cursor="+previous+"&include=category", ""), "a", "b")

	for _, target := range []string{
		"/api/files?cursor=", "/api/files?cursor=2", "/api/files?cursor=*", "/api/files?cursor=" + cursor + "=",
		"/api/files?cursor=eyJwYWdlIjoyfQ", "/api/files?cursor=eyJwYWdlIjowfQ",
		"/api/files?sort=size&cursor=" + cursor, "/api/files?keyword=tiny&cursor=" + cursor, "/api/inbox?cursor=" + cursor,
	} {
		want(t, call(t, web, "GET", target, ""), 400, `{"message":"The cursor is invalid."}`)
	}
	want(t, call(t, web, "GET", "/api/files?page=2", ""), 400, "{\"message\":\"Unknown query parameter `page`.\"}")
}

func TestPageErrors(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{Data: tiny(3), PageSize: 2})
	for _, page := range []string{"", "0", "-1", "01", "+1", "1.0", "one", "9223372036854775808"} {
		got := call(t, web, "GET", "/api/files?page="+url.QueryEscape(page), "")
		want(t, got, 400, "{\"message\":\"The page `"+page+"` is invalid.\"}")
	}
	want(t, call(t, web, "GET", "/api/files?cursor=x", ""), 400, "{\"message\":\"Unknown query parameter `cursor`.\"}")
	want(t, call(t, web, "GET", "/api/files?page[number]=1", ""), 400, "{\"message\":\"Unknown query parameter `page[number]`.\"}")
	want(t, call(t, web, "GET", "/api/files/a?page=1", ""), 400, "{\"message\":\"Unknown query parameter `page`.\"}")
	if got := ids(t, call(t, web, "GET", "/api/files?page="+strconv.Itoa(math.MaxInt), "")); len(got) != 0 {
		t.Errorf("the last page of all holds %q", got)
	}
}

func TestNextURL(t *testing.T) {
	t.Parallel()
	const target = "/api/files?include=category&keyword=t%20&sort=-size"
	data := tiny(3)
	for i := range data.Files {
		data.Files[i].Filename = "t "
	}
	tests := map[string]struct {
		options simulator.Options
		next    string // URL is the server's
	}{
		"own host":     {simulator.Options{}, "URL/api/files?page=2"},
		"another host": {simulator.Options{NextHost: "http://inner.invalid:8080"}, "http://inner.invalid:8080/api/files?page=2"},
		"another path": {simulator.Options{NextHost: "https://inner.invalid/v1"}, "https://inner.invalid/v1/api/files?page=2"},
		"whole query":  {simulator.Options{NextKeepsQuery: true}, "URL/api/files?include=category&keyword=t+&page=2&sort=-size"},
		"simple style": {simulator.Options{NextHost: "http://x", PageStyle: simulator.PageSimple}, "http://x/api/files?page=2"},
		"JSON:API": {simulator.Options{NextKeepsQuery: true, PageStyle: simulator.PageJSONAPI},
			"URL/api/files?include=category&keyword=t+&page%5Bnumber%5D=2&sort=-size"},
		"another style": {simulator.Options{NextHost: "http://x", PageStyle: simulator.PageTopLevel}, "http://x/api/files?page=2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.Data, test.options.PageSize = data, 2
			_, web := start(t, test.options)
			if got := next(t, call(t, web, "GET", target, "")); got != strings.ReplaceAll(test.next, "URL", web.URL) {
				t.Errorf("next is %s", got)
			}
		})
	}
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		web := httptest.NewTLSServer(simulator.New(simulator.Options{Token: token, Data: tiny(3), PageSize: 2}))
		defer web.Close()
		if got := next(t, call(t, web, "GET", "/api/files", "")); got != web.URL+"/api/files?page=2" || !strings.HasPrefix(got, "https://") {
			t.Errorf("next is %s", got)
		}
	})
}

// TestWalk reads lists to their ends in every style, with and without other
// parameters and links that keep them.
func TestWalk(t *testing.T) {
	t.Parallel()
	data := &simulator.Data{Files: simulator.ManyFiles(23), InboxMails: simulator.ManyInboxMails(23), Mails: simulator.ManyMails(23)}
	_, whole := start(t, simulator.Options{Data: data})
	for name, style := range styles {
		for _, keeps := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %t", name, keeps), func(t *testing.T) {
				t.Parallel()
				_, web := start(t, simulator.Options{Data: data, PageSize: 5, PageStyle: style, NextKeepsQuery: keeps})
				for _, target := range []string{
					"/api/files", "/api/files?sort=-size&include=category", "/api/files?keyword=00001", "/api/files?keyword=nothing",
					"/api/inbox?sort=created_by_email&keyword=sender-b", "/api/mails?include=download,download.files&sort=-sent_at",
				} {
					var got []string
					for _, page := range walk(t, web, target, 6) {
						got = append(got, page...)
					}
					wantIDs(t, call(t, whole, "GET", target, ""), got...)
				}
			})
		}
	}
}

func TestPageFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault simulator.Fault
		pages string
	}{
		"none":                 {simulator.Chain(), "ab cd e"},
		"LoopingPage":          {simulator.LoopingPage(), "ab ab ab ab ab ab"},
		"LoopingPage, second":  {simulator.OnPage(2, simulator.LoopingPage()), "ab cd cd cd cd cd"},
		"LoopingPage, last":    {simulator.OnPage(3, simulator.LoopingPage()), "ab cd e e e e"},
		"EndlessPages":         {simulator.EndlessPages(), "a-1b-1 c-2d-2 e-3 a-4b-4 c-5d-5 e-6"},
		"EndlessPages, second": {simulator.OnPage(2, simulator.EndlessPages()), "ab c-2d-2 e"},
		"RepeatingPages":       {simulator.RepeatingPages(), "ab cd e ab cd e"},
		"ShiftedPages":         {simulator.ShiftedPages(), "ab bc de"},
		"LosingPages":          {simulator.LosingPages(), "ab bd e"},
	}
	for name, test := range tests {
		for style, option := range styles {
			t.Run(name+", "+style, func(t *testing.T) {
				t.Parallel()
				s, web := start(t, simulator.Options{Data: tiny(5), PageSize: 2, PageStyle: option})
				s.Inject("GET /api/files", -1, test.fault)
				var pages []string
				for _, page := range walk(t, web, "/api/files", 6) {
					pages = append(pages, strings.Join(page, ""))
				}
				if got := strings.Join(pages, " "); got != test.pages {
					t.Errorf("got %s, want %s", got, test.pages)
				}
			})
		}
	}
}

func TestPageFaultsCount(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault               simulator.Fault
		files, page         int
		current, last, size int
	}{
		"none":                  {simulator.Chain(), 4, 2, 2, 2, 4},
		"ShiftedPages, first":   {simulator.ShiftedPages(), 4, 1, 1, 2, 4},
		"ShiftedPages, second":  {simulator.ShiftedPages(), 4, 2, 2, 3, 5},
		"ShiftedPages, none":    {simulator.ShiftedPages(), 0, 2, 2, 1, 0},
		"LosingPages":           {simulator.LosingPages(), 4, 2, 2, 2, 4},
		"LosingPages, one page": {simulator.LosingPages(), 2, 2, 2, 1, 2},
		"EndlessPages":          {simulator.EndlessPages(), 4, 7, 7, 8, 16},
		"EndlessPages, none":    {simulator.EndlessPages(), 0, 7, 7, 8, 16},
		"LoopingPage":           {simulator.LoopingPage(), 4, 1, 1, 2, 4},
		"LoopingPage, past end": {simulator.LoopingPage(), 4, 9, 9, 2, 4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, web := start(t, simulator.Options{Data: tiny(test.files), PageSize: 2, PageStyle: simulator.PageTopLevel})
			s.Inject("", 1, test.fault)
			got := call(t, web, "GET", fmt.Sprintf("/api/files?page=%d", test.page), "")
			var page struct {
				Current int `json:"current_page"`
				Last    int `json:"last_page"`
				Total   int `json:"total"`
			}
			if err := json.Unmarshal([]byte(got.body), &page); err != nil {
				t.Fatal(err)
			}
			if page.Current != test.current || page.Last != test.last || page.Total != test.size {
				t.Errorf("%+v", page)
			}
		})
	}
}

// TestPageFaultsWithoutPages shows that an unpaged list has nothing to change.
func TestPageFaultsWithoutPages(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{Data: tiny(2)})
	for _, fault := range []simulator.Fault{simulator.LoopingPage(), simulator.EndlessPages(), simulator.ShiftedPages()} {
		s.Inject("", 1, fault)
		want(t, call(t, web, "GET", "/api/files", ""), 200, `{"data":[{"id":"a"},{"id":"b"}]}`)
	}
}
