package simulator_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestRoutes checks that the server checks a route and its methods before the token, and
// the token before all else.
func TestRoutes(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	routes := map[string]string{
		"/api/inbox": "GET, HEAD", "/api/inbox/x": "GET, HEAD", "/api/files": "GET, HEAD", "/api/files/x": "GET, HEAD",
		"/api/mails": "GET, HEAD", "/api/mails/x": "GET, HEAD", "/api/downloads": "POST",
		"/api/keys": "POST", "/api/keys/x": "DELETE", "/api/downloads/x/keys": "POST",
	}
	for path, methods := range routes {
		got := call(t, web, "PUT", path, "", "Authorization", "")
		want(t, got, 405, message("The PUT method is not supported for this route. Supported methods: "+methods+"."))
		wantHeader(t, got, "Allow", methods)
		method, _, _ := strings.Cut(methods, ",")
		want(t, call(t, web, method, path+"/", "", "Authorization", ""), 404, message(""))
		want(t, call(t, web, method, path, "", "Authorization", ""), 401, message("Unauthenticated."))
	}
	unknown := []string{
		"/", "/api/x", "/inbox/1", "/api/api/inbox/1", "/api//inbox/1", "/api/inbox/a%2Fb", "/api/inbox/%2e%2e", "/api/inbox/.",
		"/api/downloads/x", "/api/downloads/keys", "/api/downloads//keys", "/api/downloads/x/keys/x",
	}
	for _, path := range unknown {
		want(t, call(t, web, "GET", path, ""), 404, message(""))
	}
	if got := len(s.Unexpected()); got != 2*len(routes)+len(unknown) {
		t.Errorf("%d unexpected requests", got)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	const right = "Bearer " + token
	for _, values := range [][]string{
		{right}, {right, right}, {right + "x"}, {token}, {"bearer " + token}, {"Bearer  " + token}, {"Bearer "}, {"Bearer"}, {""}, {},
	} {
		// An empty token rejects every request.
		for _, option := range []string{token, ""} {
			status := 401
			if len(values) == 1 && values[0] == right && option == token {
				status = 200
			}
			r := newRequest(t, "GET", "http://localhost/api/inbox", "")
			r.Header["Authorization"] = values
			w := httptest.NewRecorder()
			simulator.New(simulator.Options{Token: option}).ServeHTTP(w, r)
			if w.Code != status {
				t.Errorf("token %q, header %q: status %d, want %d", option, values, w.Code, status)
			}
		}
	}
}

func TestEmptyPIN(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	simulator.New(simulator.Options{Token: token}).ServeHTTP(w, newRequest(t, "POST", "http://localhost/api/keys", `{"pin":""}`))
	if w.Code != 422 {
		t.Errorf("status %d", w.Code)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const (
		mail, sent, files = "/api/inbox/" + simulator.MailFull, "/api/mails/" + simulator.SentFull, `{"files":["` + simulator.FileInvoice + `"]}`
		keys              = "/api/downloads/" + simulator.DownloadFull + "/keys"

		oneMail    = "are not allowed. Allowed include(s) are `download, download.files`."
		ofMails    = "are not allowed. Allowed include(s) are `download, download.files, author`."
		fileSorts  = "is not allowed. Allowed sort(s) are `filename_original, size, encrypted_size, created_at`."
		inboxSorts = "is not allowed. Allowed sort(s) are `subject, created_by_email, received_at`."
		sentSorts  = "is not allowed. Allowed sort(s) are `subject, recipient_email, created_at, sent_at`."
	)
	missing, noPIN := invalid("files", "The files field is required."), invalid("pin", "The pin field is required.")
	wrongPIN, noKey := invalid("pin", "Invalid PIN."), invalid("pinKey", "The pin key field is required.")
	s, web := start(t, simulator.Options{})
	temporary := post(t, web, "/api/keys", `{"pin":"`+pin+`"}`).Key
	pinKey := ` {"pinKey":"` + temporary + `"}`
	page := func(status string) string { return "<!DOCTYPE html>\n<title>" + status + "</title>\n" }

	for name, test := range map[string]struct {
		request  string // method, target, body
		status   int
		response string
		headers  []string
	}{
		"no route, page":      {"GET /api/x", 404, page("Not Found"), []string{"Accept", "*/*"}},
		"wrong method, page":  {"GET /api/downloads", 405, page("Method Not Allowed"), []string{"Accept", "text/html, application/json"}},
		"no token, page":      {"GET " + mail, 302, page("Found"), []string{"Authorization", "", "Accept", ""}},
		"JSON accepted later": {"GET " + mail, 302, page("Found"), []string{"Authorization", "", "Accept", "text/html, application/json"}},
		"input, page":         {"POST /api/downloads", 422, page("Unprocessable Entity"), []string{"Accept", "text/html"}},

		"unknown mail":            {"GET /api/inbox/x", 404, noModel("InboxMail", "x"), nil},
		"unknown file":            {"GET /api/files/x", 404, noModel("File", "x"), nil},
		"unknown sent mail":       {"GET /api/mails/x", 404, noModel("Mail", "x"), nil},
		"inbox mail as sent mail": {"GET /api/mails/" + simulator.MailFull, 404, noModel("Mail", simulator.MailFull), nil},
		"received file":           {"GET /api/files/" + simulator.ReceivedKey, 404, noModel("File", simulator.ReceivedKey), nil},

		"unknown parameter":   {"GET " + mail + "?includes=download", 400, message("Unknown query parameter `includes`."), nil},
		"repeated parameter":  {"GET " + mail + "?include=download&include=download.files", 400, message("Repeated query parameter `include`."), nil},
		"malformed query":     {"GET " + mail + "?include=%zz", 400, message("The query string is malformed."), nil},
		"parameter of a file": {"GET /api/files/" + simulator.FileKey + "?include=category", 400, message("Unknown query parameter `include`."), nil},
		"page, no paging":     {"GET /api/files?page=1", 400, message("Unknown query parameter `page`."), nil},
		"sort of one mail":    {"GET " + sent + "?sort=subject", 400, message("Unknown query parameter `sort`."), nil},
		"POST, parameter":     {"POST /api/downloads?x=1 " + files, 400, message("Unknown query parameter `x`."), nil},
		"DELETE, parameter":   {"DELETE /api/keys/" + temporary + "?x=1", 400, message("Unknown query parameter `x`."), nil},
		"perform, parameter":  {"GET /download/x?x=1", 400, message("Unknown query parameter `x`."), nil},

		"empty include":            {"GET " + mail + "?include=", 400, message("Requested include(s) `` " + oneMail), nil},
		"unknown include":          {"GET " + mail + "?include=download,sender", 400, message("Requested include(s) `sender` " + oneMail), nil},
		"repeated include":         {"GET " + mail + "?include=download,download", 400, message("Requested include(s) `download` are repeated."), nil},
		"files without download":   {"GET " + mail + "?include=download.files", 400, message("Requested include(s) `download.files` need `download`."), nil},
		"author of one inbox mail": {"GET " + mail + "?include=author", 400, message("Requested include(s) `author` " + oneMail), nil},
		"include of files":         {"GET /api/files?include=author", 400, message("Requested include(s) `author` are not allowed. Allowed include(s) are `category`."), nil},
		"include of inbox":         {"GET /api/inbox?include=category", 400, message("Requested include(s) `category` " + ofMails), nil},
		"include of a sent mail":   {"GET " + sent + "?include=files", 400, message("Requested include(s) `files` " + ofMails), nil},
		"include of mails":         {"GET /api/mails?include=recipient", 400, message("Requested include(s) `recipient` " + ofMails), nil},

		"sort of files": {"GET /api/files?sort=filename", 400, message("Requested sort(s) `filename` " + fileSorts), nil},
		"sort of inbox": {"GET /api/inbox?sort=-sent_at", 400, message("Requested sort(s) `sent_at` " + inboxSorts), nil},
		"empty sort":    {"GET /api/files?sort=", 400, message("Requested sort(s) `` " + fileSorts), nil},
		"plus":          {"GET /api/files?sort=%2Bsize", 400, message("Requested sort(s) `+size` " + fileSorts), nil},
		"two sorts":     {"GET /api/mails?sort=subject,sent_at", 400, message("Requested sort(s) `subject,sent_at` " + sentSorts), nil},
		"empty keyword": {"GET /api/files?keyword=", 400, message("The keyword is empty."), nil},
		"blank keyword": {"GET /api/mails?keyword=%20%09", 400, message("The keyword is empty."), nil},

		"no body":            {"POST /api/downloads", 422, missing, nil},
		"wrong content type": {"POST /api/downloads " + files, 422, missing, []string{"Content-Type", "text/plain"}},
		"cut short":          {"POST /api/downloads " + files[:len(files)-1], 422, missing, nil},
		"two values":         {"POST /api/downloads " + files + files, 422, missing, nil},
		"invalid UTF-8":      {"POST /api/downloads {\"files\":[\"\xff\"]}", 422, missing, nil},
		"files empty":        {`POST /api/downloads {"files":[]}`, 422, missing, nil},
		"files an object":    {`POST /api/downloads {"files":{"0":"` + simulator.FileInvoice + `"}}`, 422, missing, nil},
		"field's case":       {`POST /api/downloads {"Files":["` + simulator.FileInvoice + `"]}`, 400, message("Unknown field `Files`."), nil},
		"received among files": {`POST /api/downloads {"files":["` + simulator.FileKey + `","` + simulator.ReceivedKey + `"]}`, 422,
			invalid("files.1", "The selected files.1 is invalid."), nil},
		"all invalid": {`POST /api/downloads {"files":["x",7,null]}`, 422,
			`{"errors":{"files.0":["The selected files.0 is invalid."],"files.1":["The selected files.1 is invalid."],"files.2":["The selected files.2 is invalid."]},"message":"The given data was invalid."}`, nil},

		"array as body": {`POST /api/downloads ["` + simulator.FileInvoice + `"]`, 422, missing, nil},
		"PIN and more":  {`POST /api/keys {"pin":"` + pin + `","lifetime":2}`, 400, message("Unknown field `lifetime`."), nil},
		"wrong PIN":     {`POST /api/keys {"pin":"1A2S3D"}`, 422, wrongPIN, nil},
		"no PIN":        {"POST /api/keys {}", 422, noPIN, nil},
		"PIN a number":  {`POST /api/keys {"pin":7}`, 422, noPIN, nil},

		"unknown temporary key": {"DELETE /api/keys/x", 404, noModel("Key", "x"), nil},
		"unknown download":      {"POST /api/downloads/x/keys" + pinKey, 404, noModel("Download", "x"), nil},
		"sent mail's download":  {"POST /api/downloads/" + simulator.DownloadSentFull + "/keys" + pinKey, 404, noModel("Download", simulator.DownloadSentFull), nil},
		"download before input": {"POST /api/downloads/x/keys", 404, noModel("Download", "x"), nil},
		"no pin key":            {"POST " + keys + " {}", 422, noKey, nil},
		"unknown pin key":       {"POST " + keys + ` {"pinKey":"` + strings.ToLower(temporary) + `"}`, 422, invalid("pinKey", "Pin key does not exists"), nil},
		"mail's download by id": {"GET /download/" + simulator.DownloadFull, 404, noModel("Download", simulator.DownloadFull), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method, rest, _ := strings.Cut(test.request, " ")
			target, body, _ := strings.Cut(rest, " ")
			got := call(t, web, method, target, body, test.headers...)
			want(t, got, test.status, test.response)
			contentType, location := "text/html; charset=UTF-8", ""
			if strings.HasPrefix(test.response, "{") {
				contentType = "application/json"
			}
			if test.status == 302 {
				location = "/login"
			}
			wantHeader(t, got, "Content-Type", contentType)
			wantHeader(t, got, "Location", location)
		})
	}
	t.Cleanup(func() {
		if got := len(s.Unexpected()); got != 2 {
			t.Errorf("%d unexpected requests", got)
		}
		if keys := s.TemporaryKeys(); len(s.Downloads())+len(s.DownloadKeys()) != 0 || len(keys) != 1 || keys[0].State != simulator.Live {
			t.Errorf("a rejected request was carried out: %v, %v, %v", s.Downloads(), s.DownloadKeys(), keys)
		}
	})
}

// TestPerformedAtOnce performs a download by two of its keys, many times at once.
func TestPerformedAtOnce(t *testing.T) {
	t.Parallel()
	s, web := start(t, simulator.Options{})
	targets := []string{create(t, web, simulator.FileKey), publish(t, web, s.Downloads()[0].ID)}
	var served atomic.Int32
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if got, err := do(web, newRequest(t, "GET", web.URL+targets[i%2], "")); err != nil {
				t.Error(err)
			} else if got.status == 200 {
				served.Add(1)
			}
		})
	}
	if group.Wait(); served.Load() != 1 {
		t.Errorf("performed %d times", served.Load())
	}
}
