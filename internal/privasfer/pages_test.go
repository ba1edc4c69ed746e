package privasfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bareList is the URI of a list that nothing narrows down.
const bareList = "/api/files"

// pagedAPI has one answer for each URI and remembers what was asked.
type pagedAPI struct {
	answers map[string]string

	mu    sync.Mutex
	asked []string
}

// newPaged returns a client of an API with an answer for each URI. Any other
// request fails the test.
func newPaged(t *testing.T, answers map[string]string) (*Client, *pagedAPI) {
	t.Helper()
	api := &pagedAPI{answers: answers}
	return newClient(t, func(w http.ResponseWriter, r *http.Request) {
		api.mu.Lock()
		api.asked = append(api.asked, r.RequestURI)
		api.mu.Unlock()
		body, ok := api.answers[r.RequestURI]
		if !ok || r.Method != http.MethodGet {
			t.Errorf("nothing is at %s %s", r.Method, r.RequestURI)
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if got, want := r.Header.Get("Authorization"), "Bearer "+testToken; got != want {
			t.Errorf("%s came with Authorization %q, want %q", r.RequestURI, got, want)
		}
		answer(http.StatusOK, body)(w, r)
	}), api
}

// check compares what was asked, in its order.
func (p *pagedAPI) check(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.asked, want) {
		t.Errorf("wrong requests\n got: %q\nwant: %q", p.asked, want)
	}
}

// pageOf is a page with the objects of these ids and with more keys: "" or
// what begins with a comma.
func pageOf(ids, more string) string {
	objects := []string{}
	for id := range strings.FieldsSeq(ids) {
		objects = append(objects, fmt.Sprintf(`{"id":%q}`, id))
	}
	return `{"data":[` + strings.Join(objects, ",") + `]` + more + `}`
}

// idsOf is the ids of files, with a space between each two.
func idsOf(files []File) string {
	ids := make([]string, len(files))
	for i := range files {
		ids[i] = files[i].ID
	}
	return strings.Join(ids, " ")
}

