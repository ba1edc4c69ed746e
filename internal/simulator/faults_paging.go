package simulator

import (
	"context"
	"net/http"
)

// pageChange is a change to a list while a client reads its pages.
type pageChange struct {
	arrival bool // an object arrived after the first page was read
	swap    bool // the order changed after the first page was read
}

type pageChangeKey struct{}

// changePages passes change to the real handler, which knows the style of the page. It
// has no effect if lists do not come in pages.
func changePages(change pageChange) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), pageChangeKey{}, change)))
	}
}

func changeOf(r *http.Request) pageChange {
	change, _ := r.Context().Value(pageChangeKey{}).(pageChange)
	return change
}

// ShiftedPages adds an object at the head of the list after its first page was read:
// each further page begins with the last object of the page before. Real pages with
// cursors do not shift, but clients must not depend on that.
func ShiftedPages() Fault {
	return changePages(pageChange{arrival: true})
}

// LosingPages changes the order after the first page was read: the second page begins
// with the first page's last object, instead of one that is now on no page. The total is
// that of the whole list. Databases do this if a sort leaves the order of equal rows
// open.
func LosingPages() Fault {
	return changePages(pageChange{swap: true})
}
