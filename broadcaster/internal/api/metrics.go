package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/kinora/kinora/internal/protocol"
)

// Metrics are the broadcaster's Prometheus metrics.
type Metrics struct {
	registry *prometheus.Registry
	refused  *prometheus.CounterVec
}

// NewMetrics makes a registry of its own.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "kinora", Subsystem: "broadcaster", Name: "pushes_refused_total", Help: "Pushes answered with a problem, by code.",
	}, []string{"code"})}
	m.registry.MustRegister(m.refused, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Refused counts a refusal.
func (m *Metrics) Refused(c protocol.Code) { m.refused.WithLabelValues(string(c)).Inc() }

// metrics collects Stats when it is scraped.
type metrics struct {
	*Metrics
	stats func(context.Context) (Stats, error)
}

func describeMetric(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("kinora_broadcaster_"+name, help, nil, nil)
}

var (
	segmentsIn        = describeMetric("segments_total", "Segments taken.")
	segmentsPublished = describeMetric("segments_published_total", "Segments published.")
	segmentsLate      = describeMetric("segments_late_total", "Segments released after the hold-back.")
	segmentsFailed    = describeMetric("segments_failed_total", "Segments never published.")
	outputsVerified   = describeMetric("outputs_verified_total", "Attempts that passed verification.")
	outputsRejected   = describeMetric("outputs_rejected_total", "Attempts that failed verification here.")
	segmentsInFlight  = describeMetric("segments_in_flight", "Segments being worked on.")
	streamsLive       = describeMetric("streams_live", "Streams that are live.")
	latencyP50        = describeMetric("latency_p50_seconds", "Median time from last source byte to commit, of the newest 1,000 segments.")
	latencyP95        = describeMetric("latency_p95_seconds", "95th percentile of the time from last source byte to commit, of the newest 1,000 segments.")
	ticketsDue        = describeMetric("tickets_due", "Verified segments whose ticket waits for parameters.")
)

// Describe names the metrics.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{segmentsIn, segmentsPublished, segmentsLate, segmentsFailed, outputsVerified, outputsRejected, segmentsInFlight, streamsLive,
		latencyP50, latencyP95, ticketsDue} {
		ch <- d
	}
}

// Collect reads Stats; when they cannot be read there are none.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s, err := m.stats(ctx)
	if err != nil {
		return
	}
	for d, v := range map[*prometheus.Desc]uint64{segmentsIn: s.SegmentsIn, segmentsPublished: s.SegmentsPublished, segmentsLate: s.SegmentsLate,
		segmentsFailed: s.SegmentsFailed, outputsVerified: s.VerifiedL0, outputsRejected: s.Rejected} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	for d, v := range map[*prometheus.Desc]float64{segmentsInFlight: float64(s.InFlight), streamsLive: float64(s.Streams),
		latencyP50: float64(s.Latency.P50) / 1000, latencyP95: float64(s.Latency.P95) / 1000, ticketsDue: float64(s.Payer.Due)} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
}
