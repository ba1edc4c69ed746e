package privasfer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// pipeClient returns a client whose connections are pipes to serve, for tests
// in a bubble of synctest: the clock moves on only when everybody waits for
// it, so a test sees times to the nanosecond and waits for none. The bubble
// fails the test, too, if a goroutine of the client is still there at its end.
func pipeClient(t *testing.T, base string, dial time.Duration, serve func(net.Conn)) *Client {
	t.Helper()
	var servers sync.WaitGroup
	t.Cleanup(servers.Wait) // after the client's own clean-up
	client := newClientAt(t, base)
	inner := innerTransport(t, client)
	inner.Proxy = nil
	inner.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case <-time.After(dial):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		near, far := net.Pipe()
		servers.Go(func() {
			serve(far)
			_ = far.Close()
		})
		return near, nil
	}
	return client
}

// hang reads what it is sent and says nothing, until the client hangs up.
func hang(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// drip reads a request and answers it with a byte a second, after head.
func drip(head, rest string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		if _, err := io.WriteString(conn, head); err != nil {
			return
		}
		for i := range len(rest) {
			time.Sleep(time.Second)
			if _, err := io.WriteString(conn, rest[i:i+1]); err != nil {
				return
			}
		}
		hang(conn)
	}
}

const (
	plainBase = "http://localhost/api"
	forever   = 24 * time.Hour
)

// The timeout counts from the dial to the last byte, however the time is
// spent.
func TestTimeoutIsOfTheWholeAttempt(t *testing.T) {
	t.Parallel()
	const ok, failed = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "HTTP/1.1 500 \r\nContent-Length: 1000\r\n\r\n"
	endless := strings.Repeat(" ", 1000)

	tests := map[string]struct {
		base  string
		dial  time.Duration
		serve func(net.Conn)
		after time.Duration
		err   string // after the path; "": none
	}{
		"the dial takes for ever": {
			base: plainBase, dial: forever, serve: hang,
			after: DefaultRequestTimeout, err: ": no complete answer within 30s",
		},
		"no answer": {
			base: plainBase, serve: hang,
			after: DefaultRequestTimeout, err: ": no complete answer within 30s",
		},
		"the TLS handshake stalls": { // net/http's own limit
			base: "https://localhost/api", serve: hang,
			after: 10 * time.Second, err: ": net/http: TLS handshake timeout",
		},
		"headers drip": {
			base: plainBase, serve: drip("", "HTTP/1.1 200 OK\r\nX-Long: "+endless),
			after: DefaultRequestTimeout, err: ": no complete answer within 30s",
		},
		"the body drips": {
			base: plainBase, serve: drip(ok, endless),
			after: DefaultRequestTimeout, err: " was answered 200 OK: no complete answer within 30s",
		},
		"the body of a refusal drips": {
			base: plainBase, serve: drip(failed, endless),
			after: DefaultRequestTimeout, err: " was answered 500 Internal Server Error",
		},
		"a slow dial, then the body drips": {
			base: plainBase, dial: 20 * time.Second, serve: drip(ok, endless),
			after: DefaultRequestTimeout, err: " was answered 200 OK: no complete answer within 30s",
		},
		"slow and in time": {
			base: plainBase, dial: 10 * time.Second, serve: drip("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n", emptyMail),
			after: 29 * time.Second,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := pipeClient(t, test.base, test.dial, test.serve)
				start := time.Now()
				_, err := client.InboxMail(t.Context(), "m", false)
				if got := time.Since(start); got != test.after {
					t.Errorf("it took %s, want %s", got, test.after)
				}
				if test.err == "" {
					checkText(t, err, "")
					return
				}
				checkError(t, err, "GET /api/inbox/m"+test.err)
			})
		})
	}
}

// The same with a network and a clock that runs.
func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}, func(config *Config) { config.RequestTimeout = 50 * time.Millisecond })
	start := time.Now()
	_, err := client.InboxMail(t.Context(), "m", false)
	checkError(t, err, "GET /api/inbox/m: no complete answer within 50ms")
	if took := time.Since(start); took < 50*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// Whoever calls can end the call at any time, and finds the reason in the
