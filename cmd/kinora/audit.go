package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// auditCommand does an orchestrator's auctions again, from what it reveals once their epoch is over.
type auditCommand struct {
	Orchestrator string         `arg:"" help:"URL of the orchestrator, best with its ADDRESS@ before it." placeholder:"URL"`
	Epoch        string         `help:"Of this epoch alone: its commitment, or the first digits of it." placeholder:"HASH"`
	Last         int            `help:"Of so many of the newest epochs that are over, at most." default:"12"`
	Lease        string         `help:"Show how this lease was auctioned: its ID, or the first digits of it." placeholder:"LEASE"`
	Escrow       common.Address `help:"Address of the escrow, of whose market everything must be signed." required:"" placeholder:"ADDRESS"`
	ChainID      uint64         `name:"chain-id" help:"Number of the chain." required:""`

	InsecureCleartext bool `help:"Let http:// leave this machine, for whoever is on the way to read and change."`
	output
}

const (
	maxRevealed = 16 << 20 // bytes of one answer
	shownFaults = 50       // of an epoch, in the table; JSON has all
	shownRanks  = 10
)

// faultWords say what is wrong, to people.
var faultWords = map[auction.FaultKind]string{
	auction.FaultSignature: "not signed by who says it", auction.FaultSecret: "another secret than was committed to", auction.FaultTie: "another tie than the secret gives",
	auction.FaultBook: "other bids than were committed to", auction.FaultFigures: "other figures of quality than were committed to", auction.FaultExploration: "newcomers out of turn",
	auction.FaultWinner: "somebody else wins", auction.FaultPrice: "another price was paid", auction.FaultAward: "the award does not say what it follows from",
	auction.FaultMissing: "something is not told", auction.FaultJournal: "another journal than was closed",
}

// audited is the audit of one epoch, and where it was asked for the auction of a lease.
type audited struct {
	auction.Report
	Overlaps bool       `json:"overlaps,omitempty"` // it began before the one before it was to end
	Lease    *auctioned `json:"lease,omitempty"`
}

type auctioned struct {
	Lease   protocol.ID      `json:"lease"`
	Stream  string           `json:"stream"`
	Auction uint64           `json:"auction"`
	Awards  []protocol.Award `json:"awards"` // in the order offered; the last one was taken
	// What nothing commits to: its payer and its winner can tell whether it is true.
	MaxPrices protocol.Prices  `json:"max_prices"`
	SourceFPS float64          `json:"source_fps"`
	Avoided   []common.Address `json:"avoided"`
	Ranks     []ranked         `json:"ranks"`
	Of        int              `json:"of"` // that could have had it
}

type ranked struct {
	Transcoder common.Address  `json:"transcoder"`
	Reason     auction.Reason  `json:"reason,omitempty"` // why it was not compared
	Asked      protocol.Prices `json:"asked"`
	Cost       protocol.Wei    `json:"wei_per_second"`
	Quality    uint32          `json:"quality_ppm"`
	Score      string          `json:"score,omitempty"`
}

// Run downloads, checks and prints; a fault is a failure.
func (c auditCommand) Run(a *app) error {
	epochs, err := c.epochs(a.ctx)
	if err != nil {
		return err
	}
	var reports []audited
	faults, found := 0, false
	var before *auction.Auditor
	overlap := overlaps(epochs)
	for i, e := range epochs {
		u, r, err := c.audit(a.ctx, e, before)
		if err != nil {
			return err
		}
		if r.Overlaps = overlap[i]; !slices.Contains(overlap, true) { // else the one before may be another process's, which heard other bids
			before = u
		}
		faults += len(r.Faults)
		found = found || r.Lease != nil
		reports = append(reports, r)
	}
	if c.Lease != "" && !found {
		return fmt.Errorf("lease %s was not auctioned in the %d epochs that were looked at; --epoch or a larger --last may find it", c.Lease, len(reports))
	}
	if c.JSON {
		err = printJSON(a.stdout, reports)
	} else {
		err = c.print(a.stdout, reports)
	}
	if err == nil && faults > 0 {
		err = fmt.Errorf("%d faults: the orchestrator did not keep to what it committed to", faults)
	}
	return err
}

