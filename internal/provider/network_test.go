package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestAccNetwork_arguments shows what the arguments about the network may be.
// A wrong one is refused by validate, where nothing is called.
func TestAccNetwork_arguments(t *testing.T) {
	t.Parallel()
	const (
		timeout     = "The timeout cannot be used: it must be a duration greater than zero, such as 45s or 2m."
		certificate = "The text cannot be used: "
	)
	garbage := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no certificate")})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(marker)})
	good, _ := certificateFor(t, "privasfer.invalid")
	tests := map[string]struct {
		argument string
		want     []string // none: it is taken
	}{
		"timeout of seconds":   {argument: `request_timeout = "45s"`},
		"timeout of minutes":   {argument: `request_timeout = "1m30s"`},
		"timeout of zero":      {argument: `request_timeout = "0s"`, want: []string{"Invalid request timeout", timeout}},
		"timeout below zero":   {argument: `request_timeout = "-1s"`, want: []string{"Invalid request timeout", timeout}},
		"timeout, a word":      {argument: `request_timeout = "abc"`, want: []string{"Invalid request timeout", timeout}},
		"timeout without unit": {argument: `request_timeout = "30"`, want: []string{"Invalid request timeout", timeout}},
		"timeout, a number":    {argument: `request_timeout = 30`, want: []string{"Invalid request timeout", timeout}},
		"timeout, empty":       {argument: `request_timeout = ""`, want: []string{"Invalid request timeout", timeout}},
		"no retry":             {argument: `max_retries = 0`},
		"most retries":         {argument: `max_retries = 10`},
		"retries below zero":   {argument: `max_retries = -1`, want: []string{"Attribute max_retries value must be between 0 and 10, got: -1"}},
		"too many retries":     {argument: `max_retries = 11`, want: []string{"Attribute max_retries value must be between 0 and 10, got: 11"}},
		"half a retry":         {argument: `max_retries = 1.5`, want: []string{"max_retries"}},
		"certificate":          {argument: fmt.Sprintf("ca_cert_pem = %q", good)},
		"certificates":         {argument: fmt.Sprintf("ca_cert_pem = %q", "# the first\n"+good+"# the second\n"+good)},
		"no PEM": {argument: fmt.Sprintf("ca_cert_pem = %q", marker), want: []string{"Invalid CA certificates",
			certificate + "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."}},
		"empty PEM": {argument: `ca_cert_pem = ""`, want: []string{"Invalid CA certificates",
			certificate + "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."}},
		"a key": {argument: fmt.Sprintf("ca_cert_pem = %q", good+string(key)), want: []string{"Invalid CA certificates",
			certificate + "it holds a block that is no CERTIFICATE."}},
		"certificate, garbage": {argument: fmt.Sprintf("ca_cert_pem = %q", garbage), want: []string{"Invalid CA certificates",
			certificate + "it holds a certificate that cannot be read."}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			w := newWorkspace(t, providerFor(api.URL, test.argument)+reader.block)
			exitCode := 0
			if len(test.want) > 0 {
				exitCode = 1
			}
			output := w.run(exitCode, "validate")
			checkOutput(t, output, test.want...)
			if got := len(api.Requests()); got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
			if exitCode == 0 {
				w.run(0, "plan")
			}
		})
	}
}

// TestAccNetwork_unknown: an argument that is known only after apply is never
// taken for one that is not set. A plan that calls nothing goes through.
func TestAccNetwork_unknown(t *testing.T) {
	t.Parallel()
	later := "resource \"terraform_data\" \"later\" { input = \"later\" }\n"
	for argument, value := range map[string]string{
		"request_timeout": "terraform_data.later.output",
		"max_retries":     "length(terraform_data.later.output)",
		"ca_cert_pem":     "terraform_data.later.output",
	} {
		for kind, caller := range callers {
			t.Run(argument+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{})
				config := later + providerFor(api.URL, argument+" = "+value)
				w := newWorkspace(t, config+caller.block)
				output := w.run(1, "plan")
				checkOutput(t, output,
					"Provider configuration not known yet",
					"The provider's `"+argument+"` depends on something that is known only after apply",
					"Give a value that is known at plan, or apply what it depends on first, with -target.",
				)
				w.write(config)
				w.run(0, "plan")
				if got := len(api.Requests()); got != 0 {
					t.Errorf("got %d requests, want none", got)
				}
			})
		}
	}
}

// TestAccNetwork_maxRetries counts the requests to an API that answers none of
// them well.
func TestAccNetwork_maxRetries(t *testing.T) {
	t.Parallel()
	for argument, want := range map[string]int{
		"":                   5,
		"max_retries = null": 5,
		"max_retries = 0":    1,
		"max_retries = 3":    4,
		"max_retries = 10":   11,
	} {
		for kind, caller := range callers {
			t.Run(argument+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{})
				api.Inject("", -1, simulator.Status(429, http.Header{"Retry-After": {"0"}}, ""))
				w := newWorkspace(t, providerFor(api.URL, argument)+caller.block, WithRetryWait(time.Millisecond))
				output := w.run(1, "plan")
				if got := len(api.Requests()); got != want {
					t.Errorf("got %d requests, want %d", got, want)
				}
				if got, told := message(fmt.Sprintf("(after %d attempts)", want)).MatchString(output), want > 1; got != told {
					t.Errorf("it says how often it tried: %t, want %t:\n%s", got, told, output)
				}
			})
		}
	}
}

