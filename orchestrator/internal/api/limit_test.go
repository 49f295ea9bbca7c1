package api_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
)

// Quotes cost a row each and are not signed: who asks too often is refused, and nobody else is.
func TestQuotes_areLimitedPerAddress(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	from := func(address string) *http.Client {
		tr := &http.Transport{Protocols: new(http.Protocols), DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}).DialContext(ctx, network, to)
		}}
		tr.Protocols.SetUnencryptedHTTP2(true)
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr}
	}
	ask := func(c *http.Client) protocol.Code { // half a request is read, refused, and costs no row
		resp, err := c.Post(m.url+"/v1/quote", "application/json", strings.NewReader("{"))
		if err != nil {
			t.Error(err)
			return ""
		}
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests {
			return protocol.RateLimited
		}
		return protocol.BadRequest
	}
	greedy, other := from("127.0.0.2"), from("127.0.0.3")
	var limited, taken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for limited.Load() < 600 && taken.Load() < 5000 {
				if ask(greedy) == protocol.RateLimited {
					limited.Add(1)
				} else {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if limited.Load() < 600 {
		t.Errorf("%d requests of one address were taken and %d refused", taken.Load(), limited.Load())
	}
	for range 20 {
		if code := ask(other); code != protocol.BadRequest {
			t.Fatalf("another address is refused: %s", code)
		}
	}
}
