package dispatch

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the dispatcher's numbers.
type Metrics struct {
	segments *prometheus.CounterVec
	attempts *prometheus.CounterVec
	awards   *prometheus.CounterVec
	refusals *prometheus.CounterVec
	slots    *prometheus.CounterVec
	tail     prometheus.Histogram
	pixels   prometheus.Counter
	cutOff   prometheus.Counter
	standbys prometheus.Counter
	splits   prometheus.Counter
}

// NewMetrics registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "kinora", Subsystem: "orchestrator", Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	m := &Metrics{
		segments: counter("segments_total", "Segments by how their story ended; ok is verified and charged.", "outcome"),
		attempts: counter("attempts_total", "Attempts by how they ended.", "state", "code"),
		awards:   counter("awards_total", "Leases offered, by answer.", "outcome"),
		refusals: counter("refusals_total", "Quotes and leases that nobody could take, by reason.", "of", "code"),
		slots:    counter("slots_total", "Slots of transcoders, parked and used.", "event"),
		tail: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "kinora", Subsystem: "orchestrator", Name: "receipt_seconds",
			Help: "From the last source byte to a verified receipt.", Buckets: prometheus.ExponentialBuckets(0.02, 1.7, 14)}),
		pixels: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "kinora", Subsystem: "orchestrator", Name: "verified_pixels_total",
			Help: "Encoded pixels that were verified and paid."}),
		cutOff: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "kinora", Subsystem: "orchestrator", Name: "transcoders_cut_off_total",
			Help: "Transcoders cut off for bad output."}),
		standbys: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "kinora", Subsystem: "orchestrator", Name: "standbys_promoted_total",
			Help: "Leases that stood by and were given their first attempt: hedges and hand-overs that waited for no auction."}),
		splits: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "kinora", Subsystem: "orchestrator", Name: "ladders_split_total",
			Help: "Ladders that were shared among several transcoders, since none had room for all."}),
	}
	r.MustRegister(m.tail, m.pixels, m.cutOff, m.standbys, m.splits)
	return m
}
