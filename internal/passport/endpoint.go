package passport

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/loopback"
)

// Endpoint is where a server is, and who it must be, if that is known: ADDRESS@URL or URL.
type Endpoint struct {
	Identity common.Address
	URL      string
}

// ParseEndpoint reads ADDRESS@URL or URL. The URL is not looked at further.
func ParseEndpoint(text string) (Endpoint, error) {
	first, rest, found := strings.Cut(text, "@")
	if !found || strings.Contains(first, "://") { // an @ within a URL is another matter
		return Endpoint{URL: text}, nil
	}
	if !common.IsHexAddress(first) || common.HexToAddress(first) == (common.Address{}) {
		return Endpoint{}, fmt.Errorf("%.60q before the @ is no address", first)
	}
	return Endpoint{common.HexToAddress(first), rest}, nil
}

// String is what ParseEndpoint reads.
func (e Endpoint) String() string {
	if e.Identity == (common.Address{}) {
		return e.URL
	}
	return e.Identity.Hex() + "@" + e.URL
}

// hidden are the schemes that hide what is said, and show who says it.
var hidden = map[string]bool{"https": true, "tls": true, "wss": true}

// CheckClear refuses URLs, of which there may be several separated by commas, that would carry words in the clear to another machine:
// all but those that surely do not. What has no scheme is a NATS server to its client, and in the clear.
func CheckClear(urls string) error {
	for one := range strings.SplitSeq(urls, ",") {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if err != nil {
			return fmt.Errorf("a URL cannot be read") // it may hold a password
		}
		if hidden[u.Scheme] || loopback.Host(u.Hostname()) {
			continue
		}
		safe := "tls"
		if u.Scheme == "http" || u.Scheme == "ws" {
			safe = u.Scheme + "s"
		}
		return fmt.Errorf("%s://%s is another machine, in the clear: use %s://, best with the server's ADDRESS@ before it (or allow it with --insecure-cleartext)",
			u.Scheme, u.Host, safe)
	}
	return nil
}