// TestAccNetwork_retrySucceeds: a fault that passes costs nothing but time.
func TestAccNetwork_retrySucceeds(t *testing.T) {
	t.Parallel()
	for kind, caller := range callers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("", 1, simulator.Maintenance("1"))
			api.Inject("", 1, rejecting(429, "Too Many Attempts."))
			w := newWorkspace(t, providerFor(api.URL, "max_retries = 2")+caller.block, WithRetryWait(time.Millisecond))
			if output := w.run(0, "plan"); strings.Contains(output, "Warning") {
				t.Errorf("the run speaks of the repeats:\n%s", output)
			}
			if got := len(api.Requests()); got != 3 {
				t.Errorf("got %d requests, want 3", got)
			}
		})
	}
}

// TestAccNetwork_requestTimeout: the timeout governs each attempt and no more
// than that.
func TestAccNetwork_requestTimeout(t *testing.T) {
	t.Parallel()
	for kind, caller := range callers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("", -1, simulator.Hang())
			w := newWorkspace(t, providerFor(api.URL, "max_retries = 0", `request_timeout = "700ms"`)+caller.block)
			output := w.run(1, "plan")
			checkOutput(t, output, caller.path+": no complete response within 700ms.")
		})
		// Two attempts and the wait between them take longer than the timeout.
		t.Run(kind+", of an attempt", func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("", 1, simulator.Maintenance("3"))
			w := newWorkspace(t, providerFor(api.URL, "max_retries = 1", `request_timeout = "2s"`)+caller.block)
			w.run(0, "plan")
		})
	}
}

// TestAccNetwork_caCertPEM: the certificates make a server trusted, with which
// the provider speaks HTTP/1.1.
func TestAccNetwork_caCertPEM(t *testing.T) {
	t.Parallel()
	for kind, caller := range callers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			server := startTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 1 || r.TLS == nil || r.TLS.Version < tls.VersionTLS12 {
					t.Errorf("spoken are %s and %+v", r.Proto, r.TLS)
				}
				api.ServeHTTP(w, r)
			}))
			w := newWorkspace(t, providerFor(server.URL+"/api", caOf(server))+caller.block)
			w.run(0, "plan")
			if got := api.Count(caller.method, caller.path); got != 1 {
				t.Errorf("got %d requests, want 1", got)
			}
		})
	}
}

// TestAccNetwork_oldTLS: no TLS before 1.2 is spoken.
func TestAccNetwork_oldTLS(t *testing.T) {
	t.Parallel()
	for version, exitCode := range map[uint16]int{tls.VersionTLS11: 1, tls.VersionTLS12: 0} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			server := httptest.NewUnstartedServer(api)
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.StartTLS()
			t.Cleanup(server.Close)
			w := newWorkspace(t, providerFor(server.URL+"/api", "max_retries = 0", caOf(server))+reader.block)
			output := w.run(exitCode, "plan")
			if exitCode == 0 {
				return
			}
			checkOutput(t, output, reader.path+": remote error: tls: protocol version not supported", stepReach)
			if got := len(api.Requests()); got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
		})
	}
}

// onionHost is a name that Go's resolver asks no name server for, see RFC 7686: a
// test in which the proxy is passed by does not leave the machine. (Windows'
// own resolver may ask.)
const onionHost = "api.privasfer.onion"

