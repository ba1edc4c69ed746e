package privasfer

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

// Each request has one log entry, with what support needs and nothing else.
func TestLog(t *testing.T) {
	t.Parallel()
	const token = "17|+secret" // which has three forms
	type call = func(context.Context, *testing.T, *Client) error
	read := func(ids ...string) call {
		return func(ctx context.Context, _ *testing.T, client *Client) (err error) {
			for _, id := range ids {
				_, err = client.InboxMail(ctx, id, true)
			}
			return err
		}
	}
	create := func(ctx context.Context, _ *testing.T, client *Client) error {
		_, _, err := client.CreateDownload(ctx, []string{"secret"})
		return err
	}
	use := func(ctx context.Context, t *testing.T, client *Client) error {
		_, err := perform(t, client, performance{ctx: ctx, id: "secret"})
		return err
	}
	type response = func(*http.Request) (*http.Response, error)
	type entry = map[string]any
	responds := func(status int, body string, headers ...string) response {
		return func(*http.Request) (*http.Response, error) {
			return newResponse(status, body, append(headers, "Set-Cookie", "secret")...), nil
		}
	}
	broken := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	tests := map[string]struct {
		call      call
		responses []response
		want      []entry // without the fields that all share
		fails     bool
	}{
		"attempts": {
			call: read("a/b"),
			responses: []response{
				broken,
				responds(503, `{"message":"secret"}`, "X-Request-Id", "r-2"),
				responds(429, "secret", "Retry-After", "1"),
				responds(200, `{"data":{"id":"m","body":"secret"}}`, "X-Request-Id", "r-4"),
			},
			want: []entry{
				{"method": "GET", "path": "/api/inbox/a%2Fb", "status": 0.0, "attempt": 1.0, "duration_ms": 20.0},
				{"method": "GET", "path": "/api/inbox/a%2Fb", "status": 503.0, "attempt": 2.0, "duration_ms": 20.0, "request_id": "r-2"},
				{"method": "GET", "path": "/api/inbox/a%2Fb", "status": 429.0, "attempt": 3.0, "duration_ms": 20.0, "request_id": ""},
				{"method": "GET", "path": "/api/inbox/a%2Fb", "status": 200.0, "attempt": 4.0, "duration_ms": 20.0, "request_id": "r-4"},
			},
		},
		"a creation": {
			call: create, responses: []response{responds(201, `{"data":{"id":"secret"}}`)},
			want: []entry{{"method": "POST", "path": "/api/downloads", "status": 201.0, "attempt": 1.0, "duration_ms": 20.0, "request_id": ""}},
		},
		"a response that does not end": {
			call: read("a/b"), responses: []response{(&stream{end: errSilent}).RoundTrip}, fails: true,
			want: []entry{{"method": "GET", "path": "/api/inbox/a%2Fb", "status": 200.0, "attempt": 1.0, "duration_ms": 30_000.0, "request_id": ""}},
		},
		"a content that is elsewhere": {
			call: use, responses: []response{responds(302, "", "Location", "/secret?secret"), responds(200, "secret")},
			want: []entry{
				{"method": "GET", "path": contentPath, "status": 302.0, "attempt": 1.0, "duration_ms": 20.0, "request_id": ""},
				{"method": "GET", "path": contentPath, "status": 200.0, "attempt": 1.0, "duration_ms": 20.0, "request_id": ""},
			},
		},
		"secrets as ids": {
			call: read(token), responses: []response{responds(404, "", "X-Request-Id", token+"\x1b"+strings.Repeat("x", 200))}, fails: true,
			want: []entry{{"method": "GET", "path": "/api/inbox/***", "status": 404.0, "attempt": 1.0, "duration_ms": 20.0, "request_id": "*** " + strings.Repeat("x", 116) + "…"}},
		},
		"a call that is not let in": {
			call:      read("m", "n"),
			responses: []response{responds(429, "", "Retry-After", "91")}, fails: true,
			want: []entry{{"method": "GET", "path": "/api/inbox/m", "status": 429.0, "attempt": 1.0, "duration_ms": 20.0, "request_id": ""}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := contentOver(t, func(r *http.Request) (*http.Response, error) {
					requests++
					time.Sleep(20 * time.Millisecond)
					return test.responses[requests-1](r)
				}, retries(len(test.responses)-1), func(config *Config) { config.Token = token })
				err := test.call(tflogtest.RootLogger(t.Context(), &log), t, client)
				if (err != nil) != test.fails || err != nil && strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v", err)
				}
			})
			text := log.String()
			for _, secret := range []string{"secret", "Bearer", "include", "example"} {
				if strings.Contains(text, secret) {
					t.Errorf("the log shows %q:\n%s", secret, text)
				}
			}
			got, err := tflogtest.MultilineJSONDecode(&log)
			if err != nil || len(got) != len(test.want) {
				t.Fatalf("got %v, %v", got, err)
			}
			for i, want := range test.want {
				want["@level"], want["@message"], want["@module"] = "debug", "Privasfer API request", "provider"
				if !maps.Equal(got[i], want) {
					t.Errorf("entry %d\n got: %v\nwant: %v", i, got[i], want)
				}
			}
		})
	}
}
