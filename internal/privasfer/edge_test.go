package privasfer

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

// A creation that was cancelled before it was let in was never sent.
func TestMayHaveActedBeforeTheFirstRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClientOver(t, func(*http.Request) (*http.Response, error) {
			return plainAnswer(429, "", "Retry-After", "60"), nil
		})
		if _, err := client.InboxMail(t.Context(), "m", false); err == nil {
			t.Fatal("no error")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := client.CreateDownload(ctx, []string{"f"})
		if apiError := asAPIError(t, err); apiError.Attempts != 0 || apiError.MayHaveActed() {
			t.Errorf("%v: %d attempts, MayHaveActed %t", err, apiError.Attempts, apiError.MayHaveActed())
		}
	})
}

// A token that was taken for an id is in the path, escaped.
func TestLogShowsTheEscapedToken(t *testing.T) {
	t.Parallel()
	text, _ := logOf(t, func(t *testing.T, client *Client, log io.Writer) {
		_, _ = client.InboxMail(tflogtest.RootLogger(t.Context(), log), testToken, false)
	}, func(*http.Request) (*http.Response, error) { return plainAnswer(404, ""), nil })
	if strings.Contains(text, url.PathEscape(testToken)) {
		t.Errorf("got %s", text)
	}
}

// A Retry-After beyond 2147483647 s is still one, and longer than 90 s.
func TestHugeRetryAfter(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{
		{"Retry-After", "2147483648"}, {"Retry-After", "99999999999999999999"},
		{"X-RateLimit-Reset", "9223372036854775807"}, {"X-RateLimit-Reset", "99999999999999999999"},
	} {
		if wait, ok := askedWait(plainAnswer(429, "", headers...)); !ok || wait <= maxWait {
			t.Errorf("%v: got %s, %t", headers, wait, ok)
		}
	}
}

// A first answer that is a proxy's error tells nothing of the limit, so the
// gate must not open.
func TestProxysErrorOpensTheGate(t *testing.T) {
	t.Parallel()
	testGate(t, func(g *gateTest) {
		waiting := g.arriveMany(20)
		g.answer(waiting[0], gateAnswer(502, ""), 0)
		g.letIn(waiting, 2)
		g.remains(waiting[1], 12)
		g.letIn(waiting, 4)
	})
}

// 503 with a Retry-After of 0 or in the past: repeated as one that did nothing,
// and yet it may have acted.
func TestMayHaveActedAfter503WithNoSecond(t *testing.T) {
	t.Parallel()
	_, _, err := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "0")
		answer(503, "")(w, r)
	}).CreateDownload(t.Context(), []string{"f"})
	if apiError := asAPIError(t, err); apiError.MayHaveActed() {
		t.Errorf("got %+v", apiError)
	}
}

// "Within 9 s" (see the report: 9.24 s by the rules).
// TestPlanOverTheLimit with planOverTheLimit = 9 * time.Second.
