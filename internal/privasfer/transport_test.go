package privasfer

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// newServer starts a server with a version of TLS; 0 is plain HTTP. [trusting] makes a
// client trust it.
func newServer(t *testing.T, version uint16, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	t.Cleanup(server.Close)
	if version == 0 {
		server.Start()
		return server
	}
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: version, MaxVersion: version}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	return server
}

func trusting(server *httptest.Server) func(*Config) {
	return func(config *Config) {
		if certificate := server.Certificate(); certificate != nil {
			config.CACertPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		version  uint16
		trusting bool
		host     string // the certificate is for 127.0.0.1
		kind     Kind
		err      string // contained in the error
	}{
		"TLS 1.3":           {tls.VersionTLS13, true, "127.0.0.1", 0, ""},
		"TLS 1.2":           {tls.VersionTLS12, true, "127.0.0.1", 0, ""},
		"TLS 1.1":           {tls.VersionTLS11, true, "127.0.0.1", Unreachable, "protocol version"},
		"unknown authority": {tls.VersionTLS13, false, "127.0.0.1", Untrusted, ": tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		"another name":      {tls.VersionTLS13, true, "localhost", Untrusted, ", not localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, test.version, func(w http.ResponseWriter, r *http.Request) {
				if test.kind != 0 || r.ProtoMajor != 1 {
					t.Errorf("a request came over %s", r.Proto)
				}
				fmt.Fprint(w, `{"data":{"id":"d"}}`)
			})
			var changes []func(*Config)
			if test.trusting {
				changes = append(changes, trusting(server))
			}
			client := newClientAt(t, strings.Replace(server.URL, "127.0.0.1", test.host, 1), changes...)
			_, _, err := client.CreateDownload(t.Context(), []string{"f"})
			if test.kind == 0 {
				checkText(t, err, "")
			} else if failure := asAPIError(t, err); failure.Kind != test.kind || !failure.NotProcessed || !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %+v", failure)
			}
		})
	}
}

// A failure before there is a connection means that nothing was sent.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	if reflect.ValueOf(newTransport(nil, 1).Proxy).Pointer() != reflect.ValueOf(http.ProxyFromEnvironment).Pointer() {
		t.Error("no proxy is looked for in the environment")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	_ = listener.Close()
	forbids := newServer(t, 0, respond(403, "")).URL
	host := strings.Repeat("a", 64) + ".example" // the label is too long: it fails without a name server
	for name, test := range map[string]struct{ base, proxy, err string }{
		"connection refused":   {base: "http://" + closed, err: "dial tcp " + closed + ": "},
		"no such host":         {base: "https://" + host, err: "dial tcp: lookup " + host + ": "},
		"no TLS":               {base: strings.Replace(forbids, "http:", "https:", 1), err: "tls: first record does not look like a TLS handshake"},
		"closed in the TLS":    {base: strings.Replace(rawServer(t, ""), "http:", "https:", 1), err: "the connection was closed before a response arrived"},
		"proxy not reachable":  {base: "https://api.example", proxy: "http://" + closed, err: "proxyconnect tcp: dial tcp " + closed + ": "},
		"the proxy rejects it": {base: "https://api.example", proxy: forbids, err: "Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClientAt(t, test.base)
			if test.proxy != "" {
				transport := newTransport(nil, 1)
				transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(test.proxy) }
				client.transport = transport
			}
			_, _, err := client.CreateDownload(t.Context(), []string{"f"})
			failure := asAPIError(t, err)
			if failure.Kind != Unreachable || !failure.NotProcessed || failure.Status != 0 || failure.Attempts != 1 {
				t.Errorf("got %+v", failure)
			}
			if want := "POST /downloads: " + test.err; !strings.HasPrefix(failure.Error(), want) {
				t.Errorf("got %s, want %s…", failure, want)
			}
		})
	}
}

// newPipeClient returns a client whose connections are pipes to serve, for tests in a
// synctest bubble. It waits for the servers, because a bubble fails if a goroutine is
// left.
func newPipeClient(t *testing.T, base string, dial time.Duration, serve func(net.Conn)) *Client {
	t.Helper()
	var servers sync.WaitGroup
	t.Cleanup(servers.Wait)
	transport := newTransport(nil, 1)
	t.Cleanup(transport.CloseIdleConnections)
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
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
	client := newClientAt(t, base)
	client.transport = transport
	return client
}

// dripping returns a server that responds to a request with head, then with rest, a byte
// a second, and then sends nothing more.
func dripping(head, rest string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, err := io.WriteString(conn, head)
		for i := 0; i < len(rest) && err == nil; i++ {
			time.Sleep(time.Second)
			_, err = io.WriteString(conn, rest[i:i+1])
		}
		silentConn(conn)
	}
}

