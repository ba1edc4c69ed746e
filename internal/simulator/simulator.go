// Package simulator is an in-process stand-in for the Privasfer API, for acceptance
// tests and the demo.
//
// It is deliberately strict. It rejects what the API documentation does not show instead
// of guessing at tolerance, so that no test passes because the simulator is more lenient
// than the service. Its errors have the form of Laravel's, like the documented ones.
package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// timeLayout is the format of times in the API. No page names their time zone; the
// simulator uses UTC, so that its responses do not depend on the machine.
const timeLayout = "2006-01-02 15:04:05"

// Options configures a Server. The zero value of every field but Token is
// usable.
type Options struct {
	// Token is the only token accepted. If empty, every token is rejected, because a
	// forgotten setting must not switch authentication off.
	Token string
	// PIN is the user's PIN. If empty, every PIN is rejected.
	PIN string
	// Now is the clock, time.Now if nil. Tests inject one so that nothing
	// waits for a download to expire or for a rate window to end.
	Now func() time.Time
	// Lifetime is how long a created download lives, one minute if zero.
	Lifetime time.Duration
	// RateLimit is the number of requests in a window, 300 if zero.
	RateLimit int
	// RateWindow is the length of a window, one minute if zero.
	RateWindow time.Duration
	// LateRateLimit is how long requests are still rejected after the reported end of a
	// window, with a Retry-After of 0. Laravel does this for up to a second if its
	// limiter is in Redis or APC: it reports whole seconds, and the counter expires
	// later. With one second, Retry-After is the time to the real end rounded down, and
	// counts down to 0.
	LateRateLimit time.Duration
	// HideRateLimit disables the rate limit and the X-RateLimit headers, like a server
	// without throttling.
	HideRateLimit bool
	// Latency is the delay of each response after the request was carried out, as with a
	// distant server. It ends early when the client leaves.
	Latency time.Duration
	// PageSize is the number of objects on a page of a list. If zero, lists do not come
	// in pages, and a request for a page is rejected.
	PageSize int
	// PageStyle is the form in which pages are described.
	PageStyle PageStyle
	// NextHost replaces the scheme and host of the request in the URLs of other pages,
	// if not empty, like a proxy that hides the application's own name. A path in it
	// goes before the route's.
	NextHost string
	// Data is the content of the account, DefaultData if nil. It must not be changed
	// after New.
	Data *Data
}

// Server behaves like the Privasfer API. It is an http.Handler and safe for concurrent
// use. Create it with New.
type Server struct {
	options  Options
	files    map[string]File
	received map[string]File
	inbox    map[string]InboxMail
	mails    map[string]Mail
	routes   []route

	mu            sync.Mutex // guards everything below
	window        window
	downloads     []*download
	mailDownloads map[string]*download // of the mails in the inbox
	temporaryKeys []KeyRecord
	downloadKeys  []DownloadKeyRecord
	requests      []*Request
	faults        []*injected
}

// New returns a server with the defaults of Options filled in.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Lifetime == 0 {
		options.Lifetime = time.Minute
	}
	if options.RateLimit == 0 {
		options.RateLimit = 300
	}
	if options.RateWindow == 0 {
		options.RateWindow = time.Minute
	}
	if options.Data == nil {
		options.Data = DefaultData()
	}
	s := &Server{
		options:       options,
		files:         map[string]File{},
		received:      map[string]File{},
		inbox:         map[string]InboxMail{},
		mails:         map[string]Mail{},
		mailDownloads: map[string]*download{},
	}
	for _, f := range options.Data.Files {
		s.files[f.ID] = f
	}
	for _, f := range options.Data.ReceivedFiles {
		s.received[f.ID] = f
	}
	for _, m := range options.Data.InboxMails {
		s.inbox[m.ID] = m
		if m.Download != nil {
			s.mailDownloads[m.Download.ID] = &download{id: m.Download.ID, fileIDs: m.Download.FileIDs}
		}
	}
	for _, m := range options.Data.Mails {
		s.mails[m.ID] = m
	}
	s.routes = []route{
		{http.MethodGet, "/api/inbox", s.listInboxMails},
		{http.MethodGet, "/api/inbox/{id}", s.showInboxMail},
		{http.MethodGet, "/api/files", s.listFiles},
		{http.MethodGet, "/api/files/{id}", s.showFile},
		{http.MethodGet, "/api/mails", s.listMails},
		{http.MethodGet, "/api/mails/{id}", s.showMail},
		{http.MethodPost, "/api/downloads", s.createDownload},
		{http.MethodPost, "/api/keys", s.createTemporaryKey},
		{http.MethodDelete, "/api/keys/{id}", s.deleteTemporaryKey},
		{http.MethodPost, "/api/downloads/{id}/keys", s.createDownloadKey},
		{http.MethodGet, "/download/{id}", s.performDownload},
		{http.MethodGet, "/login", showLogin},
	}
	return s
}

// ServeHTTP records the request, then lets an injected fault or the real
// handler respond.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Always read the whole body: only then does net/http notice that the client has
	// left, which waiting faults rely on.
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))

	rw := &response{ResponseWriter: w, server: s, request: r, record: s.record(r, body)}
	if fault := s.takeFault(r); fault != nil {
		fault(rw, r, http.HandlerFunc(s.serve))
		return
	}
	s.serve(rw, r)
}

