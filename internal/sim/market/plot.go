package market

import (
	"bytes"
	"fmt"
	"math"
)

// The plot: a column of misses on a logarithmic scale and one of p99, a panel for each regime, a line for each policy.
const (
	lineHeight  = 15
	panelGap    = 34
	labelWidth  = 150
	columnWidth = 300
	columnGap   = 40
	leastShown  = 0.0001 // of misses: less is drawn there
)

// SVG draws the misses and the p99 of every policy in every regime, with their confidence intervals.
func (r Result) SVG(c Config) []byte {
	var b bytes.Buffer
	panel := lineHeight*len(c.Policies) + panelGap
	width, height := labelWidth+2*columnWidth+2*columnGap, 60+panel*len(c.Regimes)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	text := func(x, y float64, anchor, style, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`+"\n", x, y, anchor, style, s)
	}
	line := func(x1, y1, x2, y2 float64, colour string, wide float64) {
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"/>`+"\n", x1, y1, x2, y2, colour, wide)
	}
	left := float64(labelWidth)
	right := left + columnWidth + columnGap
	missed := func(share float64) float64 { // from 0.01 % to 100 %
		return left + columnWidth*(math.Log10(max(share, leastShown))+4)/4
	}
	held := c.HoldBack.Seconds()
	time := func(s float64) float64 { return right + columnWidth*min(s/held, 1) }
	text(left+columnWidth/2, 20, "middle", `font-weight="bold"`, "segments missed, and 95 % confidence")
	text(right+columnWidth/2, 20, "middle", `font-weight="bold"`, "p99 from last byte to verified output")
	y := 48.0
	for _, regime := range c.Regimes {
		rows := r.Regimes[regime]
		top, bottom := y-4, y+float64(lineHeight*len(rows))-4
		text(8, y-8, "start", `font-weight="bold"`, string(regime))
		for _, tick := range []float64{0.0001, 0.001, 0.01, 0.1, 1} {
			line(missed(tick), top, missed(tick), bottom, "#ddd", 1)
			text(missed(tick), bottom+11, "middle", `fill="#777" font-size="9"`, fmt.Sprintf("%g %%", 100*tick))
		}
		for _, part := range []float64{0, 0.25, 0.5, 0.75, 1} {
			line(time(part*held), top, time(part*held), bottom, "#ddd", 1)
			text(time(part*held), bottom+11, "middle", `fill="#777" font-size="9"`, fmt.Sprintf("%g s", part*held))
		}
		for _, x := range rows {
			colour := "#8a8f98"
			switch x.Policy {
			case Kinora:
				colour = "#c2410c"
			case Oracle:
				colour = "#0f766e"
			}
			middle := y + 3
			text(left-10, y+7, "end", `fill="`+colour+`"`, string(x.Policy))
			for _, bar := range []struct{ low, high, mean float64 }{{missed(x.MissRateCI[0]), missed(x.MissRateCI[1]), missed(x.MissRate)},
				{time(x.P99CI[0]), time(x.P99CI[1]), time(x.P99)}} {
				line(bar.low, middle, bar.high, middle, colour, 2)
				fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", bar.mean, middle, colour)
			}
			y += lineHeight
		}
		y += panelGap
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
