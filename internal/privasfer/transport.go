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
	// maxIdleConnections per host covers Terraform's default parallelism of 10
	// and a raised one; net/http keeps 2.
	maxIdleConnections = 32

	// dialTimeout is well within the time of an attempt.
	dialTimeout = 10 * time.Second
)

// newTransport returns the default transport with the proxy settings of the
// environment, the certificates to trust, and HTTP/1.1 alone: over HTTP/2
// net/http retries a request by itself, a POST too, for as long as its stream is
// reset (golang/go#52459).
func newTransport(caCertPEM []byte, idleConnections int) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented as *http.Transport
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if len(caCertPEM) > 0 {
		transport.TLSClientConfig.RootCAs = certPool(caCertPEM)
	}
	transport.MaxIdleConnsPerHost = idleConnections
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn}, nil
	}
	return transport
}

// watchedConn remembers that the other side closed the connection. Below TLS
// that distinguishes a response that was cut short from one that ended: crypto/tls
// reports both as io.EOF, and reads no further once close_notify has come.
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

// cutBelowTLS reports whether a TLS connection was closed without a
// close_notify.
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