// error.
func TestContextEndsTheCall(t *testing.T) {
	t.Parallel()
	stages := map[string]struct {
		dial  time.Duration
		serve func(net.Conn)
		text  string
	}{
		"while it dials": {dial: forever, serve: hang, text: ": "},
		"while it waits": {serve: hang, text: ": "},
		"while it reads": {
			serve: drip("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", strings.Repeat(" ", 1000)), text: ": ",
		},
	}
	reasons := map[string]struct {
		end    func(context.Context) (context.Context, context.CancelFunc)
		reason error
	}{
		"cancelled": {
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(5*time.Second, cancel)
				return ctx, cancel
			},
			context.Canceled,
		},
		"out of time": {
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 5*time.Second)
			},
			context.DeadlineExceeded,
		},
	}
	for name, stage := range stages {
		for how, reason := range reasons {
			t.Run(how+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					client := pipeClient(t, plainBase, stage.dial, stage.serve)
					ctx, cancel := reason.end(t.Context())
					defer cancel()
					start := time.Now()
					_, err := client.InboxMail(ctx, "m", false)
					if got := time.Since(start); got != 5*time.Second {
						t.Errorf("it took %s", got)
					}
					if !errors.Is(err, reason.reason) {
						t.Errorf("%v is not %v", err, reason.reason)
					}
					checkError(t, err, "GET /api/inbox/m"+stage.text+reason.reason.Error())
					synctest.Wait() // for the request that nobody waits for any more
				})
			})
		}
	}
}

func TestCancelOnTheNetwork(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	_, _, err := client.CreateDownload(ctx, []string{"f"})
	checkError(t, err, "POST /api/downloads: context canceled")
	apiError := asAPIError(t, err)
	if !errors.Is(err, context.Canceled) || !apiError.MayHaveActed() {
		t.Errorf("got %+v", apiError)
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()

	_, _, err = newClientAt(t, "http://"+address+"/api").CreateDownload(t.Context(), []string{"f"})
	apiError := asAPIError(t, err)
	if want := "POST /api/downloads: dial tcp " + address + ": "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %s, want %s…", err, want)
	}
	if apiError.Status != 0 || apiError.Attempts != 1 || apiError.MayHaveActed() {
		t.Errorf("got %+v", apiError)
	}
}

// roundTripper is a function that performs HTTP.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Faults that a test cannot have from a real network, or not every time.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	broken := func(status int) roundTripper {
		return func(*http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader(`{"data":`), iotest.ErrReader(syscall.ECONNRESET))
			return &http.Response{StatusCode: status, Body: io.NopCloser(body)}, nil
		}
	}
	tests := map[string]struct {
		inner        roundTripper
		err          string
		mayHaveActed bool
	}{
		"no such host": {
			inner: func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "privasfer.test", IsNotFound: true}}
			},
			err: ": dial tcp: lookup privasfer.test: no such host",
		},
		"reset before the answer": {
			inner: func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
			},
			err:          ": read tcp: " + syscall.ECONNRESET.Error(),
			mayHaveActed: true,
		},
		"reset in the middle of the answer": {
			inner:        broken(http.StatusCreated),
			err:          " was answered 201 Created: the answer was cut short: " + syscall.ECONNRESET.Error(),
			mayHaveActed: true,
		},
		"reset in the middle of a refusal": {
			inner: broken(http.StatusUnprocessableEntity),
			err:   " was answered 422 Unprocessable Entity",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClientAt(t, DefaultBaseURL)
			transportOf(t, client.http).inner = test.inner
			_, _, err := client.CreateDownload(t.Context(), []string{"f"})
			checkError(t, err, "POST /api/downloads"+test.err)
			if got := asAPIError(t, err).MayHaveActed(); got != test.mayHaveActed {
				t.Errorf("MayHaveActed is %t", got)
			}
		})
	}
}