// serve makes its checks in the order of Laravel: route, method, authentication, rate
// limit, and then those of the handler. Only responses that get as far as the rate limit
// have its headers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	rt, id, allowed := s.match(r)
	if allowed == "" {
		writeError(w, r, http.StatusNotFound, "", nil)
		return
	}
	if rt == nil {
		w.Header().Set("Allow", allowed)
		writeError(w, r, http.StatusMethodNotAllowed, fmt.Sprintf(
			"The %s method is not supported for this route. Supported methods: %s.", r.Method, allowed), nil)
		return
	}
	if strings.HasPrefix(rt.pattern, "/api/") {
		if !s.authenticated(r) {
			writeError(w, r, http.StatusUnauthorized, "Unauthenticated.", nil)
			return
		}
		if !s.throttle(w) {
			writeError(w, r, http.StatusTooManyRequests, "Too Many Attempts.", nil)
			return
		}
	}
	rt.handle(w, r, id)
}

// route is a line of the routing table. A pattern is a path in which one segment may be
// {id}.
type route struct {
	method  string
	pattern string
	handle  func(w http.ResponseWriter, r *http.Request, id string)
}

// match returns the route of a request, nil if there is none, and its id. allowed lists
// the methods of the path, and is empty if the path has no route at all.
func (s *Server) match(r *http.Request) (found *route, id, allowed string) {
	var methods []string
	for _, rt := range s.routes {
		pathID, ok := matchPath(rt.pattern, r.URL.Path)
		if !ok {
			continue
		}
		methods = append(methods, rt.method)
		// Laravel serves HEAD wherever it serves GET.
		if rt.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		if found == nil && slices.Contains(methods, r.Method) {
			found, id = &rt, pathID
		}
	}
	return found, id, strings.Join(methods, ", ")
}

// matchPath compares a pattern with a decoded path. An escaped slash in an id separates
// segments, as in Laravel, and a dot segment, which proxies resolve, is never an id.
func matchPath(pattern, path string) (id string, ok bool) {
	prefix, suffix, hasID := strings.Cut(pattern, "{id}")
	if !hasID {
		return "", path == pattern
	}
	id, begins := strings.CutPrefix(path, prefix)
	id, ends := strings.CutSuffix(id, suffix)
	if !begins || !ends || id == "" || id == "." || id == ".." || strings.Contains(id, "/") {
		return "", false
	}
	return id, true
}

// authenticated accepts only the exact header: one value, one space.
func (s *Server) authenticated(r *http.Request) bool {
	values := r.Header.Values("Authorization")
	return s.options.Token != "" && len(values) == 1 && values[0] == "Bearer "+s.options.Token
}

// parameters returns the query parameters, or the problem with them. Repeated
// parameters, and those that the route does not document, are a problem: the service may
// ignore them, but a client that sends them has a bug that a test must show.
func parameters(r *http.Request, allowed ...string) (values map[string]string, problem string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, "The query string is malformed."
	}
	values = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(allowed, name) {
			return nil, fmt.Sprintf("Unknown query parameter `%s`.", name)
		}
		if len(query[name]) > 1 {
			return nil, fmt.Sprintf("Repeated query parameter `%s`.", name)
		}
		values[name] = query[name][0]
	}
	return values, ""
}

// input returns the only documented field of the JSON object in a request, nil if it is
// missing, or the problem with the request. Other fields are a problem, for the same
// reason as undocumented parameters. To Laravel, other JSON or another media type is no
// input, so the required field is missing.
func input(r *http.Request, field string) (value json.RawMessage, problem string) {
	if _, problem := parameters(r); problem != "" {
		return nil, problem
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil, ""
	}
	body, err := io.ReadAll(r.Body)
	// PHP rejects invalid UTF-8, which encoding/json would repair.
	if err != nil || !utf8.Valid(body) {
		return nil, ""
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return nil, ""
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != field {
			return nil, fmt.Sprintf("Unknown field `%s`.", name)
		}
	}
	return fields[field], ""
}

// writeData responds with data in the envelope of a success.
func writeData(w http.ResponseWriter, status int, data any) {
	writeJSON(w, status, map[string]any{"data": data})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body := encodeJSON(value)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// writeError responds with an error. Only a client that accepts JSON gets JSON: others
// get web pages, and a redirect to the login form, as with Laravel.
func writeError(w http.ResponseWriter, r *http.Request, status int, message string, fields map[string][]string) {
	if wantsJSON(r) {
		body := map[string]any{"message": message}
		if fields != nil {
			body["errors"] = fields
		}
		writeJSON(w, status, body)
		return
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("Location", "/login")
		status = http.StatusFound
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<title>%s</title>\n", html.EscapeString(http.StatusText(status)))
}

// writeInvalid responds with the errors of fields of the input.
func writeInvalid(w http.ResponseWriter, r *http.Request, fields map[string][]string) {
	writeError(w, r, http.StatusUnprocessableEntity, "The given data was invalid.", fields)
}

// wantsJSON reports whether the first accepted type is JSON. Laravel checks only the
// first.
func wantsJSON(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	return strings.Contains(first, "/json") || strings.Contains(first, "+json")
}

// notFound responds as Laravel does for a model that does not exist.
func notFound(w http.ResponseWriter, r *http.Request, model, id string) {
	writeError(w, r, http.StatusNotFound, fmt.Sprintf(`No query results for model [App\Models\%s] %s`, model, id), nil)
}
