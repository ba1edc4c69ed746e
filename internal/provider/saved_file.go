package provider

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
)

// savedFile is a temporary file in the directory of a path. It replaces the file at
// the path when it is complete.
type savedFile struct {
	path  string
	file  *os.File
	hash  hash.Hash
	bytes atomic.Int64
}

// newSavedFile creates the temporary file. A path that cannot be written is an error.
func newSavedFile(path string, permission os.FileMode) (*savedFile, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, reason(err))
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	case info.Mode()&fs.ModeSymlink != 0: // the rename would replace the link and not its target
		return nil, fmt.Errorf("%s is a symbolic link", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, ".privasfer-*") // for its owner alone
	if err != nil {
		return nil, fmt.Errorf("the directory %s: %w", dir, reason(err))
	}
	saved := &savedFile{path: path, file: file, hash: sha256.New()}
	if err := file.Chmod(permission); err != nil {
		saved.discard()
		return nil, fmt.Errorf("the permissions %#o: %w", permission, reason(err))
	}
	return saved, nil
}

func (s *savedFile) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	_, _ = s.hash.Write(p[:n]) // never fails
	s.bytes.Add(int64(n))
	return n, reason(err)
}

// written returns the number of bytes written so far. It is safe for concurrent use.
func (s *savedFile) written() int64 { return s.bytes.Load() }

// sum returns the SHA-256 checksum in hexadecimal.
func (s *savedFile) sum() string { return hex.EncodeToString(s.hash.Sum(nil)) }

// keep syncs the file to the disk and renames it to its path, so that after a crash
// the path has the old file or the complete new one. It does not rename the file if
// the context ended during the sync, which can take long.
func (s *savedFile) keep(ctx context.Context) error {
	synced, closed := s.file.Sync(), s.file.Close()
	if err := cmp.Or(synced, closed, context.Cause(ctx)); err != nil {
		return reason(err)
	}
	return reason(replace(s.file.Name(), s.path))
}

// replace renames a file, and replaces an existing one.
func replace(from, to string) error {
	err := os.Rename(from, to)
	if err == nil || runtime.GOOS != "windows" {
		return err
	}
	// Windows does not replace a read-only file, such as one saved with 0400 before.
	old, missing := os.Lstat(to)
	if missing != nil || old.Mode().Perm()&0o200 != 0 || os.Chmod(to, 0o600) != nil {
		return err
	}
	if err = os.Rename(from, to); err != nil {
		_ = os.Chmod(to, old.Mode())
	}
	return err
}

// discard removes the temporary file. It does nothing after keep has renamed it.
func (s *savedFile) discard() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}

// reason returns a file system error without its path, which can be that of the
// temporary file.
func reason(err error) error {
	var atPath *fs.PathError
	var atLink *os.LinkError
	switch {
	case errors.As(err, &atPath):
		return atPath.Err
	case errors.As(err, &atLink):
		return atLink.Err
	}
	return err
}