// A connection that ends is an error, wherever it ends.
func TestAnswerCutShort(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		handler http.HandlerFunc
		err     string
	}{
		"before it": {
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			": the connection was closed before an answer came",
		},
		"before its Content-Length": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "100")
				answer(http.StatusOK, emptyMail)(w, r) // whole JSON, and yet not the whole answer
			},
			" was answered 200 OK: the answer was cut short: unexpected EOF",
		},
		"between two chunks": {
			func(w http.ResponseWriter, r *http.Request) {
				answer(http.StatusOK, emptyMail)(w, r)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			},
			" was answered 200 OK: the answer was cut short: unexpected EOF",
		},
		"in a compressed body": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				answer(http.StatusOK, compressed(emptyMail)[:15])(w, r)
			},
			" was answered 200 OK: the answer was cut short: unexpected EOF",
		},
		"in a refusal": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "100")
				answer(http.StatusNotFound, `{"message":"No."}`)(w, r)
			},
			" was answered 404 Not Found: No.",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, test.handler).InboxMail(t.Context(), "m", false)
			checkError(t, err, "GET /api/inbox/m"+test.err)
		})
	}
}

func compressed(text string) string {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	fmt.Fprint(writer, text)
	_ = writer.Close()
	return buffer.String()
}

// An answer may be as large as the limit, to the byte, and counts as it is
// after decompression.
func TestAnswerLimit(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	whole := emptyMail + strings.Repeat(" ", limit-len(emptyMail))
	const tooLarge = "GET /api/inbox was answered 200 OK: the answer is larger than 1 MiB"

	tests := map[string]struct {
		body     string
		compress bool
		err      string
	}{
		"at the limit":              {body: whole},
		"one byte over":             {body: whole + " ", err: tooLarge},
		"compressed, at the limit":  {body: whole, compress: true},
		"compressed, one byte over": {body: whole + " ", compress: true, err: tooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				body := test.body
				if test.compress {
					w.Header().Set("Content-Encoding", "gzip")
					body = compressed(body)
				}
				answer(http.StatusOK, body)(w, r)
			})
			target, err := client.endpoint(nil, "inbox")
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.do(t.Context(), request{method: http.MethodGet, url: target, limit: limit}, func(body []byte) error {
				_, err := decode[InboxMail](body)
				return err
			})
			if test.err == "" {
				checkText(t, err, "")
				return
			}
			checkError(t, err, test.err)
		})
	}
}

// Of a body without end the client takes what it would take of any, and hangs
// up.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	const buffers = 64 << 20 // of the system, on the way
	tests := map[string]struct {
		status  int
		length  string
		atMost  int64 // bytes that the server gets rid of
		message string
	}{
		"of 4 GiB":         {http.StatusOK, "4294967296", maxObjectBytes + buffers, "200 OK: the answer is larger than 16 MiB"},
		"of no length":     {http.StatusOK, "", maxObjectBytes + buffers, "200 OK: the answer is larger than 16 MiB"},
		"a refusal's body": {http.StatusInternalServerError, "", maxRefusalBytes + buffers, "500 Internal Server Error"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var written atomic.Int64
			client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.length != "" {
					w.Header().Set("Content-Length", test.length)
				}
				w.WriteHeader(test.status)
				block := bytes.Repeat([]byte(" "), 64<<10)
				for written.Load() < 1<<30 {
					n, err := w.Write(block)
					written.Add(int64(n))
					if err != nil {
						return
					}
				}
			})
			_, err := client.InboxMail(t.Context(), "m", false)
			checkError(t, err, "GET /api/inbox/m was answered "+test.message)
			if got := written.Load(); got > test.atMost {
				t.Errorf("the server got rid of %d bytes", got)
			}
		})
	}
}

// Reads share connections, refused ones too: no more are opened than there are
// calls at the same time.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		callers int32
		each    int
		status  int
	}{
		"one after the other":         {1, 50, http.StatusOK},
		"ten at a time":               {10, 20, http.StatusOK},
		"refusals, ten at a time":     {10, 20, http.StatusNotFound},
		"more than Terraform's usual": {maxIdleConnections, 10, http.StatusOK},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests, opened atomic.Int32
			together := make(chan struct{})
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// The first request of each caller waits for the others', so
				// that as many connections are open as there are callers.
				if n := requests.Add(1); n == test.callers {
					close(together)
				}
				<-together
				answer(test.status, emptyMail)(w, r)
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
			server.Start()
			t.Cleanup(server.Close)
			client := newClientAt(t, server.URL+"/api")

			var callers sync.WaitGroup
			for caller := range test.callers {
				callers.Go(func() {
					for range test.each {
						_, err := client.InboxMail(t.Context(), strconv.Itoa(int(caller)), false)
						if (err == nil) != (test.status == http.StatusOK) {
							t.Errorf("got %v", err)
						}
					}
				})
			}
			callers.Wait()
			if got := opened.Load(); got != test.callers {
				t.Errorf("%d connections for %d requests, want %d", got, requests.Load(), test.callers)
			}
		})
	}
}

