package privasfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const testPIN = "1a2s3d"

// keyAPI is an API that creates keys and records its requests.
type keyAPI struct {
	mu       sync.Mutex
	requests []string
	made     int

	// respond, if not nil, may respond instead of the API.
	respond func(r *http.Request, body string) *http.Response
}

func (a *keyAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body := ""
	if r.Body != nil {
		read, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(read)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+body))
	if a.respond != nil {
		if response := a.respond(r, body); response != nil {
			return response, nil
		}
	}
	switch {
	case r.Method == http.MethodDelete:
		return newResponse(http.StatusNoContent, ""), nil
	case r.URL.Path == "/api/keys":
		a.made++
		return newResponse(http.StatusCreated, fmt.Sprintf(`{"data":{"key":"temporary-%d","expires_at":"2019-05-15 16:42:16"}}`, a.made)), nil
	}
	return newResponse(http.StatusOK, `{"data":{"key":"public"}}`), nil
}

// check compares the requests since the last check.
func (a *keyAPI) check(t *testing.T, want ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := strings.Join(a.requests, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the requests are\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	a.requests = nil
}

const (
	makeKey  = `POST /api/keys {"pin":"1a2s3d"}`
	useKey1  = `POST /api/downloads/d/keys {"pinKey":"temporary-1"}`
	useKey2  = `POST /api/downloads/d/keys {"pinKey":"temporary-2"}`
	dropKey1 = "DELETE /api/keys/temporary-1"
	dropKey2 = "DELETE /api/keys/temporary-2"
)

func withPIN(config *Config) { config.PIN = testPIN }

// One temporary key is used by all calls for 55 minutes, and deleted by Close.
func TestTemporaryKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &keyAPI{}
		client := newClientOver(t, api.RoundTrip, withPIN)
		client.Close(t.Context())
		api.check(t) // there is no key

		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if key, err := client.CreateDownloadKey(t.Context(), "d"); key != "public" || err != nil {
					t.Errorf("got %q, %v", key, err)
				}
			})
		}
		callers.Wait()
		if api.made != 1 || len(api.requests) != 21 || api.requests[0] != makeKey || api.requests[20] != useKey1 {
			t.Errorf("the requests are %q", api.requests)
		}
		api.requests = nil

		time.Sleep(55*time.Minute - 1)
		if err := client.PrepareKey(t.Context()); err != nil {
			t.Error(err)
		}
		api.check(t)
		time.Sleep(time.Nanosecond)
		if err := client.PrepareKey(t.Context()); err != nil {
			t.Error(err)
		}
		api.check(t, dropKey1, makeKey)
		client.Close(t.Context())
		client.Close(t.Context())
		api.check(t, dropKey2)
	})
}

// A temporary key that the API does not know is replaced, once.
func TestTemporaryKeyRejected(t *testing.T) {
	t.Parallel()
	unknown := func(keys ...string) *keyAPI {
		return &keyAPI{respond: func(_ *http.Request, body string) *http.Response {
			for _, key := range keys {
				if strings.Contains(body, key) {
					return newResponse(http.StatusUnprocessableEntity, `{"message":"Invalid `+key+` d.","errors":{"pinKey":["Pin key does not exists"]}}`)
				}
			}
			return nil
		}}
	}
	api := unknown("temporary-1")
	if key, err := newClientOver(t, api.RoundTrip, withPIN).CreateDownloadKey(t.Context(), "d"); key != "public" || err != nil {
		t.Errorf("got %q, %v", key, err)
	}
	api.check(t, makeKey, useKey1, makeKey, useKey2)

	api = unknown("temporary-1", "temporary-2")
	_, err := newClientOver(t, api.RoundTrip, withPIN).CreateDownloadKey(t.Context(), "d")
	checkError(t, err, Rejected, "POST /api/***ownloa***s/{i***}/keys returned 422 Unprocessable Entity: Invali*** *** ***. [pinKey: Pin key ***oes not exists]")
	api.check(t, makeKey, useKey1, makeKey, useKey2)
}

// A PIN is not sent again after a failure, unless the call was interrupted. No error
// shows the PIN.
func TestPINIsSentOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		response *http.Response
		kind     Kind
		text     string
	}{
		"wrong": {newResponse(http.StatusUnprocessableEntity, `{"message":"No 1a2s3d.","errors":{"pin":["Invalid PIN."]}}`), Rejected,
			"POST /api/keys returned 422 Unprocessable Entity: No ***. [pin: Invalid PIN.]"},
		"server error": {newResponse(http.StatusInternalServerError, `{"message":"Server Error"}`), Rejected,
			"POST /api/keys returned 500 Internal Server Error: Server Error"},
		"no key": {newResponse(http.StatusOK, `{"data":{"key":""}}`), Unusable, `POST /api/keys returned 200 OK: the response has no "data.key"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &keyAPI{respond: func(*http.Request, string) *http.Response { return test.response }}
			client := newClientOver(t, api.RoundTrip, withPIN, retries(4))
			for range 3 {
				checkError(t, client.PrepareKey(t.Context()), test.kind, test.text)
				_, err := client.CreateDownloadKey(t.Context(), "d")
				checkError(t, err, test.kind, test.text)
			}
			api.check(t, makeKey)
			client.Close(t.Context())
			api.check(t)
		})
	}

	api := &keyAPI{}
	client := newClientOver(t, api.RoundTrip, withPIN)
	interrupted, interrupt := context.WithCancel(t.Context())
	api.respond = func(*http.Request, string) *http.Response { interrupt(); return nil }
	interrupt()
	checkError(t, client.PrepareKey(interrupted), Canceled, "POST /api/keys: context canceled")
	if err := client.PrepareKey(t.Context()); err != nil {
		t.Error(err)
	}
	if err := newClientOver(t, api.RoundTrip).PrepareKey(t.Context()); !errors.Is(err, ErrNoPIN) {
		t.Errorf("without a PIN: %v", err)
	}
}

// The deletion of a key takes at most 1.5 s, of an old one too. Close waits no longer
// for a key that is being created.
func TestDeletionIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &keyAPI{}
		hanging := func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete {
				return unreachable(r)
			}
			return api.RoundTrip(r)
		}
		client, young := newClientOver(t, hanging, withPIN), newClientOver(t, hanging, withPIN)
		_ = client.PrepareKey(t.Context())
		time.Sleep(55 * time.Minute)
		_ = young.PrepareKey(t.Context())
		stuck := newClientOver(t, unreachable, withPIN)
		go func() { _ = stuck.PrepareKey(t.Context()) }()
		synctest.Wait()
		for name, bounded := range map[string]func(){
			"an old key":          func() { _ = client.PrepareKey(t.Context()) },
			"at the end":          func() { young.Close(t.Context()) },
			"one not yet created": func() { stuck.Close(t.Context()) },
		} {
			started := time.Now()
			bounded()
			if took := time.Since(started); took != 1500*time.Millisecond {
				t.Errorf("%s: it took %s", name, took)
			}
		}
		time.Sleep(time.Minute) // the stuck call ends
	})
}
