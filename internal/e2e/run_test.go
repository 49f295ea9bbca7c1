package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media/mediatest"
)

// TestTheMarketRunsVerifiedPaidAndPlaying is the product in one test: a cheating transcoder that bids lowest, a live
// stream, and at the end every claim of the report is checked against the chain and the pictures.
func TestTheMarketRunsVerifiedPaidAndPlaying(t *testing.T) {
	m := up(t, t.TempDir(), "--cheat", "black", "--duration", "30s", "--hold")
	browser := playInBrowser(t, m.page+"/", 15*time.Second)
	r := m.wait(4 * time.Minute)

	if r.SegmentsIn < 13 || r.SegmentsPublished != r.SegmentsIn || r.SegmentsFailed != 0 {
		t.Errorf("%d segments came in, %d were published, %d failed", r.SegmentsIn, r.SegmentsPublished, r.SegmentsFailed)
	}
	if r.RenditionsPublished != 2*r.SegmentsPublished {
		t.Errorf("%d renditions of %d segments", r.RenditionsPublished, r.SegmentsPublished)
	}
	if r.VerifiedL0 < 2*r.SegmentsPublished || r.VerifiedL1 == 0 || r.Bids < 3 || r.Awards < 2 {
		t.Errorf("%d L0 and %d L1 checks, %d bids, %d awards", r.VerifiedL0, r.VerifiedL1, r.Bids, r.Awards)
	}
	if r.CheatersCaught != 1 || r.Rejected == 0 {
		t.Errorf("%d cheaters caught, %d outputs rejected; want 1 and more", r.CheatersCaught, r.Rejected)
	}
	if r.TicketsWon == 0 || r.TicketsRedeemed != r.TicketsWon || r.RedemptionTxs == 0 || r.TicketsSent < 2*r.SegmentsPublished {
		t.Errorf("%d tickets sent, %d won, %d redeemed in %d transactions", r.TicketsSent, r.TicketsWon, r.TicketsRedeemed, r.RedemptionTxs)
	}
	if !r.LedgerBalanced {
		t.Errorf("the books do not balance: %v", r.LedgerNotes)
	}
	checkAgainstChain(t, r)
	checkLadder(t, r)
	browser.check(t)
}

// checkAgainstChain reads the escrow through JSON-RPC with nothing of Kinora's.
func checkAgainstChain(t *testing.T, r report) {
	t.Helper()
	if len(r.Parties) != 5 {
		t.Errorf("parties: %v", r.Parties)
	}
	amounts := map[string]*big.Int{}
	for name, text := range r.Wei {
		v, ok := new(big.Int).SetString(text, 10)
		if !ok {
			t.Fatalf("wei.%s is %q", name, text)
		}
		amounts[name] = v
	}
	if got := rpcBig(t, r.RPCURL, "eth_getBalance", r.Escrow, "latest"); got.Cmp(amounts["escrow_after"]) != 0 {
		t.Errorf("the escrow holds %s wei, the report says %s", got, amounts["escrow_after"])
	}
	if amounts["broadcaster_spent"].Sign() <= 0 || amounts["broadcaster_spent"].Cmp(amounts["orchestrator_earned"]) != 0 {
		t.Errorf("the broadcaster spent %s, the orchestrator earned %s", amounts["broadcaster_spent"], amounts["orchestrator_earned"])
	}
	if amounts["orchestrator_spent"].Sign() <= 0 || amounts["orchestrator_spent"].Cmp(amounts["transcoders_earned"]) != 0 {
		t.Errorf("the orchestrator spent %s, the transcoders earned %s", amounts["orchestrator_spent"], amounts["transcoders_earned"])
	}
	if amounts["gas"].Sign() <= 0 {
		t.Errorf("gas was %s", amounts["gas"])
	}
	// The cheater is the last transcoder: no Redeemed event of this escrow names it.
	cheater := strings.ToLower(strings.TrimPrefix(r.Parties["transcoder-3"], "0x"))
	var logs []struct{ Topics []string }
	rpc(t, r.RPCURL, &logs, "eth_getLogs", map[string]any{"fromBlock": "0x0", "toBlock": "latest", "address": r.Escrow})
	for _, l := range logs {
		// The orchestrator allocates to everyone before it knows them: an Allocated event may name the cheater, paid money may not.
		if len(l.Topics) > 2 && l.Topics[0] == redeemedTopic && strings.HasSuffix(l.Topics[2], cheater) {
			t.Errorf("the cheater was paid: %v", l.Topics)
		}
	}
}

