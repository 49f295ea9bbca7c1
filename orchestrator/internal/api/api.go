// Package api is the orchestrator's HTTP face: segments, quotes and tickets for payers, slots for transcoders, and for
// people what goes on.
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/loopback"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// Recipient takes the tickets of hop one.
type Recipient interface {
	Accept(ctx context.Context, d payment.Delivery) (payment.DeliveryAnswer, error)
	Stats(ctx context.Context) (payment.RecipientStats, error)
	Drain(ctx context.Context) error
	Draining() bool // since Drain
}

// Payer wrote the tickets of hop two.
type Payer interface {
	Stats(ctx context.Context) (payment.PayerStats, error)
}

// Config of the API.
type Config struct {
	Domain         protocol.Domain
	Self           common.Address
	MinTranscoders int                     // with an allocation before /readyz says so
	BodyIdle       time.Duration           // longest pause in a segment's body
	Spend          func() payment.Spending // on transcoders
	Funds          func() payment.Funds    // for transcoders
	Log            *slog.Logger
}

// API serves it.
type API struct {
	cfg        Config
	dispatcher *dispatch.Dispatcher
	fleet      *fleet.Fleet
	store      *store.Store
	feed       *feed.Feed
	recipient  Recipient
	payer      Payer
	connected  func() bool // to the bus
	quotes     *limits
	metrics    http.Handler
}

// New makes the API.
func New(cfg Config, d *dispatch.Dispatcher, fl *fleet.Fleet, st *store.Store, fd *feed.Feed, recipient Recipient, payer Payer,
	connected func() bool, registry *prometheus.Registry) *API {
	if cfg.Spend == nil {
		cfg.Spend = func() payment.Spending { return payment.Spending{} }
	}
	if cfg.Funds == nil {
		cfg.Funds = func() payment.Funds { return payment.Funds{} }
	}
	registry.MustRegister(money{cfg.Spend, cfg.Funds, payer})
	return &API{cfg: cfg, dispatcher: d, fleet: fl, store: st, feed: fd, recipient: recipient, payer: payer, connected: connected,
		quotes:  newLimits(),
		metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
}

// Handler routes.
func (a *API) Handler() http.Handler {
	r := chi.NewRouter()
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.NotFound, "%.200s is not served here", r.URL.Path))
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.MethodNotAllowed, "%s is not for %.200s", r.Method, r.URL.Path))
	})
	r.Post("/v1/quote", a.quote)
	r.Post("/v1/streams/{stream}/segments/{seq}", a.segment)
	r.Post("/v1/streams/{stream}/segments/{seq}/cancel", a.cancel)
	r.Post("/v1/leases/{lease}/slots", a.slot)
	r.Post("/v1/tickets", a.tickets)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	r.Get("/readyz", a.ready)
	r.Method(http.MethodGet, "/metrics", a.metrics)
	r.Get("/api/v1/stats", a.stats)
	r.Get("/api/v1/events", a.events)
	r.Get("/api/v1/fleet", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, a.members(a.leases(r), loopback.FromHere(r)))
	})
	r.Get("/api/v1/fleet/{address}/sheets", a.sheets)
	r.Get("/api/v1/auctions/epochs", a.auctionEpochs)
	r.Get("/api/v1/auctions/epochs/{commitment}", a.auctionEpoch)
	r.Get("/api/v1/leases", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, a.leases(r)) })
	r.Get("/api/v1/epochs", a.epochs)
	r.With(operator).Post("/api/v1/drain", a.drain)
	r.With(operator).Post("/api/v1/fleet/{address}/restore", a.restore)
	r.With(operator).Post("/api/v1/fleet/{address}/quarantine", a.quarantine)
	r.With(operator).Post("/api/v1/fleet/{address}/release", a.release)
	return r
}

// operator lets in a program of this machine alone: what follows has no secret of its own yet. A web page open on this
// machine is none, whatever name it came by, and neither is who comes through a proxy that runs here.
func operator(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback.FromHere(r) {
			protocol.WriteProblem(w, protocol.Errorf(protocol.Unauthorized, "%s is asked for from this machine only, at its loopback address", r.URL.Path))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

// refuse answers with err and logs what is this side's own fault.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	err = pgstore.Explain(err)
	if p := protocol.ProblemOf(err); p.Code == protocol.Internal && r.Context().Err() == nil {
		a.cfg.Log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	protocol.WriteProblem(w, err)
}

// read decodes the JSON body of a request.
func read[M any](w http.ResponseWriter, r *http.Request) (M, error) {
	var zero M
	var raw json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, protocol.MaxMessage)).Decode(&raw); err != nil {
		return zero, protocol.Errorf(protocol.BadRequest, "body: %w", err)
	}
	return protocol.Decode[M](raw)
}

