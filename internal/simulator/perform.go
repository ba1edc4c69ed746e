package simulator

import (
	"archive/zip"
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strconv"
)

// performDownload handles GET /download/{key}, outside /api. Only the simulator has this
// route: the API's pages say that a download's URL is made from its public key, but not
// how, and nothing suggests that the service has this one.
//
// It needs no token, because the key is itself the secret. A download created with
// POST /downloads is used up once it is served, even if the client does not read the
// response. The download of a mail is not.
func (s *Server) performDownload(w http.ResponseWriter, r *http.Request, key string) {
	if _, problem := parameters(r); problem != "" {
		writeError(w, r, http.StatusBadRequest, problem, nil)
		return
	}
	fileIDs, ok := s.perform(key)
	if !ok && !wantsJSON(r) {
		// Laravel does this for a browser whose key is missing or whose session has
		// ended. A client that follows the redirect gets a web page with status 200.
		Redirect(http.StatusFound, "/login")(w, r, nil)
		return
	}
	if !ok {
		notFound(w, r, "Download", key)
		return
	}
	content, contentType, filename := s.contentOf(fileIDs)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": filename}))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(content)
}

// showLogin handles GET /login, a web page.
func showLogin(w http.ResponseWriter, r *http.Request, _ string) {
	HTML()(w, r, nil)
}

// contentOf returns the content of one file, or an archive of several or none.
func (s *Server) contentOf(fileIDs []string) (content []byte, contentType, filename string) {
	if len(fileIDs) != 1 {
		return s.archive(fileIDs), "application/zip", "download.zip"
	}
	f := s.file(fileIDs[0])
	contentType = "application/octet-stream"
	if f.Type != nil {
		contentType = *f.Type
	}
	return f.Content, contentType, f.FullFilename
}

// archive returns the files as an archive, uncompressed and undated, so that it has the
// same bytes in every run.
func (s *Server) archive(fileIDs []string) []byte {
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	for _, id := range fileIDs {
		f := s.file(id)
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: f.FullFilename, Method: zip.Store})
		if err == nil {
			_, err = entry.Write(f.Content)
		}
		if err != nil {
			panic(fmt.Sprintf("simulator: archive: %v", err))
		}
	}
	if err := archive.Close(); err != nil {
		panic(fmt.Sprintf("simulator: archive: %v", err))
	}
	return buffer.Bytes()
}
