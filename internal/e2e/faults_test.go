package e2e

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
)

var redeemedTopic = crypto.Keccak256Hash([]byte("Redeemed(address,address,uint16,uint64,uint256,uint256)")).Hex()

// TestKilledChildrenCostNothing kills every kind of process once during a stream: it goes on within three segments, what
// was published is paid once, and the books balance.
func TestKilledChildrenCostNothing(t *testing.T) {
	m := up(t, t.TempDir(), "--duration", "60s", "--hold")
	m.eventually(60*time.Second, "the first published segments", func() bool { return m.published() >= 2 })
	for _, victim := range []string{"media", "transcoder", "orchestrator", "broadcaster"} {
		before := m.published()
		switch victim {
		case "media":
			m.killMedia()
		case "transcoder":
			m.kill9(m.holder())
		default:
			m.kill9(victim)
		}
		// Three segments are six seconds; the rest is what a loaded machine needs to start a process.
		m.eventually(25*time.Second, "the stream to go on after kill -9 of "+victim, func() bool { return m.published() >= before+2 })
	}
	r := m.wait(4 * time.Minute)
	if gaps := r.SegmentsIn - r.SegmentsPublished; gaps > 4*3 {
		t.Errorf("%d of %d segments were lost by four kills", gaps, r.SegmentsIn)
	}
	if !r.LedgerBalanced {
		t.Errorf("the books do not balance: %v", r.LedgerNotes)
	}
	if r.TicketsWon == 0 || r.TicketsRedeemed != r.TicketsWon {
		t.Errorf("%d tickets won, %d redeemed", r.TicketsWon, r.TicketsRedeemed)
	}
	var stats struct {
		Payer struct {
			Signed, Acknowledged, Refused, Due uint64
		}
		Published uint64 `json:"segments_published"`
	}
	if !m.get("/api/v1/stats", &stats) {
		t.Fatal("no stats of the broadcaster")
	}
	// One ticket for each committed segment, each acknowledged, none twice.
	if stats.Payer.Signed != stats.Published || stats.Payer.Acknowledged != stats.Published || stats.Payer.Due != 0 || stats.Payer.Refused != 0 {
		t.Errorf("%d segments were published; tickets: %+v", stats.Published, stats.Payer)
	}
	index, _ := fetch(t, r.HLSURL)
	for _, v := range variantLine.FindAllStringSubmatch(index, -1) {
		list, _ := fetch(t, r.HLSURL[:strings.LastIndexByte(r.HLSURL, '/')+1]+v[2])
		segments := regexp.MustCompile(`(?m)^[^#\s].*\.ts$`).FindAllString(list, -1)
		if gaps := strings.Count(list, "#EXT-X-GAP"); len(segments)-gaps != r.SegmentsPublished {
			t.Errorf("%s lists %d segments and %d gaps, %d were published", v[2], len(segments), gaps, r.SegmentsPublished)
		}
	}
}

// killMedia kills a media child that a transcoder works with.
func (m *market) killMedia() {
	m.t.Helper()
	holder, ok := m.role(m.holder())
	if !ok {
		m.t.Fatal("the transcoder is not there")
	}
	children := processes(m.t, func(p process) bool { return p.parent == holder.pid && strings.Contains(p.cmdline, "kinora-media") })
	if len(children) == 0 {
		m.t.Fatalf("%s has no media child", m.holder())
	}
	for _, c := range children {
		if err := syscall.Kill(c.pid, syscall.SIGKILL); err != nil {
			m.t.Logf("kill media child %d: %v", c.pid, err)
		}
	}
}

// holder names the transcoder that works now: the one with the most media children.
func (m *market) holder() string {
	best, most := "transcoder-1", -1
	for _, name := range []string{"transcoder-1", "transcoder-2", "transcoder-3"} {
		p, ok := m.role(name)
		if !ok {
			continue
		}
		children := processes(m.t, func(c process) bool { return c.parent == p.pid })
		if len(children) > most {
			best, most = name, len(children)
		}
	}
	return best
}

// TestKillingUpLeavesNoProcessAndLosesNoMoney kills kinora up itself, continues on its data, and ends that with Ctrl-C.
func TestKillingUpLeavesNoProcessAndLosesNoMoney(t *testing.T) {
	dir := t.TempDir()
	m := up(t, dir)
	m.eventually(60*time.Second, "published segments", func() bool { return m.published() >= 3 })
	if err := m.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	m.noneLeft(15 * time.Second)

	again := up(t, dir)
	before := again.published()
	again.eventually(60*time.Second, "published segments after the restart", func() bool { return again.published() >= before+3 })
	again.interrupt()
	r := again.wait(3 * time.Minute)
	if r.SegmentsPublished < 3 || r.SegmentsPublished != r.SegmentsIn || r.SegmentsFailed != 0 {
		t.Errorf("after the restart %d of %d segments were published, %d failed", r.SegmentsPublished, r.SegmentsIn, r.SegmentsFailed)
	}
	if !r.LedgerBalanced {
		t.Errorf("the books do not balance: %v", r.LedgerNotes)
	}
	// Winners of the killed run are redeemed in this one.
	if r.TicketsRedeemed < r.TicketsWon {
		t.Errorf("%d tickets won, %d redeemed", r.TicketsWon, r.TicketsRedeemed)
	}
}
