package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
)

func TestWhy_saysWhatASignedSheetSays(t *testing.T) {
	t.Parallel()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	self, escrow, bidder := protocol.NewKeySigner(key), common.Address{7}, common.Address{8}
	domain := protocol.NewDomain(5, escrow)
	price := func(wei uint64) protocol.Prices {
		return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
	}
	var sheets []protocol.Signed[protocol.ScoreSheet]
	for _, s := range []protocol.ScoreSheet{
		{Lease: protocol.ID{0xab}, Reason: "outscored", Rank: 2, Of: 3, WouldWin: price(42)},
		{Lease: protocol.ID{0xcd}, Won: true, Rank: 1, Of: 3, Paid: price(60)},
		{Lease: protocol.ID{0xef}, Reason: "no_capacity", Of: 2},
	} {
		s.Orchestrator, s.Transcoder, s.Prices, s.Cost, s.Quality = self.Address(), bidder, price(50), protocol.NewWei(5000), 900_000
		signed, err := protocol.Seal(domain, self, s)
		if err != nil {
			t.Fatal(err)
		}
		sheets = append(sheets, signed)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/fleet/"+bidder.Hex()+"/sheets" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(protocol.Encode(sheets))
	}))
	t.Cleanup(server.Close)
	args := []string{"why", "--orchestrator", server.URL, "--transcoder", bidder.Hex()}
	with := func(args []string, more ...string) []string { return slices.Concat(args, more) }
	checked := with(args, "--escrow", escrow.Hex(), "--chain-id", "5")
	for _, c := range []struct {
		args      []string
		want, not string
	}{
		{checked, "lost: another one's score was better", "not checked"},
		{with(checked, "abcd"), "", ""},
		{with(checked, "ab0000"), "at 42 wei per pixel of h264 or less", "won\n"},
		{with(checked, "cd"), "60 wei per pixel of h264", "lost"},
		{with(args, "ef"), "it has no room for the work", "score was better"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(c.args, &stdout, &stderr)
		if (code != 0) != (c.want == "") || !strings.Contains(stdout.String(), c.want) || c.not != "" && strings.Contains(stdout.String(), c.not) {
			t.Errorf("%v: exit code %d\n%s%s", c.args, code, &stdout, &stderr)
		}
	}
	sheets[0].Message.Quality++ // what was signed was something else
	var stdout, stderr bytes.Buffer
	if code := run(checked, &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), "bad_signature") {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}
