package privasfer

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// The way to the content of a download, as the API's pages describe it: the
// user's PIN makes a temporary key, the temporary key makes a public key for one
// download, and the public key makes the URL at which that is performed.
//
//   - https://privasfer.com/docs/api/user-temporary-key
//   - https://privasfer.com/docs/api/public-download-key
//
// A temporary key lives one hour. One serves a whole client: it is made when it
// is first needed, and deleted by [Client.Close].

const (
	// maxKeyAge is how old a temporary key is used: well within its hour.
	maxKeyAge = 55 * time.Minute

	// maxDeletion bounds the deletion of the temporary key. An engine kills a
	// provider that takes 2 s to end.
	maxDeletion = 1500 * time.Millisecond
)

// ErrNoPIN is the error of a call that needs a PIN where the client has none.
var ErrNoPIN = errors.New("the client has no PIN")

// temporaryKey is the one of a client.
type temporaryKey struct {
	turn chan struct{} // taken by who reads or writes what follows

	key  string // "" before one is needed
	made time.Time

	// failed is why none could be made. The PIN is not sent again: a typing error
	// in a configuration of many downloads must not lock the account.
	failed error
}

// PrepareKey makes the temporary key where there is none, or none young enough.
// Called before a download is created it keeps the download's minute from being
// spent on the key, and a wrong PIN from creating one. A wrong PIN is an
// [*APIError] with the field "pin".
func (c *Client) PrepareKey(ctx context.Context) error {
	_, err := c.currentKey(ctx, "")
	return err
}

// CreateDownloadKey makes the public key of a download, which is as secret as
// its content. A download that does not exist is an [*APIError] with status 404.
func (c *Client) CreateDownloadKey(ctx context.Context, downloadID string) (string, error) {
	var rejected string
	for {
		temporary, err := c.currentKey(ctx, rejected)
		if err != nil {
			return "", err
		}
		key, err := c.createDownloadKey(ctx, downloadID, temporary)
		if rejected != "" || !HasField(err, "pinKey") {
			return key, err
		}
		rejected = temporary // it lapsed, or somebody deleted it: once more with another
	}
}

func (c *Client) createDownloadKey(ctx context.Context, downloadID, temporary string) (string, error) {
	target, err := c.endpoint(nil, "downloads", downloadID, "keys")
	if err != nil {
		return "", err
	}
	call := c.newCall(http.MethodPost, target, maxObjectBytes)
	call.path = c.base.EscapedPath() + "/downloads/{id}/keys"
	call.secrets = append(call.secrets, downloadID, temporary)
	created, err := send[createdKey](ctx, call, map[string]string{"pinKey": temporary})
	if err != nil {
		return "", err
	}
	return created.Key, nil
}

// currentKey returns the temporary key, or a new one where that is too old or is
// the one that the API rejected.
func (c *Client) currentKey(ctx context.Context, rejected string) (string, error) {
	if c.pin == "" {
		return "", ErrNoPIN
	}
	target, err := c.endpoint(nil, "keys")
	if err != nil {
		return "", err
	}
	call := c.newCall(http.MethodPost, target, maxObjectBytes)
	call.secrets = append(call.secrets, c.pin)

	k := &c.temporaryKey
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return "", call.failed(ended(ctx))
	}
	switch {
	case k.failed != nil:
		return "", k.failed
	case k.key == rejected: // or "", where there is none yet
	case c.now().Sub(k.made) < maxKeyAge:
		return k.key, nil
	default:
		c.deleteKey(ctx)
	}
	k.key = ""
	created, err := send[createdKey](ctx, call, map[string]string{"pin": c.pin})
	var failure *APIError
	switch {
	case err == nil:
		k.key, k.made = created.Key, call.sent
	case errors.As(err, &failure) && failure.Kind != Canceled:
		k.failed = failure
	}
	return k.key, err
}

// deleteKey deletes the temporary key, if there is one. It takes 1.5 s at most, and
// says nothing where it fails: the key lapses within the hour.
func (c *Client) deleteKey(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, maxDeletion)
	defer cancel()
	key := c.temporaryKey.key
	target, err := c.endpoint(nil, "keys", key)
	if err != nil { // no key
		return
	}
	call := c.newCall(http.MethodDelete, target, maxObjectBytes)
	call.path = c.base.EscapedPath() + "/keys/{key}"
	call.secrets = append(call.secrets, key)
	_ = call.do(ctx, nil)
}

// Close deletes the temporary key. It takes 1.5 s at most.
func (c *Client) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, maxDeletion)
	defer cancel()
	select {
	case c.temporaryKey.turn <- struct{}{}:
		c.deleteKey(ctx)
		c.temporaryKey.key = ""
		<-c.temporaryKey.turn
	case <-ctx.Done():
	}
}

// createdKey is a temporary key, or the public key of a download.
type createdKey struct {
	Key string `json:"key"`
}

func (k *createdKey) check() error {
	if k.Key == "" {
		return errors.New(`the response has no "data.key"`)
	}
	return nil
}
