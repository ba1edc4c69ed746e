package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// list describes a list of the API. It shows objects as the routes for single objects
// do, including the bodies of mails, because the documentation shows no difference.
// Clients must leave out what they must not keep.
type list[T any] struct {
	items    []T
	includes []string
	sorts    []sorting[T]
	// searched returns the values to search for the keyword; nil is null.
	searched func(*T) []*string
	render   func(*T, []string) any
}

// sorting is a value of the sort parameter.
type sorting[T any] struct {
	name    string
	compare func(a, b *T) int
}

func serveList[T any](s *Server, w http.ResponseWriter, r *http.Request, l list[T]) {
	allowed := []string{"include", "sort", "keyword"}
	if s.options.PageSize > 0 {
		allowed = append(allowed, s.options.PageStyle.parameter())
	}
	query, problem := parameters(r, allowed...)
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	included, problem := includes(query, l.includes...)
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	selected, problem := l.selected(query)
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	if s.options.PageSize <= 0 {
		writeData(w, http.StatusOK, l.rendered(selected, included))
		return
	}
	number, problem := requestedPage(r, query)
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	change := changeOf(r)
	if change.arrival && number > 1 && len(selected) > 0 {
		// The new object is on the first page, so any object can stand for it.
		selected = slices.Insert(selected, 0, selected[0])
	}
	if size := s.options.PageSize; change.swap && number > 1 && len(selected) > size {
		selected[size-1], selected[size] = selected[size], selected[size-1]
	}
	p := newPage(number, s.options.PageSize, len(selected))
	writeJSON(w, http.StatusOK, s.renderPage(r, p, l.rendered(selected[p.start:p.end], included)))
}

// selected returns the items that match the keyword, in the requested order, or the
// problem with the parameters.
func (l list[T]) selected(query map[string]string) (selected []*T, problem string) {
	selected = make([]*T, len(l.items))
	for i := range l.items {
		selected[i] = &l.items[i]
	}
	// Laravel turns an empty or blank keyword into null, which matches everything. A
	// client that sends one has a bug.
	if keyword, ok := query["keyword"]; ok {
		if strings.TrimSpace(keyword) == "" {
			return nil, "The keyword is empty."
		}
		selected = l.search(selected, strings.ToLower(keyword))
	}
	if name, ok := query["sort"]; ok {
		if problem := l.sort(selected, name); problem != "" {
			return nil, problem
		}
	}
	return selected, ""
}

func (l list[T]) search(items []*T, keyword string) []*T {
	return slices.DeleteFunc(items, func(item *T) bool {
		return !slices.ContainsFunc(l.searched(item), func(value *string) bool {
			return value != nil && strings.Contains(strings.ToLower(*value), keyword)
		})
	})
}

// sort sorts the items by one key. As with includes, several keys, an unknown one or an
// empty one are a problem. Equal items stay in the order of the data, even if the sort
// is reversed.
func (l list[T]) sort(items []*T, name string) (problem string) {
	key, reversed := strings.CutPrefix(name, "-")
	names := make([]string, 0, len(l.sorts))
	for _, by := range l.sorts {
		if by.name != key {
			names = append(names, by.name)
			continue
		}
		slices.SortStableFunc(items, func(a, b *T) int {
			if reversed {
				a, b = b, a
			}
			return by.compare(a, b)
		})
		return ""
	}
	return fmt.Sprintf("Requested sort(s) `%s` is not allowed. Allowed sort(s) are `%s`.", key, strings.Join(names, ", "))
}

// rendered renders the items. It never returns nil: an empty list is [], not null.
func (l list[T]) rendered(items []*T, included []string) []any {
	objects := make([]any, 0, len(items))
	for _, item := range items {
		objects = append(objects, l.render(item, included))
	}
	return objects
}

// compareText compares bytes and puts null first, as databases do.
func compareText(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return strings.Compare(*a, *b)
}
