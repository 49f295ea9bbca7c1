package api

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/sheets"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"prices": prices, "percent": func(ppm uint32) float64 { return float64(ppm) / 10_000 }, "mega": func(n uint64) float64 { return float64(n) / 1e6 },
	"why": func(reason string) string {
		if words, ok := why[reason]; ok {
			return words
		}
		return reason
	},
	"tell": func(ms uint64) string { return time.UnixMilli(int64(ms)).UTC().Format(time.TimeOnly) },
}).Parse(pageText))

// why says in words why a bid did not win.
var why = map[string]string{
	"outscored": "another one's score was better", "declined": "it was offered the lease and did not take it", "explored": "a newcomer was given its turn",
	"avoided": "it had failed this work already, or the payer avoids it", "distrusted": "its outputs failed verification", "codec_not_sold": "it does not sell a codec of the work",
	"below_floor": "its price is below what its power costs", "price_above_max": "its price is above what is paid", "not_allocated": "no money is allocated to it yet",
	"no_capacity": "it had no room for the work", "busy": "it declined or failed a moment before", "below_reserve": "its score was below the reserve",
	"expired": "its bid had run out", "unproven": "too little was seen of its work yet: it is tried with duplicates first",
}

func prices(all protocol.Prices) string {
	var parts []string
	for _, p := range all {
		parts = append(parts, p.WeiPerPixel.String()+" "+string(p.Codec))
	}
	return strings.Join(parts, ", ")
}

// given is what the page and /api/v1/sheets show.
func (s Status) given(ctx context.Context) []sheets.Given {
	if s.Sheets == nil {
		return []sheets.Given{}
	}
	ctx, cancel := context.WithTimeout(ctx, statsTimeout)
	defer cancel()
	return s.Sheets(ctx)
}

// home is the page of a transcoder's owner: how the machine is used, and why its last bids were lost.
func (s Status) home(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), statsTimeout)
	defer cancel()
	stats, err := s.Stats(ctx)
	if err != nil {
		s.Log.Warn("cannot read the stats", "err", err)
		protocol.WriteProblem(w, protocol.Errorf(protocol.Unavailable, "the stats cannot be read now"))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	if err := page.Execute(w, map[string]any{"Stats": stats, "Given": s.given(r.Context())}); err != nil {
		s.Log.Debug("the page was not written", "err", err)
	}
}
