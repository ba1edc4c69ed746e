package provider

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// files maps the names in a directory to the contents of files, or "/" for a
// directory.
type files map[string]string

func (f files) check(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := files{}
	for _, entry := range entries {
		got[entry.Name()] = "/"
		if !entry.IsDir() {
			got[entry.Name()] = readFile(t, filepath.Join(dir, entry.Name()))
		}
	}
	if !maps.Equal(got, f) {
		t.Errorf("the directory has %.500q, want %.500q", got, f)
	}
}

// checkPermission checks the permissions of a file. Windows supports one bit of them.
func checkPermission(t *testing.T, file string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		want = map[bool]fs.FileMode{true: 0o666, false: 0o444}[want&0o200 != 0]
	}
	if got := info.Mode(); got != want {
		t.Errorf("the permission is %s, want %s", got, want)
	}
}

// TestSavedFile checks that the path has the old file or the complete new one, and that
// no other file is left.
func TestSavedFile(t *testing.T) {
	t.Parallel()
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	tests := map[string]struct {
		old        fs.FileMode // of the existing file; 0: none
		permission fs.FileMode // 0600 if 0
		ctx        context.Context
		begin, end func(t *testing.T, s *savedFile) // before and after the file is written
		want       string                           // the error on Linux
		left       files                            // instead of the old file
	}{
		"new":                             {left: files{"file": "new"}},
		"over another":                    {old: 0o644, left: files{"file": "new"}},
		"over a read-only one":            {old: 0o400, left: files{"file": "new"}},
		"for all to read":                 {permission: 0o644, left: files{"file": "new"}},
		"for all to write":                {permission: 0o666, old: 0o600, left: files{"file": "new"}}, // with any umask
		"read-only, over a read-only one": {permission: 0o400, old: 0o400, left: files{"file": "new"}},

		"that cannot be written": {old: 0o600, want: "bad file descriptor", begin: func(t *testing.T, s *savedFile) {
			t.Helper()
			readable, err := os.Open(s.file.Name())
			if err = cmp.Or(err, s.file.Close()); err != nil {
				t.Fatal(err)
			}
			s.file = readable
		}},
		"that cannot be synced": {old: 0o600, want: "file already closed", end: func(_ *testing.T, s *savedFile) {
			_ = s.file.Close()
		}},
		"that cannot be renamed": {want: "file exists", left: files{"file": "/"}, end: func(t *testing.T, s *savedFile) {
			t.Helper()
			if err := os.Mkdir(s.path, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		"whose run is interrupted": {old: 0o600, ctx: interrupted, want: "context canceled"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			left := test.left
			if test.old != 0 {
				if err := os.WriteFile(path, []byte("old"), test.old); err != nil {
					t.Fatal(err)
				}
			}
			if left == nil {
				left = files{"file": "old"}
			}
			permission := cmp.Or(test.permission, 0o600)
			saved, err := newSavedFile(path, permission)
			if err != nil {
				t.Fatal(err)
			}
			checkPermission(t, saved.file.Name(), permission) // before it has content
			if test.begin != nil {
				test.begin(t, saved)
			}
			_, err = saved.Write([]byte("new"))
			if test.end != nil {
				test.end(t, saved)
			}
			if err == nil {
				err = saved.keep(cmp.Or(test.ctx, t.Context()))
			}
			saved.discard()

			left.check(t, dir)
			switch {
			case test.want != "":
				if err == nil || runtime.GOOS == "linux" && err.Error() != test.want {
					t.Errorf("got the error %v, want %s", err, test.want)
				}
			case err != nil:
				t.Error(err)
			default:
				checkPermission(t, path, permission)
				if saved.written() != 3 || saved.sum() != "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437" {
					t.Errorf("wrote %d bytes with the checksum %s", saved.written(), saved.sum())
				}
			}
		})
	}
}

// TestNewSavedFile checks the error for each path that cannot be written, and that no
// file is left.
func TestNewSavedFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(os.WriteFile(at("file"), []byte("old"), 0o600), os.Mkdir(at("dir"), 0o700), os.Mkdir(at("locked"), 0o500))
	if err != nil {
		t.Fatal(err)
	}
	left := files{"file": "old", "dir": "/", "locked": "/"}
	_ = os.Symlink(at("file"), at("link")) // requires a privilege on Windows, and does nothing on Wine
	_, noLink := os.Lstat(at("link"))
	if noLink == nil {
		left["link"] = "old"
	}
	tests := map[string]struct {
		path string
		want string
		skip bool
	}{
		"dir":                     {path: at("dir"), want: "{} is a directory"},
		"this directory":          {path: ".", want: ". is a directory"},
		"symbolic link":           {path: at("link"), want: "{} is a symbolic link", skip: noLink != nil},
		"device":                  {path: os.DevNull, want: "{} is not a regular file"},
		"directory missing":       {path: at("missing/file"), want: "the directory " + at("missing") + ": no such file or directory"},
		"below a file":            {path: at("file/file"), want: "{}: not a directory"},
		"with a slash at its end": {path: at("missing") + "/", want: "the directory " + at("missing") + ": no such file or directory"},
		"locked directory": {path: at("locked/file"), want: "the directory " + at("locked") + ": permission denied",
			skip: runtime.GOOS == "windows" || os.Geteuid() == 0},
		"name too long": {path: at(strings.Repeat("x", 300)), want: "{}: file name too long", skip: runtime.GOOS == "windows"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.skip {
				t.Skip("this user, or this system, cannot have it")
			}
			_, err := newSavedFile(test.path, 0o600)
			want := strings.ReplaceAll(test.want, "{}", test.path)
			if err == nil || runtime.GOOS != "windows" && err.Error() != want {
				t.Errorf("got the error %v, want %s", err, want)
			}
			left.check(t, dir)
		})
	}
}
