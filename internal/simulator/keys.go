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

// keyLifetime is the lifetime of a temporary key. The API's pages name none for a public
// key; here it can be used as long as its download.
const keyLifetime = time.Hour

// KeyRecord is the record of a temporary key created with POST /keys.
type KeyRecord struct {
	Key       string
	CreatedAt time.Time
	State     State
}

// DownloadKeyRecord is the record of a public key created with
// POST /downloads/{id}/keys.
type DownloadKeyRecord struct {
	Key        string
	DownloadID string
}

// TemporaryKeys returns the records of all created temporary keys in their current
// state, oldest first.
func (s *Server) TemporaryKeys() []KeyRecord {
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireKeys(now)
	return slices.Clone(s.temporaryKeys)
}

// DownloadKeys returns the records of all created public keys, oldest first.
func (s *Server) DownloadKeys() []DownloadKeyRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.downloadKeys)
}

// createTemporaryKey handles POST /api/keys.
func (s *Server) createTemporaryKey(w http.ResponseWriter, r *http.Request, _ string) {
	pin, ok := textInput(w, r, "pin", "pin")
	if !ok {
		return
	}
	// An empty PIN never gets here, so an empty option rejects every PIN.
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

// deleteTemporaryKey handles DELETE /api/keys/{key}.
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

// createDownloadKey handles POST /api/downloads/{id}/keys. Laravel looks up the object
// of a route before it checks the input.
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
		// The wording is the API's.
		writeInvalid(w, r, map[string][]string{"pinKey": {"Pin key does not exists"}})
		return
	}
	writeData(w, http.StatusCreated, map[string]any{"key": key})
}

// addDownloadKey creates a public key if the temporary key is live.
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

// liveKey returns a temporary key that can be used, or nil. The caller must hold mu.
func (s *Server) liveKey(key string, now time.Time) *KeyRecord {
	s.expireKeys(now)
	for i := range s.temporaryKeys {
		if k := &s.temporaryKeys[i]; k.Key == key && k.State == Live {
			return k
		}
	}
	return nil
}

// expireKeys marks the temporary keys that have expired. The caller must hold mu.
func (s *Server) expireKeys(now time.Time) {
	for i := range s.temporaryKeys {
		if k := &s.temporaryKeys[i]; k.State == Live && !now.Before(k.CreatedAt.Add(keyLifetime)) {
			k.State = Expired
		}
	}
}

// textInput returns the only field of the input, or responds with the problem. name is
// the field in Laravel's message.
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

// keyText returns 32 letters and digits, like the keys in the documentation. As with
// downloadID, no client can guess it, but it is the same in every run.
func keyText(kind string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "simulated %s key %d", kind, n))
	return new(big.Int).SetBytes(sum[:]).Text(62)[:32]
}
