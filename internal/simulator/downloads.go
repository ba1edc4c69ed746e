package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// State is the state of a download or a temporary key.
type State string

// The states. Only a live download can be performed, and only a live key used.
const (
	Live      State = "live"
	Performed State = "performed" // downloads only
	Deleted   State = "deleted"   // temporary keys only
	Expired   State = "expired"
)

// DownloadRecord is the record of a download created with POST /downloads. The API
// forgets a download once it is used or expired, but tests must still see it.
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

// Downloads returns the records of all created downloads in their current state, oldest
// first.
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

// createDownload handles POST /api/downloads.
func (s *Server) createDownload(w http.ResponseWriter, r *http.Request, _ string) {
	raw, problem := input(r, "files")
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	fileIDs, invalid := s.validateFiles(raw)
	if invalid != nil {
		writeInvalid(w, r, invalid)
		return
	}
	d := s.addDownload(fileIDs)
	writeData(w, http.StatusCreated, map[string]any{
		"id":         d.id,
		"files":      s.renderFiles(d.fileIDs),
		"created_at": d.createdAt.UTC().Format(timeLayout),
	})
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
		if _, uploaded := s.files[id]; err == nil && uploaded {
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

// downloadID returns the id of the nth download. It looks like a random UUID, so that no
// client can guess the next one and a search in a state file has no false hits, but it
// is the same in every run.
func downloadID(n int) string {
	id := sha256.Sum256(fmt.Appendf(nil, "simulated download %d", n))
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// perform performs the download of a public key. It uses up a download created with
// POST /downloads.
func (s *Server) perform(key string) (fileIDs []string, ok bool) {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.downloadKeys, func(made DownloadKeyRecord) bool { return made.Key == key })
	if i < 0 {
		return nil, false
	}
	d := s.find(s.downloadKeys[i].DownloadID, now)
	if d == nil {
		return nil, false
	}
	d.performed = true
	return d.fileIDs, true
}

// performable reports whether a download can be performed.
func (s *Server) performable(id string) bool {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(id, now) != nil
}

// find returns a download that can be performed, or nil. It finds live downloads and
// those of mails in the inbox: no page says that the latter are for a single use, or how
// long they live. It does not find downloads of sent mails, because no page says that
// they can be performed. The caller must hold mu.
func (s *Server) find(id string, now time.Time) *download {
	for _, d := range s.downloads {
		if d.id == id && d.state(now, s.options.Lifetime) == Live {
			return d
		}
	}
	return s.mailDownloads[id]
}
