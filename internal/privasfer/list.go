package privasfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

const (
	// maxPageBytes bounds one page of a list, which may be the whole list.
	maxPageBytes = 64 << 20

	// maxPages and maxListed bound a whole list. They are far beyond what a plan could
	// use, and stop a list that never ends.
	maxPages  = 1000
	maxListed = 200_000
)

// ListOptions selects and orders the objects of a list. The zero value selects all, in
// the API's own order.
type ListOptions struct {
	// Keyword is searched by the API in the fields that the list method names.
	Keyword string
	// Sort is one of the list's sort keys; a leading "-" reverses the order.
	Sort string
	// IncludeFiles includes the files of mails' downloads. It does not apply to lists of
	// files.
	IncludeFiles bool
}

func (o ListOptions) addTo(query url.Values) url.Values {
	if o.Keyword != "" {
		query.Set("keyword", o.Keyword)
	}
	if o.Sort != "" {
		query.Set("sort", o.Sort)
	}
	return query
}

// List is a complete list.
type List[T any] struct {
	Objects []T

	// Total is the number of objects that the API reports; nil if it reports no number.
	Total *int64
}

// identified is a pointer to an object that has an id.
type identified[T any] interface {
	object[T]
	id() string
}

// page is the envelope of a list. The API's pages show only {"data": […]}. The other
// fields are the forms of pagination that its error format suggests; all of them are
// optional.
type page[T any] struct {
	Data *[]T `json:"data"`

	Links maybe[links]    `json:"links"` // some servers send an array of all pages
	Meta  maybe[metadata] `json:"meta"`

	NextPageURL *string `json:"next_page_url"`
	position
}

type links struct {
	Next *string `json:"next"`
}

// position is the place of a page in its list.
type position struct {
	CurrentPage *int64 `json:"current_page"`
	LastPage    *int64 `json:"last_page"`
	Total       any    `json:"total"` // ignored unless it is a number
}

type metadata struct {
	position
	Pagination maybe[struct {
		position
		TotalPages *int64       `json:"total_pages"`
		Links      maybe[links] `json:"links"`
	}] `json:"pagination"`
}

// maybe is an object. Any other value in its place is ignored.
type maybe[T any] struct{ value T }

// UnmarshalJSON implements json.Unmarshaler.
func (m *maybe[T]) UnmarshalJSON(text []byte) error {
	if text[0] != '{' {
		return nil
	}
	return json.Unmarshal(text, &m.value)
}

// readList reads all pages of a list. It lists an object that is on several pages once.
func readList[T any, P identified[T]](ctx context.Context, c *Client, query url.Values, path ...string) (*List[T], error) {
	return shared(ctx, c, query, path, func(ctx context.Context, target *url.URL) (*List[T], error) {
		list := &List[T]{Objects: []T{}}
		seen := map[string]bool{}
		for requested := map[string]bool{}; ; {
			requested[target.RawQuery] = true
			call := c.newCall(http.MethodGet, target, maxPageBytes)
			call.oversize = ListTooLong
			if err := call.do(ctx, nil); err != nil {
				return nil, err
			}
			current, err := decodePage[T, P](call.body.Bytes())
			if err != nil {
				return nil, call.unusable(err)
			}
			for _, object := range *current.Data {
				if id := P(&object).id(); !seen[id] {
					seen[id] = true
					list.Objects = append(list.Objects, object)
				}
			}
			list.Total = current.total()
			next, err := current.next(*target)
			switch {
			case err == nil && next != nil && requested[next.RawQuery]:
				err = errors.New("the list has a page that links to an earlier one")
			case len(list.Objects) > maxListed, next != nil && len(requested) == maxPages:
				return nil, call.failed(&APIError{Kind: ListTooLong, Err: fmt.Errorf(
					"the list has more than %d objects or %d pages", maxListed, maxPages)})
			}
			if err != nil {
				return nil, call.unusable(err)
			}
			if next == nil {
				return list, nil
			}
			target = next
		}
	})
}

func decodePage[T any, P identified[T]](body []byte) (page[T], error) {
	var current page[T]
	if err := unmarshal(body, &current); err != nil {
		return current, err
	}
	if current.Data == nil {
		return current, errNoData
	}
	for i := range *current.Data {
		if err := P(&(*current.Data)[i]).check(); err != nil {
			return current, fmt.Errorf("object %d of the list: %w", i, err)
		}
	}
	return current, nil
}

// positions returns the positions that the page gives, the preferred one first.
func (p page[T]) positions() []position {
	pagination := p.Meta.value.Pagination.value
	pagination.LastPage = cmp.Or(pagination.TotalPages, pagination.LastPage)
	return []position{p.Meta.value.position, p.position, pagination.position}
}

func (p page[T]) total() *int64 {
	for _, at := range p.positions() {
		if total, ok := at.Total.(float64); ok {
			return new(int64(total))
		}
	}
	return nil
}

// next returns the URL of the next page, or nil if this is the last. Of a link to that
// page it uses only the query, merged into this page's URL: the link's scheme, host and
// path may be those of a machine behind a proxy, where the token must not be sent, and
// some servers omit the rest of the query.
func (p page[T]) next(current url.URL) (*url.URL, error) {
	query := current.Query()
	for _, link := range []*string{p.Links.value.Next, p.NextPageURL, p.Meta.value.Pagination.value.Links.value.Next} {
		if link == nil || *link == "" {
			continue
		}
		parsed, err := url.Parse(*link)
		if err != nil {
			return nil, errors.New("the list's link to its next page is not a URL")
		}
		maps.Copy(query, parsed.Query())
		current.RawQuery = encodeQuery(query)
		return &current, nil
	}
	for _, at := range p.positions() {
		if at.CurrentPage != nil && at.LastPage != nil && *at.CurrentPage < *at.LastPage {
			query.Set("page", strconv.FormatInt(*at.CurrentPage+1, 10))
			current.RawQuery = encodeQuery(query)
			return &current, nil
		}
	}
	return nil, nil
}