func rpcBig(t *testing.T, url, method string, params ...any) *big.Int {
	t.Helper()
	var s string
	rpc(t, url, &s, method, params...)
	v, ok := new(big.Int).SetString(strings.TrimPrefix(s, "0x"), 16)
	if !ok {
		t.Fatalf("%s answered %q", method, s)
	}
	return v
}

func rpc(t *testing.T, url string, v any, method string, params ...any) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	resp, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Error != nil {
		t.Fatalf("%s: %v %s", method, err, answer.Error)
	}
	if err := json.Unmarshal(answer.Result, v); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

var variantLine = regexp.MustCompile(`(?m)^#EXT-X-STREAM-INF:(.*)\n(\S+)$`)

// checkLadder plays every rung with ffprobe and ffmpeg: all frames, no warning, no black picture.
func checkLadder(t *testing.T, r report) {
	t.Helper()
	index, _ := fetch(t, r.HLSURL)
	variants := variantLine.FindAllStringSubmatch(index, -1)
	if len(variants) != 2 {
		t.Fatalf("the multivariant playlist has %d variants:\n%s", len(variants), index)
	}
	for _, v := range variants {
		for _, attribute := range []string{"BANDWIDTH=", "RESOLUTION=", "CODECS=\"avc1.", "mp4a.40.2", "FRAME-RATE=30"} {
			if !strings.Contains(v[1], attribute) {
				t.Errorf("variant %s lacks %s: %s", v[2], attribute, v[1])
			}
		}
		url := r.HLSURL[:strings.LastIndexByte(r.HLSURL, '/')+1] + v[2]
		list, _ := fetch(t, url)
		if !strings.Contains(list, "#EXT-X-ENDLIST") || strings.Contains(list, "#EXT-X-GAP") || strings.Contains(list, "#EXT-X-DISCONTINUITY\n") {
			t.Errorf("%s is not one whole closed stream:\n%s", url, list)
		}
		out, warnings := mediatest.Run(t, nil, mediatest.FFprobe(t), "-v", "warning", "-select_streams", "v", "-count_frames",
			"-show_entries", "stream=nb_read_frames,width,height", "-of", "csv=p=0", url)
		if warnings != "" {
			t.Errorf("ffprobe of %s warns: %s", url, warnings)
		}
		size := regexp.MustCompile(`RESOLUTION=(\d+)x(\d+)`).FindStringSubmatch(v[1])
		want := fmt.Sprintf("%s,%s,%d", size[1], size[2], 60*r.SegmentsPublished)
		if got := strings.TrimSpace(strings.Split(string(out), "\n")[0]); got != want {
			t.Errorf("%s: size and frames are %s, want %s", url, got, want)
		}
		_, warnings = mediatest.Run(t, nil, mediatest.FFmpeg(t), "-v", "warning", "-xerror", "-i", url, "-f", "null", "-")
		if warnings != "" {
			t.Errorf("ffmpeg decoding %s warns: %s", url, warnings)
		}
		_, black := mediatest.Run(t, nil, mediatest.FFmpeg(t), "-v", "info", "-nostats", "-i", url, "-an", "-vf", "blackdetect=d=0.1", "-f", "null", "-")
		if strings.Contains(black, "black_start") {
			t.Errorf("%s has black pictures: the cheater's output was released", url)
		}
	}
}

// browserRun is a headless Chromium that plays the page.
type browserRun struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

// playInBrowser opens the page and plays each rendition for a while.
func playInBrowser(t *testing.T, page string, _ time.Duration) *browserRun {
	t.Helper()
	if os.Getenv("KINORA_CHROMIUM") == "" {
		t.Fatal(`KINORA_CHROMIUM is not set: run make test, or eval "$(deploy/env.sh test)"`)
	}
	b := &browserRun{cmd: exec.Command("node", "testdata/play.js", page)}
	b.cmd.Stdout, b.cmd.Stderr = &b.out, &b.out
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		t.Fatalf("start the browser test: %v", err)
	}
	t.Cleanup(func() { _ = b.cmd.Process.Kill() })
	return b
}

func (b *browserRun) check(t *testing.T) {
	t.Helper()
	if err := b.cmd.Wait(); err != nil {
		t.Errorf("the page does not play in Chromium: %v\n%s", err, b.out.String())
		return
	}
	t.Logf("browser: %s", strings.TrimSpace(b.out.String()))
}