// certificateFor returns a certificate for a host in PEM, and with its key.
func certificateFor(t *testing.T, host string) (string, tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// connectProxy is a proxy that connects whoever asks to one address, or to none
// if it is to refuse.
type connectProxy struct {
	*httptest.Server
	target string
	refuse int // status; 0: connect

	mu    sync.Mutex
	asked []string // method, host, and credentials if there were any
}

func newConnectProxy(t *testing.T, target string, refuse int) *connectProxy {
	t.Helper()
	p := &connectProxy{target: target, refuse: refuse}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, strings.TrimSpace(r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization")))
	p.mu.Unlock()
	if p.refuse != 0 {
		http.Error(w, marker, p.refuse)
		return
	}
	far, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", p.target)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = far.Close() }()
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = near.Close() }()
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	var there sync.WaitGroup
	there.Go(func() {
		_, _ = io.Copy(far, near)
		_ = far.Close()
	})
	_, _ = io.Copy(near, far)
	_ = near.Close()
	there.Wait()
}

func (p *connectProxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// TestAccNetwork_proxy: the released program takes its proxy from the
// environment.
func TestAccNetwork_proxy(t *testing.T) {
	t.Parallel()
	const connect = "CONNECT " + onionHost + ":443"
	tests := map[string]struct {
		env      func(proxy string) []string
		refuse   int
		asked    []string // of the proxy
		requests int      // that arrive at the API
		want     []string // of the output; none: the plan succeeds
	}{
		"HTTPS_PROXY": {env: func(proxy string) []string { return []string{"HTTPS_PROXY=http://" + proxy} },
			asked: []string{connect}, requests: 1},
		"with a password": {env: func(proxy string) []string { return []string{"HTTPS_PROXY=http://user:hunter2@" + proxy} },
			asked: []string{connect + " Basic dXNlcjpodW50ZXIy"}, requests: 1},
		"NO_PROXY": {env: func(proxy string) []string { return []string{"HTTPS_PROXY=http://" + proxy, "NO_PROXY=" + onionHost} },
			want: []string{": dial tcp:", onionHost, stepReach}},
		"NO_PROXY of another host": {env: func(proxy string) []string {
			return []string{"HTTPS_PROXY=http://" + proxy, "NO_PROXY=elsewhere.example"}
		}, asked: []string{connect}, requests: 1},
		"HTTP_PROXY is not for https": {env: func(proxy string) []string { return []string{"HTTP_PROXY=http://" + proxy} },
			want: []string{": dial tcp:", onionHost, stepReach}},
		"refuses": {env: func(proxy string) []string { return []string{"HTTPS_PROXY=http://user:hunter2@" + proxy} },
			refuse: http.StatusProxyAuthRequired, asked: []string{connect + " Basic dXNlcjpodW50ZXIy"},
			want: []string{": Proxy Authentication Required", stepReach}},
		"nobody there": {env: func(string) []string { return []string{"HTTPS_PROXY=http://user:hunter2@127.0.0.1:1"} },
			want: []string{": proxyconnect tcp: dial tcp 127.0.0.1:1:", stepReach}},
	}
	certificate, withKey := certificateFor(t, onionHost)
	for name, test := range tests {
		for kind, caller := range callers {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{})
				server := httptest.NewUnstartedServer(api)
				server.TLS = &tls.Config{Certificates: []tls.Certificate{withKey}, MinVersion: tls.VersionTLS12}
				server.StartTLS()
				t.Cleanup(server.Close)
				proxy := newConnectProxy(t, server.Listener.Addr().String(), test.refuse)

				w := newBinaryWorkspace(t, providerFor("https://"+onionHost+"/api", "max_retries = 0", fmt.Sprintf("ca_cert_pem = %q", certificate))+caller.block,
					// None of the machine's own, by either spelling.
					"HTTPS_PROXY=", "https_proxy=", "HTTP_PROXY=", "http_proxy=", "NO_PROXY=", "no_proxy=", "ALL_PROXY=", "all_proxy=")
				w.Env = append(w.Env, test.env(proxy.Listener.Addr().String())...)
				exitCode := 0
				if len(test.want) > 0 {
					exitCode = 1
				}
				output := w.run(exitCode, "plan")
				checkOutput(t, output, test.want...)
				for _, secret := range []string{"hunter2", "dXNlcjpodW50ZXIy", marker, testToken} {
					if strings.Contains(output, secret) {
						t.Errorf("the output shows %q:\n%s", secret, output)
					}
				}
				if message(mayHaveCreated).MatchString(output) {
					t.Errorf("it says that a download may have been made, without a connection:\n%s", output)
				}
				if got := proxy.requests(); !slices.Equal(got, test.asked) {
					t.Errorf("the proxy was asked %q, want %q", got, test.asked)
				}
				if got := len(api.Requests()); got != test.requests {
					t.Errorf("got %d requests, want %d", got, test.requests)
				}
			})
		}
	}
}

// TestAccNetwork_interruptedWait: Ctrl-C ends at once a run that waits for as
// long as the API has asked it to.
func TestAccNetwork_interruptedWait(t *testing.T) {
	t.Parallel()
	skipWithoutInterrupt(t)
	for kind, caller := range callers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			api.Inject("", -1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				rejecting(429, "Too Many Attempts.", "Retry-After", "60")(w, r, next)
				time.AfterFunc(500*time.Millisecond, interrupt) // by then the response is read
			})
			w := newWorkspace(t, api.providerBlock()+caller.block)
			started := time.Now()
			result, err := w.Run(ctx, "plan", "-no-color")
			if err != nil {
				t.Fatal(err)
			}
			if result.ExitCode != 1 || !message("The run was interrupted.").MatchString(result.Output) {
				t.Errorf("ended with %d, want 1 and the word that it was interrupted:\n%s", result.ExitCode, result.Output)
			}
			if message(mayHaveCreated).MatchString(result.Output) {
				t.Errorf("it says that a download may have been made, after a refusal:\n%s", result.Output)
			}
			if took := time.Since(started); took > 20*time.Second { // and not the minute that was asked for
				t.Errorf("the run went on for %s", took)
			}
			if got := len(api.Requests()); got != 1 {
				t.Errorf("got %d requests, want 1", got)
			}
		})
	}
}
