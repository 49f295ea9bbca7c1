// Package api is the broadcaster's HTTP face: playlists and segments, what it knows as JSON and as events, its health, and
// the page that shows them.
package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kinora/kinora/broadcaster/internal/ingest"
	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/broadcaster/internal/stream"
	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
)

// Config of an API.
type Config struct {
	Desk     *stream.Desk
	Store    *store.Store
	Market   *market.Market
	Spend    *payment.Spend
	Shelf    *playlist.Shelf
	Feed     *feed.Feed
	Ingest   *ingest.Handler
	Secret   ingest.Secret
	Self     common.Address
	Ready    func() []string // what is still missing; empty: ready
	Payer    func(ctx context.Context) (payment.PayerStats, error)
	Funds    func() payment.Funds
	Balances func(ctx context.Context) (Balances, error)
	Log      *slog.Logger
}

// API serves everything.
type API struct {
	Config
	metrics *metrics

	stats    cached[Stats]
	balances cached[Balances]
}

// New makes an API with its metrics. Refused, of the ingest handler, counts in them.
func New(cfg Config, m *Metrics) *API {
	a := &API{Config: cfg, metrics: &metrics{Metrics: m}}
	a.stats = cached[Stats]{life: 500 * time.Millisecond, make: a.makeStats}
	a.balances = cached[Balances]{life: 2 * time.Second, make: cfg.Balances}
	a.metrics.stats = a.stats.get
	m.registry.MustRegister(a.metrics)
	return a
}

// Routes are all routes. Requests that change something are refused when a browser sends them for another site.
func (a *API) Routes() chi.Router {
	r := chi.NewRouter()
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.NotFound, "there is nothing at %.100q", r.URL.Path))
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.MethodNotAllowed, "%.20s is not for %.100q", r.Method, r.URL.Path))
	})
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.Unauthorized, "this request comes from another site's page"))
	}))
	r.Use(guard.Handler)
	a.Ingest.Mount(r)
	r.Get("/hls/{stream}/index.m3u8", a.multivariant)
	r.Get("/hls/{stream}/thumbnail.jpg", a.thumbnail)
	r.Get("/hls/{stream}/storyboard.vtt", a.storyboard)
	r.Get("/hls/{stream}/"+storyboardSheet, a.storyboardSheet)
	r.Get("/hls/{stream}/{rendition}/index.m3u8", a.media)
	r.Get("/hls/{stream}/{rendition}/{file}", a.segment)
	r.Head("/hls/{stream}/index.m3u8", a.multivariant)
	r.Head("/hls/{stream}/{rendition}/index.m3u8", a.media)
	r.Head("/hls/{stream}/{rendition}/{file}", a.segment)
	r.Options("/hls/*", func(w http.ResponseWriter, _ *http.Request) { cors(w); w.WriteHeader(http.StatusNoContent) })
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, map[string]bool{"ok": true}) })
	r.Get("/readyz", a.ready)
	r.Get("/metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP)
	r.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openapi)
	})
	r.Get("/api/v1/stats", serve(a, a.stats.get))
	r.Get("/api/v1/balances", serve(a, a.balances.get))
	r.Get("/api/v1/streams", serve(a, func(context.Context) ([]StreamInfo, error) { return a.streams(), nil }))
	r.Get("/api/v1/streams/{stream}", a.stream)
	r.Post("/api/v1/streams/{stream}/end", a.end)
	r.Get("/api/v1/streams/{stream}/policy", a.policy)
	r.Put("/api/v1/streams/{stream}/policy", a.setPolicy)
	r.Delete("/api/v1/streams/{stream}/policy", a.setPolicy)
	r.Get("/api/v1/epochs", serve(a, func(ctx context.Context) ([]store.Epoch, error) { return a.Store.Epochs(ctx, shownEpochs) }))
	r.Get("/api/v1/orchestrators", serve(a, func(context.Context) ([]Orchestrator, error) { return a.orchestrators(), nil }))
	r.Post("/api/v1/orchestrators/{address}/restore", a.restore)
	r.Get("/api/v1/events", a.Feed.ServeHTTP)
	a.mountPage(r)
	return r
}

//go:embed openapi.json
var openapi []byte

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	err = pgstore.Explain(err)
	if protocol.CodeOf(err) == protocol.Internal && r.Context().Err() == nil {
		a.Log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	protocol.WriteProblem(w, err)
}

func serve[T any](a *API, get func(context.Context) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := get(r.Context())
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		write(w, http.StatusOK, v)
	}
}

