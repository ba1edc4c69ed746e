package privasfer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const filesURL = "https://api.example/api/files"

// pageOf returns a page with the objects of these ids and with more keys, which are ""
// or begin with a comma.
func pageOf(ids, more string) string {
	if ids != "" {
		ids = `{"id":"` + strings.ReplaceAll(ids, " ", `"},{"id":"`) + `"}`
	}
	return `{"data":[` + ids + `]` + more + `}`
}

// listFiles lists the files of an API with these pages, each given by its query and
// body. It checks that exactly these pages are requested, in this order.
func listFiles(t *testing.T, pages ...string) (*List[File], error) {
	t.Helper()
	requests := 0
	client := newClientOver(t, func(r *http.Request) (*http.Response, error) {
		requests++
		if 2*requests > len(pages) {
			t.Errorf("one request too many, %s", r.URL)
			return newResponse(http.StatusNotFound, ""), nil
		}
		page := pages[2*requests-2:]
		if got := r.URL.String(); got != filesURL+page[0] || r.Header.Get("Authorization") != "Bearer "+testToken {
			t.Errorf("request %d is for %s, with Authorization %q", requests, got, r.Header.Get("Authorization"))
		}
		return newResponse(http.StatusOK, page[1]), nil
	})
	list, err := client.Files(t.Context(), ListOptions{})
	if 2*requests != len(pages) {
		t.Errorf("%d requests, want %d", requests, len(pages)/2)
	}
	return list, err
}

