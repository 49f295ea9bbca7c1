package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/cmd/kinora/internal/quote"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// quoteCommand asks as a broadcaster would, and for the same numbers.
type quoteCommand struct {
	node
	orchestratorAt
	Escrow  common.Address `help:"Address of the escrow (kinora contracts deploy)." required:"" placeholder:"ADDRESS"`
	Address common.Address `help:"Account that would pay." required:"" placeholder:"ADDRESS"`

	Ladder     rungs         `help:"What is made of the stream: heights and sizes such as 720p,854x480, or the JSON list of profiles that a broadcaster takes, or @FILE with one." default:"720p,480p,360p,240p"`
	FPS        float64       `name:"fps" help:"Frames a second of the source." default:"30"`
	Segment    time.Duration `help:"Usual duration of a segment." default:"2s"`
	MaxSegment time.Duration `help:"Duration of the longest segment: a ticket must be able to pay it." default:"20s"`
	Hours      time.Duration `help:"How long the stream is live, every day." default:"24h"`
	Stream     string        `help:"Name of the stream; asking for one gives it a lane of tickets." default:"quote"`

	money
}

// Run asks, and prints what the answer means.
func (q quoteCommand) Run(a *app) error {
	switch {
	case q.Segment < time.Millisecond || q.MaxSegment < q.Segment:
		return fmt.Errorf("--segment %s, --max-segment %s: want at least 1ms, and the longest not below the usual", q.Segment, q.MaxSegment)
	case q.Hours < q.Segment || q.Hours > 24*time.Hour:
		return fmt.Errorf("--hours %s: want a segment to 24h", q.Hours)
	}
	var m quote.Meaning
	err := q.dialled(a, func(ctx context.Context, client *chain.Client) error {
		escrow, err := chain.NewEscrow(ctx, client, q.Escrow)
		if err != nil {
			return err
		}
		orchestrator, at, err := q.dial(escrow.Domain())
		if err != nil {
			return err
		}
		answer, err := quote.Ask(ctx, orchestrator, at.URL, escrow.Domain(), protocol.QuoteRequest{Payer: q.Address, Stream: q.Stream,
			Ladder: protocol.Ladder(q.Ladder), SourceFPS: q.FPS, SegmentMillis: uint32(q.Segment.Milliseconds()), MaxMillis: uint32(q.MaxSegment.Milliseconds())})
		if err != nil {
			return err
		}
		if at.Identity != (common.Address{}) && answer.Quote.Orchestrator != at.Identity {
			return fmt.Errorf("--orchestrator: %s answers as %s, it should be %s", at.URL, answer.Quote.Orchestrator, at.Identity)
		}
		balance, err := escrow.Balance(ctx, q.Address)
		if err != nil {
			return err
		}
		allocation, err := escrow.Allocation(ctx, q.Address, answer.Quote.Orchestrator)
		if err != nil {
			return err
		}
		m, err = quote.Explain(answer, quote.Stream{Ladder: protocol.Ladder(q.Ladder), FPS: q.FPS, Segment: q.Segment, Live: q.Hours},
			quote.Funds{Balance: balance, Allocation: allocation.Credit()})
		return err
	})
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(a.stdout, m)
	}
	return q.print(a, m)
}

func (q quoteCommand) print(a *app, m quote.Meaning) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintln(w, name+"\t"+fmt.Sprintf(format, args...)) }
	about := q.Fiat.about
	line("orchestrator", "%s, quote valid for %s", m.Orchestrator, time.Duration(m.ValidMillis)*time.Millisecond)
	for _, p := range m.Prices {
		line("price", "%s per pixel of %s", human(p.WeiPerPixel), p.Codec)
	}
	line("stream", "%s an hour, %s a day of %s", about(m.PerHour), about(m.PerDay), q.Hours)
	line("segment", "%s for %s, at most %s for %s", about(m.Fee), q.Segment, about(m.MaxFee), q.MaxSegment)
	line("tickets", "face value %s, one in %s wins", about(m.FaceValue), digits(1/m.Probability))
	line("money", "%s in the balance, %s allocated to it", about(m.Balance), about(m.Allocation))
	line("", "lasts %s hours on average, %s in 999 of 1000 cases", digits(m.Lasts), digits(m.LastsSure))
	if !m.Suffices {
		line("", "the allocation is below one face value: nothing is served before more is allocated (kinora wallet allocate)")
	}
	line("income", "of a transcoder paid so for all of it: a day's p5 %s, p50 %s, p95 %s; mean %s", about(m.Income.P5), about(m.Income.P50), about(m.Income.P95), about(m.Income.Mean))
	line("", "varies by %s; none on %s of days", percent(m.Income.CV), percent(m.Income.None))
	return w.Flush()
}

// rungs is a ladder.
type rungs protocol.Ladder

// UnmarshalText reads heights (of 16:9 pictures) and sizes, or JSON.
func (r *rungs) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if file, ok := strings.CutPrefix(text, "@"); ok {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("ladder: %w", err)
		}
		text = strings.TrimSpace(string(content))
	}
	var l protocol.Ladder
	if strings.HasPrefix(text, "[") {
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return fmt.Errorf("ladder: want a JSON list of profiles: %w", err)
		}
		for i := range l {
			if l[i].Codec == "" {
				l[i].Codec = protocol.H264
			}
		}
	} else {
		for rung := range strings.SplitSeq(text, ",") {
			width, height, err := size(strings.TrimSpace(rung))
			if err != nil {
				return err
			}
			// A price is per pixel: the bitrate does not matter to it.
			l = append(l, protocol.Profile{Name: fmt.Sprintf("%dp", height), Width: width, Height: height, Bitrate: 1_000_000, Codec: protocol.H264})
		}
	}
	if err := l.Validate(); err != nil {
		return fmt.Errorf("ladder: %w", err)
	}
	*r = rungs(l)
	return nil
}

func size(rung string) (width, height uint32, err error) {
	w, h, both := strings.Cut(rung, "x")
	if !both {
		h, _ = strings.CutSuffix(rung, "p")
	}
	y, err := strconv.ParseUint(h, 10, 16)
	x := (y*16/9 + 1) / 2 * 2
	if both && err == nil {
		x, err = strconv.ParseUint(w, 10, 16)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("ladder: %q: want a height such as 720p or a size such as 1280x720", rung)
	}
	return uint32(x), uint32(y), nil
}
