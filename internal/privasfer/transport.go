package privasfer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// maxIdleConnections is the number of idle connections per host. It covers
	// Terraform's default parallelism of 10 and higher settings; net/http keeps 2.
	maxIdleConnections = 32

	// dialTimeout is well below the default timeout of an attempt.
	dialTimeout = 10 * time.Second
)

// newTransport returns net/http's default transport, which uses the environment's proxy
// settings, with the certificates to trust and only HTTP/1.1: over HTTP/2, net/http
// itself retries a request, even a POST, for as long as its stream is reset
// (golang/go#52459).
func newTransport(caCertPEM []byte, idleConnections int) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented as *http.Transport
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if len(caCertPEM) > 0 {
		transport.TLSClientConfig.RootCAs = certPool(caCertPEM)
	}
	transport.MaxIdleConnsPerHost = idleConnections
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn}, nil
	}
	return transport
}

// watchedConn records that the other side closed the connection. Below TLS, this
// distinguishes a response that was cut short from a complete one: crypto/tls reports
// both as io.EOF, and stops reading after close_notify.
type watchedConn struct {
	net.Conn
	closed atomic.Bool
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		c.closed.Store(true)
	}
	return n, err
}

// cutBelowTLS reports whether a TLS connection was closed without a close_notify.
func cutBelowTLS(conn *net.Conn) bool {
	if conn == nil {
		return false
	}
	secure, ok := (*conn).(*tls.Conn)
	if !ok {
		return false
	}
	watched, ok := secure.NetConn().(*watchedConn)
	return ok && watched.closed.Load()
}
