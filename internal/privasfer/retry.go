package privasfer

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	// DefaultMaxRetries is how often a call is repeated unless Config says
	// otherwise.
	DefaultMaxRetries = 4

	defaultRetryWait = 500 * time.Millisecond
	maxBackoff       = 30 * time.Second
)

// newRetrying wraps an HTTP client in the rules for repeating a call:
//
//   - A lookup is repeated where no whole answer came, and after 429, 500, 502,
//     503 and 504; never where a certificate is wrong or the answer is too large,
//     which repeating does not change.
//   - The creation and the use of a download are repeated only where the server
//     did nothing: it could not be dialled, or answered 429, or 503 with
//     Retry-After.
//   - It waits as long as the answer asks, or else exponentially with full
//     jitter. An answer that asks for more than maxWait ends the call.
func newRetrying(client *http.Client, maxRetries int, firstWait time.Duration) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: client,
		RetryMax:   maxRetries,
		CheckRetry: func(ctx context.Context, response *http.Response, err error) (bool, error) {
			return repeatable(ctx, response, err), nil
		},
		Backoff: func(_, _ time.Duration, attempt int, response *http.Response) time.Duration {
			if wait, ok := askedWait(response); ok && wait > 0 {
				return wait
			}
			return jitter(firstWait, attempt)
		},
		// The last answer or error, so that the caller still sees what it was.
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		// A logger would be given URLs.
		Logger: nil,
	}
}

func repeatable(ctx context.Context, response *http.Response, err error) bool {
	current, ok := ctx.Value(callKey{}).(*call)
	switch {
	case !ok, ctx.Err() != nil, current.redirected, current.over:
		return false
	case err != nil:
		return repeatableError(current.safe, err)
	}
	wait, _ := askedWait(response)
	if deadline, ok := ctx.Deadline(); wait > maxWait || ok && wait > time.Until(deadline) {
		return false
	}
	return repeatableStatus(current.safe, response)
}

func repeatableError(safe bool, err error) bool {
	var tooLarge *tooLargeError
	var longWait *longWaitError
	switch {
	case errors.As(err, &tooLarge), errors.As(err, &longWait), untrusted(err):
		return false // the same again, every time
	}
	return safe || dialFailed(err)
}

// neverSent tells that a call failed before its latest request left.
func neverSent(err error) bool {
	var longWait *longWaitError
	return dialFailed(err) || untrusted(err) || errors.As(err, &longWait)
}

// dialFailed tells that no connection came about, to the API or to the proxy.
func dialFailed(err error) bool {
	var connection *net.OpError
	return errors.As(err, &connection) && (connection.Op == "dial" || connection.Op == "proxyconnect")
}

// untrusted tells that the server's certificate is not one for that host, or
// of an authority that is not trusted.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

func repeatableStatus(safe bool, response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		return safe || response.Header.Get("Retry-After") != ""
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return safe
	}
	return false
}

// askedWait reads how long an answer asks to wait before the next request:
// Retry-After in seconds or as a date, else X-RateLimit-Reset as Unix time.
// Dates are the server's, so they are held against the server's own Date where
// it sends one.
func askedWait(response *http.Response) (time.Duration, bool) {
	if response == nil ||
		response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	now, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	retryAfter := response.Header.Get("Retry-After")
	if seconds, ok := wholeNumber(retryAfter); ok {
		return time.Duration(max(0, seconds)) * time.Second, true
	}
	if date, err := http.ParseTime(retryAfter); err == nil {
		return max(0, date.Sub(now)), true
	}
	if reset, ok := wholeNumber(response.Header.Get("X-RateLimit-Reset")); ok {
		return max(0, time.Unix(reset, 0).Sub(now)), true
	}
	return 0, false
}

// wholeNumber reads a number of seconds. One that is too large for a Duration
// becomes the largest that is not.
func wholeNumber(text string) (int64, bool) {
	const most = int64(math.MaxInt64 / time.Second)
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return min(max(number, -most), most), true
}

// jitter is a random wait of up to first, doubled with each attempt: callers
// that failed together do not come back together.
func jitter(first time.Duration, attempt int) time.Duration {
	limit := min(first<<min(attempt, 16), maxBackoff)
	return rand.N(limit + 1)
}
