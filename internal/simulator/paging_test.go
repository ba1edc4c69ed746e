package simulator_test

import (
	"crypto/tls"
	"encoding/json"
	"math"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// tiny returns files that show only their id, so that a whole page can be compared.
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

// TestPages compares a page in the middle in every style except PageCursor, and in one
// style each, a page past the end and an empty list.
func TestPages(t *testing.T) {
	t.Parallel()
	const (
		middle, past, empty = "?page=2", "?page=9", "?keyword=nothing"

		resource = `{"data":[{"id":"c"},{"id":"d"}],"links":{"first":"URL?page=1","last":"URL?page=3","next":"URL?page=3","prev":"URL?page=1"},` +
			`"meta":{"current_page":2,"from":3,"last_page":3,"links":[{"active":false,"label":"&laquo; Previous","url":"URL?page=1"},` +
			`{"active":false,"label":"1","url":"URL?page=1"},{"active":true,"label":"2","url":"URL?page=2"},` +
			`{"active":false,"label":"3","url":"URL?page=3"},{"active":false,"label":"Next &raquo;","url":"URL?page=3"}],` +
			`"path":"URL","per_page":2,"to":4,"total":5}}`
	)
	for _, test := range []struct {
		style        simulator.PageStyle
		target, body string // URL is the list's
	}{
		{simulator.PageResource, middle, resource},
		{simulator.PageJSONAPI, "?page%5Bnumber%5D=2", strings.ReplaceAll(resource, "?page=", "?page%5Bnumber%5D=")},
		{simulator.PageTopLevel, middle, `{"current_page":2,"data":[{"id":"c"},{"id":"d"}],"first_page_url":"URL?page=1","from":3,"last_page":3,` +
			`"last_page_url":"URL?page=3","links":[{"active":false,"label":"&laquo; Previous","url":"URL?page=1"},` +
			`{"active":false,"label":"1","url":"URL?page=1"},{"active":true,"label":"2","url":"URL?page=2"},{"active":false,"label":"3","url":"URL?page=3"},` +
			`{"active":false,"label":"Next &raquo;","url":"URL?page=3"}],` +
			`"next_page_url":"URL?page=3","path":"URL","per_page":2,"prev_page_url":"URL?page=1","to":4,"total":5}`},
		{simulator.PageSimple, middle, `{"current_page":2,"data":[{"id":"c"},{"id":"d"}],"first_page_url":"URL?page=1","from":3,` +
			`"next_page_url":"URL?page=3","path":"URL","per_page":2,"prev_page_url":"URL?page=1","to":4}`},
		{simulator.PageSimple, past, `{"current_page":9,"data":[],"first_page_url":"URL?page=1","from":null,` +
			`"next_page_url":null,"path":"URL","per_page":2,"prev_page_url":"URL?page=8","to":null}`},
		{simulator.PageFractal, middle, `{"data":[{"id":"c"},{"id":"d"}],"meta":{"pagination":{"count":2,"current_page":2,` +
			`"links":{"next":"URL?page=3","previous":"URL?page=1"},"per_page":2,"total":5,"total_pages":3}}}`},
		{simulator.PageFractal, empty, `{"data":[],"meta":{"pagination":{"count":0,"current_page":1,"links":[],"per_page":2,"total":0,"total_pages":1}}}`},
	} {
		_, web := start(t, simulator.Options{Data: tiny(5), PageSize: 2, PageStyle: test.style})
		want(t, call(t, web, "GET", "/api/files"+test.target, ""), 200, strings.ReplaceAll(test.body, "URL", web.URL+"/api/files"))
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{Data: tiny(3), PageSize: 2, PageStyle: simulator.PageCursor})
	type page struct {
		Links, Meta map[string]any
	}
	var first, last page
	read := func(target string, into *page) {
		if got := call(t, web, "GET", target, ""); json.Unmarshal([]byte(got.body), into) != nil || len(into.Links) != 4 || len(into.Meta) != 4 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	read("/api/files", &first)
	cursor, _ := first.Meta["next_cursor"].(string)
	if first.Links["next"] != web.URL+"/api/files?cursor="+cursor || first.Links["prev"] != nil || first.Meta["prev_cursor"] != nil {
		t.Errorf("first page: %v", first)
	}
	read("/api/files?cursor="+cursor, &last)
	previous, _ := last.Meta["prev_cursor"].(string)
	if last.Links["next"] != nil || last.Meta["next_cursor"] != nil || last.Links["prev"] != web.URL+"/api/files?cursor="+previous {
		t.Errorf("last page: %v", last)
	}
	wantIDs(t, call(t, web, "GET", "/api/files?cursor="+cursor, ""), "c")
	wantIDs(t, call(t, web, "GET", "/api/files?cursor="+previous+"&include=category", ""), "a", "b")
	for _, target := range []string{
		"files?cursor=", "files?cursor=*", "files?cursor=" + cursor + "=", "files?cursor=eyJwYWdlIjoyfQ", "files?cursor=eyJwYWdlIjowfQ",
		"files?sort=size&cursor=" + cursor, "files?keyword=tiny&cursor=" + cursor, "inbox?cursor=" + cursor,
	} {
		want(t, call(t, web, "GET", "/api/"+target, ""), 400, message("The cursor is invalid."))
	}
	want(t, call(t, web, "GET", "/api/files?page=2", ""), 400, message("Unknown query parameter `page`."))
}

func TestPageErrors(t *testing.T) {
	t.Parallel()
	_, web := start(t, simulator.Options{Data: tiny(3), PageSize: 2})
	for _, page := range []string{"", "0", "-1", "01", "+1", "1.0", "one", "9223372036854775808"} {
		want(t, call(t, web, "GET", "/api/files?page="+url.QueryEscape(page), ""), 400, message("The page `"+page+"` is invalid."))
	}
	for target, parameter := range map[string]string{"?cursor=x": "cursor", "?page[number]=1": "page[number]", "/a?page=1": "page"} {
		want(t, call(t, web, "GET", "/api/files"+target, ""), 400, message("Unknown query parameter `"+parameter+"`."))
	}
	wantIDs(t, call(t, web, "GET", "/api/files?page="+strconv.Itoa(math.MaxInt), ""))
}

func TestNextURL(t *testing.T) {
	t.Parallel()
	for next, options := range map[string]simulator.Options{
		"https://api.example/api/files?page=2":          {},
		"http://inner.invalid:8080/v1/api/files?page=2": {NextHost: "http://inner.invalid:8080/v1"},
	} {
		options.Token, options.Data, options.PageSize = token, tiny(3), 2
		r := newRequest(t, "GET", "https://api.example/api/files?keyword=t&sort=-size", "")
		r.TLS = &tls.ConnectionState{}
		w := httptest.NewRecorder()
		simulator.New(options).ServeHTTP(w, r)
		var page struct{ Links struct{ Next string } }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || page.Links.Next != next {
			t.Errorf("next is %s, want %s", page.Links.Next, next)
		}
	}
}

// TestPageFaults follows the URLs of next pages.
func TestPageFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault simulator.Fault
		pages string
	}{
		"none":         {simulator.Before(func() {}), "ab cd e"},
		"ShiftedPages": {simulator.ShiftedPages(), "ab bc de"},
		"LosingPages":  {simulator.LosingPages(), "ab bd e"},
	} {
		for _, style := range []simulator.PageStyle{simulator.PageResource, simulator.PageCursor, simulator.PageJSONAPI} {
			s, web := start(t, simulator.Options{Data: tiny(5), PageSize: 2, PageStyle: style})
			s.Inject("GET /api/files", -1, test.fault)
			var pages []string
			for target := "/api/files"; target != ""; {
				got := call(t, web, "GET", target, "")
				pages = append(pages, strings.Join(ids(t, got), ""))
				var page struct{ Links struct{ Next string } }
				if err := json.Unmarshal([]byte(got.body), &page); err != nil {
					t.Fatal(err)
				}
				target = strings.TrimPrefix(page.Links.Next, web.URL)
			}
			if got := strings.Join(pages, " "); got != test.pages {
				t.Errorf("%s in style %d: got %s, want %s", name, style, got, test.pages)
			}
		}
	}
}
