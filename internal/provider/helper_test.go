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

// helper is a provisioner that runs this test binary: it waits, and then uses
// a download once and keeps what it got in a file. A null id is no use at all.
func helper(wait time.Duration, downloadID, urlPrefix, file string) string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`provisioner "local-exec" {
		command     = %q
		environment = {
			%s    = %q
			TEST_HELPER_ID   = %s
			TEST_HELPER_URL  = %q
			TEST_HELPER_FILE = %q
		}
	}`, self, helperVariable, wait, downloadID, urlPrefix, file)
}

// consumer is a resource that refers to an ephemeral value and does nothing with
// it: OpenTofu opens what nobody refers to at plan only.
func consumer(value string) string {
	return fmt.Sprintf("resource \"terraform_data\" \"consumer\" {\n%s\n}\n", helper(0, value+` == null ? "" : ""`, "", ""))
}

func runHelper() int {
	wait, err := time.ParseDuration(os.Getenv(helperVariable))
	if err != nil {
		return 2
	}
	time.Sleep(wait)
	id := os.Getenv("TEST_HELPER_ID")
	if id == "" {
		return 0
	}
	request, err := http.NewRequest(http.MethodGet, os.Getenv("TEST_HELPER_URL")+id, nil)
	if err != nil {
		return 3
	}
	request.Header.Set("Accept", "application/json, */*;q=0.8") // or an error is a web page
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 3
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 4
	}
	content = append([]byte(response.Status+"\n"), content...)
	if err := os.WriteFile(os.Getenv("TEST_HELPER_FILE"), content, 0o600); err != nil {
		return 5
	}
	return 0
}