// Every form in which a server may say that there is more. A list is the same
// list, however it is cut.
func TestPages(t *testing.T) {
	t.Parallel()
	const (
		second = bareList + "?page=2"
		third  = bareList + "?page=3"
	)
	link := func(key, value string) string { return fmt.Sprintf(`,%q:%q`, key, value) }
	next := func(value string) string { return fmt.Sprintf(`,"links":{"first":"x","next":%q}`, value) }

	tests := map[string]struct {
		pages []string // uri, body, uri, body, …
		want  string
	}{
		"no pages": {[]string{bareList, pageOf("a b", "")}, "a b"},
		"no pages, and links": {
			[]string{bareList, pageOf("a b", `,"links":{"first":"https://x/?page=1","prev":null,"next":null}`)}, "a b"},
		"links and meta": {[]string{
			bareList, pageOf("a b", next("https://privasfer.com/api/files?page=2")+`,"meta":{"current_page":1,"last_page":3,"total":5}`),
			second, pageOf("c d", next("https://privasfer.com/api/files?page=3")+`,"meta":{"current_page":2,"last_page":3,"total":5}`),
			third, pageOf("e", `,"links":{"next":null},"meta":{"current_page":3,"last_page":3,"total":5}`),
		}, "a b c d e"},
		"links alone": {[]string{
			bareList, pageOf("a", next("/api/files?page=2")),
			second, pageOf("b", `,"links":{}`),
		}, "a b"},
		"meta alone": {[]string{
			bareList, pageOf("a", `,"meta":{"current_page":1,"last_page":3}`),
			second, pageOf("b", `,"meta":{"current_page":2,"last_page":3}`),
			third, pageOf("c", `,"meta":{"current_page":3,"last_page":3}`),
		}, "a b c"},
		"meta where next is null": {[]string{
			bareList, pageOf("a", `,"links":{"next":null},"next_page_url":null,"meta":{"current_page":1,"last_page":2}`),
			second, pageOf("b", `,"meta":{"current_page":2,"last_page":2}`),
		}, "a b"},
		"a full paginator": {[]string{
			bareList, pageOf("a b", `,"current_page":1,"last_page":2,"per_page":2,"total":3,"links":[{"url":null,"label":"1","active":true},`+
				`{"url":"https://x/?page=7","label":"next"}]`+link("next_page_url", "https://x/api/files?page=2")),
			second, pageOf("c", `,"current_page":2,"last_page":2,"links":[],"next_page_url":null`),
		}, "a b c"},
		"current and last page alone": {[]string{
			bareList, pageOf("a", `,"current_page":1,"last_page":2`),
			second, pageOf("b", `,"current_page":2,"last_page":2`),
		}, "a b"},
		"a simple paginator": {[]string{
			bareList, pageOf("a", `,"current_page":1`+link("next_page_url", "https://x/api/files?page=2")),
			second, pageOf("b", `,"current_page":2,"next_page_url":null`),
		}, "a b"},
		"an empty link ends the list": {[]string{bareList, pageOf("a", link("next_page_url", "")+`,"links":{"next":""}`)}, "a"},
		"cursors": {[]string{
			bareList, pageOf("a", next("https://x/api/files?cursor=eyJpZCI6MX0%3D")+`,"meta":{"per_page":1,"next_cursor":"eyJpZCI6MX0="}`),
			bareList + "?cursor=eyJpZCI6MX0%3D", pageOf("b", link("next_page_url", "?cursor=a%26b+c")),
			bareList + "?cursor=a%26b+c", pageOf("c", `,"links":{"next":null},"meta":{"next_cursor":null}`),
		}, "a b c"},
		"a page after a cursor": {[]string{
			bareList, pageOf("a", next("?cursor=x")),
			bareList + "?cursor=x", pageOf("b", next("?page=3")),
			third, pageOf("c", ""),
		}, "a b c"},
		"pages that skip": {[]string{
			bareList, pageOf("a", next("?page=3")),
			third, pageOf("c", ""),
		}, "a c"},
		"the first page by its number": {[]string{
			bareList, pageOf("a", next("?page=1")),
			bareList + "?page=1", pageOf("a b", ""),
		}, "a b"},
		"objects that move": {[]string{
			bareList, pageOf("a b c", next("?page=2")),
			second, pageOf("c b d", next("?page=3")),
			third, pageOf("a e e", ""),
		}, "a b c d e"},
		"an empty page amid": {[]string{
			bareList, pageOf("", next("?page=2")),
			second, pageOf("a", ""),
		}, "a"},
		"an empty page at the end": {[]string{
			bareList, pageOf("a", next("?page=2")),
			second, pageOf("", ""),
		}, "a"},

		// What says nothing of pages.
		"null wherever it can be": {
			[]string{bareList, pageOf("a", `,"links":null,"meta":null,"next_page_url":null,"current_page":null,"last_page":null`)}, "a"},
		"odd links":              {[]string{bareList, pageOf("a", `,"links":"https://x/?page=2"`)}, "a"},
		"meta of other keys":     {[]string{bareList, pageOf("a", `,"meta":{"count":7,"page":1,"pages":9}`)}, "a"},
		"meta without last_page": {[]string{bareList, pageOf("a", `,"meta":{"current_page":1}`)}, "a"},
		"meta without a page":    {[]string{bareList, pageOf("a", `,"meta":{"last_page":2}`)}, "a"},
		"beyond the last page":   {[]string{bareList, pageOf("a", `,"meta":{"current_page":3,"last_page":2}`)}, "a"},
		"no last page":           {[]string{bareList, pageOf("", `,"meta":{"current_page":1,"last_page":0}`)}, ""},
		"halves of two positions": {
			[]string{bareList, pageOf("a", `,"meta":{"current_page":1},"last_page":2`)}, "a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]string{}
			var uris []string
			for page := range slices.Chunk(test.pages, 2) {
				uris = append(uris, page[0])
				answers[page[0]] = page[1]
			}
			client, api := newPaged(t, answers)
			files, err := client.Files(t.Context(), ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := idsOf(files); got != test.want || files == nil {
				t.Errorf("got %q, want %q", got, test.want)
			}
			api.check(t, uris...)
		})
	}
}

