package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// State is where a download is in its life.
type State string

// The states of a download. Only a live one can be performed.
const (
	Live      State = "live"
	Performed State = "performed"
	Expired   State = "expired"
)

// DownloadRecord is what became of a download made with POST /downloads.
// The API forgets a download once it is used or over; a test must still be
// able to ask.
type DownloadRecord struct {
	ID        string
	FileIDs   []string
	CreatedAt time.Time
	State     State
}

type download struct {
	id        string
	fileIDs   []string
	createdAt time.Time
	performed bool
}

func (d *download) state(now time.Time, lifetime time.Duration) State {
	if d.performed {
		return Performed
	}
	if !now.Before(d.createdAt.Add(lifetime)) {
		return Expired
	}
	return Live
}

// Downloads returns every download made, the oldest first, as it stands now.
func (s *Server) Downloads() []DownloadRecord {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	records := make([]DownloadRecord, 0, len(s.downloads))
	for _, d := range s.downloads {
		records = append(records, DownloadRecord{
			ID:        d.id,
			FileIDs:   slices.Clone(d.fileIDs),
			CreatedAt: d.createdAt,
			State:     d.state(now, s.options.Lifetime),
		})
	}
	return records
}

// createDownload is POST /api/downloads.
func (s *Server) createDownload(w http.ResponseWriter, r *http.Request, _ string) {
	if _, problem := parameters(r); problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	input := jsonInput(r)
	for _, name := range slices.Sorted(maps.Keys(input)) {
		// As strict, and for the same reason, as with query parameters.
		if name != "files" {
			writeError(w, r, http.StatusBadRequest, fmt.Sprintf("Unknown field `%s`.", name), nil)
			return
		}
	}
	fileIDs, invalid := s.validateFiles(input["files"])
	if invalid != nil {
		writeError(w, r, http.StatusUnprocessableEntity, "The given data was invalid.", invalid)
		return
	}
	d := s.addDownload(fileIDs)
	writeData(w, http.StatusCreated, map[string]any{
		"id":         d.id,
		"files":      s.renderFiles(d.fileIDs),
		"created_at": d.createdAt.UTC().Format(timeLayout),
	})
}

// jsonInput reads a JSON object. Anything else, and a body that is not called
// JSON, is no input at all to Laravel, which then misses the required field.
func jsonInput(r *http.Request) map[string]json.RawMessage {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	// PHP rejects invalid UTF-8, which encoding/json would repair.
	if err != nil || !utf8.Valid(body) {
		return nil
	}
	var input map[string]json.RawMessage
	if json.Unmarshal(body, &input) != nil {
		return nil
	}
	return input
}

// validateFiles returns either the ids or the errors by field.
func (s *Server) validateFiles(raw json.RawMessage) (ids []string, invalid map[string][]string) {
	var elements []json.RawMessage
	if raw == nil || json.Unmarshal(raw, &elements) != nil || len(elements) == 0 {
		return nil, map[string][]string{"files": {"The files field is required."}}
	}
	for i, element := range elements {
		var id string
		err := json.Unmarshal(element, &id)
		if _, known := s.files[id]; err == nil && known {
			ids = append(ids, id)
			continue
		}
		if invalid == nil {
			invalid = map[string][]string{}
		}
		field := fmt.Sprintf("files.%d", i)
		invalid[field] = []string{fmt.Sprintf("The selected %s is invalid.", field)}
	}
	return ids, invalid
}

func (s *Server) addDownload(fileIDs []string) *download {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &download{id: downloadID(len(s.downloads)), fileIDs: fileIDs, createdAt: now}
	s.downloads = append(s.downloads, d)
	return d
}

// downloadID is shaped like a random UUID, so that no client can guess the
// next one and a search for it in a state file has no false hits, yet it is
// the same in every run.
func downloadID(n int) string {
	id := sha256.Sum256(fmt.Appendf(nil, "simulated download %d", n))
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// takeDownload performs a live download: from here on it cannot be found.
func (s *Server) takeDownload(id string) (fileIDs []string, ok bool) {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.downloads {
		if d.id == id && d.state(now, s.options.Lifetime) == Live {
			d.performed = true
			return d.fileIDs, true
		}
	}
	return nil, false
}
