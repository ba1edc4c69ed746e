package provider

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// helperVariable makes this test binary a helper for provisioners, which have
// no sleep and no curl on every machine. It holds how long to wait first.
const helperVariable = "TEST_HELPER_WAIT"

// provisioner runs this test binary as a helper, with an expression in one of
// its variables.
func provisioner(wait time.Duration, variable, value, file string) string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`
		provisioner "local-exec" {
			command     = %q
			environment = {
				%s = %q
				%s = %s
				TEST_HELPER_FILE = %q
			}
		}`, self, helperVariable, wait, variable, value, file)
}

// helper is a provisioner that waits, and then performs the download of a URL
// and keeps what it got in a file. A null URL is nothing to perform.
func helper(wait time.Duration, url, file string) string {
	return provisioner(wait, "TEST_HELPER_URL", url, file)
}

// sleeper is a provisioner that only waits.
func sleeper(wait time.Duration) string { return helper(wait, `""`, "") }

// saver is a provisioner that keeps a text in a file, or drops it where that is "".
func saver(text, file string) string { return provisioner(0, "TEST_HELPER_TEXT", text, file) }

func runHelper() int {
	wait, err := time.ParseDuration(os.Getenv(helperVariable))
	if err != nil {
		return 2
	}
	time.Sleep(wait)
	content := []byte(os.Getenv("TEST_HELPER_TEXT"))
	if url := os.Getenv("TEST_HELPER_URL"); url != "" {
		if content, err = fetch(url); err != nil {
			return 3
		}
	}
	if file := os.Getenv("TEST_HELPER_FILE"); file != "" && os.WriteFile(file, content, 0o600) != nil {
		return 4
	}
	return 0
}

// fetch returns the status and the body of a response.
func fetch(url string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	// With */* first a Laravel application redirects to its login page.
	request.Header.Set("Accept", "application/json, */*;q=0.8")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return append([]byte(response.Status+"\n"), content...), err
}