// An object that was on two pages is the one that was read first.
func TestMovedObjectIsTheFirst(t *testing.T) {
	t.Parallel()
	client, _ := newPaged(t, map[string]string{
		bareList:             `{"data":[{"id":"a","size":1}],"next_page_url":"?page=2"}`,
		bareList + "?page=2": `{"data":[{"id":"b","size":2},{"id":"a","size":3},{"id":"A","size":4}]}`,
	})
	files, err := client.Files(t.Context(), ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []File{{ID: "a", Size: new(int64(1))}, {ID: "b", Size: new(int64(2))}, {ID: "A", Size: new(int64(4))}}
	if !reflect.DeepEqual(files, want) {
		t.Errorf("got %+v, want %+v", files, want)
	}
}

// Nothing but the page is taken from the link to the next one: whoever writes
// it must not get the token.
func TestNextPageElsewhere(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host got %s, Authorization %q", r.RequestURI, r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	otherHost := strings.TrimPrefix(other.URL, "http://")

	for name, next := range map[string]string{
		"another host":      other.URL + "/api/files?page=2",
		"another scheme":    "https://" + otherHost + "/api/files?page=2",
		"without a scheme":  "//" + otherHost + "/api/files?page=2",
		"an odd scheme":     "file:///etc/passwd?page=2",
		"a user":            "http://user:secret@" + otherHost + "/api/files?page=2",
		"another path":      "/api/../admin?page=2",
		"another route":     "/api/mails/x?page=2",
		"a query alone":     "?page=2",
		"more in the query": "/api/files?token=x&include=author&page=2&keyword=y&sort=size#page=3",
		"both":              "/api/files?cursor=x&page=2",
		"twice":             "/api/files?page=2&page=3",
	} {
		for form, more := range map[string]string{
			"links":     `,"links":{"next":%q}`,
			"top level": `,"links":[],"next_page_url":%q`,
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				t.Parallel()
				client, api := newPaged(t, map[string]string{
					bareList:             pageOf("a", fmt.Sprintf(more, next)),
					bareList + "?page=2": pageOf("b", ""),
				})
				files, err := client.Files(t.Context(), ListOptions{})
				if err != nil || idsOf(files) != "a b" {
					t.Errorf("got %q, %v", idsOf(files), err)
				}
				api.check(t, bareList, bareList+"?page=2")
			})
		}
	}
}

// What a list was asked for is asked for on each of its pages, although the
// links leave it out.
func TestPagesKeepTheQuery(t *testing.T) {
	t.Parallel()
	options := ListOptions{Keyword: "a b&c", Sort: "-created_at"}
	const query = "keyword=a+b%26c&page=2&sort=-created_at"
	tests := map[string]struct {
		list   func(context.Context, *Client) error
		first  string
		second string
	}{
		"files": {
			func(ctx context.Context, c *Client) error { _, err := c.Files(ctx, options); return err },
			"/api/files?keyword=a+b%26c&sort=-created_at", "/api/files?" + query,
		},
		"mails": {
			func(ctx context.Context, c *Client) error { _, err := c.Mails(ctx, options, true); return err },
			"/api/mails?include=download,download.files&keyword=a+b%26c&sort=-created_at",
			"/api/mails?include=download,download.files&" + query,
		},
		"inbox": {
			func(ctx context.Context, c *Client) error { _, err := c.InboxMails(ctx, options, true); return err },
			"/api/inbox?include=download,download.files&keyword=a+b%26c&sort=-created_at",
			"/api/inbox?include=download,download.files&" + query,
		},
		"without files": {
			func(ctx context.Context, c *Client) error {
				_, err := c.InboxMails(ctx, ListOptions{}, false)
				return err
			},
			"/api/inbox?include=download", "/api/inbox?include=download&page=2",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			third := strings.Replace(test.second, "page=2", "page=3", 1)
			client, api := newPaged(t, map[string]string{
				test.first:  pageOf("a", `,"links":{"next":"https://privasfer.com/api/files?page=2"}`),
				test.second: pageOf("b", `,"links":{"next":"https://privasfer.com/api/files?page=3"}`),
				third:       pageOf("c", ""),
			})
			if err := test.list(t.Context(), client); err != nil {
				t.Error(err)
			}
			api.check(t, test.first, test.second, third)
		})
	}
}

// The server gets the keyword that the caller gave, whatever is in it.
func TestKeyword(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"invoice":                 "invoice",
		"a&page=9":                "a%26page%3D9",
		"a=b":                     "a%3Db",
		"a#b":                     "a%23b",
		"a;b":                     "a%3Bb",
		" two  words ":            "+two++words+",
		"a+b":                     "a%2Bb",
		"100%":                    "100%25",
		"a,b":                     "a,b",
		"%2C":                     "%252C",
		"žąsis 😀":                 "%C5%BE%C4%85sis+%F0%9F%98%80",
		"a/b?c":                   "a%2Fb%3Fc",
		"a\r\nHost: b":            "a%0D%0AHost%3A+b",
		"\x00":                    "%00",
		"\"'<>\\":                 "%22%27%3C%3E%5C",
		strings.Repeat("a", 5000): strings.Repeat("a", 5000),
	}
	for keyword, encoded := range tests {
		t.Run(strconv.Quote(keyword[:min(len(keyword), 20)]), func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				want := "/api/files?keyword=" + encoded
				body := pageOf("a", `,"next_page_url":"?page=2"`)
				if requests.Add(1) == 2 {
					want += "&page=2"
					body = pageOf("b", "")
				}
				if r.RequestURI != want {
					t.Errorf("RequestURI is %s, want %s", r.RequestURI, want)
				}
				if got := r.URL.Query().Get("keyword"); got != keyword {
					t.Errorf("the server gets %q, want %q", got, keyword)
				}
				answer(http.StatusOK, body)(w, r)
			})
			if _, err := client.Files(t.Context(), ListOptions{Keyword: keyword}); err != nil {
				t.Error(err)
			}
			if got := requests.Load(); got != 2 {
				t.Errorf("%d requests for two pages", got)
			}
		})
	}
}

