package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// showInboxMail is GET /api/inbox/{id}.
func (s *Server) showInboxMail(w http.ResponseWriter, r *http.Request, id string) {
	query, problem := parameters(r, "include")
	if problem != "" {
		refuse(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	included, problem := includes(query, "download", "download.files")
	if problem != "" {
		refuse(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	mail, ok := s.mails[id]
	if !ok {
		notFound(w, r, "InboxMail", id)
		return
	}
	writeData(w, http.StatusOK, s.renderInboxMail(mail, included))
}

// includes splits the include parameter, or says what is wrong with it: an
// empty list, an unknown or a repeated value, and a nested value without its
// parent. The documentation shows none of them, so no client may lean on them.
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

func (s *Server) renderInboxMail(m InboxMail, included []string) map[string]any {
	object := map[string]any{
		"id":          m.ID,
		"identifier":  m.Identifier,
		"subject":     m.Subject,
		"body":        m.Body,
		"sender":      nil,
		"download":    nil,
		"received_at": m.ReceivedAt,
		"opened":      m.Opened,
	}
	if m.Sender != nil {
		object["sender"] = map[string]any{"name": m.Sender.Name, "email": m.Sender.Email}
	}
	if m.Download != nil {
		download := map[string]any{"id": m.Download.ID, "created_at": m.Download.CreatedAt}
		if slices.Contains(included, "download.files") {
			download["files"] = s.renderFiles(m.Download.FileIDs)
		}
		object["download"] = download
	}
	override(object, m.Extra, m.Omit)
	// Last of all, so that no override shows what was not asked for.
	if !slices.Contains(included, "download") {
		delete(object, "download")
	}
	return object
}

// renderFiles returns the files in the given order, and never nil: an empty
// list is [], not null.
func (s *Server) renderFiles(ids []string) []map[string]any {
	objects := make([]map[string]any, 0, len(ids))
	for _, id := range ids {
		objects = append(objects, renderFile(s.files[id]))
	}
	return objects
}

func renderFile(f File) map[string]any {
	object := map[string]any{
		"id":                       f.ID,
		"filename":                 f.Filename,
		"type":                     f.Type,
		"extension":                f.Extension,
		"full_filename":            f.FullFilename,
		"size":                     f.Size,
		"formatted_size":           f.FormattedSize,
		"encrypted_size":           f.EncryptedSize,
		"formatted_encrypted_size": f.FormattedEncryptedSize,
		"created_by":               nil,
		"created_at":               f.CreatedAt,
		"disk":                     f.Disk,
		"trashed":                  f.Trashed,
	}
	if p := f.CreatedBy; p != nil {
		object["created_by"] = map[string]any{
			"name":      p.Name,
			"initials":  p.Initials,
			"email":     p.Email,
			"photo_url": p.PhotoURL,
			"timezone":  p.Timezone,
		}
	}
	override(object, f.Extra, f.Omit)
	return object
}

// override lets the data set say what its types cannot: another JSON type, an
// unknown key, a missing one.
func override(object map[string]any, extra map[string]json.RawMessage, omit []string) {
	for key, value := range extra {
		object[key] = value
	}
	for _, key := range omit {
		delete(object, key)
	}
}
