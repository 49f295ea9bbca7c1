// Package sheets tells a transcoder's owner why its last bids were lost: it hears on the bus which orchestrators hold auctions,
// and fetches from each the score sheets that it signs for this transcoder.
package sheets

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	maxOrchestrators = 16 // that are asked: those heard of last
	maxSheets        = 32 // that are shown of each, newest first
	maxAnswer        = 4 << 20
	patience         = 3 * time.Second
	fresh            = 5 * time.Second // what was fetched is not fetched again
)

// Given are the score sheets of one orchestrator, newest first.
type Given struct {
	Orchestrator common.Address        `json:"orchestrator"`
	URL          string                `json:"url"`
	Problem      string                `json:"problem,omitempty"` // why there are none
	Sheets       []protocol.ScoreSheet `json:"sheets"`
	// Unpublished are leases whose auctions were weighed by figures of which no root was heard on the bus, though those before
	// and after it were: kinora audit has more.
	Unpublished []protocol.ID `json:"unpublished_figures,omitempty"`
}

// Config of a Desk.
type Config struct {
	Domain protocol.Domain
	Signer protocol.Signer                                // of the transcoder: for others the prices are sealed
	Client func(orchestrator common.Address) *http.Client // that takes nobody else for it
	Log    *slog.Logger
}

// Desk knows the orchestrators of the market. Its methods may be called from several goroutines at once.
type Desk struct {
	cfg Config

	mu      sync.Mutex
	known   []*orchestrator // heard of longest ago first
	fetched time.Time
	given   []Given
}

type orchestrator struct {
	address common.Address
	url     string
	heard   map[protocol.Hash]*roots // by epoch
	epochs  []protocol.Hash          // of them, oldest first
}

// roots are those over the figures of one epoch that were heard.
type roots struct {
	whole bool // from the first on, without a gap
	last  uint64
	all   map[protocol.Hash]bool
}

const keptEpochs = 4

// New makes a Desk.
func New(cfg Config) *Desk {
	return &Desk{cfg: cfg}
}

// Hear takes a commitment from the bus.
func (d *Desk) Hear(c protocol.Commitment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case c.Epoch != nil:
		e, err := c.Epoch.Open(d.cfg.Domain)
		u, bad := url.Parse(e.URL)
		if err != nil || bad != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			d.cfg.Log.Debug("an epoch of auctions is of no use", "orchestrator", c.By(), "err", err)
			return
		}
		i := slices.IndexFunc(d.known, func(o *orchestrator) bool { return o.address == e.Orchestrator && o.url == e.URL })
		o := &orchestrator{address: e.Orchestrator, url: e.URL, heard: make(map[protocol.Hash]*roots)}
		if i >= 0 {
			o = d.known[i]
			d.known = slices.Delete(d.known, i, i+1)
		}
		d.known = append(d.known, o)
		if len(d.known) > maxOrchestrators {
			d.known = slices.Delete(d.known, 0, len(d.known)-maxOrchestrators)
		}
		if o.heard[e.Commitment] == nil {
			o.heard[e.Commitment] = &roots{whole: true, all: make(map[protocol.Hash]bool)}
			if o.epochs = append(o.epochs, e.Commitment); len(o.epochs) > keptEpochs {
				delete(o.heard, o.epochs[0])
				o.epochs = slices.Delete(o.epochs, 0, 1)
			}
		}
	case c.Figures != nil:
		r, err := c.Figures.Open(d.cfg.Domain)
		if err != nil {
			return
		}
		for _, o := range d.known {
			if x := o.heard[r.Epoch]; x != nil && o.address == r.Orchestrator {
				x.whole = x.whole && r.Serial == x.last+1
				x.last, x.all[r.Root] = r.Serial, true
			}
		}
	}
}

// Given asks every orchestrator that is known, all at once.
func (d *Desk) Given(ctx context.Context) []Given {
	d.mu.Lock()
	if time.Since(d.fetched) < fresh {
		defer d.mu.Unlock()
		return d.given
	}
	known := slices.Clone(d.known)
	d.mu.Unlock()
	given := make([]Given, len(known))
	var asking sync.WaitGroup
	for i, o := range known {
		asking.Go(func() {
			g := Given{Orchestrator: o.address, URL: o.url, Sheets: []protocol.ScoreSheet{}}
			sheets, err := d.fetch(ctx, o)
			if err != nil {
				g.Problem = err.Error()
			} else {
				g.Sheets, g.Unpublished = sheets, d.unpublished(o, sheets)
			}
			given[len(known)-1-i] = g
		})
	}
	asking.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.given, d.fetched = given, time.Now()
	return given
}

func (d *Desk) unpublished(o *orchestrator, sheets []protocol.ScoreSheet) (leases []protocol.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range sheets {
		if x := o.heard[s.Epoch]; x != nil && x.whole && !x.all[s.Figures] {
			leases = append(leases, s.Lease)
		}
	}
	return leases
}

func (d *Desk) fetch(ctx context.Context, o *orchestrator) ([]protocol.ScoreSheet, error) {
	self := d.cfg.Signer.Address()
	at := strings.TrimRight(o.url, "/") + "/api/v1/fleet/" + self.Hex() + "/sheets"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	asks, err := protocol.Seal(d.cfg.Domain, d.cfg.Signer, protocol.SheetRequest{Orchestrator: o.address, Transcoder: self, AtMillis: uint64(time.Now().UnixMilli())})
	if err != nil {
		return nil, err
	}
	req.Header.Set(protocol.SheetRequestField, protocol.EncodeField(asks))
	client := *d.cfg.Client(o.address)
	client.Timeout, client.CheckRedirect = patience, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for score sheets: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", at, err)
	}
	var signed []protocol.Signed[protocol.ScoreSheet]
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &signed) != nil {
		return nil, fmt.Errorf("%s answered %s", at, resp.Status)
	}
	sheets := []protocol.ScoreSheet{}
	for _, s := range signed[:min(maxSheets, len(signed))] {
		sheet, err := s.Open(d.cfg.Domain)
		switch {
		case err != nil:
			return nil, fmt.Errorf("the sheet of lease %s: %w", s.Message.Lease.Short(), err)
		case sheet.Orchestrator != o.address || sheet.Transcoder != self:
			return nil, fmt.Errorf("the sheet of lease %s is another one's", sheet.Lease.Short())
		}
		sheets = append(sheets, sheet)
	}
	return sheets, nil
}