// A list that cannot be read is an error, never a shorter list.
func TestListRefuses(t *testing.T) {
	t.Parallel()
	const wrongType = "%q is of type %s where %s was expected"
	const noURL = "the list's link to its next page is not a URL"
	const noPage = "the list's link to its next page names no page"
	tests := map[string]struct{ body, err string }{
		"empty":            {"", "the answer is empty"},
		"HTML":             {"<html>", "the answer is a page of HTML, not JSON"},
		"null":             {`null`, `the answer has no "data"`},
		"an empty object":  {`{}`, `the answer has no "data"`},
		"no data":          {`{"links":{},"meta":{}}`, `the answer has no "data"`},
		"data: null":       {`{"data":null}`, `the answer has no "data"`},
		"data: {}":         {`{"data":{}}`, fmt.Sprintf(wrongType, "data", "object", "array")},
		"an object":        {`{"data":{"id":"a"}}`, fmt.Sprintf(wrongType, "data", "object", "array")},
		"no envelope":      {`[{"id":"a"}]`, fmt.Sprintf(wrongType, "the answer", "array", "object")},
		"cut short":        {`{"data":[{"id":"a"},`, "the answer is not valid JSON: it errs or breaks off at byte 20 of 20"},
		"ids":              {`{"data":["a"]}`, fmt.Sprintf(wrongType, "data", "string", "object")},
		"lists":            {`{"data":[[]]}`, fmt.Sprintf(wrongType, "data", "array", "object")},
		"a numeric id":     {`{"data":[{"id":"a"},{"id":2}]}`, fmt.Sprintf(wrongType, "data.id", "number", "string")},
		"null for a file":  {`{"data":[{"id":"a"},{"id":"b"},null]}`, `object 2 of the list: the answer has no "data.id"`},
		"no id":            {`{"data":[{"id":"a"},{"filename":"x"},{"id":"c"}]}`, `object 1 of the list: the answer has no "data.id"`},
		"an empty id":      {`{"data":[{"id":""}]}`, `object 0 of the list: the answer has no "data.id"`},
		"a null id":        {`{"data":[{"id":null}]}`, `object 0 of the list: the answer has no "data.id"`},
		"next: no URL":     {pageOf("a", `,"links":{"next":"http://[::1"}`), noURL},
		"next: bad escape": {pageOf("a", `,"links":{"next":"/api/%zz?page=2"}`), noURL},
		"next: control":    {pageOf("a", `,"next_page_url":"?page=2\u0007`+testToken+`"`), noURL},
		"next: no page":    {pageOf("a", `,"next_page_url":"https://privasfer.com/api/files"`), noPage},
		"next: empty page": {pageOf("a", `,"links":{"next":"?page=&cursor="}`), noPage},
		"next: other page": {pageOf("a", `,"links":{"next":"?page%5Bnumber%5D=2&offset=30"}`), noPage},
		"next: a number":   {pageOf("a", `,"next_page_url":2`), fmt.Sprintf(wrongType, "next_page_url", "number", "string")},
		"a page in words": {pageOf("a", `,"meta":{"current_page":"one","last_page":2}`),
			fmt.Sprintf(wrongType, "meta.current_page", "string", "a whole number of at most 64 bits")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, api := newPaged(t, map[string]string{bareList: test.body})
			files, err := client.Files(t.Context(), ListOptions{})
			if files != nil {
				t.Errorf("got %v", files)
			}
			checkError(t, err, "GET /api/files was answered 200 OK: "+test.err)
			if apiError := asAPIError(t, err); !apiError.Unusable() || apiError.Status != http.StatusOK {
				t.Errorf("got %+v", apiError)
			}
			api.check(t, bareList)
		})
	}
}

