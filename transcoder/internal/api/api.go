// Package api is a transcoder's status over HTTP: health, numbers and events, for its owner and for the machine that
// watches it.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/loopback"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
	"github.com/kinora/kinora/transcoder/internal/sheets"
)

const (
	drainTimeout = 20 * time.Second // of POST /api/v1/drain unless it says otherwise
	maxDrain     = 5 * time.Minute
	statsTimeout = 5 * time.Second
	closeTimeout = 3 * time.Second
)

// Stats is the body of /api/v1/stats. Counts are those of the durable store.
type Stats struct {
	Attempts      uint64            `json:"attempts"`
	Receipts      uint64            `json:"receipts"`
	Leases        uint64            `json:"leases"` // ever accepted
	LeasesHeld    int               `json:"leases_held"`
	Duty          string            `json:"duty"` // ready, or how far it is with leaving
	PixelRate     uint64            `json:"capacity_pixel_rate"`
	FreePixelRate uint64            `json:"free_pixel_rate"`
	Load          capacity.State    `json:"load"`
	Measured      protocol.Measured `json:"measured"` // by which this machine sells
	Devices       []devices.Device  `json:"devices"`
	Readings      []devices.Reading `json:"device_readings,omitempty"`
	Children      media.PoolStats   `json:"children"`         // media children handed out to leases
	Poison        []media.Evidence  `json:"poison,omitempty"` // segments that crash whatever decodes them, refused at present
	Recipient     any               `json:"recipient"`        // payment.RecipientStats
}

// Status is what is served.
type Status struct {
	Ready func() error // nil when bids stand and can be answered
	Stats func(ctx context.Context) (Stats, error)
	Drain func(ctx context.Context) (recipientStats any, err error) // close every ticket set now and settle
	// Sheets are why its last bids won or were lost, as the orchestrators say; may be nil.
	Sheets func(ctx context.Context) []sheets.Given
	Duty   Duty
	Feed   *feed.Feed
	Log    *slog.Logger
}

// Server is a listening status server.
type Server struct {
	http *http.Server
	addr string
	done chan struct{}
}

// Serve listens on addr and serves until Close.
func Serve(addr string, s Status) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for status (choose another --http): %w", err)
	}
	base, cancel := context.WithCancel(context.Background())
	srv := &Server{addr: listener.Addr().String(), done: make(chan struct{}), http: &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}}
	srv.http.RegisterOnShutdown(cancel) // event streams end then
	go func() {
		defer close(srv.done)
		if err := srv.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("status server stopped", "err", err)
		}
	}()
	return srv, nil
}

// Addr is the address in use, with its port.
func (s *Server) Addr() string { return s.addr }

// Close stops serving.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	<-s.done
	return err
}

func (s Status) routes() http.Handler {
	r := chi.NewRouter()
	r.NotFound(func(w http.ResponseWriter, req *http.Request) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.NotFound, "nothing is at %s", req.URL.Path))
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.MethodNotAllowed, "%s is not for %s", req.Method, req.URL.Path))
	})
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]string{"status": "ok"}) })
	r.Get("/readyz", s.readyz)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{s})
	r.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	r.Get("/", s.home)
	r.Get("/api/v1/stats", s.stats)
	r.Get("/api/v1/sheets", func(w http.ResponseWriter, req *http.Request) { answer(w, s.given(req.Context())) })
	r.Get("/api/v1/events", s.Feed.ServeHTTP)
	r.Post("/api/v1/drain", s.drain)
	s.duties(r)
	return r
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client is gone
}

func (s Status) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.Ready(); err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	answer(w, map[string]string{"status": "ready"})
}

func (s Status) stats(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), statsTimeout)
	defer cancel()
	stats, err := s.Stats(ctx)
	if err != nil {
		s.Log.Warn("cannot read the stats", "err", err)
		protocol.WriteProblem(w, protocol.Errorf(protocol.Unavailable, "the stats cannot be read now"))
		return
	}
	answer(w, stats)
}

// drain settles every winner now; it is the owner's, so it is answered on this machine only.
func (s Status) drain(w http.ResponseWriter, r *http.Request) {
	if !loopback.FromHere(r) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.Unauthorized, "a drain is asked for from this machine only"))
		return
	}
	timeout := drainTimeout
	if text := r.URL.Query().Get("timeout"); text != "" {
		var err error
		if timeout, err = time.ParseDuration(text); err != nil || timeout <= 0 || timeout > maxDrain {
			protocol.WriteProblem(w, protocol.Limited(protocol.BadRequest, "max_timeout", maxDrain, "timeout is %.40q, want a duration above 0 and at most %s", text, maxDrain))
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	stats, err := s.Drain(ctx)
	if err != nil {
		s.Log.Warn("drain did not finish", "err", err)
		if protocol.CodeOf(err) == protocol.Internal {
			err = protocol.Errorf(protocol.Unavailable, "not everything is settled after %s; ask again", timeout)
		}
		protocol.WriteProblem(w, err)
		return
	}
	answer(w, stats)
}

// collector turns Stats into metrics when they are asked for.
type collector struct{ status Status }

var (
	descAttempts = prometheus.NewDesc("kinora_transcoder_attempts_total", "Attempts begun.", nil, nil)
	descReceipts = prometheus.NewDesc("kinora_transcoder_receipts_total", "Receipts signed.", nil, nil)
	descLeases   = prometheus.NewDesc("kinora_transcoder_leases_total", "Leases accepted.", nil, nil)
	descHeld     = prometheus.NewDesc("kinora_transcoder_leases_held", "Leases held now.", nil, nil)
	descReady    = prometheus.NewDesc("kinora_transcoder_ready", "1 when bids stand and can be answered.", nil, nil)
)

func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descAttempts, descReceipts, descLeases, descHeld, descReady} {
		out <- d
	}
	describeMachine(out)
}

func (c collector) Collect(out chan<- prometheus.Metric) {
	ready := 0.0
	if c.status.Ready() == nil {
		ready = 1
	}
	out <- prometheus.MustNewConstMetric(descReady, prometheus.GaugeValue, ready)
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	s, err := c.status.Stats(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(descAttempts, err)
		return
	}
	out <- prometheus.MustNewConstMetric(descAttempts, prometheus.CounterValue, float64(s.Attempts))
	out <- prometheus.MustNewConstMetric(descReceipts, prometheus.CounterValue, float64(s.Receipts))
	out <- prometheus.MustNewConstMetric(descLeases, prometheus.CounterValue, float64(s.Leases))
	out <- prometheus.MustNewConstMetric(descHeld, prometheus.GaugeValue, float64(s.LeasesHeld))
	collectMachine(out, s)
}
