package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/privasfer/terraform-provider-privasfer/internal/simulator"
)

// TestProvider_arguments checks the sources and the values of the arguments that can
// also be set in the environment. With a valid value, a download is performed.
func TestProvider_arguments(t *testing.T) {
	const (
		tokenError       = "ERROR at token: Invalid Privasfer token: In "
		urlError         = "ERROR at base_url: Invalid Privasfer base URL: The URL"
		pinError         = "ERROR at pin: Invalid Privasfer PIN: In "
		noPIN            = "ERROR at perform: Missing Privasfer PIN: "
		downloadURLError = "ERROR at download_url: Invalid Privasfer download URL: The URL"
		noPlaceholder    = " is invalid: it must contain {key} for the public download key, {id} for the id of the download, or both, each at most once."
		notKnown         = "Provider configuration not known yet: The value of the provider's "
		bom              = "\ufeff"
	)
	api := newAPI(t, simulator.Options{HideRateLimit: true})
	valid := api.arguments()
	variables := map[string]string{"token": envToken, "base_url": envBaseURL, "pin": envPIN, "download_url": envDownloadURL}
	for _, test := range []struct {
		argument    string
		value       any // RIGHT stands for the valid value, also in environment
		environment string
		want        string // part of the error; "": the valid value is used
	}{
		{"token", "RIGHT", "", ""},
		{"token", nil, "RIGHT", ""},
		{"token", "RIGHT", "hunter2", ""},
		{"token", "RIGHT", "junk\x01", ""},
		{"token", bom + "\n RIGHT\r\n", "", ""},
		{"token", nil, bom + " RIGHT\r\n", ""},
		{"token", nil, "", "ERROR at token: Missing Privasfer token: Each request to the API requires a token, which you create on the API page of your profile. Set the provider's `token` " +
			"argument, for example to a sensitive variable, or the environment variable PRIVASFER_TOKEN.\n"},
		{"token", "", "RIGHT", "ERROR at token: Missing Privasfer token: The provider's `token` argument is an empty string."},
		{"token", "hunter2\nhunter2", "", tokenError + "the provider's `token` argument, the token contains a control character"},
		{"token", nil, "hunter2\x01hunter2", tokenError + "the environment variable PRIVASFER_TOKEN, the token contains a control character"},
		{"token", unknown, "RIGHT", "ERROR: " + notKnown + "`token`"},

		{"base_url", "RIGHT", "", ""},
		{"base_url", nil, "RIGHT", ""},
		{"base_url", "RIGHT", "https://127.0.0.1:1/api", ""},
		{"base_url", "RIGHT/", "", ""},
		{"base_url", bom + " RIGHT\n", "", ""},
		{"base_url", "http://hunter2.example/api", "", urlError + " is invalid: it must begin with https://, because secrets are sent to it; http is allowed for a loopback host only. An example is https://privasfer.com/api.\n"},
		{"base_url", nil, "http://hunter2.example/api", urlError + " in the environment variable PRIVASFER_BASE_URL is invalid: it must begin with https://"},
		{"base_url", "", "RIGHT", urlError + " is invalid: it must begin with https://"},
		{"base_url", unknown, "RIGHT", "ERROR: " + notKnown + "`base_url`"},

		{"pin", "RIGHT", "", ""},
		{"pin", nil, "RIGHT", ""},
		{"pin", "RIGHT", "0000", ""},
		{"pin", "RIGHT", "junk\x01", ""},
		{"pin", bom + "\t RIGHT\r\n", "", ""},
		{"pin", nil, "", noPIN},
		{"pin", "", "RIGHT", noPIN},
		{"pin", " \r\n" + bom, "RIGHT", noPIN},
		{"pin", "hunter2\nhunter2", "", pinError + "the provider's `pin` argument, the PIN contains a control character, such as a line break.\n"},
		{"pin", unknown, "RIGHT", "ERROR at perform: " + notKnown + "`pin`"},

		{"download_url", "RIGHT", "", ""},
		{"download_url", nil, "RIGHT", ""},
		{"download_url", "RIGHT", "http://127.0.0.1:1/{key}", ""},
		{"download_url", "RIGHT", "junk", ""},
		{"download_url", bom + " RIGHT\n", "", ""},
		{"download_url", nil, "", "ERROR at perform: Missing Privasfer download URL"},
		{"download_url", "", "RIGHT", downloadURLError + noPlaceholder},
		{"download_url", "https://privasfer.example/hunter2", "", downloadURLError + noPlaceholder},
		{"download_url", nil, "https://privasfer.example/hunter2", downloadURLError + " in the environment variable PRIVASFER_DOWNLOAD_URL" + noPlaceholder},
		{"download_url", nil, "http://hunter2.example/{key}", downloadURLError + " in the environment variable PRIVASFER_DOWNLOAD_URL is invalid: it must begin with https://"},
		{"download_url", "https://{key}.privasfer.example/", "", downloadURLError + " is invalid: it is not a URL."},
		{"download_url", unknown, "RIGHT", "ERROR at perform: " + notKnown + "`download_url`"},
	} {
		value, environment := test.value, test.environment
		if text, ok := value.(string); ok {
			value = strings.ReplaceAll(text, "RIGHT", valid[test.argument].(string)) //nolint:forcetypeassert // all are strings
		}
		environment = strings.ReplaceAll(environment, "RIGHT", valid[test.argument].(string)) //nolint:forcetypeassert // all are strings
		t.Run(fmt.Sprintf("%s %v %q", test.argument, test.value, test.environment), func(t *testing.T) {
			t.Setenv(variables[test.argument], environment)
			api.ResetRequests()
			server, report := configure(t, "1.11.4", valid.and(values{test.argument: value}))
			api.checkRequests(t) // Configure makes no request
			if report == "" {
				report = server.open(t, receivedPerformed).report
			}
			if test.want != "" {
				api.checkRequests(t)
			}
			checkReport(t, report, test.want)
			if strings.Contains(report, "hunter2") {
				t.Errorf("it shows the value: %s", report)
			}
		})
	}
}

// TestBaseURLByDefault checks the default without a request, which would be to the
// real API.
func TestBaseURLByDefault(t *testing.T) {
	var diags diag.Diagnostics
	if got := baseURLFrom(types.StringNull(), &diags); diags.HasError() || got.String() != "https://privasfer.com/api" {
		t.Errorf("got %s, %v", got, diags)
	}
}

// TestNotConfigured checks that missing or unexpected provider data is an error.
func TestNotConfigured(t *testing.T) {
	t.Parallel()
	var unset *configured
	var diags diag.Diagnostics
	if client := unset.require(&diags); client != nil || len(diags) != 1 || diags[0].Summary() != "Provider not configured" {
		t.Errorf("got %v, %v", client, diags)
	}
	diags = nil
	if configuredFrom("another type", &diags); len(diags) != 1 || diags[0].Summary() != "Unexpected provider data" {
		t.Errorf("got %v", diags)
	}
}