// epochs are those to be audited, oldest first.
func (c auditCommand) epochs(ctx context.Context) ([]auction.Reveal, error) {
	var listed, chosen []auction.Reveal
	before := uint64(1) << 52
	for {
		var page []auction.Reveal
		if _, err := c.get(ctx, fmt.Sprintf("?limit=100&before=%d", before), &page); err != nil {
			return nil, err
		}
		listed = append(listed, page...)
		if len(page) < 100 || c.Epoch == "" && len(listed) > 2*c.Last {
			break
		}
		before = page[len(page)-1].Epoch.Message.BeganMillis
	}
	sealed := 0
	for _, e := range listed {
		switch {
		case !matches(e.Epoch.Message.Commitment, c.Epoch):
		case !e.Over:
			sealed++
		case c.Epoch != "" || len(chosen) < c.Last:
			chosen = append([]auction.Reveal{e}, chosen...)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s has no such epoch that is over (%d are not): its bids are sealed until then", c.Orchestrator, sealed)
	}
	return chosen, nil
}

func matches(id protocol.ID, digits string) bool {
	return strings.HasPrefix(strings.TrimPrefix(id.String(), "0x"), strings.TrimPrefix(digits, "0x"))
}

// overlaps tells which epochs, oldest first, began before the one before them was to end.
func overlaps(epochs []auction.Reveal) []bool {
	overlap := make([]bool, len(epochs))
	var end uint64
	for i, r := range epochs {
		e := r.Epoch.Message
		overlap[i] = e.BeganMillis < end
		end = max(end, e.BeganMillis+uint64(e.LengthMillis))
	}
	return overlap
}

// audit goes on from the epoch before, where that is known.
func (c auditCommand) audit(ctx context.Context, e auction.Reveal, before *auction.Auditor) (*auction.Auditor, audited, error) {
	var out audited
	u, err := auction.NewAuditor(protocol.NewDomain(c.ChainID, c.Escrow), e)
	if err != nil {
		return nil, out, fmt.Errorf("audit %s: %w", c.Orchestrator, err)
	}
	if before != nil {
		u.After(before)
	}
	u.Each = func(x auction.Auction, choices []auction.Choice, _ []auction.Offer, o auction.Outcome) {
		if c.Lease == "" || !o.Taken || !matches(o.Awards[len(o.Awards)-1].Message.Lease, c.Lease) {
			return
		}
		out.Lease = &auctioned{Lease: o.Awards[len(o.Awards)-1].Message.Lease, Stream: x.Stream, Auction: x.Number, Of: len(auction.Ranked(choices)),
			MaxPrices: x.Ask.MaxPrices, SourceFPS: x.Ask.SourceFPS, Avoided: append([]common.Address{}, x.Ask.Avoid...)}
		for _, w := range o.Awards {
			out.Lease.Awards = append(out.Lease.Awards, w.Message)
		}
		for _, y := range choices {
			r := ranked{Transcoder: y.Bid.Transcoder, Reason: y.Reason, Asked: y.Prices, Cost: y.Cost, Quality: y.Quality}
			if y.Score != nil {
				r.Score = y.Score.String()
			}
			out.Lease.Ranks = append(out.Lease.Ranks, r)
		}
	}
	var pages []protocol.Hash
	for n := range e.Pages {
		var entries []auction.Entry
		text, err := c.get(ctx, fmt.Sprintf("/%s?page=%d", e.Epoch.Message.Commitment, n), &entries)
		if err != nil {
			return nil, out, err
		}
		pages = append(pages, sha256.Sum256(text))
		u.Page(entries)
	}
	out.Report = u.Finish(pages)
	return u, out, nil
}

func (c auditCommand) print(to io.Writer, reports []audited) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, r := range reports {
		e := r.Epoch
		state := "closed"
		if !r.Complete {
			state = "not closed: its orchestrator was killed, or says so; the end may be missing"
		}
		fmt.Fprintf(w, "epoch %s\t%s, %s\t%s\n", e.Commitment.Short(), time.UnixMilli(int64(e.BeganMillis)).UTC().Format(time.DateTime), e.Rule, state)
		fmt.Fprintf(w, "  \t%d auctions, %d awards, %d leases taken\t%d bids, %d roots over the figures\n", r.Auctions, r.Awards, r.Leases, r.Bids, r.Figures)
		if r.Overlaps {
			fmt.Fprintf(w, "  \tit began before the one before it was to end: its orchestrator was restarted, or has replicas, each with a book and turns of its own\t\n")
		}
		for i, f := range r.Faults {
			if i == shownFaults {
				fmt.Fprintf(w, "  \tand %d more: --json shows all\t\n", len(r.Faults)-i)
				break
			}
			where := ""
			if f.Auction > 0 {
				where = fmt.Sprintf("auction %d", f.Auction)
			}
			if !f.Lease.IsZero() {
				where += ", lease " + f.Lease.Short()
			}
			fmt.Fprintf(w, "  FAULT %s\t%s\t%s: %s\n", f.Kind, where, faultWords[f.Kind], f.Detail)
		}
		if r.Lease != nil {
			r.Lease.print(w)
		}
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func (l auctioned) print(w io.Writer) {
	fmt.Fprintf(w, "lease %s\tof stream %s, auction %d: %d could have had it\t\n", l.Lease.Short(), l.Stream, l.Auction, l.Of)
	fmt.Fprintf(w, "  \t\tat most %s, source of %g frames a second, %d avoided\n", perPixel(l.MaxPrices), l.SourceFPS, len(l.Avoided))
	for i, a := range l.Awards {
		what := "was offered it and declined"
		if i == len(l.Awards)-1 {
			what = "took it"
		}
		fmt.Fprintf(w, "  \t%s %s\tat %s\n", a.Transcoder, what, perPixel(a.Prices))
	}
	for i, r := range l.Ranks {
		if i == shownRanks {
			fmt.Fprintf(w, "  \tand %d more\t\n", len(l.Ranks)-i)
			break
		}
		fate := fmt.Sprintf("%d.", i+1)
		if r.Reason != "" {
			fate = "–"
		}
		detail := fmt.Sprintf("asked %s: %s wei a second, at %s of perfect", perPixel(r.Asked), r.Cost, percent(float64(r.Quality)/1e6))
		if r.Reason != "" {
			detail += ": " + reasons[string(r.Reason)]
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", fate, r.Transcoder, detail)
	}
}

// get asks for what is below the epochs and decodes it; what it returns is the text as it was.
func (c auditCommand) get(ctx context.Context, path string, into any) ([]byte, error) {
	at, err := passport.ParseEndpoint(c.Orchestrator)
	if err != nil {
		return nil, err
	}
	url := strings.TrimRight(at.URL, "/") + "/api/v1/auctions/epochs" + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	resp, err := clientOf(at, protocol.NewDomain(c.ChainID, c.Escrow), c.InsecureCleartext, time.Minute).Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for what auctions were held to: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRevealed))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(text, into) != nil {
		return nil, fmt.Errorf("%s answered %s: is it an orchestrator?", url, resp.Status)
	}
	return text, nil
}