// cached keeps an answer for a moment, so that many readers cost as much as one.
type cached[T any] struct {
	life time.Duration
	make func(context.Context) (T, error)
	mu   sync.Mutex
	at   time.Time
	v    T
}

func (c *cached[T]) get(ctx context.Context) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && time.Since(c.at) < c.life {
		return c.v, nil
	}
	v, err := c.make(ctx)
	if err == nil {
		c.v, c.at = v, time.Now()
	}
	return v, err
}

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	missing := a.Ready()
	if err := a.Store.Ping(r.Context()); err != nil {
		missing = append(missing, "the database does not answer")
	}
	status := http.StatusOK
	if len(missing) > 0 {
		status = http.StatusServiceUnavailable
	}
	write(w, status, map[string]any{"ready": len(missing) == 0, "missing": missing})
}

// Latency is from a segment's last source byte to its commit, in milliseconds, of the newest 1,000 segments.
type Latency struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	Max int64 `json:"max"`
}

// Stats counts since the beginning of the database, so restarts change nothing.
type Stats struct {
	Role                string             `json:"role"`
	Address             common.Address     `json:"address"`
	SegmentsIn          uint64             `json:"segments_in"`
	SegmentsPublished   uint64             `json:"segments_published"`
	RenditionsPublished uint64             `json:"renditions_published"`
	SegmentsLate        uint64             `json:"segments_late"`
	SegmentsFailed      uint64             `json:"segments_failed"`
	VerifiedL0          uint64             `json:"verified_l0"`
	VerifiedL1          uint64             `json:"verified_l1"`
	Rejected            uint64             `json:"rejected"`
	InFlight            int                `json:"in_flight"`
	Streams             int                `json:"streams"` // live ones
	Latency             Latency            `json:"latency_ms"`
	Commitment          protocol.Hash      `json:"sampling_commitment"` // to the secret that decides which attempts get L1
	Spend               payment.Spending   `json:"spend"`
	Payer               payment.PayerStats `json:"payer"`
	Funds               payment.Funds      `json:"funds"`
}

func (a *API) makeStats(ctx context.Context) (Stats, error) {
	s := Stats{Role: "broadcaster", Address: a.Self, Commitment: a.Market.Commitment()}
	for _, v := range a.Desk.Views() {
		s.InFlight += v.InFlight
		if v.Live {
			s.Streams++
		}
	}
	c, err := a.Store.Counts(ctx)
	if err != nil {
		return s, err
	}
	if s.Payer, err = a.Payer(ctx); err != nil {
		return s, err
	}
	s.SegmentsIn, s.SegmentsPublished, s.RenditionsPublished = c.Segments+uint64(s.InFlight), c.Published, c.RenditionsPublished
	s.SegmentsLate, s.SegmentsFailed, s.VerifiedL0, s.VerifiedL1, s.Rejected = c.Late, c.Failed, c.VerifiedL0, c.VerifiedL1, c.Rejected
	s.Latency, s.Funds = Latency(c.LatencyMillis), a.Funds()
	s.Spend = a.Spend.Totals(time.Now())
	return s, nil
}

// StreamInfo is one stream.
type StreamInfo struct {
	Name          string          `json:"name"`
	Live          bool            `json:"live"`
	Incarnation   uint32          `json:"incarnation"`
	InFlight      int             `json:"in_flight"`
	TargetSeconds int             `json:"target_seconds"`
	LastPush      time.Time       `json:"last_push"`
	HLS           string          `json:"hls,omitempty"` // path of the multivariant playlist, once there is one
	Listed        int             `json:"listed"`        // segments in the playlists
	Renditions    []RenditionInfo `json:"renditions"`
	Degraded      *DegradedInfo   `json:"degraded,omitempty"`
	Segments      []SegmentInfo   `json:"segments,omitempty"` // the newest listed, oldest first
}

// DegradedInfo is how a stream stands when not everything is made of it.
type DegradedInfo struct {
	Step    string    `json:"step"` // shed, pass_through, stop
	Made    []string  `json:"made"`
	LeftOut []string  `json:"left_out"`
	Why     string    `json:"why"`
	Since   time.Time `json:"since"`
	Next    time.Time `json:"next_try"` // of a step up, at the earliest
}

// PolicyInfo is what a stream puts up with before it stops.
type PolicyInfo struct {
	store.Policy
	Own bool `json:"own"` // it was said of this stream; else the settings count
}