func (a *API) quote(w http.ResponseWriter, r *http.Request) {
	if limit, ok := a.quotes.allow(r); !ok {
		protocol.WriteProblem(w, protocol.Limited(protocol.RateLimited, "quotes_per_second", limit, "too many quotes are asked for"))
		return
	}
	request, err := read[protocol.QuoteRequest](w, r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	quote, err := a.dispatcher.Quote(r.Context(), request)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, quote)
}

func (a *API) tickets(w http.ResponseWriter, r *http.Request) {
	delivery, err := read[payment.Delivery](w, r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	result, err := a.recipient.Accept(r.Context(), delivery)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, result)
}

// Readiness is the body of /readyz: ready once enough transcoders have an allocation. Whoever else bids changes nothing.
type Readiness struct {
	Ready       bool   `json:"ready"`
	Transcoders int    `json:"transcoders"` // live, with a confirmed allocation
	Waiting     int    `json:"waiting"`     // live, without
	Reason      string `json:"reason,omitempty"`
}

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	waiting, allocated := a.fleet.Backlog()
	body := Readiness{Transcoders: allocated, Waiting: waiting}
	switch {
	case a.recipient.Draining() || a.dispatcher.Draining():
		body.Reason = "draining: no new work is taken until the next start"
	case a.store.Ping(ctx) != nil:
		body.Reason = "the database does not answer"
	case !a.connected():
		body.Reason = "NATS is not connected"
	case allocated < a.cfg.MinTranscoders:
		body.Reason = fmt.Sprintf("%d of %d transcoders are there, %d wait for an allocation", allocated, a.cfg.MinTranscoders, waiting)
	default:
		body.Ready = true
		answer(w, http.StatusOK, body)
		return
	}
	answer(w, http.StatusServiceUnavailable, body)
}

// Stats is the body of /api/v1/stats.
type Stats struct {
	store.Counts
	Allocated  int                    `json:"allocated"`
	InFlight   int                    `json:"in_flight"`
	Commitment protocol.Hash          `json:"sampling_commitment"`
	Payer      payment.PayerStats     `json:"payer"`
	Recipient  payment.RecipientStats `json:"recipient"`
	Spend      payment.Spending       `json:"spend"` // on transcoders
	Funds      payment.Funds          `json:"funds"` // for transcoders
}

func (a *API) stats(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	s := Stats{InFlight: a.dispatcher.InFlight(), Commitment: a.dispatcher.Commitment(), Spend: a.cfg.Spend(), Funds: a.cfg.Funds()}
	_, s.Allocated = a.fleet.Backlog()
	var err error
	if s.Counts, err = a.store.Counts(ctx); err == nil {
		if s.Payer, err = a.payer.Stats(ctx); err == nil {
			s.Recipient, err = a.recipient.Stats(ctx)
		}
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, s)
}

func (a *API) epochs(w http.ResponseWriter, r *http.Request) {
	epochs, err := a.store.Epochs(r.Context(), 100)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, epochs)
}

func (a *API) restore(w http.ResponseWriter, r *http.Request) {
	text := chi.URLParam(r, "address")
	if !common.IsHexAddress(text) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "%.60q is no address", text))
		return
	}
	t, err := a.store.Restore(r.Context(), common.HexToAddress(text))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.fleet.Judged(t.Address, t.Record)
	a.feed.Emit(protocol.Event{Kind: protocol.TranscoderRestored, Counterparty: &t.Address, Detail: "by the operator"})
	answer(w, http.StatusOK, t)
}

func (a *API) drain(w http.ResponseWriter, r *http.Request) {
	timeout := 20 * time.Second
	if text := r.URL.Query().Get("timeout"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || d > 10*time.Minute {
			protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "timeout %.30q: want a duration up to 10m", text))
			return
		}
		timeout = d
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if err := a.recipient.Drain(ctx); err != nil {
		if ctx.Err() != nil {
			err = protocol.Errorf(protocol.Unavailable, "not everything was settled within %s: %w", timeout, err)
		}
		a.refuse(w, r, err)
		return
	}
	stats, err := a.recipient.Stats(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, stats)
}
