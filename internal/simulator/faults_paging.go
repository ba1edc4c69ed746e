package simulator

import (
	"context"
	"net/http"
)

// pageChange is what goes wrong with the pages of a list.
type pageChange struct {
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