// The client's transport is the default one but for the connections it keeps,
// and leaves the default one as it is.
func TestTransportIsACopyOfTheDefault(t *testing.T) {
	t.Parallel()
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		t.Fatalf("the default transport is a %T", http.DefaultTransport)
	}
	client := newClientAt(t, DefaultBaseURL)
	inner := innerTransport(t, client)
	if inner == shared {
		t.Fatal("it is the default transport itself")
	}
	if shared.MaxIdleConnsPerHost != 0 {
		t.Errorf("the default transport keeps %d connections per host now", shared.MaxIdleConnsPerHost)
	}
	if inner.MaxIdleConnsPerHost != maxIdleConnections {
		t.Errorf("it keeps %d connections per host", inner.MaxIdleConnsPerHost)
	}
	if inner.Proxy == nil || reflect.ValueOf(inner.Proxy).Pointer() != reflect.ValueOf(http.ProxyFromEnvironment).Pointer() {
		t.Error("it does not look for a proxy in the environment")
	}
	if !inner.ForceAttemptHTTP2 {
		t.Error("it does not offer HTTP/2")
	}
	if client.http.HTTPClient.Timeout != 0 {
		t.Errorf("there is a second timeout, of %s", client.http.HTTPClient.Timeout)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		trust bool   // the server's authority
		name  string // by which the client knows the server; "": its address
		err   string // contained in the error; "": none
	}{
		"known":             {trust: true},
		"unknown authority": {err: "GET /api/inbox/m: tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		"wrong name":        {trust: true, name: "privasfer.test", err: ", not privasfer.test"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if test.err != "" {
					t.Error("there was a request")
				}
				if r.ProtoMajor != 2 {
					t.Errorf("the request came by %s", r.Proto)
				}
				answer(http.StatusOK, emptyMail)(w, r)
			}))
			server.EnableHTTP2 = true
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.StartTLS()
			t.Cleanup(server.Close)

			client := newClientAt(t, server.URL+"/api")
			config := &tls.Config{ServerName: test.name, RootCAs: x509.NewCertPool()}
			if test.trust {
				config.RootCAs.AddCert(server.Certificate())
			}
			innerTransport(t, client).TLSClientConfig = config

			_, err := client.InboxMail(t.Context(), "m", false)
			if test.err == "" {
				checkText(t, err, "")
				return
			}
			if text := asAPIError(t, err).Error(); !strings.Contains(text, test.err) {
				t.Errorf("got %s, want …%s…", text, test.err)
			}
		})
	}
}

// A server behind a base URL with the wrong scheme.
func TestNoTLSWhereItIsExpected(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(answer(http.StatusOK, emptyMail))
	t.Cleanup(server.Close)
	client := newClientAt(t, strings.Replace(server.URL, "http:", "https:", 1))
	_, err := client.InboxMail(t.Context(), "m", false)
	checkError(t, err, "GET /inbox/m: http: server gave HTTP response to HTTPS client")
}

// The transport serves the client's calls alone.
func TestTransportNeedsACall(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(http.ResponseWriter, *http.Request) { t.Error("there was a request") })
	httpRequest, err := http.NewRequestWithContext(t.Context(), http.MethodGet, client.base.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transportOf(t, client.http).RoundTrip(httpRequest)
	if err == nil {
		response.Body.Close()
	}
	checkText(t, err, "a request that is no call")
}

// What an answer says of its length may be anything.
func TestContentLengthIsNotTrusted(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 62, maxObjectBytes + 1, -1} {
		client := newClientOver(t, func(*http.Request) (*http.Response, error) {
			response := plainAnswer(http.StatusOK, emptyMail)
			response.ContentLength = length
			return response, nil
		})
		if mail, err := client.InboxMail(t.Context(), "m", false); err != nil || mail.ID != "m" {
			t.Errorf("%d: got %v, %v", length, mail, err)
		}
	}
}
