package simulator

import (
	"net/http"
	"strings"
)

// showMail handles GET /api/mails/{id}.
func (s *Server) showMail(w http.ResponseWriter, r *http.Request, id string) {
	query, problem := parameters(r, "include")
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	included, problem := includes(query, mailIncludes...)
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	mail, ok := s.mails[id]
	if !ok {
		notFound(w, r, "Mail", id)
		return
	}
	writeData(w, http.StatusOK, s.renderMail(&mail, included))
}

// listMails handles GET /api/mails.
func (s *Server) listMails(w http.ResponseWriter, r *http.Request, _ string) {
	serveList(s, w, r, list[Mail]{
		items:    s.options.Data.Mails,
		includes: mailIncludes,
		sorts: []sorting[Mail]{
			{"subject", func(a, b *Mail) int { return compareText(a.Subject, b.Subject) }},
			{"recipient_email", func(a, b *Mail) int { return compareText(a.RecipientEmail, b.RecipientEmail) }},
			{"created_at", func(a, b *Mail) int { return strings.Compare(a.CreatedAt, b.CreatedAt) }},
			{"sent_at", func(a, b *Mail) int { return strings.Compare(a.SentAt, b.SentAt) }},
		},
		searched: func(m *Mail) []*string {
			values := []*string{m.Identifier, m.Subject, m.RecipientEmail}
			if m.Recipient != nil {
				values = append(values, &m.Recipient.Name)
			}
			if m.Sender != nil {
				values = append(values, &m.Sender.Name)
			}
			return values
		},
		render: s.renderMail,
	})
}
