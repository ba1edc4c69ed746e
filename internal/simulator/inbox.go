package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// mailIncludes are the values of include for lists of mails and for a sent mail. The
// page of an inbox mail shows no author, and no page shows what an author adds.
var mailIncludes = []string{"download", "download.files", "author"}

// showInboxMail handles GET /api/inbox/{id}.
func (s *Server) showInboxMail(w http.ResponseWriter, r *http.Request, id string) {
	query, problem := parameters(r, "include")
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	included, problem := includes(query, "download", "download.files")
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	mail, ok := s.inbox[id]
	if !ok {
		notFound(w, r, "InboxMail", id)
		return
	}
	writeData(w, http.StatusOK, s.renderInboxMail(&mail, included))
}

// includes splits the include parameter, or returns the problem with it: an empty list,
// an unknown or repeated value, or a nested value without its parent. The documentation
// shows none of these, so no client may rely on them.
func includes(query map[string]string, allowed ...string) (included []string, problem string) {
	list, ok := query["include"]
	if !ok {
		return nil, ""
	}
	included = strings.Split(list, ",")
	for i, value := range included {
		if !slices.Contains(allowed, value) {
			return nil, fmt.Sprintf("Requested include(s) `%s` are not allowed. Allowed include(s) are `%s`.",
				value, strings.Join(allowed, ", "))
		}
		if slices.Contains(included[:i], value) {
			return nil, fmt.Sprintf("Requested include(s) `%s` are repeated.", value)
		}
		parent, _, nested := strings.Cut(value, ".")
		if nested && !slices.Contains(included, parent) {
			return nil, fmt.Sprintf("Requested include(s) `%s` need `%s`.", value, parent)
		}
	}
	return included, ""
}

// listInboxMails handles GET /api/inbox.
func (s *Server) listInboxMails(w http.ResponseWriter, r *http.Request, _ string) {
	serveList(s, w, r, list[InboxMail]{
		items:    s.options.Data.InboxMails,
		includes: mailIncludes,
		sorts: []sorting[InboxMail]{
			{"subject", func(a, b *InboxMail) int { return compareText(a.Subject, b.Subject) }},
			{"created_by_email", func(a, b *InboxMail) int { return compareText(a.Sender.email(), b.Sender.email()) }},
			{"received_at", func(a, b *InboxMail) int { return strings.Compare(a.ReceivedAt, b.ReceivedAt) }},
		},
		searched: func(m *InboxMail) []*string {
			return []*string{m.Identifier, m.Subject, m.Sender.email(), m.Sender.name()}
		},
		render: s.renderInboxMail,
	})
}
