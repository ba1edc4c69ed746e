package privasfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// stream simulates a slow server with the content "content".
type stream struct {
	begins   time.Duration // when the header arrives
	pause    time.Duration // before each byte, and before the end
	body     string        // "content" if ""
	encoding string
	end      error // io.EOF if nil; errSilent: no end
}

var errSilent = errors.New("silent")

func (s *stream) RoundTrip(request *http.Request) (*http.Response, error) {
	connect(request)
	if !sleep(request.Context(), s.begins) {
		return nil, request.Context().Err()
	}
	response := newResponse(http.StatusOK, "", "Content-Encoding", s.encoding)
	response.ContentLength = -1
	response.Body = io.NopCloser(&streamBody{s, request.Context(), cmp.Or(s.body, "content")})
	return response, nil
}

type streamBody struct {
	*stream
	ctx  context.Context
	left string
}

func (s *streamBody) Read(p []byte) (int, error) {
	pause := s.pause
	if s.left == "" && s.end == errSilent { //nolint:errorlint // never wrapped
		pause = math.MaxInt64
	}
	if !sleep(s.ctx, pause) {
		return 0, s.ctx.Err()
	}
	if s.left == "" {
		return 0, cmp.Or(s.end, io.EOF)
	}
	n := copy(p[:1], s.left)
	s.left = s.left[n:]
	return n, nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// disk receives the content.
type disk struct {
	strings.Builder
	takes time.Duration // per write
	full  bool
}

func (d *disk) Write(p []byte) (int, error) {
	time.Sleep(d.takes)
	if d.full {
		return 0, errors.New("no space left on device")
	}
	return d.Builder.Write(p)
}

// Content without a limit may take any time, except for its beginning and for pauses.
// With a limit, it must arrive within the download's lifetime and the timeout of an
// attempt, 30 s.
func TestStreamTime(t *testing.T) {
	t.Parallel()
	const (
		begun = " returned 200 OK"
		over  = ": the download's minute ended before its content arrived"
	)
	tests := map[string]struct {
		stream    stream
		disk      disk
		limit     int64
		remaining time.Duration // 59 s if 0
		interrupt time.Duration

		kind Kind // 0: the content comes whole
		want string
		ends time.Duration
	}{
		"longer than an attempt and the download's life": {stream: stream{begins: 20 * time.Second, pause: 29 * time.Second}, ends: 252 * time.Second},
		"long before its first byte":                     {stream: stream{begins: 29 * time.Second, pause: 2 * time.Second}, ends: 45 * time.Second},
		"to a slow disk":                                 {disk: disk{takes: 45 * time.Second}, ends: 7 * 45 * time.Second},
		"in drops of a compressed one": {stream: stream{pause: 29 * time.Second, body: zipped("content"), encoding: "gzip"},
			ends: time.Duration(len(zipped("content"))+1) * 29 * time.Second},

		"begins after the download's life": {stream: stream{begins: 29 * time.Second}, remaining: 20 * time.Second,
			kind: DownloadExpired, want: over, ends: 20 * time.Second},
		"begins after an attempt's time": {stream: stream{begins: 31 * time.Second},
			kind: TimedOut, want: ": no complete response within 30s", ends: 30 * time.Second},
		"pauses for too long": {stream: stream{pause: 31 * time.Second},
			kind: TimedOut, want: begun + ": no further byte of the response within 30s", ends: 30 * time.Second},
		"stalls": {stream: stream{pause: 10 * time.Second, end: errSilent},
			kind: TimedOut, want: begun + ": no further byte of the response within 30s", ends: 100 * time.Second},
		"stalls, compressed": {stream: stream{pause: 10 * time.Second, body: zipped("content")[:15], encoding: "gzip", end: errSilent},
			kind: TimedOut, want: begun + ": no further byte of the response within 30s", ends: 180 * time.Second},
		"cut": {stream: stream{pause: 10 * time.Second, end: io.ErrUnexpectedEOF},
			kind: Disconnected, want: begun + ": the response was cut short: unexpected EOF", ends: 80 * time.Second},
		"to a full disk": {disk: disk{full: true},
			kind: Unwritable, want: begun + ": no space left on device"},

		"limited, silent": {stream: stream{begins: time.Hour}, limit: 9, remaining: 20 * time.Second, kind: DownloadExpired, want: over, ends: 20 * time.Second},
		"limited, endless": {stream: stream{end: errSilent}, limit: 9, remaining: 20 * time.Second,
			kind: DownloadExpired, want: begun + over, ends: 20 * time.Second},
		"limited, over before": {stream: stream{begins: time.Hour}, limit: 9, remaining: -time.Second, kind: DownloadExpired, want: over},
		"limited, slower than an attempt may be": {stream: stream{end: errSilent}, limit: 9, remaining: 40 * time.Second,
			kind: TimedOut, want: begun + ": no complete response within 30s", ends: 30 * time.Second},

		"interrupted": {stream: stream{end: errSilent}, interrupt: 5 * time.Second,
			kind: Canceled, want: begun + ": context canceled", ends: 5 * time.Second},
	}
	for name, test := range tests {
		bubble(t, name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			if test.interrupt > 0 {
				time.AfterFunc(test.interrupt, interrupt)
			}
			started := time.Now()
			content, err := contentOver(t, test.stream.RoundTrip).PerformDownload(ctx,
				Performance{Download: &Download{ID: contentID}, Remaining: cmp.Or(test.remaining, 59*time.Second), Limit: test.limit}, &test.disk)
			if took := time.Since(started); took != test.ends {
				t.Errorf("ended after %s, want %s", took, test.ends)
			}
			switch {
			case test.kind != 0:
				checkError(t, err, test.kind, "GET "+contentPath+test.want)
			case err != nil:
				t.Error(err)
			case content.Length != 7 || test.disk.String() != "content":
				t.Errorf("got %d bytes, %q", content.Length, test.disk.String())
			}
		})
	}
}

// Begin gets the length of the content, not of its encoded form.
func TestStreamBegins(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		response *http.Response
		want     string
	}{
		"announced":  {newResponse(200, "content", "Content-Type", "text/plain"), "text/plain 7"},
		"empty":      {newResponse(200, ""), " 0"},
		"compressed": {newResponse(200, zipped("content"), "Content-Encoding", "gzip"), " -1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var begun []string
			client := contentOver(t, func(*http.Request) (*http.Response, error) { return test.response, nil })
			_, err := client.PerformDownload(t.Context(), Performance{Download: &Download{ID: contentID},
				Begin: func(c Content) { begun = append(begun, fmt.Sprintf("%s %d", c.Type, c.Length)) }}, io.Discard)
			if err != nil || len(begun) != 1 || begun[0] != test.want {
				t.Errorf("began with %q, %v, want %s", begun, err, test.want)
			}
		})
	}
}

// Content without a limit is not held in memory.
func TestStreamMemory(t *testing.T) { // not parallel: it counts what all tests allocate
	const size = 64 << 20
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 64<<10)
		for range size / len(block) {
			_, _ = w.Write(block)
		}
	})
	client.downloadURL, _ = ParseDownloadURL(client.base.String() + "/{id}")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	content, err := client.PerformDownload(t.Context(), Performance{Download: &Download{ID: contentID}}, io.Discard)
	runtime.ReadMemStats(&after)
	if err != nil || content.Length != size {
		t.Fatal(content, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > size/8 {
		t.Errorf("%d bytes took %d bytes of memory", size, took)
	}
}
