package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// pageChange is what goes wrong with the pages of a list.
type pageChange struct {
	loop    bool // the next page is the page itself
	endless bool // there is always a next page
	fresh   bool // no object is like one of another page
	arrival bool // an object arrived after the first page was read
	swap    bool // the order changed after the first page was read
}

type pageChangeKey struct{}

// changePages leaves a note for the real handler, which knows the page's style.
// Where lists do not come in pages, nothing changes.
func changePages(change pageChange) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), pageChangeKey{}, change)))
	}
}

func changeOf(r *http.Request) pageChange {
	change, _ := r.Context().Value(pageChangeKey{}).(pageChange)
	return change
}

// LoopingPage makes the next page of a page the page itself: an application
// that ignores the parameter which selects a page.
func LoopingPage() Fault {
	return changePages(pageChange{loop: true})
}

// EndlessPages makes every page the next-to-last one. Its objects are those of
// the real list, with ids that no other page has: a list that grows faster than
// it is read, or a hostile server that wants the client's memory.
func EndlessPages() Fault {
	return changePages(pageChange{endless: true, fresh: true})
}

// RepeatingPages is EndlessPages with the real list's own ids over and over: a
// client that counts only objects which are new to it would never end.
func RepeatingPages() Fault {
	return changePages(pageChange{endless: true})
}

// ShiftedPages lets an object arrive at the head of the list once its first
// page has been read: each further page begins with the last object of the page
// before. With cursors, real pages do not shift; a client must not care.
func ShiftedPages() Fault {
	return changePages(pageChange{arrival: true})
}

// LosingPages changes the order after the first page: its last object is also
// the second page's first, in place of one that is on no page, and the total is
// that of the whole list. Databases do so where a sort leaves equal rows in any
// order.
func LosingPages() Fault {
	return changePages(pageChange{swap: true})
}

// OnPage lets only one page of a list meet the fault, counted from 1, in every
// style. The other pages are served as usual.
func OnPage(number int, f Fault) Fault {
	return When(func(r *http.Request) bool {
		requested, problem := requestedPage(r, pageQuery(r))
		return problem == "" && requested == number
	}, f)
}

// pageQuery is the part of the query that selects a page.
func pageQuery(r *http.Request) map[string]string {
	values := map[string]string{}
	for _, name := range []string{"page", "page[number]", "cursor"} {
		if query := r.URL.Query(); query.Has(name) {
			values[name] = query.Get(name)
		}
	}
	return values
}

// rename makes a page's objects others than those of any other page.
func rename(objects []any, number int) {
	for i, object := range objects {
		keys := keysOf(object)
		var id string
		if json.Unmarshal(keys["id"], &id) == nil {
			keys["id"] = encodeJSON(fmt.Sprintf("%s-%d", id, number))
		}
		objects[i] = keys
	}
}
