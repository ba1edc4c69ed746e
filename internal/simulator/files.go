package simulator

import (
	"cmp"
	"net/http"
	"strings"
)

// showFile handles GET /api/files/{id}. The documentation shows no parameters for it.
func (s *Server) showFile(w http.ResponseWriter, r *http.Request, id string) {
	if _, problem := parameters(r); problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	file, ok := s.files[id]
	if !ok {
		notFound(w, r, "File", id)
		return
	}
	writeData(w, http.StatusOK, renderFile(&file))
}

// listFiles handles GET /api/files. The documentation does not show what including the
// category adds to a file, so it adds nothing.
func (s *Server) listFiles(w http.ResponseWriter, r *http.Request, _ string) {
	serveList(s, w, r, list[File]{
		items:    s.options.Data.Files,
		includes: []string{"category"},
		sorts: []sorting[File]{
			{"filename_original", func(a, b *File) int { return strings.Compare(a.FullFilename, b.FullFilename) }},
			{"size", func(a, b *File) int { return cmp.Compare(a.Size, b.Size) }},
			{"encrypted_size", func(a, b *File) int { return cmp.Compare(a.EncryptedSize, b.EncryptedSize) }},
			{"created_at", func(a, b *File) int { return strings.Compare(a.CreatedAt, b.CreatedAt) }},
		},
		// The documentation says "file name", with or without the extension. A match in
		// the shorter one is a match in both.
		searched: func(f *File) []*string { return []*string{&f.Filename} },
		render:   func(f *File, _ []string) any { return renderFile(f) },
	})
}
