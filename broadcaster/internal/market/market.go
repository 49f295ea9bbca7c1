// Package market finds an orchestrator for each segment: it holds their signed quotes, chooses by price, and by how they have
// served once that is known, among those that may be trusted, and carries the segment there and its renditions back.
package market

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
)

// Payer is the part of a ticket payer that quotes feed.
type Payer interface {
	Use(ctx context.Context, stream string, params protocol.Signed[protocol.TicketParams]) error
	Usable(recipient common.Address, stream string) (time.Duration, bool)
}

// Config of a Market.
type Config struct {
	URLs           []string         // of orchestrators that were configured, with ADDRESS@ before them where that is known; Know tells of others
	Keep           int              // orchestrators that have an allocation, and work; 0: all
	Allow, Deny    []common.Address // whom alone to deal with, if there is any; and with whom never
	Region         string           // where this broadcaster is
	Met            []store.Met      // who answered before, the newest first
	Remember       func(context.Context, store.Met) error
	ScoutEvery     time.Duration // between looks at orchestrators that are given no work (10 s)
	Decisions      *Log          // where choices and what came of them are written; nil: nowhere
	Cleartext      bool          // may pass between machines
	Signer         protocol.Signer
	Domain         protocol.Domain
	MaxWeiPerPixel protocol.Wei // dearer quotes are refused; zero: no maximum
	Payer          Payer
	Records        map[common.Address]store.Trust // what is known of orchestrators from before
	Events         func(protocol.Event)
	Log            *slog.Logger
	QuoteTimeout   time.Duration // of one request for a quote (2 s)
}

// Market is safe for concurrent use.
type Market struct {
	cfg     Config
	clients *passport.Clients

	mu       sync.Mutex
	sellers  []*seller
	records  map[common.Address]store.Trust
	epoch    verify.Epoch
	holder   map[string]*seller   // of each stream: who has it
	reviewed map[string]time.Time // when that was last compared
	router   *route.Router[*seller]
	swapped  time.Time // when a member of the circle last made room
	curious  chan struct{}
	renewal  sync.WaitGroup
	ctx      context.Context
	stop     context.CancelFunc
}

// Configured is the source of what the operator named.
const Configured = "configured"

// Ask is what a stream wants to buy.
type Ask struct {
	Stream        string
	Ladder        protocol.Ladder
	FPS           float64 // of the source, an upper bound
	SegmentMillis uint32  // usual duration
	MaxMillis     uint32  // longest
	Seq           uint64  // of the segment, for the log
}

type askKey struct {
	stream string
	ladder common.Hash
	fps    float64
	max    uint32
}

func (a Ask) key() askKey { return askKey{a.Stream, a.Ladder.Hash(), a.FPS, a.MaxMillis} }

// New makes a Market, whose first sampling epoch TurnEpoch begins; Close ends it.
func New(cfg Config) *Market {
	cfg.QuoteTimeout = cmp.Or(cfg.QuoteTimeout, 2*time.Second)
	m := &Market{cfg: cfg, clients: newClients(passport.NewTrust(cfg.Domain), cfg.Cleartext), records: make(map[common.Address]store.Trust), holder: make(map[string]*seller),
		reviewed: make(map[string]time.Time), curious: make(chan struct{}), router: route.New[*seller](route.Standard(), rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	for a, r := range cfg.Records {
		m.records[a] = r
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	listed := make([]protocol.Listing, len(cfg.URLs))
	for i, u := range cfg.URLs {
		o, err := passport.ParseEndpoint(u)
		if err != nil { // a caller's mistake, which every request tells
			o.URL = u
		}
		listed[i] = protocol.Listing{Account: o.Identity, URL: o.URL}
	}
	m.Know(Configured, listed)
	return m
}

// Close ends what runs in the background.
func (m *Market) Close() {
	m.stop()
	m.renewal.Wait()
	m.clients.CloseIdleConnections()
}
