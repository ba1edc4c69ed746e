package provider

import (
	"cmp"
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
	"sync"
	"testing"
	"time"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestNetwork_arguments checks the values of the network arguments, by the error or by
// the number of attempts. The API rejects every request with 429.
func TestNetwork_arguments(t *testing.T) {
	t.Parallel()
	const (
		timeout     = "ERROR at request_timeout: Invalid request timeout: The timeout is invalid: it must be a duration greater than zero, such as 45s or 2m."
		retries     = "ERROR at max_retries: Invalid Attribute Value: Attribute max_retries value must be between 0 and 10, got: "
		certificate = "ERROR at ca_cert_pem: Invalid CA certificates: The text is invalid: it contains no PEM-encoded certificate (-----BEGIN CERTIFICATE-----)."
		notKnown    = "ERROR: Provider configuration not known yet: The value of the provider's `%s` is not known until apply"
	)
	good, _ := certificateFor(t, "privasfer.invalid")
	for name, test := range map[string]struct {
		argument string
		value    any
		want     string // of the error; "": the value is valid
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
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t, simulator.Options{})
			api.Inject("", -1, rejecting(429, "Too Many Attempts.", "Retry-After", "0"))
			server, report := configure(t, "1.11.4", api.arguments().and(values{test.argument: test.value}))
			if report == "" {
				report = server.readMail(t)
			}
			checkReport(t, report, cmp.Or(test.want, "ERROR: "+reader.summary))
			if got := len(api.Requests()); got != test.requests {
				t.Errorf("got %d requests, want %d", got, test.requests)
			}
		})
	}
}

// TestNetwork_limits checks that 40 lookups at the same time succeed with a rate limit
// that sends no Retry-After, and with one that lasts longer than its Retry-After.
func TestNetwork_limits(t *testing.T) {
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
			server := newProtocolServer(t, api, nil, WithRetryWait(500*time.Millisecond))
			var lookups sync.WaitGroup
			for _, file := range options.Data.Files {
				lookups.Go(func() {
					if _, report := server.result(t, "file", values{"id": file.ID}); report != "" {
						t.Error(report)
					}
				})
			}
			lookups.Wait()
			if got := len(api.Requests()); got <= 40 {
				t.Errorf("got %d requests: none was rejected", got)
			}
		})
	}
}

// onionHost is a host that Go's resolver does not look up, see RFC 7686, so that a test
// without the proxy does not use the network. (The resolver of Windows may look it up.)
const onionHost = "api.privasfer.onion"

// certificateFor returns a certificate for a host, as PEM and with its key.
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

// connectProxy is a proxy that connects every client to target.
type connectProxy struct {
	target   string
	requests chan string // method, host and credentials
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests <- r.Method + " " + r.Host + " " + r.Header.Get("Proxy-Authorization")
	server, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", p.target)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = server.Close() }()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(server, client) }()
	_, _ = io.Copy(client, server)
}

// TestAccNetwork_proxy checks that the provider uses the proxy of the environment, and
// through it trusts a server with a certificate in ca_cert_pem. The client's tests
// check the proxies that fail.
func TestAccNetwork_proxy(t *testing.T) {
	t.Parallel()
	certificate, withKey := certificateFor(t, onionHost)
	for noProxy, proxied := range map[string]bool{"": true, onionHost: false} {
		t.Run("NO_PROXY="+noProxy, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(newAPI(t, simulator.Options{}))
			server.TLS = &tls.Config{Certificates: []tls.Certificate{withKey}, MinVersion: tls.VersionTLS12}
			server.StartTLS()
			t.Cleanup(server.Close)
			proxy := &connectProxy{target: server.Listener.Addr().String(), requests: make(chan string, 9)}
			listener := httptest.NewServer(proxy)
			t.Cleanup(listener.Close)
			w := newBinaryWorkspace(t, providerFor("https://"+onionHost+"/api", "max_retries = 0", fmt.Sprintf("ca_cert_pem = %q", certificate))+creator.block,
				// Replace the machine's settings. Lower case is first, because on Windows both
				// spellings are one variable, and the last value is used.
				"https_proxy=", "http_proxy=", "no_proxy=", "all_proxy=", "HTTP_PROXY=", "ALL_PROXY=",
				"HTTPS_PROXY=http://user:hunter2@"+listener.Listener.Addr().String(), "NO_PROXY="+noProxy)
			if !proxied {
				checkOutput(t, w.run(1, "plan"), ": dial tcp:", onionHost, stepReach)
			} else if w.run(0, "plan"); <-proxy.requests != "CONNECT "+onionHost+":443 Basic dXNlcjpodW50ZXIy" {
				t.Error("the request does not have the proxy's credentials")
			}
			if len(proxy.requests) > 0 {
				t.Errorf("the proxy got another request, %s", <-proxy.requests)
			}
		})
	}
}
