package provider

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// helperVariable makes this test binary act as a helper for provisioners, because not
// every machine has sleep and curl. Its value is the time to wait first.
const helperVariable = "TEST_HELPER_WAIT"

// provisioner returns a provisioner that runs the helper with an expression in an
// environment variable.
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

// helper returns a provisioner that waits, performs the download at a URL, and writes
// the response to file unless that is "". If the URL is null, it performs nothing.
func helper(wait time.Duration, url, file string) string {
	return provisioner(wait, "TEST_HELPER_URL", url, file)
}

// sleeper returns a provisioner that only waits.
func sleeper(wait time.Duration) string { return helper(wait, `""`, "") }

// saver returns a provisioner that writes a text to file, or nothing if file is "".
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
	// If */* is first, a Laravel application redirects to its login page.
	request.Header.Set("Accept", "application/json, */*;q=0.8")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return append([]byte(response.Status+"\n"), content...), err
}
