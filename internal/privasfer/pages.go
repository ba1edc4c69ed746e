package privasfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

const (
	// maxPageBytes bounds one page of a list, which may be the whole list.
	maxPageBytes = 64 << 20

	// maxPages and maxListed bound a whole list. They are far beyond what a
	// plan could use, and end a list that never ends.
	maxPages  = 1000
	maxListed = 200_000
)

// ListOptions chooses and orders what a list holds. The zero value is all of
// it, in the API's own order.
type ListOptions struct {
	// Keyword is searched by the API, in what the area's method names.
	Keyword string
	// Sort is one of the area's keys; a leading "-" reverses the order.
	Sort string
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

// identified is a pointer to an object of a list.
type identified[T any] interface {
	*T
	check() error
	id() string
}

// page is the envelope of a list. The API's pages show a bare {"data": […]};
// what says that there is more comes in the forms that its error format
// suggests, and none of it need be there. It is decoded in one step, unlike a
// lone object: two would cost a list of thousands twice the time, for a "data"
// that no server sends twice.
type page[T any] struct {
	Data *[]T `json:"data"`

	// Links is an object with "next", or an array that says nothing useful.
	Links json.RawMessage `json:"links"`
	// Meta is an object with a position, or says nothing useful.
	Meta json.RawMessage `json:"meta"`

	NextPageURL *string `json:"next_page_url"`
	CurrentPage *int64  `json:"current_page"`
	LastPage    *int64  `json:"last_page"`
}

// position is where a page is in its list.
type position struct {
	CurrentPage *int64 `json:"current_page"`
	LastPage    *int64 `json:"last_page"`
}

// readList reads all pages of a list. An object that moves from page to page while
// they are read appears once, where it was first.
func readList[T any, P identified[T]](ctx context.Context, c *Client, query url.Values, path ...string) ([]T, error) {
	return shared(ctx, c, query, path, func(ctx context.Context, target *url.URL) ([]T, error) {
		var all []T
		seen := map[string]bool{}
		asked := map[string]bool{}
		for next := *target; ; {
			var current page[T]
			_, err := c.do(ctx, request{method: http.MethodGet, url: &next, limit: maxPageBytes}, func(body []byte) (err error) {
				current, err = decodePage[T, P](body)
				if err == nil {
					err = bounds(len(all)+len(*current.Data), len(asked)+1)
				}
				return err
			})
			var apiError *APIError
			if errors.As(err, &apiError) && apiError.TooLarge() {
				apiError.Err = &tooLongError{fmt.Sprintf("a page of the list is larger than %d MiB", maxPageBytes>>20)}
			}
			if err != nil {
				return nil, err
			}
			if all == nil {
				all = make([]T, 0, len(*current.Data))
			}
			for _, object := range *current.Data {
				if id := P(&object).id(); !seen[id] {
					seen[id] = true
					all = append(all, object)
				}
			}

			name, value, err := current.next()
			if err == nil && asked[name+value] {
				err = errors.New("the list has a page that leads back to an earlier one")
			}
			if err != nil {
				return nil, c.failed(&APIError{Status: http.StatusOK, Err: err}, http.MethodGet, &next)
			}
			if name == "" {
				return all, nil
			}
			asked[name+value] = true
			pageQuery := next.Query()
			pageQuery.Del("page")
			pageQuery.Del("cursor")
			pageQuery.Set(name, value)
			next.RawQuery = encodeQuery(pageQuery)
		}
	})
}

// tooLongError is the end of a list that is longer than what is read of one.
type tooLongError struct{ text string }

func (e *tooLongError) Error() string { return e.text }

func decodePage[T any, P identified[T]](body []byte) (page[T], error) {
	var current page[T]
	if err := unmarshal(body, "", &current); err != nil {
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

func bounds(objects, pages int) error {
	switch {
	case objects > maxListed:
		return &tooLongError{fmt.Sprintf("the list has more than %d objects", maxListed)}
	case pages > maxPages:
		return &tooLongError{fmt.Sprintf("the list has more than %d pages", maxPages)}
	}
	return nil
}

// next is the parameter of the query that asks for the page after this one; ""
// where this is the last. Of a URL for the next page only that parameter is
// taken: its host, scheme and path may be those of a machine behind a proxy, and
// the token must not follow it anywhere.
func (p page[T]) next() (name, value string, err error) {
	var links struct {
		Next *string `json:"next"`
	}
	if bytes.HasPrefix(p.Links, []byte("{")) { // an array has no next
		if err := unmarshal(p.Links, "links", &links); err != nil {
			return "", "", err
		}
	}
	for _, text := range []*string{links.Next, p.NextPageURL} {
		if text == nil || *text == "" {
			continue
		}
		parsed, err := url.Parse(*text)
		if err != nil {
			return "", "", errors.New("the list's link to its next page is not a URL")
		}
		for _, name := range []string{"page", "cursor"} {
			if value := parsed.Query().Get(name); value != "" {
				return name, value, nil
			}
		}
		return "", "", errors.New("the list's link to its next page names no page")
	}
	var meta position
	if bytes.HasPrefix(p.Meta, []byte("{")) {
		if err := unmarshal(p.Meta, "meta", &meta); err != nil {
			return "", "", err
		}
	}
	for _, at := range []position{meta, {p.CurrentPage, p.LastPage}} {
		if at.CurrentPage != nil && at.LastPage != nil && *at.CurrentPage < *at.LastPage {
			return "page", strconv.FormatInt(*at.CurrentPage+1, 10), nil
		}
	}
	return "", "", nil
}
