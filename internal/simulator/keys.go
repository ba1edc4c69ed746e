package simulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"
)

// keyLifetime is how long a temporary key lives. A public key has no life of its
// own in the API's pages: here it is as good as its download.
const keyLifetime = time.Hour

// KeyRecord is what became of a temporary key made with POST /keys.
type KeyRecord struct {
	Key       string
	CreatedAt time.Time
	State     State
}

// DownloadKeyRecord is a public key made with POST /downloads/{id}/keys.
type DownloadKeyRecord struct {
	Key        string
	DownloadID string
}

// TemporaryKeys returns every temporary key made, the oldest first, as it
// stands now.
func (s *Server) TemporaryKeys() []KeyRecord {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireKeys(now)
	return slices.Clone(s.temporaryKeys)
}

// DownloadKeys returns every public key of a download made, the oldest first.
func (s *Server) DownloadKeys() []DownloadKeyRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.downloadKeys)
}

// createTemporaryKey is POST /api/keys.
func (s *Server) createTemporaryKey(w http.ResponseWriter, r *http.Request, _ string) {
	pin, ok := textInput(w, r, "pin", "pin")
	if !ok {
		return
	}
	// An empty one never gets here, so an empty option rejects every PIN.
	if pin != s.options.PIN {
		writeInvalid(w, r, map[string][]string{"pin": {"Invalid PIN."}})
		return
	}
	key := s.addTemporaryKey()
	writeData(w, http.StatusCreated, map[string]any{
		"key":        key.Key,
		"expires_at": key.CreatedAt.Add(keyLifetime).UTC().Format(timeLayout),
	})
}

func (s *Server) addTemporaryKey() KeyRecord {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	key := KeyRecord{Key: keyText("temporary", len(s.temporaryKeys)), CreatedAt: now, State: Live}
	s.temporaryKeys = append(s.temporaryKeys, key)
	return key
}

// deleteTemporaryKey is DELETE /api/keys/{key}.
func (s *Server) deleteTemporaryKey(w http.ResponseWriter, r *http.Request, key string) {
	if _, problem := parameters(r); problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	if !s.endTemporaryKey(key) {
		notFound(w, r, "Key", key)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) endTemporaryKey(key string) (ok bool) {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	live := s.liveKey(key, now)
	if live != nil {
		live.State = Deleted
	}
	return live != nil
}

// createDownloadKey is POST /api/downloads/{id}/keys. Laravel looks for the
// object in a route before it looks at the input.
func (s *Server) createDownloadKey(w http.ResponseWriter, r *http.Request, id string) {
	if !s.performable(id) {
		notFound(w, r, "Download", id)
		return
	}
	temporary, ok := textInput(w, r, "pinKey", "pin key")
	if !ok {
		return
	}
	key, ok := s.addDownloadKey(id, temporary)
	if !ok {
		// The grammar is the API's.
		writeInvalid(w, r, map[string][]string{"pinKey": {"Pin key does not exists"}})
		return
	}
	writeData(w, http.StatusCreated, map[string]any{"key": key})
}

// addDownloadKey needs a live temporary key.
func (s *Server) addDownloadKey(downloadID, temporary string) (key string, ok bool) {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.liveKey(temporary, now) == nil {
		return "", false
	}
	key = keyText("download", len(s.downloadKeys))
	s.downloadKeys = append(s.downloadKeys, DownloadKeyRecord{Key: key, DownloadID: downloadID})
	return key, true
}

// liveKey returns a temporary key that can be used, nil if there is none. The
// caller holds mu.
func (s *Server) liveKey(key string, now time.Time) *KeyRecord {
	s.expireKeys(now)
	for i := range s.temporaryKeys {
		if k := &s.temporaryKeys[i]; k.Key == key && k.State == Live {
			return k
		}
	}
	return nil
}

// expireKeys ends the temporary keys whose time is over. The caller holds mu.
func (s *Server) expireKeys(now time.Time) {
	for i := range s.temporaryKeys {
		if k := &s.temporaryKeys[i]; k.State == Live && !now.Before(k.CreatedAt.Add(keyLifetime)) {
			k.State = Expired
		}
	}
}

// textInput returns the one field of the input, or responds with what is wrong.
// The name is what Laravel's message calls the field.
func textInput(w http.ResponseWriter, r *http.Request, field, name string) (value string, ok bool) {
	raw, problem := input(r, field)
	if problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return "", false
	}
	if json.Unmarshal(raw, &value) != nil || value == "" {
		writeInvalid(w, r, map[string][]string{field: {fmt.Sprintf("The %s field is required.", name)}})
		return "", false
	}
	return value, true
}

// keyText is 32 letters and digits, as the keys in the documentation are. As
// with downloadID, no client can guess it, and it is the same in every run.
func keyText(kind string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "simulated %s key %d", kind, n))
	return new(big.Int).SetBytes(sum[:]).Text(62)[:32]
}