func silentConn(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// The timeout of an attempt runs from the dial to the last byte of the response. The
// caller can end the attempt earlier.
func TestAttemptTime(t *testing.T) {
	t.Parallel()
	const (
		plain   = "http://localhost/api"
		ok      = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
		failed  = "HTTP/1.1 422 \r\nContent-Length: 1000\r\n\r\n"
		other   = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
		forever = 24 * time.Hour
		late    = ": no complete response within 30s"
	)
	drip := strings.Repeat(" ", 1000)
	for name, test := range map[string]struct {
		base    string
		dial    time.Duration
		serve   func(net.Conn)
		took    time.Duration
		kind    Kind
		err     string // after the path
		unsent  bool
		cancels bool // after 5 s
	}{
		"a dial without end":     {plain, forever, silentConn, DefaultRequestTimeout, Unreachable, late, true, false},
		"no TLS handshake":       {"https://localhost/api", 0, silentConn, 10 * time.Second, Unreachable, ": net/http: TLS handshake timeout", true, false},
		"no response":            {plain, 0, silentConn, DefaultRequestTimeout, TimedOut, late, false, false},
		"a header that drips":    {plain, 0, dripping("", "HTTP/1.1 200 OK\r\nX-Long: "+drip), DefaultRequestTimeout, TimedOut, late, false, false},
		"a body that drips":      {plain, 20 * time.Second, dripping(ok, drip), DefaultRequestTimeout, TimedOut, " returned 200 OK" + late, false, false},
		"a rejection that drips": {plain, 0, dripping(failed, drip), DefaultRequestTimeout, Rejected, " returned 422 Unprocessable Entity", true, false},
		"slow and in time":       {plain, 10 * time.Second, dripping("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n", `{"data":{"id":"d"}}`), 29 * time.Second, 0, "", false, false},
		"another protocol":       {plain, 0, dripping(other, drip), 0, Unusable, " returned 101 Switching Protocols: the server switched to another protocol than HTTP", false, false},

		"canceled while it dials": {plain, forever, silentConn, 5 * time.Second, Canceled, ": context canceled", true, true},
		"canceled while it waits": {plain, 0, silentConn, 5 * time.Second, Canceled, ": context canceled", false, true},
		"canceled while it reads": {plain, 0, dripping(ok, drip), 5 * time.Second, Canceled, " returned 200 OK: context canceled", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newPipeClient(t, test.base, test.dial, test.serve)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.cancels {
					time.AfterFunc(5*time.Second, cancel)
				}
				started := time.Now()
				_, _, err := client.CreateDownload(ctx, []string{"f"})
				if took := time.Since(started); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if test.kind == 0 {
					checkText(t, err, "")
					return
				}
				checkError(t, err, test.kind, "POST /api/downloads"+test.err)
				if asAPIError(t, err).NotProcessed != test.unsent || errors.Is(err, context.Canceled) != test.cancels {
					t.Errorf("got %+v", asAPIError(t, err))
				}
			})
		})
	}
}

// An incomplete response is an error, from the API and for content. Only TLS shows
// whether a response without a length is complete. An unreadable part of a response is
// not shown, because it may belong to a mail.
func TestBrokenResponse(t *testing.T) {
	t.Parallel()
	const (
		head     = "HTTP/1.1 200 OK\r\n"
		length20 = head + "Content-Length: 20\r\n\r\n" + emptyMail // which has 19 bytes
		chunked  = head + "Transfer-Encoding: chunked\r\n\r\n13\r\n" + emptyMail + "\r\n"
		cutShort = " returned 200 OK: the response was cut short: "
		noNotice = cutShort + "the TLS connection was closed without notice"
		broken   = "the response is not valid HTTP, or the connection broke"
		tls12    = tls.VersionTLS12
		tls13    = tls.VersionTLS13
	)
	gzipped := zipped(emptyMail)
	gzipLength := fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", head, len(gzipped)+1)
	for name, test := range map[string]struct {
		version uint16 // of TLS
		notify  bool   // the connection ends with a close_notify
		raw     string
		err     string // after the path; "": none
	}{
		"before it":                  {0, false, "", ": the connection was closed before a response arrived"},
		"in the header":              {0, false, head, ": net/http: HTTP/1.x transport connection broken: unexpected EOF"},
		"Content-Length":             {0, false, length20, cutShort + "unexpected EOF"},
		"Content-Length, whole, TLS": {tls13, false, strings.Replace(length20, "20\r", "19\r", 1), ""},
		"chunks":                     {0, false, chunked, cutShort + "unexpected EOF"},
		"chunks, whole, TLS":         {tls13, false, chunked + "0\r\n\r\n", ""},
		"gzip":                       {0, false, head + "Content-Encoding: gzip\r\n\r\n" + gzipped[:15], cutShort + "unexpected EOF"},
		"gzip, its length":           {0, false, gzipLength + gzipped, cutShort + "unexpected EOF"},

		"no length, plain":                    {0, false, head + "\r\n" + emptyMail, ""},
		"no length, close_notify":             {tls13, true, head + "\r\n" + emptyMail, ""},
		"no length, no close_notify":          {tls13, false, head + "\r\n" + emptyMail, noNotice},
		"no length, TLS 1.2, no close_notify": {tls12, false, head + "\r\n" + emptyMail, noNotice},
		"HTTP/1.0, no close_notify":           {tls13, false, "HTTP/1.0 200 OK\r\n\r\n" + emptyMail, noNotice},
		"gzip ends by itself, in a call":      {tls13, false, head + "Content-Encoding: gzip\r\n\r\n" + gzipped, ""},
		"no byte, no close_notify":            {tls13, false, head + "\r\n", noNotice},

		"no HTTP":           {0, false, "hunter2\r\n\r\n", ": " + broken},
		"no header":         {0, false, head + "hunter2\r\n\r\n", ": " + broken},
		"no Content-Length": {0, false, head + "Content-Length: hunter2\r\n\r\n", ": " + broken},
		"no chunk":          {0, false, head + "Transfer-Encoding: chunked\r\n\r\nhunter2\r\n", cutShort + broken},
		"no trailer":        {0, false, chunked + "0\r\nhunter2 x\r\n\r\n", cutShort + broken},
		"no gzip":           {0, false, head + "Content-Encoding: gzip\r\n\r\n" + gzipped + "hunter2 hunter2", cutShort + broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, test.version, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					panic(err)
				}
				_, _ = io.WriteString(conn, test.raw)
				if secure, ok := conn.(*tls.Conn); ok && !test.notify {
					conn = secure.NetConn()
				}
				_ = conn.Close()
			})
			client := newClientAt(t, server.URL, performingAt(t, server.URL+contentPath), trusting(server))
			_, err := client.InboxMail(t.Context(), "m", false)
			if test.err == "" {
				checkText(t, err, "")
			} else {
				checkError(t, err, Disconnected, "GET /inbox/m"+test.err)
			}
			if !strings.HasSuffix(name, "in a call") {
				content, err := perform(t, client, performance{})
				checkContent(t, content, err, emptyMail, map[bool]Kind{true: Disconnected}[test.err != ""], test.err)
			}
		})
	}
}