// In every form of pagination, the URL of the next page is this page's with another
// query.
func TestNextPage(t *testing.T) {
	t.Parallel()
	const second = "page=2&sort=-size"
	link := func(next string) string { return fmt.Sprintf(`,"links":{"first":"?page=1","next":%q}`, next) }
	tests := map[string]struct{ more, query string }{
		"links":              {link("/api/files?page=2"), second},
		"next_page_url":      {`,"current_page":1,"links":[{"url":"?page=7","label":"7"}],"next_page_url":"?page=2"`, second},
		"meta":               {`,"meta":{"current_page":1,"last_page":3}`, second},
		"meta, next is null": {`,"links":{"next":null},"next_page_url":null,"meta":{"current_page":1,"last_page":2}`, second},
		"top level":          {`,"current_page":1,"last_page":3`, second},
		"pagination":         {`,"meta":{"pagination":{"current_page":1,"total_pages":3,"links":[]}}`, second},
		"pagination's link":  {`,"meta":{"pagination":{"current_page":1,"total_pages":9,"links":{"next":"?page=5"}}}`, "page=5&sort=-size"},
		"link and number":    {link("?page=5") + `,"meta":{"current_page":1,"last_page":9}`, "page=5&sort=-size"},
		"cursor":             {link("?cursor=a%26b%3D%3D"), "cursor=a%26b%3D%3D&sort=-size"},
		"page[number]":       {link("?page%5Bnumber%5D=2&page[size]=9"), "page%5Bnumber%5D=2&page%5Bsize%5D=9&sort=-size"},
		"whole query":        {link("?include=a,b&offset=30&sort=size#sort=x"), "include=a,b&offset=30&sort=size"},

		"another host":     {link("https://evil.example/api/files?page=2"), second},
		"another scheme":   {link("http://api.example/api/files?page=2"), second},
		"no scheme":        {link("//evil.example/?page=2"), second},
		"opaque":           {link("javascript:x?page=2"), second},
		"user information": {link("https://user:pw@api.example/api/files?page=2"), second},
		"another path":     {link("/api/../admin?page=2"), second},

		"nothing":             {`,"links":{"next":""},"next_page_url":""`, ""},
		"nulls":               {`,"links":null,"meta":null,"next_page_url":null,"current_page":null,"last_page":null`, ""},
		"last page":           {`,"links":{"prev":"?page=1"},"meta":{"current_page":3,"last_page":3}`, ""},
		"past the last page":  {`,"meta":{"current_page":3,"last_page":2}`, ""},
		"last_page alone":     {`,"last_page":2,"meta":{"current_page":1}`, ""},
		"other keys":          {`,"meta":{"page":1,"pages":9}`, ""},
		"arrays":              {`,"links":["?page=2"],"meta":[]`, ""},
		"texts":               {`,"links":"?page=2","meta":"page 1 of 2"`, ""},
		"pagination an array": {`,"meta":{"pagination":[]}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			current := parseBaseURL(t, filesURL)
			current.RawQuery = "sort=-size"
			page, err := decodePage[File]([]byte(pageOf("a", test.more)))
			if err != nil {
				t.Fatal(err)
			}
			next, err := page.next(*current)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if next != nil {
				got = strings.TrimPrefix(next.String(), filesURL+"?")
			}
			if got != test.query {
				t.Errorf("got %s, want %s", got, test.query)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`"meta":{"total":47}`:                "47",
		`"total":47`:                         "47",
		`"meta":{"pagination":{"total":47}}`: "47",
		`"meta":{"total":0},"total":5`:       "0",
		`"meta":{"total":"5"},"total":47`:    "47",
		`"total":null,"meta":{"total":"47"}`: "null",
		`"meta":{"total":[47]}`:              "null",
	}
	for more, want := range tests {
		page, err := decodePage[File]([]byte(pageOf("a", ","+more)))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(page.total()); string(got) != want {
			t.Errorf("%s: got %s, want %s", more, got, want)
		}
	}
}

func TestDecodePageErrors(t *testing.T) {
	t.Parallel()
	const (
		noData    = `the response has no "data"`
		noID      = `object %d of the list: the response has no %q`
		wrongType = "%q has the type %s instead of %s"
		whole     = "64-bit integer"
	)
	tests := map[string]struct{ body, err string }{
		"no data":     {`{"links":{},"meta":{}}`, noData},
		"data: null":  {`{"data":null}`, noData},
		"data: {}":    {`{"data":{}}`, fmt.Sprintf(wrongType, "data", "object", "array")},
		"no envelope": {`[{"id":"a"}]`, fmt.Sprintf(wrongType, "the response", "array", "object")},
		"id a number": {`{"data":[{"id":"a"},{"id":2}]}`, fmt.Sprintf(wrongType, "data.id", "number", "string")},
		"no id":       {`{"data":[{"id":"a"},{"subject":"x"}]}`, fmt.Sprintf(noID, 1, "data.id")},
		"null amid":   {`{"data":[{"id":"a"},{"id":"b"},null]}`, fmt.Sprintf(noID, 2, "data.id")},
		"no file id":  {`{"data":[{"id":"a","download":{"id":"d","files":[{}]}}]}`, fmt.Sprintf(noID, 0, "data.download.files.0.id")},

		// An unreadable link may lead to the rest of the list.
		"next an object":   {pageOf("a", `,"links":{"next":{"href":"?page=2"}}`), fmt.Sprintf(wrongType, "links.next", "object", "string")},
		"next a number":    {pageOf("a", `,"next_page_url":2`), fmt.Sprintf(wrongType, "next_page_url", "number", "string")},
		"page a fraction":  {pageOf("a", `,"meta":{"last_page":1.5}`), fmt.Sprintf(wrongType, "meta.last_page", "number", whole)},
		"pagination's own": {pageOf("a", `,"meta":{"pagination":{"total_pages":""}}`), fmt.Sprintf(wrongType, "meta.pagination.total_pages", "string", whole)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decodePage[Mail]([]byte(test.body))
			checkText(t, err, test.err)
		})
	}
}

// An object that moves between pages is listed once, as first read. The total is that of
// the last page.
func TestList(t *testing.T) {
	t.Parallel()
	list, err := listFiles(t,
		"", `{"data":[{"id":"a","size":1},{"id":"b"}],"links":{"next":"https://evil.example/?page=1"},"meta":{"total":3}}`,
		"?page=1", pageOf("", `,"meta":{"current_page":1,"last_page":3}`),
		"?page=2", pageOf("b A", `,"next_page_url":"?cursor=2","total":"4"`),
		"?cursor=2&page=2", `{"data":[{"id":"a","size":2},{"id":"c"},{"id":"c"}],"meta":{"pagination":{"total":4,"links":[]}}}`,
	)
	want := &List[File]{Objects: []File{{ID: "a", Size: new(int64(1))}, {ID: "b"}, {ID: "A"}, {ID: "c"}}, Total: new(int64(4))}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got %+v, %v", list, err)
	}
}

// A list that cannot be read is an error, never a shorter list.
func TestListUnusable(t *testing.T) {
	t.Parallel()
	const (
		noURL  = "the list's link to its next page is not a URL"
		circle = "the list has a page that links to an earlier one"
	)
	first := pageOf("a", `,"current_page":1,"last_page":2`)
	next := func(query string) string { return pageOf("a", fmt.Sprintf(`,"links":{"next":%q}`, query)) }
	tests := map[string]struct {
		pages []string
		err   string
	}{
		"second page":         {[]string{"", first, "?page=2", `{"data":[{"id":"b"},{}]}`}, `object 1 of the list: the response has no "data.id"`},
		"no URL":              {[]string{"", next("https://[::1?page=2")}, noURL},
		"bad escape":          {[]string{"", next("/%zz?page=2")}, noURL},
		"to itself":           {[]string{"", next("/api/files")}, circle},
		"to an earlier one":   {[]string{"", next("?page=2"), "?page=2", next("?page=3"), "?page=3", next("?page=2")}, circle},
		"without pages":       {[]string{"", first, "?page=2", first}, circle},
		"in another spelling": {[]string{"", next("?page=2&cursor=a%2Fb"), "?cursor=a%2Fb&page=2", next("?cursor=a/b")}, circle},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := listFiles(t, test.pages...)
			if list != nil {
				t.Errorf("got %+v", list)
			}
			checkError(t, err, Unusable, "GET /api/files returned 200 OK: "+test.err)
		})
	}
}

// number is a minimal object of a list.
type number int

func (n *number) check() error { return nil }
func (n *number) id() string   { return strconv.Itoa(int(*n)) }

func TestListTooLong(t *testing.T) {
	t.Parallel()
	const tooLong = "GET /api/numbers: the list has more than 200000 objects or 1000 pages"
	pages := func(last int) func(int) string {
		return func(i int) string { return fmt.Sprintf(`{"data":[%d],"current_page":%[1]d,"last_page":%d}`, i, last) }
	}
	objects := func(n int64) func(int) string {
		body := []byte(`{"data":[0`)
		for i := int64(1); i < n; i++ {
			body = strconv.AppendInt(append(body, ','), i, 10)
		}
		return func(int) string { return string(body) + "]}" }
	}
	tests := map[string]struct {
		page     func(request int) string
		requests int
		want     int // objects
		err      string
	}{
		"most pages":       {pages(maxPages), maxPages, maxPages, ""},
		"too many pages":   {pages(maxPages + 1), maxPages, 0, tooLong},
		"most objects":     {objects(maxListed), 1, maxListed, ""},
		"too many objects": {objects(maxListed + 1), 1, 0, tooLong},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			client := newClientOver(t, func(*http.Request) (*http.Response, error) {
				requests++
				return newResponse(http.StatusOK, test.page(requests)), nil
			})
			list, err := readList[number](t.Context(), client, nil, "numbers")
			if test.err != "" {
				checkError(t, err, ListTooLong, test.err)
			} else if err != nil || len(list.Objects) != test.want {
				t.Errorf("got the error %v", err)
			}
			if requests != test.requests {
				t.Errorf("%d requests, want %d", requests, test.requests)
			}
		})
	}
}

func FuzzDecodePage(f *testing.F) {
	for _, seed := range []string{
		"", "<html>", `null`, `{"data":{}}`, `{"data":[null]}`, pageOf("a b a", `,"total":1e99,"meta":{"total":"x"}`),
		`{"data":[` + documentedMail + `]}`, `{"data":[{"id":"m","download":{"id":"d","files":[{}]}}]}`,
		pageOf("a", `,"links":{"next":"https://x/?page=2;a&sort=%zz"}`), pageOf("a", `,"links":[],"next_page_url":"?cursor=%00#x"`),
		pageOf("a", `,"meta":{"current_page":1,"last_page":9223372036854775807,"pagination":{"links":{"next":"//x?a=b"}}}`),
		pageOf("a", `,"current_page":-9223372036854775808,"last_page":-1`), pageOf("a", `,"next_page_url":"http://[::1"`),
	} {
		f.Add([]byte(seed))
	}
	current := url.URL{Scheme: "https", Host: "privasfer.test", Path: "/a/b", RawPath: "/a%2Fb", RawQuery: "include=a,b&sort=-size"}
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := decodePage[Mail](body)
		checkDecoded(t, err == nil && !slices.ContainsFunc(*page.Data, func(m Mail) bool { return m.ID == "" }), err)
		if err != nil {
			return
		}
		page.total()
		next, err := page.next(current)
		if next == nil {
			return
		}
		query := next.Query()
		if !strings.HasPrefix(next.String(), "https://privasfer.test/a%2Fb?") || !query.Has("include") || !query.Has("sort") {
			t.Errorf("the next page is %s, %v", next, err)
		}
		if _, err := url.ParseRequestURI(next.RequestURI()); err != nil {
			t.Error(err)
		}
	})
}
