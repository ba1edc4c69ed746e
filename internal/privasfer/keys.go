package privasfer

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// The content of a download is reached in three steps, according to the API's pages: the
// user's PIN creates a temporary key, the temporary key creates a public key for one
// download, and the URL at which the download is performed is made from the public key.
//
//   - https://privasfer.com/docs/api/user-temporary-key
//   - https://privasfer.com/docs/api/public-download-key
//
// A temporary key lives one hour. A client uses a single one: it is created when it is
// first needed, and deleted by [Client.Close].

const (
	// maxKeyAge is the age up to which a temporary key is used, well within its hour.
	maxKeyAge = 55 * time.Minute

	// maxDeletion bounds the deletion of the temporary key. Terraform and OpenTofu kill
	// a provider that takes 2 s to end.
	maxDeletion = 1500 * time.Millisecond
)

// ErrNoPIN is the error of a call that needs a PIN if the client has none.
var ErrNoPIN = errors.New("the client has no PIN")

// temporaryKey is the temporary key of a client.
type temporaryKey struct {
	turn chan struct{} // a lock on the fields below

	key  string // "" if there is none
	made time.Time

	// failed is the error if no key could be created. The PIN is then not sent again: a
	// typing error in a configuration of many downloads must not lock the account.
	failed error
}

// PrepareKey creates the temporary key unless there is one that is young enough. Called
// before a download is created, it saves time of the download's minute, and avoids
// creating a download with a wrong PIN. A wrong PIN is an [*APIError] with the field
// "pin".
func (c *Client) PrepareKey(ctx context.Context) error {
	_, err := c.currentKey(ctx, "")
	return err
}

// CreateDownloadKey creates the public key of a download, which is as secret as its
// content. For a download that does not exist, the error is an [*APIError] with status
// 404.
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
		rejected = temporary // expired, or deleted elsewhere: retry once with a new one
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

// currentKey returns the temporary key, or a new one if it is too old or is the rejected
// one.
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
	case k.key == rejected: // or both are "": there is none yet
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

// deleteKey deletes the temporary key, if there is one, in at most 1.5 s. It ignores
// failures, because the key expires within the hour.
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