// manyXs fills a large response.
type manyXs string

func (xs manyXs) Read(p []byte) (int, error) { return copy(p, xs), nil }

// TestResponseSize checks the size limits of responses, whatever length they announce.
func TestResponseSize(t *testing.T) {
	t.Parallel()
	const start, end, mail = `{"data":{"id":"m"},"message":"No.","x":"`, `"}`, "GET /api/inbox/m returned "
	xs := manyXs(strings.Repeat("x", 64<<10))
	for name, test := range map[string]struct {
		status       int
		size, length int64 // actual and announced
		kind         Kind
		err          string
	}{
		"too large an object":       {200, maxObjectBytes + 1, maxObjectBytes, TooLarge, mail + "200 OK: the response is larger than 16 MiB"},
		"an object that says so":    {200, 100, 1 << 62, 0, ""},
		"too large a page":          {200, maxPageBytes + 1, maxPageBytes, ListTooLong, "GET /api/files returned 200 OK: the response is larger than 64 MiB"},
		"a rejection":               {500, maxRejectionBytes, -1, Rejected, mail + "500 Internal Server Error: No."},
		"a rejection read in parts": {500, maxRejectionBytes + 1, -1, Rejected, mail + "500 Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fill := io.LimitReader(xs, test.size-int64(len(start+end)))
			body := &countedBody{Reader: io.MultiReader(strings.NewReader(start), fill, strings.NewReader(end))}
			client := newClientOver(t, func(*http.Request) (*http.Response, error) {
				response := newResponse(test.status, "")
				response.Body, response.ContentLength = body, test.length
				return response, nil
			})
			var err error
			if test.kind == ListTooLong {
				_, err = client.Files(t.Context(), ListOptions{})
			} else {
				_, err = client.InboxMail(t.Context(), "m", false)
			}
			if checkText(t, err, test.err); err != nil && asAPIError(t, err).Kind != test.kind || !body.closed {
				t.Errorf("the kind is wrong, or the body was not closed: %+v", err)
			}
		})
	}
}

// Connections are reused, even after an error response, so there are never more than
// concurrent calls.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	used := map[string]bool{}
	var together sync.WaitGroup // the first requests of all callers
	together.Add(maxIdleConnections)
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		used[r.RemoteAddr] = true
		mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "first") {
			together.Done()
			together.Wait()
		}
		respond(map[bool]int{true: 404, false: 200}[strings.HasSuffix(r.URL.Path, "second")], emptyMail)(w, r)
	})
	_, _ = client.File(t.Context(), "f") // the first request goes alone
	var callers sync.WaitGroup
	for caller := range maxIdleConnections {
		callers.Go(func() {
			for _, id := range []string{"first", "second", "third"} {
				_, _ = client.File(t.Context(), fmt.Sprint(caller, id))
			}
		})
	}
	callers.Wait()
	if len(used) != maxIdleConnections {
		t.Errorf("%d connections, want %d", len(used), maxIdleConnections)
	}
}
