package provider

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
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

// TestNetwork_arguments shows what the arguments about the network may be, by the
// error or by the number of requests to an API that rejects each of them for now.
func TestNetwork_arguments(t *testing.T) {
	t.Parallel()
	const (
		timeout     = "ERROR at request_timeout: Invalid request timeout: The timeout cannot be used: it must be a duration greater than zero, such as 45s or 2m."
		retries     = "ERROR at max_retries: Invalid Attribute Value: Attribute max_retries value must be between 0 and 10, got: "
		certificate = "ERROR at ca_cert_pem: Invalid CA certificates: The text cannot be used: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."
		notKnown    = "ERROR: Provider configuration not known yet: The value of the provider's `%s` is known only after apply"
	)
	good, _ := certificateFor(t, "privasfer.invalid")
	for name, test := range map[string]struct {
		argument string
		value    any
		want     string // of the error; "": it is taken
		requests int
	}{
		"timeout of seconds": {"request_timeout", "45s", "", 5},
		"timeout of minutes": {"request_timeout", "1m30s", "", 5},
		"timeout of zero":    {"request_timeout", "0s", timeout, 0},
		"timeout below zero": {"request_timeout", "-1s", timeout, 0},
		"timeout, no unit":   {"request_timeout", "30", timeout, 0},
		"timeout, empty":     {"request_timeout", "", timeout, 0},
		"timeout, unknown":   {"request_timeout", unknown, fmt.Sprintf(notKnown, "request_timeout"), 0},
		"retries, null":      {"max_retries", nil, "", 5},
		"no retry":           {"max_retries", 0, "", 1},
		"most retries":       {"max_retries", 10, "", 11},
		"retries below zero": {"max_retries", -1, retries + "-1", 0},
		"too many retries":   {"max_retries", 11, retries + "11", 0},
		"retries, unknown":   {"max_retries", unknown, fmt.Sprintf(notKnown, "max_retries"), 0},
		"certificate":        {"ca_cert_pem", good, "", 5},
		"no certificate":     {"ca_cert_pem", marker, certificate, 0},
		"certificate, empty": {"ca_cert_pem", "", certificate, 0},
		"unknown":            {"ca_cert_pem", unknown, fmt.Sprintf(notKnown, "ca_cert_pem"), 0},
	} {
		for kind, caller := range callers {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				api := newAPI(t, simulator.Options{})
				api.Inject("", -1, rejecting(429, "Too Many Attempts.", "Retry-After", "0"))
				server, report := configure(t, "1.11.4", api.arguments().and(values{test.argument: test.value}))
				if report == "" {
					report = caller.call(server, t)
				}
				checkReport(t, report, cmp.Or(test.want, "ERROR: "+caller.summary))
				if got := len(api.Requests()); got != test.requests {
					t.Errorf("got %d requests, want %d", got, test.requests)
				}
				if got, want := strings.Contains(report, fmt.Sprintf("(after %d attempts)", test.requests)), test.requests > 1; got != want {
					t.Errorf("it says how often it tried: %t, want %t: %s", got, want, report)
				}
			})
		}
	}
}

// TestNetwork_retrySucceeds: a fault that passes costs nothing but time.
func TestNetwork_retrySucceeds(t *testing.T) {
	t.Parallel()
	for kind, caller := range callers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("", 1, simulator.Maintenance("0"))
			api.Inject("", 1, rejecting(429, "Too Many Attempts.", "Retry-After", "0"))
			if report := caller.call(newProtocolServer(t, api, values{"max_retries": 2}), t); report != "" {
				t.Error(report)
			}
			if got := len(api.Requests()); got != 3 {
				t.Errorf("got %d requests, want 3", got)
			}
		})
	}
}

// TestAccNetwork_limits: 40 lookups succeed under a limit that names no time,
// and under one that lasts longer than it says.
func TestAccNetwork_limits(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]simulator.Options{
		"limit_req": {HideRateLimit: true},
		"redis":     {RateLimit: 30, RateWindow: time.Second, LateRateLimit: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Data = &simulator.Data{Files: simulator.ManyFiles(40)}
			api := newAPI(t, options)
			if options.HideRateLimit {
				api.Inject("", -1, api.LimitReq(50, 5))
			}
			newWorkspace(t, api.providerBlock()+`
				data "privasfer_file" "test" {
					count = 40
					id    = format("file-%06d", count.index + 1)
				}`).run(0, "plan")
			if got := len(api.Requests()); got <= 40 {
				t.Errorf("got %d requests: none was rejected", got)
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
// if it is to reject them.
type connectProxy struct {
	*httptest.Server
	target string
	status int // 0: connect

	mu    sync.Mutex
	asked []string // method, host, and credentials if there were any
}

func newConnectProxy(t *testing.T, target string, status int) *connectProxy {
	t.Helper()
	p := &connectProxy{target: target, status: status}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, strings.TrimSpace(r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization")))
	p.mu.Unlock()
	if p.status != 0 {
		http.Error(w, marker, p.status)
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

// TestAccNetwork_proxy: the released program takes its proxy from the environment,
// and through it trusts a server by ca_cert_pem.
func TestAccNetwork_proxy(t *testing.T) {
	t.Parallel()
	const connect = "CONNECT " + onionHost + ":443 Basic dXNlcjpodW50ZXIy"
	certificate, withKey := certificateFor(t, onionHost)
	for name, test := range map[string]struct {
		nobody   bool // is at the proxy's address
		env      string
		status   int      // of the proxy; 0: it connects
		asked    []string // of the proxy
		requests int      // that arrive at the API
		want     []string // of the output; none: the plan succeeds
	}{
		"connects":     {asked: []string{connect}, requests: 1},
		"passed by":    {env: "NO_PROXY=" + onionHost, want: []string{": dial tcp:", onionHost, stepReach}},
		"rejects":      {status: http.StatusProxyAuthRequired, asked: []string{connect}, want: []string{": Proxy Authentication Required", stepReach}},
		"nobody there": {nobody: true, want: []string{": proxyconnect tcp: dial tcp 127.0.0.1:1:", stepReach}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			server := httptest.NewUnstartedServer(api)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{withKey}, MinVersion: tls.VersionTLS12}
			server.StartTLS()
			t.Cleanup(server.Close)
			proxy := newConnectProxy(t, server.Listener.Addr().String(), test.status)
			address := proxy.Listener.Addr().String()
			if test.nobody {
				address = "127.0.0.1:1"
			}
			w := newBinaryWorkspace(t, providerFor("https://"+onionHost+"/api", "max_retries = 0", fmt.Sprintf("ca_cert_pem = %q", certificate))+creator.block,
				// None of the machine's own, by either spelling.
				"HTTPS_PROXY=http://user:hunter2@"+address, "https_proxy=", "HTTP_PROXY=", "http_proxy=", "NO_PROXY=", "no_proxy=", "ALL_PROXY=", "all_proxy=", test.env)
			output := w.run(min(len(test.want), 1), "plan")
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
				t.Errorf("it says that a download may have been made, after a rejection:\n%s", result.Output)
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
