package simulator

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
)

// Chain lets a request meet several faults, the first one first; the response
// of a later one passes through the earlier. Chain(Truncate(), Encoded("gzip"))
// is a compressed response that is cut short. A chain of none is no fault.
func Chain(faults ...Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if len(faults) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		faults[0](w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			Chain(faults[1:]...)(w, r, next)
		}))
	}
}

// When lets a request meet the fault only if the condition holds, where a match
// of Inject is too coarse.
func When(condition func(*http.Request) bool, f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !condition(r) {
			next.ServeHTTP(w, r)
			return
		}
		f(w, r, next)
	}
}

// After carries the request out, throws the real response away and lets the
// fault respond: a gateway that loses a response, or a server that marks a
// download as used and sends the client to a storage service for it. The fault
// must not call the real handler, or the request is carried out twice.
func After(f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		captureResponse(http.Header{}, r, next)
		f(w, r, next)
	}
}

// Encoded sends the real response in a content encoding, whatever the client
// accepts: a proxy that compresses on its own account. Only gzip is done; any
// other encoding is claimed.
func Encoded(encoding string) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := captureResponse(w.Header(), r, next)
		body := &whole.body
		if encoding == "gzip" {
			body = &bytes.Buffer{}
			encoder := gzip.NewWriter(body)
			_, _ = encoder.Write(whole.body.Bytes()) // to memory, which does not fail
			_ = encoder.Close()
		}
		w.Header().Set("Content-Encoding", encoding)
		w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
		w.WriteHeader(whole.status)
		_, _ = w.Write(body.Bytes())
	}
}

// Chunked sends the real response without its length: a server that produces
// its responses while it sends them.
func Chunked() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := captureResponse(w.Header(), r, next)
		w.Header().Del("Content-Length")
		w.WriteHeader(whole.status)
		// Once the headers are out, net/http can no longer add the length.
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(whole.body.Bytes())
	}
}

// ContentType sends the real response with another Content-Type, or with none if
// it is empty: a storage service that knows nothing of what it stores.
func ContentType(contentType string) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := captureResponse(w.Header(), r, next)
		w.Header().Set("Content-Type", contentType)
		if contentType == "" {
			// Present and nil, it keeps net/http from guessing one.
			w.Header()["Content-Type"] = nil
		}
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes())
	}
}
