package auction_test

import (
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

func TestRanking_isWhatPickGivesWhateverChanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := drawAsk(t)
		r := auction.NewRanking(a)
		standing := make(map[common.Address]auction.Candidate)
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			for _, c := range drawCandidates(t) {
				switch rapid.IntRange(0, 5).Draw(t, "change") {
				case 0:
					delete(standing, c.Bid.Transcoder)
					r.Remove(c.Bid.Transcoder)
				case 1: // gone without a word: its bid just stands no more
					delete(standing, c.Bid.Transcoder)
				case 2:
					c.Bid.Prices = protocol.Prices{{Codec: protocol.AV1, WeiPerPixel: protocol.NewWei(1)}}
					fallthrough
				default:
					standing[c.Bid.Transcoder] = c
					r.Put(c)
				}
			}
			a.Lease = protocol.ID{rapid.Byte().Draw(t, "lease")}
			a.Avoid = []common.Address{address(rapid.ByteRange(1, 12).Draw(t, "avoided"))}
			var candidates []auction.Candidate
			for _, c := range standing {
				candidates = append(candidates, c)
			}
			n := rapid.IntRange(1, 5).Draw(t, "wanted")
			want := auction.Ranked(auction.Pick(candidates, a))
			want = want[:min(n, len(want))]
			got, passed := r.Best(a, n, func(t common.Address) (auction.Candidate, auction.Reason) {
				c, ok := standing[t]
				if !ok {
					return c, auction.Expired
				}
				return c, ""
			})
			if len(got) != len(want) {
				t.Fatalf("%d of %d wanted", len(got), len(want))
			}
			for _, p := range passed { // each for what Pick says, or because nothing stands
				i := slices.IndexFunc(candidates, func(c auction.Candidate) bool { return c.Bid.Transcoder == p.Transcoder })
				if (i < 0) != (p.Reason == auction.Expired) || i >= 0 && auction.Pick(candidates[i:i+1], a)[0].Reason != p.Reason {
					t.Fatalf("%s was passed over as %s", p.Transcoder, p.Reason)
				}
			}
			for i := range want {
				if got[i].Bid.Transcoder != want[i].Bid.Transcoder || got[i].Score.Cmp(want[i].Score) != 0 || got[i].Cost != want[i].Cost {
					t.Fatalf("place %d: %s, want %s", i, got[i], want[i])
				}
			}
		}
	})
}
