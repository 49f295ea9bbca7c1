package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/cmd/kinora/internal/quote"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// seller answers quote requests like an orchestrator that asks 1,000 wei a pixel.
func seller(t *testing.T, self *protocol.KeySigner, domain protocol.Domain) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask protocol.QuoteRequest
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			t.Error(err)
		}
		prices := protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(1000)}}
		most, err := ask.Ladder.MaxFee(prices, ask.SourceFPS, ask.MaxMillis)
		if err != nil {
			t.Error(err)
		}
		q, err := protocol.Seal(domain, self, protocol.Quote{ID: protocol.NewID(), Orchestrator: self.Address(), Payer: ask.Payer, Stream: ask.Stream,
			LadderHash: protocol.Hash(ask.Ladder.Hash()), Prices: prices, MaxFee: most, ValidMillis: 60_000, MaxMillis: ask.MaxMillis})
		if err != nil {
			t.Error(err)
		}
		p, err := protocol.Seal(domain, self, protocol.TicketParams{Set: protocol.NewID(), Payer: ask.Payer, Recipient: self.Address(), FaceValue: protocol.NewWei(50e12),
			RecipientRandHash: protocol.NewID(), Expiry: 2_000_000_000, UsableMillis: 1000, AcceptMillis: 2000, RedeemMillis: 3000})
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(protocol.Encode(protocol.QuoteAnswer{Quote: q, Params: p}))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestQuote_saysWhatAStreamCostsAndHowLongTheMoneyLasts(t *testing.T) {
	t.Parallel()
	bank := newBank(t)
	address, _, err := bank.account.Deploy(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	escrow, err := chain.NewEscrow(t.Context(), bank.account.Client(), address)
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	self := protocol.NewKeySigner(key)
	url := seller(t, self, escrow.Domain())
	if _, err := escrow.Deposit(t.Context(), bank.account, protocol.NewWei(1e18)); err != nil {
		t.Fatal(err)
	}
	ask := func(more ...string) string {
		return printed(t, append([]string{"quote", "--chain-rpc", bank.url, "--escrow", address.Hex(), "--orchestrator", url, "--address", bank.account.Address().Hex(),
			"--ladder", "1280x720,480p", "--hours", "20000s"}, more...)...)
	}
	if got := ask(); !strings.Contains(got, "nothing is served before more is allocated") {
		t.Errorf("without an allocation:\n%s", got)
	}
	if _, err := escrow.Allocate(t.Context(), bank.account, self.Address(), protocol.NewWei(4e17)); err != nil {
		t.Fatal(err)
	}

	// (1280·720 + 854·480) · 30 pixels a second at 1,000 wei: 39,945,600,000 wei a second; 16 winners a day.
	const want = `orchestrator  SELF, quote valid for 1m0s
price         1000 wei per pixel of h264
stream        0.0001438 ether (0.4314 USD) an hour, 0.0007989 ether (2.397 USD) a day of 5h33m20s
segment       79.89 gwei (0.0002397 USD) for 2s, at most 800.2 gwei (0.002401 USD) for 20s
tickets       face value 50000 gwei (0.15 USD), one in 625.9 wins
money         0.6 ether (1800 USD) in the balance, 0.4 ether (1200 USD) allocated to it
              lasts 6954 hours on average, 6803 in 999 of 1000 cases
income        of a transcoder paid so for all of it: a day's p5 0.0005 ether (1.5 USD), p50 0.0008 ether (2.4 USD), p95 0.00115 ether (3.45 USD); mean 0.0007989 ether (2.397 USD)
              varies by 25.00 %; none on < 0.01 % of days
`
	if got := strings.ReplaceAll(ask("--fiat", "3000USD"), self.Address().Hex(), "SELF"); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}

	var m quote.Meaning
	if err := json.Unmarshal([]byte(ask("--json")), &m); err != nil {
		t.Fatal(err)
	}
	if m.Orchestrator != self.Address() || m.PerHour != protocol.NewWei(143_804_160_000_000) || m.Balance != protocol.NewWei(6e17) || m.Allocation != protocol.NewWei(4e17) ||
		m.FaceValue != protocol.NewWei(50e12) || !m.Suffices {
		t.Errorf("%+v", m)
	}
}

func TestQuote_namesTheFlagThatCannotBe(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--ladder 7x":            `ladder: "7x": want a height such as 720p or a size such as 1280x720`,
		"--ladder [{}]":          "ladder: profile",
		"--ladder @nowhere":      "ladder: open nowhere",
		"--segment 0s":           "--segment 0s",
		"--max-segment 1s":       "--max-segment 1s",
		"--hours 25h":            "--hours 25h0m0s: want a segment to 24h",
		"--orchestrator= --fps=": "--fps",
	} {
		args := append([]string{"quote", "--chain-rpc", "http://127.0.0.1:1", "--escrow", common.HexToAddress("0x01").Hex(), "--orchestrator", "http://127.0.0.1:1",
			"--address", common.HexToAddress("0x02").Hex()}, strings.Fields(flags)...)
		var stdout, stderr bytes.Buffer
		if code := run(args, &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, %s", flags, code, &stderr)
		}
	}
}
