package privasfer

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

// logOf returns what is logged while a call is made, an entry a line, and what
// the entries hold.
func logOf(t *testing.T, call func(t *testing.T, client *Client, log io.Writer), inner roundTripper, changes ...func(*Config)) (string, []map[string]any) {
	t.Helper()
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		call(t, newClientOver(t, inner, changes...), &log)
		synctest.Wait()
	})
	text := log.String()
	entries, err := tflogtest.MultilineJSONDecode(&log)
	if err != nil {
		t.Fatal(err)
	}
	return text, entries
}

func checkEntries(t *testing.T, got []map[string]any, want ...map[string]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d: %v", len(got), len(want), got)
	}
	for i, entry := range want {
		entry["@level"], entry["@message"], entry["@module"] = "debug", "Privasfer API request", "provider"
		if !maps.Equal(got[i], entry) {
			t.Errorf("entry %d\n got: %v\nwant: %v", i, got[i], entry)
		}
	}
}

// There is one entry for each attempt, with what support needs and nothing
// else.
func TestLog(t *testing.T) {
	t.Parallel()
	requests := 0
	text, entries := logOf(t, func(t *testing.T, client *Client, log io.Writer) {
		if _, err := client.InboxMail(tflogtest.RootLogger(t.Context(), log), "a/b", true); err != nil {
			t.Error(err)
		}
	}, func(r *http.Request) (*http.Response, error) {
		requests++
		time.Sleep(time.Duration(requests) * 20 * time.Millisecond)
		switch requests {
		case 1:
			return nil, io.ErrUnexpectedEOF
		case 2:
			return plainAnswer(http.StatusServiceUnavailable, `{"message":"secret"}`, "X-Request-Id", "r-2", "Set-Cookie", "secret"), nil
		case 3:
			return plainAnswer(http.StatusTooManyRequests, "secret", "Retry-After", "1"), nil
		}
		return plainAnswer(http.StatusOK, `{"data":{"id":"m","subject":"secret"}}`, "X-Request-Id", "r-4", "X-Secret", "secret"), nil
	}, fourRetries)

	const path = "/api/inbox/a%2Fb"
	checkEntries(t, entries,
		map[string]any{"method": "GET", "path": path, "status": 0.0, "attempt": 1.0, "duration_ms": 20.0},
		map[string]any{"method": "GET", "path": path, "status": 503.0, "attempt": 2.0, "duration_ms": 40.0, "request_id": "r-2"},
		map[string]any{"method": "GET", "path": path, "status": 429.0, "attempt": 3.0, "duration_ms": 60.0, "request_id": ""},
		map[string]any{"method": "GET", "path": path, "status": 200.0, "attempt": 4.0, "duration_ms": 80.0, "request_id": "r-4"},
	)
	for _, secret := range []string{"secret", testToken, "never-to-be-shown", "include", "Bearer", "localhost"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log shows %q:\n%s", secret, text)
		}
	}
}

func TestLogOfACreation(t *testing.T) {
	t.Parallel()
	text, entries := logOf(t, func(t *testing.T, client *Client, log io.Writer) {
		if _, _, err := client.CreateDownload(tflogtest.RootLogger(t.Context(), log), []string{"secret-file"}); err != nil {
			t.Error(err)
		}
	}, func(*http.Request) (*http.Response, error) {
		return plainAnswer(http.StatusCreated, `{"data":{"id":"secret-download"}}`), nil
	})
	checkEntries(t, entries,
		map[string]any{"method": "POST", "path": "/api/downloads", "status": 201.0, "attempt": 1.0, "duration_ms": 0.0, "request_id": ""})
	if strings.Contains(text, "secret") {
		t.Errorf("got %s", text)
	}
}

// An attempt is logged when its answer is there to the last byte, or is not.
func TestLogOfAnAnswerCutShort(t *testing.T) {
	t.Parallel()
	_, entries := logOf(t, func(t *testing.T, client *Client, log io.Writer) {
		if _, err := client.InboxMail(tflogtest.RootLogger(t.Context(), log), "m", false); err == nil {
			t.Error("no error")
		}
	}, func(r *http.Request) (*http.Response, error) {
		response := plainAnswer(http.StatusOK, "")
		response.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
			<-r.Context().Done()
			return 0, r.Context().Err()
		}))
		return response, nil
	})
	checkEntries(t, entries,
		map[string]any{"method": "GET", "path": "/api/inbox/m", "status": 200.0, "attempt": 1.0, "duration_ms": 30000.0, "request_id": ""})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A call that is not let in sends nothing, and nothing is logged.
func TestLogOfACallThatIsNotSent(t *testing.T) {
	t.Parallel()
	_, entries := logOf(t, func(t *testing.T, client *Client, log io.Writer) {
		if _, err := client.InboxMail(t.Context(), "m", false); err == nil {
			t.Error("no error")
		}
		if _, err := client.InboxMail(tflogtest.RootLogger(t.Context(), log), "m", false); err == nil {
			t.Error("no error")
		}
	}, func(*http.Request) (*http.Response, error) {
		return plainAnswer(http.StatusTooManyRequests, "", "Retry-After", "100"), nil
	})
	checkEntries(t, entries)
}

// Should a server echo the token in the one text of it that is logged, it is
// taken out.
func TestLogOfAnEchoedToken(t *testing.T) {
	t.Parallel()
	text, entries := logOf(t, func(t *testing.T, client *Client, log io.Writer) {
		if _, err := client.InboxMail(tflogtest.RootLogger(t.Context(), log), "m", false); err != nil {
			t.Error(err)
		}
	}, func(*http.Request) (*http.Response, error) {
		return plainAnswer(http.StatusOK, emptyMail, "X-Request-Id", "req-"+testToken), nil
	})
	if strings.Contains(text, testToken) || len(entries) != 1 {
		t.Errorf("got %s", text)
	}
	if keys := slices.Sorted(maps.Keys(entries[0])); len(keys) != 9 {
		t.Errorf("the entry holds %v", keys)
	}
}

// A token that was taken for an id is in the path, escaped.
func TestLogHidesTheEscapedToken(t *testing.T) {
	t.Parallel()
	text, _ := logOf(t, func(t *testing.T, client *Client, log io.Writer) {
		_, _ = client.InboxMail(tflogtest.RootLogger(t.Context(), log), testToken, false)
	}, func(*http.Request) (*http.Response, error) { return plainAnswer(404, ""), nil })
	if strings.Contains(text, url.PathEscape(testToken)) {
		t.Errorf("got %s", text)
	}
}
