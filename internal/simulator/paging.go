package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// PageStyle is a form in which Laravel applications describe the pages of a list. The
// API documentation shows none of them, so clients must support all.
type PageStyle int

const (
	// PageResource has links and meta beside data.
	PageResource PageStyle = iota
	// PageTopLevel has current_page, last_page, next_page_url and others beside data.
	// Its links are an array.
	PageTopLevel
	// PageSimple is PageTopLevel without the fields that need a count: last_page, its
	// URL, total and links.
	PageSimple
	// PageCursor has links and meta like PageResource, a cursor instead of the page, and
	// no counts. A cursor is valid only for the route, keyword and sort for which it was
	// issued.
	PageCursor
	// PageFractal has meta.pagination, as league/fractal writes it. If there are no
	// links, they are [], PHP's empty array.
	PageFractal
	// PageJSONAPI is PageResource with page[number] as the parameter, as in
	// spatie/laravel-json-api-paginate.
	PageJSONAPI
)

// parameter is the query parameter that selects a page.
func (style PageStyle) parameter() string {
	switch style {
	case PageCursor:
		return "cursor"
	case PageJSONAPI:
		return "page[number]"
	default:
		return "page"
	}
}

// page is one page of a list.
type page struct {
	number, size, last, total int
	// start and end delimit its part of the list.
	start, end int
	// next is the number of the next page, 0 if there is none.
	next int
}

func newPage(number, size, total int) page {
	p := page{number: number, size: size, last: max(1, (total+size-1)/size), total: total}
	// Past the end, Laravel returns an empty page.
	p.start, p.end = total, total
	if number <= p.last {
		p.start = (number - 1) * size
		p.end = min(p.start+size, total)
	}
	if number < p.last {
		p.next = number + 1
	}
	return p
}

// requestedPage returns the number of the requested page. Laravel serves the first page
// for an invalid number; here it is an error, so that a bug of a client is noticed.
func requestedPage(r *http.Request, query map[string]string) (number int, problem string) {
	if cursor, ok := query["cursor"]; ok {
		number, ok = cursorPage(r, cursor)
		if !ok {
			return 0, "The cursor is invalid."
		}
		return number, ""
	}
	text, ok := query["page"]
	if !ok {
		text, ok = query["page[number]"]
	}
	if !ok {
		return 1, ""
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || strconv.Itoa(number) != text {
		return 0, fmt.Sprintf("The page `%s` is invalid.", text)
	}
	return number, ""
}

// cursor returns a cursor like Laravel's, which contains the list that it belongs to.
func cursor(r *http.Request, number int) string {
	query := r.URL.Query()
	text, err := json.Marshal(map[string]any{
		"page":               number,
		"route":              r.URL.Path,
		"keyword":            query.Get("keyword"),
		"sort":               query.Get("sort"),
		"_pointsToNextItems": true,
	})
	if err != nil {
		panic(fmt.Sprintf("simulator: cursor: %v", err))
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// cursorPage returns the page number of a cursor, if it was issued for the list of the
// request.
func cursorPage(r *http.Request, text string) (number int, ok bool) {
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, false
	}
	var content struct{ Page int }
	if json.Unmarshal(decoded, &content) != nil || content.Page < 1 {
		return 0, false
	}
	return content.Page, text == cursor(r, content.Page)
}

// renderPage wraps a page's objects as the configured style does.
func (s *Server) renderPage(r *http.Request, p page, objects []any) map[string]any {
	link := func(number int) any {
		if number < 1 {
			return nil
		}
		return s.pageURL(r, number)
	}
	var from, to any
	if p.start < p.end {
		from = (p.number-1)*p.size + 1
		to = (p.number-1)*p.size + p.end - p.start
	}
	path := s.listURL(r)

	switch s.options.PageStyle {
	case PageTopLevel:
		return map[string]any{
			"data": objects, "current_page": p.number, "last_page": p.last, "per_page": p.size, "total": p.total,
			"from": from, "to": to, "path": path, "links": pageLinks(p, link),
			"first_page_url": link(1), "last_page_url": link(p.last), "prev_page_url": link(p.number - 1), "next_page_url": link(p.next),
		}
	case PageSimple:
		return map[string]any{
			"data": objects, "current_page": p.number, "per_page": p.size, "from": from, "to": to, "path": path,
			"first_page_url": link(1), "prev_page_url": link(p.number - 1), "next_page_url": link(p.next),
		}
	case PageCursor:
		cursorOf := func(number int) any {
			if number < 1 {
				return nil
			}
			return cursor(r, number)
		}
		return map[string]any{
			"data":  objects,
			"links": map[string]any{"first": nil, "last": nil, "prev": link(p.number - 1), "next": link(p.next)},
			"meta": map[string]any{
				"path": path, "per_page": p.size, "prev_cursor": cursorOf(p.number - 1), "next_cursor": cursorOf(p.next),
			},
		}
	case PageFractal:
		return map[string]any{
			"data": objects,
			"meta": map[string]any{"pagination": map[string]any{
				"total": p.total, "count": len(objects), "per_page": p.size, "current_page": p.number, "total_pages": p.last,
				"links": fractalLinks(p, link),
			}},
		}
	case PageResource, PageJSONAPI:
	}
	return map[string]any{
		"data":  objects,
		"links": map[string]any{"first": link(1), "last": link(p.last), "prev": link(p.number - 1), "next": link(p.next)},
		"meta": map[string]any{
			"current_page": p.number, "last_page": p.last, "per_page": p.size, "total": p.total,
			"from": from, "to": to, "path": path, "links": pageLinks(p, link),
		},
	}
}

// pageLinks returns the links that a web page shows below a list. Of many pages, Laravel
// omits those in the middle; this returns all.
func pageLinks(p page, link func(int) any) []map[string]any {
	links := []map[string]any{{"url": link(p.number - 1), "label": "&laquo; Previous", "active": false}}
	for number := 1; number <= p.last; number++ {
		links = append(links, map[string]any{"url": link(number), "label": strconv.Itoa(number), "active": number == p.number})
	}
	return append(links, map[string]any{"url": link(p.next), "label": "Next &raquo;", "active": false})
}

// fractalLinks returns links to existing pages only.
func fractalLinks(p page, link func(int) any) any {
	links := map[string]any{}
	if p.number > 1 {
		links["previous"] = link(p.number - 1)
	}
	if p.next > 0 {
		links["next"] = link(p.next)
	}
	if len(links) == 0 {
		return []any{}
	}
	return links
}

func (s *Server) pageURL(r *http.Request, number int) string {
	value := strconv.Itoa(number)
	if s.options.PageStyle == PageCursor {
		value = cursor(r, number)
	}
	return s.listURL(r) + "?" + url.Values{s.options.PageStyle.parameter(): {value}}.Encode()
}

func (s *Server) listURL(r *http.Request) string {
	host := s.options.NextHost
	if host == "" {
		host = "http://" + r.Host
		if r.TLS != nil {
			host = "https://" + r.Host
		}
	}
	return host + r.URL.EscapedPath()
}
