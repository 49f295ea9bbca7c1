package api

import (
	"context"
	"math/big"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// money collects what there is for transcoders when it is scraped.
type money struct {
	spend func() payment.Spending
	funds func() payment.Funds
	payer Payer
}

func describeMetric(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("kinora_orchestrator_"+name, help, nil, nil)
}

var (
	runwayHours = describeMetric("runway_hours", "How long the money for transcoders lasts at the rate of the last hour; a year at most.")
	fundsLow    = describeMetric("funds_low", "1 while the runway is shorter than --warn-runway.")
	ticketsDue  = describeMetric("tickets_due", "Verified attempts whose ticket waits for parameters.")
	budgetUsed  = describeMetric("budget_used_ratio", "Part of the budget for transcoders that is used up, of the one that is nearest to its end; 0 without one.")
)

// Describe names the metrics.
func (money) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runwayHours, fundsLow, ticketsDue, budgetUsed} {
		ch <- d
	}
}

// Collect leaves out what cannot be read now.
func (m money) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	gauge(budgetUsed, used(m.spend()))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if s, err := m.payer.Stats(ctx); err == nil {
		gauge(ticketsDue, float64(s.Due))
	}
	f := m.funds()
	if f.At.IsZero() { // not looked at yet
		return
	}
	low := 0.0
	if f.Low {
		low = 1
	}
	gauge(runwayHours, f.RunwayHours)
	gauge(fundsLow, low)
}

// used is for a gauge only: amounts are compared as integers elsewhere.
func used(s payment.Spending) (most float64) {
	for _, x := range [][2]protocol.Wei{{s.Hour, s.HourCap}, {s.Day, s.DayCap}, {s.StreamDay, s.StreamCap}, {s.Total, s.TotalCap}} {
		if x[1].IsZero() {
			continue
		}
		part, _ := new(big.Rat).SetFrac(x[0].Big(), x[1].Big()).Float64()
		most = max(most, part)
	}
	return most
}
