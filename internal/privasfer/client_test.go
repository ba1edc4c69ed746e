package privasfer

import (
	"net/http"
	"reflect"
	"testing"
	"time"
)

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		want := http.Header{
			"Authorization":   {"Bearer " + testToken},
			"Accept":          {"application/json"},
			"Content-Type":    {"application/json"},
			"User-Agent":      {testUserAgent},
			"Accept-Encoding": {"gzip"}, // set by net/http
		}
		if r.Method == http.MethodPost {
			want.Set("Content-Length", "15")
		}
		if !reflect.DeepEqual(r.Header, want) {
			t.Errorf("%s: got %q\nwant %q", r.Method, r.Header, want)
		}
		respond(http.StatusOK, emptyMail)(w, r)
	})
	if _, err := client.InboxMail(t.Context(), "m", true); err != nil {
		t.Error(err)
	}
	if _, _, err := client.CreateDownload(t.Context(), []string{"f"}); err != nil {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	then := time.Date(2019, 5, 20, 14, 39, 29, 0, time.UTC)
	tests := []struct {
		config                             Config
		requestTimeout, retryWait, minWait time.Duration
		maxRetries, maxRejections          int
		now                                time.Time
	}{
		{Config{}, 30 * time.Second, time.Second / 2, time.Second, 0, 1, time.Now()},
		{Config{RequestTimeout: 5, RetryWait: 7, MaxRetries: 3, Now: func() time.Time { return then }}, 5, 7, 14, 3, 3, then},
	}
	for _, test := range tests {
		c := New(test.config)
		if c.requestTimeout != test.requestTimeout || c.retryWait != test.retryWait || c.gate.minWait != test.minWait ||
			c.maxRetries != test.maxRetries || c.gate.maxRejections != test.maxRejections || c.now().Sub(test.now).Abs() > time.Minute {
			t.Errorf("%+v: got %+v", test.config, c)
		}
	}
}