// RenditionInfo is one rendition, measured on its listed segments.
type RenditionInfo struct {
	Name      string  `json:"name"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	FPS       float64 `json:"fps"`
	Codecs    string  `json:"codecs"`
	Bandwidth uint64  `json:"bandwidth"` // bit/s, the highest of a segment
	Average   uint64  `json:"average_bandwidth"`
	HLS       string  `json:"hls"`
}

// SegmentInfo is one published segment.
type SegmentInfo struct {
	Incarnation   uint32    `json:"incarnation"`
	Seq           uint64    `json:"seq"`
	MSN           uint64    `json:"msn"`
	Gap           bool      `json:"gap,omitempty"`
	Discontinuity bool      `json:"discontinuity,omitempty"`
	Millis        int64     `json:"duration_ms"`
	LatencyMillis int64     `json:"latency_ms"`
	Late          bool      `json:"late,omitempty"`
	Passed        bool      `json:"passed_through,omitempty"` // the source itself
	PublishedAt   time.Time `json:"published_at"`
}

func describe(v stream.View) StreamInfo {
	info := StreamInfo{Name: v.Name, Live: v.Live, Incarnation: v.Incarnation, InFlight: v.InFlight, TargetSeconds: v.TargetSeconds, LastPush: v.LastPush.UTC(),
		Listed: len(v.Segments), Renditions: []RenditionInfo{}}
	base := "/hls/" + v.Name + "/"
	for _, x := range v.Variants() {
		info.Renditions = append(info.Renditions, RenditionInfo{Name: x.Name, Width: x.Width, Height: x.Height, FPS: x.FPS, Codecs: x.Codecs,
			Bandwidth: x.Bandwidth, Average: x.Average, HLS: base + x.URI})
	}
	if len(info.Renditions) > 0 {
		info.HLS = base + "index.m3u8"
	}
	if d := v.Degraded; d != nil {
		info.Degraded = &DegradedInfo{Step: string(d.Step), Made: append([]string{}, d.Made...), LeftOut: append([]string{}, d.LeftOut...), Why: d.Why, Since: d.Since.UTC(), Next: d.Next.UTC()}
	}
	return info
}

func (a *API) streams() []StreamInfo {
	all := []StreamInfo{}
	for _, v := range a.Desk.Views() {
		all = append(all, describe(v))
	}
	return all
}

// shownEpochs is how many sampling epochs are told, the newest first.
const shownEpochs = 200

// shownSegments is how many segments of a stream are described.
const shownSegments = 60

func (a *API) stream(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "stream")
	for _, v := range a.Desk.Views() {
		if v.Name != name {
			continue
		}
		info := describe(v)
		for _, s := range v.Segments[max(0, len(v.Segments)-shownSegments):] {
			info.Segments = append(info.Segments, SegmentInfo{Incarnation: s.Incarnation, Seq: s.Seq, MSN: s.MSN, Gap: s.Gap, Discontinuity: s.Discontinuity,
				Millis: s.Duration.Milliseconds(), LatencyMillis: s.Latency.Milliseconds(), Late: s.Late, Passed: s.State == store.Passed && !s.Gap, PublishedAt: s.PublishedAt.UTC()})
		}
		write(w, http.StatusOK, info)
		return
	}
	a.refuse(w, r, protocol.Errorf(protocol.NotFound, "there is no stream %.70q", name))
}

func (a *API) end(w http.ResponseWriter, r *http.Request) {
	if !a.Secret.Admits(r) {
		a.refuse(w, r, protocol.Errorf(protocol.Unauthorized, "the push secret is missing or wrong"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	delivered, err := a.Desk.End(ctx, chi.URLParam(r, "stream"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	write(w, http.StatusOK, map[string]bool{"ended": true, "tickets_delivered": delivered})
}

// Balances are the accounts of everybody this broadcaster has met, read from the chain.
type Balances struct {
	Escrow      common.Address `json:"escrow"`
	ChainID     uint64         `json:"chain_id"`
	Parties     []Party        `json:"parties"`
	Allocations []Allocation   `json:"allocations"`
}

// Party is one account.
type Party struct {
	Name    string         `json:"name"`
	Role    string         `json:"role"`
	Address common.Address `json:"address"`
	Balance protocol.Wei   `json:"balance"` // native, wei
	Escrow  protocol.Wei   `json:"escrow"`  // unallocated, wei
}

// Allocation is what a payer set aside for a recipient, wei.
type Allocation struct {
	Payer     common.Address `json:"payer"`
	Recipient common.Address `json:"recipient"`
	Amount    protocol.Wei   `json:"amount"`
	Thawing   protocol.Wei   `json:"thawing"`
}