// Which mail of a list it is, and what it lacks.
func TestListOfMailsRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ data, err string }{
		"no id":              {`[{"id":"m"},{"subject":"x"}]`, `object 1 of the list: the answer has no "data.id"`},
		"null":               {`[null]`, `object 0 of the list: the answer has no "data.id"`},
		"no id: download":    {`[{"id":"m"},{"id":"n","download":{}}]`, `object 1 of the list: the answer has no "data.download.id"`},
		"no id: second file": {`[{"id":"m","download":{"id":"d","files":[{"id":"f"},{}]}}]`, `object 0 of the list: the answer has no "data.download.files.1.id"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, answer(http.StatusOK, `{"data":`+test.data+`}`))
			mails, err := client.Mails(t.Context(), ListOptions{}, true)
			checkError(t, err, "GET /api/mails was answered 200 OK: "+test.err)
			inbox, err := client.InboxMails(t.Context(), ListOptions{}, true)
			checkError(t, err, "GET /api/inbox was answered 200 OK: "+test.err)
			if mails != nil || inbox != nil {
				t.Errorf("got %v, %v", mails, inbox)
			}
		})
	}
}

// What goes wrong with a later page goes wrong with the list.
func TestThirdPageFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		body   string
		err    string
	}{
		"refused": {http.StatusForbidden, `{"message":"This action is unauthorized."}`,
			"GET /api/files was answered 403 Forbidden: This action is unauthorized. (request id page-3)"},
		"gone": {http.StatusNotFound, ``, "GET /api/files was answered 404 Not Found (request id page-3)"},
		"failed": {http.StatusInternalServerError, `{"message":"Server Error"}`,
			"GET /api/files was answered 500 Internal Server Error: Server Error (request id page-3)"},
		"unusable": {http.StatusOK, `{"data":[{"id":"c"},{}]}`,
			`GET /api/files was answered 200 OK: object 1 of the list: the answer has no "data.id" (request id page-3)`},
		"no list": {http.StatusOK, `{"data":null}`,
			`GET /api/files was answered 200 OK: the answer has no "data" (request id page-3)`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				number := requests.Add(1)
				w.Header().Set("X-Request-Id", fmt.Sprintf("page-%d", number))
				if number == 3 {
					answer(test.status, test.body)(w, r)
					return
				}
				body := pageOf(fmt.Sprintf("a%d", number), fmt.Sprintf(`,"meta":{"current_page":%d,"last_page":9}`, number))
				answer(http.StatusOK, body)(w, r)
			})
			files, err := client.Files(t.Context(), ListOptions{Keyword: "secret"})
			if files != nil {
				t.Errorf("got %v", files)
			}
			checkError(t, err, test.err)
			apiError := asAPIError(t, err)
			if apiError.Method != http.MethodGet || apiError.Path != "/api/files" || apiError.Status != test.status || apiError.Attempts != 1 {
				t.Errorf("got %+v", apiError)
			}
			if got := requests.Load(); got != 3 {
				t.Errorf("%d requests, want 3", got)
			}
		})
	}
}

// A page is repeated like any other request, and the pages before it are not.
func TestPageIsRepeated(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.RequestURI)
		switch len(asked) {
		case 1:
			answer(http.StatusOK, pageOf("a", `,"next_page_url":"?page=2"`))(w, r)
		case 2:
			answer(http.StatusBadGateway, "<html>")(w, r)
		default:
			answer(http.StatusOK, pageOf("b", ""))(w, r)
		}
	}, func(config *Config) { config.MaxRetries, config.RetryWait = 1, time.Millisecond })
	files, err := client.Files(t.Context(), ListOptions{})
	if err != nil || idsOf(files) != "a b" {
		t.Errorf("got %q, %v", idsOf(files), err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{bareList, bareList + "?page=2", bareList + "?page=2"}; !slices.Equal(asked, want) {
		t.Errorf("got %q, want %q", asked, want)
	}
}

// A list that leads in a circle ends with an error, as soon as that is seen.
func TestPagesInACircle(t *testing.T) {
	t.Parallel()
	to := func(page string) string { return fmt.Sprintf(`,"next_page_url":"?page=%s"`, page) }
	tests := map[string][]string{ // uri, body, uri, body, …
		"the first page points to itself": {
			bareList, pageOf("a", to("1")), bareList + "?page=1", pageOf("a", to("1")),
		},
		"a later page points to itself": {
			bareList, pageOf("a", to("2")), bareList + "?page=2", pageOf("b", to("2")),
		},
		"two pages point to each other": {
			bareList, pageOf("a", to("2")), bareList + "?page=2", pageOf("b", to("1")), bareList + "?page=1", pageOf("a", to("2")),
		},
		"a server that knows no pages": {
			bareList, pageOf("a", `,"meta":{"current_page":1,"last_page":2}`),
			bareList + "?page=2", pageOf("a", `,"meta":{"current_page":1,"last_page":2}`),
		},
		"cursors": {
			bareList, pageOf("a", `,"links":{"next":"?cursor=x"}`), bareList + "?cursor=x", pageOf("b", `,"links":{"next":"?cursor=x"}`),
		},
		"a longer circle": {
			bareList, pageOf("a", to("2")), bareList + "?page=2", pageOf("b", to("3")), bareList + "?page=3", pageOf("c", to("4")),
			bareList + "?page=4", pageOf("d", to("3")),
		},
	}
	for name, pages := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]string{}
			var uris []string
			for page := range slices.Chunk(pages, 2) {
				uris = append(uris, page[0])
				answers[page[0]] = page[1]
			}
			client, api := newPaged(t, answers)
			files, err := client.Files(t.Context(), ListOptions{})
			if files != nil {
				t.Errorf("got %v", files)
			}
			checkError(t, err, "GET /api/files was answered 200 OK: the list has a page that leads back to an earlier one")
			if !asAPIError(t, err).Unusable() {
				t.Error("the answer is not called unusable")
			}
			api.check(t, uris...)
		})
	}
}

// A number is no cursor.
func TestPageAndCursorOfOneValue(t *testing.T) {
	t.Parallel()
	client, api := newPaged(t, map[string]string{
		bareList:               pageOf("a", `,"next_page_url":"?page=2"`),
		bareList + "?page=2":   pageOf("b", `,"next_page_url":"?cursor=2"`),
		bareList + "?cursor=2": pageOf("c", ""),
	})
	files, err := client.Files(t.Context(), ListOptions{})
	if err != nil || idsOf(files) != "a b c" {
		t.Errorf("got %q, %v", idsOf(files), err)
	}
	api.check(t, bareList, bareList+"?page=2", bareList+"?cursor=2")
}

// A list of as many pages as may be is read; one page more ends it.
func TestManyPages(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		last     int64
		requests int64
		err      string
	}{
		"as many as may be": {maxPages, maxPages, ""},
		"one more": {maxPages + 1, maxPages + 1,
			"GET /api/files was answered 200 OK: the list has more than 1000 pages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				number := requests.Add(1)
				body := pageOf(strconv.FormatInt(number, 10), fmt.Sprintf(`,"current_page":%d,"last_page":%d`, number, test.last))
				answer(http.StatusOK, body)(w, r)
			})
			files, err := client.Files(t.Context(), ListOptions{})
			checkText(t, err, test.err)
			if test.err == "" && int64(len(files)) != test.last || test.err != "" && files != nil {
				t.Errorf("got %d files", len(files))
			}
			if got := requests.Load(); got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
		})
	}
}

// What is on the pages counts together, and no page is read beyond the bound.
func TestManyObjects(t *testing.T) {
	t.Parallel()
	first := []byte(`{"data":[{"id":"x"}`)
	for i := range maxListed - 2 {
		first = append(strconv.AppendInt(append(first, `,{"id":"`...), int64(i), 10), `"}`...)
	}
	client, api := newPaged(t, map[string]string{
		bareList:             string(append(first, `],"next_page_url":"?page=2"}`...)),
		bareList + "?page=2": pageOf("a b", `,"next_page_url":"?page=3"`),
	})
	files, err := client.Files(t.Context(), ListOptions{})
	if files != nil {
		t.Errorf("got %d files", len(files))
	}
	checkError(t, err, "GET /api/files was answered 200 OK: the list has more than 200000 objects")
	api.check(t, bareList, bareList+"?page=2")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	const objects = "the list has more than 200000 objects"
	const pages = "the list has more than 1000 pages"
	for _, test := range []struct {
		objects, pages int
		err            string
	}{
		{0, 1, ""},
		{maxListed, maxPages, ""},
		{maxListed + 1, 1, objects},
		{0, maxPages + 1, pages},
		{maxListed + 1, maxPages + 1, objects},
	} {
		checkText(t, bounds(test.objects, test.pages), test.err)
	}
}

// Callers that list the same at the same time get one answer, of one request
// for each page.
func TestIdenticalListsAtOnce(t *testing.T) {
	t.Parallel()
	const callers = 8
	arrived, release := make(chan struct{}, callers), make(chan struct{})
	var requests atomic.Int32
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body := pageOf("b", "")
		if requests.Add(1) == 1 {
			arrived <- struct{}{}
			<-release
			body = pageOf("a", `,"next_page_url":"?page=2"`)
		}
		answer(http.StatusOK, body)(w, r)
	})
	list := func() ([]File, error) { return client.Files(t.Context(), ListOptions{Keyword: "x", Sort: "size"}) }

	var running sync.WaitGroup
	call := func() {
		running.Go(func() {
			if files, err := list(); err != nil || idsOf(files) != "a b" {
				t.Errorf("got %q, %v", idsOf(files), err)
			}
		})
	}
	call()
	<-arrived
	for range callers - 1 {
		call()
	}
	waitForCallers(t, client, callers)
	close(release)
	running.Wait()
	if got := requests.Load(); got != 2 {
		t.Errorf("%d requests for two pages", got)
	}

	// Nothing is kept: who lists later asks again.
	if files, err := list(); err != nil || idsOf(files) != "b" {
		t.Errorf("got %q, %v", idsOf(files), err)
	}
}

// waitForCallers waits until so many have joined the one flight of a client.
func waitForCallers(t *testing.T, client *Client, want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		client.flights.mu.Lock()
		joined := 0
		for _, flight := range client.flights.callers {
			joined += flight.callers
		}
		flights := len(client.flights.callers)
		client.flights.mu.Unlock()
		if flights == 1 && joined == want {
			return
		}
	}
	t.Fatalf("not all %d callers have joined", want)
}

// Lists that differ in anything are different lists.
func TestDifferentListsAreNotShared(t *testing.T) {
	t.Parallel()
	client, api := newPaged(t, map[string]string{
		"/api/mails?include=download":                            pageOf("a", ""),
		"/api/mails?include=download,download.files":             pageOf("b", ""),
		"/api/mails?include=download&keyword=x":                  pageOf("c", ""),
		"/api/mails?include=download&sort=sent_at":               pageOf("d", ""),
		"/api/mails?include=download&sort=-sent_at":              pageOf("e", ""),
		"/api/mails?include=download&keyword=x%26sort%3Dsubject": pageOf("f", ""),
	})
	var running sync.WaitGroup
	for id, list := range map[string]func() ([]Mail, error){
		"a": func() ([]Mail, error) { return client.Mails(t.Context(), ListOptions{}, false) },
		"b": func() ([]Mail, error) { return client.Mails(t.Context(), ListOptions{}, true) },
		"c": func() ([]Mail, error) { return client.Mails(t.Context(), ListOptions{Keyword: "x"}, false) },
		"d": func() ([]Mail, error) { return client.Mails(t.Context(), ListOptions{Sort: "sent_at"}, false) },
		"e": func() ([]Mail, error) { return client.Mails(t.Context(), ListOptions{Sort: "-sent_at"}, false) },
		"f": func() ([]Mail, error) {
			return client.Mails(t.Context(), ListOptions{Keyword: "x&sort=subject"}, false)
		},
	} {
		running.Go(func() {
			if mails, err := list(); err != nil || len(mails) != 1 || mails[0].ID != id {
				t.Errorf("got %v, %v, want %s", mails, err, id)
			}
		})
	}
	running.Wait()
	api.mu.Lock()
	defer api.mu.Unlock()
	if got := len(api.asked); got != 6 {
		t.Errorf("%d requests for six lists", got)
	}
}

// A caller who leaves gets no list, and no further page is asked for.
func TestCancelledBetweenPages(t *testing.T) {
	t.Parallel()
	left := errors.New("the run was interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	var requests atomic.Int32
	gone := make(chan struct{})
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		number := requests.Add(1)
		if number == 2 {
			cancel(left)
			<-gone // the list cannot go on before the caller has left
		}
		answer(http.StatusOK, pageOf("a", fmt.Sprintf(`,"meta":{"current_page":%d,"last_page":9}`, number)))(w, r)
	})
	files, err := client.Files(ctx, ListOptions{})
	close(gone)
	if files != nil {
		t.Errorf("got %v", files)
	}
	checkError(t, err, "GET /api/files: the run was interrupted")
	if !errors.Is(err, left) {
		t.Errorf("%v is not the caller's own reason", err)
	}
	time.Sleep(20 * time.Millisecond) // a third request would come at once
	if got := requests.Load(); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
}

// One of two callers who leaves takes nothing from the other.
func TestCancelledByOneOfTwo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	arrived, release := make(chan struct{}), make(chan struct{})
	var requests atomic.Int32
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			close(arrived)
			<-release
			answer(http.StatusOK, pageOf("a", `,"next_page_url":"?page=2"`))(w, r)
			return
		}
		answer(http.StatusOK, pageOf("b", ""))(w, r)
	})
	var running sync.WaitGroup
	leaver := make(chan struct{})
	running.Go(func() {
		defer close(leaver)
		_, err := client.Files(ctx, ListOptions{})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the one who left got %v", err)
		}
	})
	<-arrived
	running.Go(func() {
		files, err := client.Files(t.Context(), ListOptions{})
		if err != nil || idsOf(files) != "a b" {
			t.Errorf("got %q, %v", idsOf(files), err)
		}
	})
	waitForCallers(t, client, 2)
	cancel()
	<-leaver
	close(release)
	running.Wait()
	if got := requests.Load(); got != 2 {
		t.Errorf("%d requests for two pages", got)
	}
}

// A list without a call that was made: there is no page to speak of.
func TestListWithAnEndedContext(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("there was a request: %s", r.RequestURI)
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Files(ctx, ListOptions{})
	checkError(t, err, "GET /api/files: context canceled")
}

func FuzzDecodePage(f *testing.F) {
	for _, seed := range []string{
		"", "<html>", "\xff", `null`, `[]`, `{"data":[]}`, `{"data":{}}`, `{"data":[null]}`, pageOf("a b a", ""),
		`{"data":[` + documentedFile + `]}`, `{"data":[{"id":"m","download":{"id":"d","files":[{}]}}]}`,
		pageOf("a", `,"links":{"next":"https://x/?page=2"}`), pageOf("a", `,"links":[],"next_page_url":"?cursor=%00"`),
		pageOf("a", `,"meta":{"current_page":1,"last_page":9223372036854775807}`), pageOf("a", `,"meta":[]`),
		pageOf("a", `,"current_page":-9223372036854775808,"last_page":-1`), pageOf("a", `,"next_page_url":"http://[::1"`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		checkPage[File](t, body)
		checkPage[InboxMail](t, body)
		checkPage[Mail](t, body)
	})
}

// checkPage checks that there is either a page of objects with ids or an error
// of a short line, and that a next page can be asked for.
func checkPage[T any, P identified[T]](t *testing.T, body []byte) {
	t.Helper()
	current, err := decodePage[T, P](body)
	whole := err == nil
	if whole {
		for i := range *current.Data {
			whole = whole && P(&(*current.Data)[i]).id() != ""
		}
	}
	checkDecoded(t, whole, err)
	if err != nil {
		return
	}
	name, value, err := current.next()
	if err != nil {
		checkDecoded(t, false, err)
		return
	}
	if (name == "") != (value == "") || name != "" && name != "page" && name != "cursor" {
		t.Fatalf("the next page is %q %q", name, value)
	}
	query, err := url.ParseQuery(encodeQuery(url.Values{"include": {"download,download.files"}, name: {value}}))
	if err != nil || query.Get(name) != value || query.Get("include") != "download,download.files" {
		t.Errorf("the server gets %v (%v), want %q %q", query, err, name, value)
	}
}

// An empty object is an empty array where PHP writes it, and no page says what
// else meta may be: a list that is whole is read.
func TestOddMeta(t *testing.T) {
	t.Parallel()
	for _, meta := range []string{`[]`, `"x"`, `1`, `false`} {
		t.Run(meta, func(t *testing.T) {
			t.Parallel()
			client, api := newPaged(t, map[string]string{bareList: pageOf("a", `,"meta":`+meta)})
			files, err := client.Files(t.Context(), ListOptions{})
			if err != nil || idsOf(files) != "a" {
				t.Errorf("got %q, %v", idsOf(files), err)
			}
			api.check(t, bareList)
		})
	}
}

// The error names the answer's key, not the program's type.
func TestOddPositionAtTheTop(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, answer(200, pageOf("a", `,"current_page":"one"`))).Files(t.Context(), ListOptions{})
	checkError(t, err, `GET /api/files was answered 200 OK: "current_page" is of type string where a whole number of at most 64 bits was expected`)
}

// A link that cannot be read may be the way to the rest: the list is not cut.
func TestOddNext(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, answer(200, pageOf("a", `,"links":{"next":{"href":"/?page=2"}}`))).Files(t.Context(), ListOptions{})
	checkError(t, err, `GET /api/files was answered 200 OK: "links.next" is of type object where string was expected`)
}

// A page of a list may be larger than one object's answer may be.
func TestPageLargerThanAnObject(t *testing.T) {
	t.Parallel()
	client, api := newPaged(t, map[string]string{bareList: pageOf("a", "") + strings.Repeat(" ", maxObjectBytes)})
	files, err := client.Files(t.Context(), ListOptions{})
	if err != nil || idsOf(files) != "a" {
		t.Errorf("got %q, %v", idsOf(files), err)
	}
	api.check(t, bareList)
}

// A page beyond the limit is not read to its end, and the error says what helps.
func TestPageTooLarge(t *testing.T) {
	t.Parallel()
	client := newClientOver(t, func(*http.Request) (*http.Response, error) {
		response := plainAnswer(http.StatusOK, "")
		response.Body, response.ContentLength = io.NopCloser(spaces{}), -1
		return response, nil
	})
	_, err := client.Files(t.Context(), ListOptions{})
	checkError(t, err, "GET /api/files was answered 200 OK: a page of the list is larger than 64 MiB")
	if apiError := asAPIError(t, err); !apiError.TooLong() {
		t.Errorf("got %+v", apiError)
	}
}

// spaces are a body without end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
