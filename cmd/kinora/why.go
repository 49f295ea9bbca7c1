package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// whyCommand shows a transcoder's score sheets.
type whyCommand struct {
	Lease string `arg:"" optional:"" help:"Of this lease alone: its ID, or the first digits of it as logs show them."`
	orchestratorAt
	Transcoder common.Address `help:"Account of the transcoder that bid." required:"" placeholder:"ADDRESS"`
	Escrow     common.Address `help:"Address of the escrow; with --chain-id, to check the orchestrator's signatures." placeholder:"ADDRESS"`
	ChainID    uint64         `name:"chain-id" help:"Number of the chain; with --escrow."`
	output
}

// maxSheets bounds what is read of an answer, in bytes.
const maxSheets = 4 << 20

// reasons say in words why a bid did not win.
var reasons = map[string]string{
	"outscored": "another one's score was better", "declined": "it was offered the lease and did not take it", "explored": "a newcomer was given its turn",
	"avoided": "it had failed this work already, or the payer avoids it", "distrusted": "its outputs failed verification", "codec_not_sold": "it does not sell a codec of the work",
	"below_floor": "its price is below what its power costs", "price_above_max": "its price is above what is paid", "not_allocated": "no money is allocated to it yet",
	"no_capacity": "it has no room for the work", "busy": "it declined or failed a moment before", "below_reserve": "its score is below the reserve",
	"expired": "its bid had run out", "unproven": "too little was seen of its work yet: it is tried with duplicates first",
}

// Run asks, checks and prints.
func (y whyCommand) Run(a *app) error {
	sheets, err := y.ask(a.ctx)
	if err != nil {
		return err
	}
	var shown []protocol.Signed[protocol.ScoreSheet]
	for _, s := range sheets {
		if y.checked() {
			if _, err := s.Open(protocol.NewDomain(y.ChainID, y.Escrow)); err != nil {
				return fmt.Errorf("the sheet of lease %s: %w (is it for another chain or escrow?)", s.Message.Lease.Short(), err)
			}
		}
		if matches(s.Message.Lease, y.Lease) {
			shown = append(shown, s)
		}
	}
	if len(shown) == 0 {
		return fmt.Errorf("%s has no score sheet of such a lease: it keeps those of its last auctions, of the bids it looked at", y.Orchestrator)
	}
	if y.JSON {
		return printJSON(a.stdout, shown)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, s := range shown {
		y.print(w, s.Message)
	}
	if !y.checked() {
		fmt.Fprintln(w, "The signatures were not checked: --escrow and --chain-id are needed for that.")
	}
	return w.Flush()
}

func (y whyCommand) checked() bool { return y.ChainID != 0 && y.Escrow != common.Address{} }

func (y whyCommand) print(w io.Writer, m protocol.ScoreSheet) {
	line := func(name, format string, args ...any) { fmt.Fprintln(w, "  "+name+"\t"+fmt.Sprintf(format, args...)) }
	switch {
	case m.Won:
		fmt.Fprintf(w, "lease %s\twon\n", m.Lease.Short())
	default:
		fmt.Fprintf(w, "lease %s\tlost: %s\n", m.Lease.Short(), reasons[m.Reason])
	}
	sealed := len(m.Prices) == 0
	if sealed {
		line("bid", "sealed until the epoch is over: the transcoder's own page shows it, and so does why on the orchestrator's machine")
	} else {
		line("bid", "%s; %s wei a second of this work", perPixel(m.Prices), m.Cost)
	}
	line("measured", "%s of perfect", percent(float64(m.Quality)/1e6))
	if m.Rank > 0 {
		line("place", "%d of the %d that were looked at", m.Rank, m.Of)
	}
	switch {
	case m.Won && sealed:
	case m.Won:
		line("paid", "%s", perPixel(m.Paid))
	case len(m.WouldWin) > 0:
		line("would have won", "at %s or less", perPixel(m.WouldWin))
	case m.TellMillis > 0 && time.Now().Before(time.UnixMilli(int64(m.TellMillis))):
		line("would have won", "is told after %s, when the bids are open", time.UnixMilli(int64(m.TellMillis)).UTC().Format(time.DateTime))
	default:
		line("would have won", "no price, or it is told soon")
	}
	if !m.Epoch.IsZero() {
		line("held to", "auction %d of epoch %s, bids %s, figures %s: kinora audit checks it", m.Auction, m.Epoch.Short(), m.Book.Short(), m.Figures.Short())
	}
}

func perPixel(prices protocol.Prices) string {
	var parts []string
	for _, p := range prices {
		parts = append(parts, fmt.Sprintf("%s wei per pixel of %s", p.WeiPerPixel, p.Codec))
	}
	return strings.Join(parts, ", ")
}

func (y whyCommand) ask(ctx context.Context) ([]protocol.Signed[protocol.ScoreSheet], error) {
	client, at, err := y.dial(protocol.NewDomain(y.ChainID, y.Escrow))
	if err != nil {
		return nil, err
	}
	url := strings.TrimRight(at.URL, "/") + "/api/v1/fleet/" + y.Transcoder.Hex() + "/sheets"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for score sheets: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSheets))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	var sheets []protocol.Signed[protocol.ScoreSheet]
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &sheets) != nil {
		return nil, fmt.Errorf("%s answered %s: is it an orchestrator?", url, resp.Status)
	}
	return sheets, nil
}
