package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// The objects of the API. Keys are in alphabetical order, so that an object with
// overrides, which is a map, is encoded in the same order.

type fileObject struct {
	CreatedAt              string        `json:"created_at"`
	CreatedBy              *personObject `json:"created_by"`
	Disk                   string        `json:"disk"`
	EncryptedSize          int64         `json:"encrypted_size"`
	Extension              string        `json:"extension"`
	Filename               string        `json:"filename"`
	FormattedEncryptedSize string        `json:"formatted_encrypted_size"`
	FormattedSize          string        `json:"formatted_size"`
	FullFilename           string        `json:"full_filename"`
	ID                     string        `json:"id"`
	Size                   int64         `json:"size"`
	Trashed                bool          `json:"trashed"`
	Type                   *string       `json:"type"`
}

type personObject struct {
	Email    string `json:"email"`
	Initials string `json:"initials"`
	Name     string `json:"name"`
	PhotoURL string `json:"photo_url"`
	Timezone string `json:"timezone"`
}

type inboxMailObject struct {
	Body       *string       `json:"body"`
	Download   any           `json:"download,omitempty"` // see renderMailDownload
	ID         string        `json:"id"`
	Identifier *string       `json:"identifier"`
	Opened     bool          `json:"opened"`
	ReceivedAt string        `json:"received_at"`
	Sender     *senderObject `json:"sender"`
	Subject    *string       `json:"subject"`
}

type mailObject struct {
	Body           *string       `json:"body"`
	CreatedAt      string        `json:"created_at"`
	Download       any           `json:"download,omitempty"` // see renderMailDownload
	ID             string        `json:"id"`
	Identifier     *string       `json:"identifier"`
	OpenedAt       string        `json:"opened_at"`
	Recipient      *personObject `json:"recipient"`
	RecipientEmail *string       `json:"recipient_email"`
	Sender         *senderObject `json:"sender"`
	SentAt         string        `json:"sent_at"`
	Status         *string       `json:"status"`
	Subject        *string       `json:"subject"`
}

type senderObject struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

type mailDownloadObject struct {
	CreatedAt string `json:"created_at"`
	Files     []any  `json:"files,omitzero"`
	ID        string `json:"id"`
}

func renderFile(f *File) any {
	return override(fileObject{
		ID:                     f.ID,
		Filename:               f.Filename,
		Type:                   f.Type,
		Extension:              f.Extension,
		FullFilename:           f.FullFilename,
		Size:                   f.Size,
		FormattedSize:          f.FormattedSize,
		EncryptedSize:          f.EncryptedSize,
		FormattedEncryptedSize: f.FormattedEncryptedSize,
		CreatedBy:              renderPerson(f.CreatedBy),
		CreatedAt:              f.CreatedAt,
		Disk:                   f.Disk,
		Trashed:                f.Trashed,
	}, f.Extra, f.Omit)
}

// renderFiles renders the files in the given order. It never returns nil: an empty list
// is [], neither null nor missing.
func (s *Server) renderFiles(ids []string) []any {
	objects := make([]any, 0, len(ids))
	for _, id := range ids {
		f := s.file(id)
		objects = append(objects, renderFile(&f))
	}
	return objects
}

// file returns an uploaded or received file.
func (s *Server) file(id string) File {
	if f, ok := s.files[id]; ok {
		return f
	}
	return s.received[id]
}

func (s *Server) renderInboxMail(m *InboxMail, included []string) any {
	return override(inboxMailObject{
		ID:         m.ID,
		Identifier: m.Identifier,
		Subject:    m.Subject,
		Body:       m.Body,
		Sender:     renderSender(m.Sender),
		Download:   s.renderMailDownload(m.Download, included),
		ReceivedAt: m.ReceivedAt,
		Opened:     m.Opened,
	}, m.Extra, m.Omit, hidden(included)...)
}

func (s *Server) renderMail(m *Mail, included []string) any {
	return override(mailObject{
		ID:             m.ID,
		Identifier:     m.Identifier,
		Subject:        m.Subject,
		Body:           m.Body,
		Sender:         renderSender(m.Sender),
		Recipient:      renderPerson(m.Recipient),
		RecipientEmail: m.RecipientEmail,
		CreatedAt:      m.CreatedAt,
		SentAt:         m.SentAt,
		Status:         m.Status,
		OpenedAt:       m.OpenedAt,
		Download:       s.renderMailDownload(m.Download, included),
	}, m.Extra, m.Omit, hidden(included)...)
}

// renderMailDownload returns nil for a download that is not included, which omits its
// key, and JSON null if the mail has no download.
func (s *Server) renderMailDownload(d *MailDownload, included []string) any {
	if !slices.Contains(included, "download") {
		return nil
	}
	if d == nil {
		return json.RawMessage("null")
	}
	object := mailDownloadObject{ID: d.ID, CreatedAt: d.CreatedAt}
	if slices.Contains(included, "download.files") {
		object.Files = s.renderFiles(d.FileIDs)
	}
	return object
}

func renderSender(s *Sender) *senderObject {
	if s == nil {
		return nil
	}
	return &senderObject{Name: s.Name, Email: s.Email}
}

func renderPerson(p *Person) *personObject {
	if p == nil {
		return nil
	}
	return &personObject{Name: p.Name, Initials: p.Initials, Email: p.Email, PhotoURL: p.PhotoURL, Timezone: p.Timezone}
}

// override applies extra and omit to an object, to express what its type cannot: another
// JSON type, an unknown key, a missing one. It never shows a hidden key.
func override(object any, extra map[string]json.RawMessage, omit []string, hidden ...string) any {
	if len(extra) == 0 && len(omit) == 0 {
		return object
	}
	keys := keysOf(object)
	for key, value := range extra {
		keys[key] = value
	}
	for _, key := range slices.Concat(omit, hidden) {
		delete(keys, key)
	}
	return keys
}

// hidden returns the keys that a mail must not show: the download, unless it is
// included.
func hidden(included []string) []string {
	if slices.Contains(included, "download") {
		return nil
	}
	return []string{"download"}
}

// keysOf returns the keys and values of an object.
func keysOf(object any) map[string]json.RawMessage {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(encodeJSON(object), &keys); err != nil {
		panic(fmt.Sprintf("simulator: an object is no JSON object: %v", err))
	}
	return keys
}

// encodeJSON encodes a value without escaping HTML, as in the documentation.
func encodeJSON(value any) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("simulator: the data set holds a value that is not JSON: %v", err))
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n"))
}
