// Package discover finds orchestrators: in a list that was configured, in the registry on the chain, and in a signed list
// behind a URL. What it finds are hints. Whoever is found is trusted by its signed quote, and by what its outputs earn it.
package discover

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Source is somewhere orchestrators are listed.
type Source interface {
	// Name is what people call it; no two sources in use have the same.
	Name() string
	// Run tells the whole list whenever it changes, first the one that was kept from before, until ctx ends. Failures are
	// logged and tried again: what was told stands until something else is.
	Run(ctx context.Context, tell func([]protocol.Listing))
}

// Static is a list that was configured; an account may be missing in it.
type Static []protocol.Listing

// Name is "configured".
func (Static) Name() string { return "configured" }

// Run tells it once.
func (s Static) Run(_ context.Context, tell func([]protocol.Listing)) { tell(s) }

// Usable says why an entry of somebody else's list may not be dialled: strangers choose the address that this machine then
// sends a request to, so its own network is out of bounds. Loopback is allowed where the operator says so, for trials.
func Usable(l protocol.Listing, loopback bool) error {
	if err := l.Validate(); err != nil {
		return err
	}
	u, err := url.Parse(l.URL)
	if err != nil {
		return err
	}
	host := u.Hostname()
	if protocol.IsLoopback(host) {
		if loopback {
			return nil
		}
		return fmt.Errorf("url %s is on this machine", l.URL)
	}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast()) {
		return fmt.Errorf("url %s is in a private network", l.URL)
	}
	if !strings.Contains(host, ".") && !strings.Contains(host, ":") {
		return fmt.Errorf("url %s has no full host name", l.URL)
	}
	return nil
}

// usable are the entries that may be dialled.
func usable(all []protocol.Listing, loopback bool, log *slog.Logger) []protocol.Listing {
	kept := make([]protocol.Listing, 0, len(all))
	for _, l := range all {
		l.URL = strings.TrimRight(l.URL, "/")
		if err := Usable(l, loopback); err != nil {
			log.Debug("a listed orchestrator is passed over", "account", l.Account, "err", err)
			continue
		}
		kept = append(kept, l)
	}
	return kept
}

// rest waits for d, and reports whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
