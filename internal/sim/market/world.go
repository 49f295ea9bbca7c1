package market

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// The world's numbers. They were fixed before any policy was measured.
const (
	spread    = 0.3  // of the logarithm of a piece's time
	longest   = 8    // slots
	basePrice = 1000 // wei per pixel of the middle speed
	maxPrice  = 4000 // wei per pixel: more than anybody asks
	cheatFail = 0.05
	sourceFPS = 30
)

var (
	speeds  = []float64{0.25, 0.4, 0.63, 1, 1.6} // seconds of work per second of the middle ladder
	weights = []float64{0.6, 1, 1.5}             // of the ladders
	// trips are round-trip times between the regions.
	trips = [4][4]time.Duration{{2e6, 40e6, 90e6, 160e6}, {40e6, 2e6, 120e6, 200e6}, {90e6, 120e6, 2e6, 80e6}, {160e6, 200e6, 80e6, 2e6}}
)

// ladders have the pixel rates of their weights.
var ladders = func() []protocol.Ladder {
	var all []protocol.Ladder
	for _, w := range weights {
		all = append(all, protocol.Ladder{{Name: "rung", Width: 1000, Height: uint32(1000 * w), Bitrate: 1_000_000, Codec: protocol.H264}})
	}
	return all
}()

type transcoder struct {
	slots  int
	speed  float64 // seconds per second of the middle ladder, now
	base   float64 // likewise, at first
	region int
	price  protocol.Wei // per pixel
	stake  float64
	cheat  bool
	here   bool
	gone   time.Duration // when it left
	life   uint32        // grows when it leaves

	running int
	queue   []*attempt
	waiting int        // of the queue, those not cancelled
	active  []*attempt // running or waiting
	earned  protocol.Wei
}

func (t *transcoder) address(i int) common.Address {
	return common.Address{18: byte(i >> 8), 19: byte(i), 0: 1}
}

// populate draws the transcoders.
func populate(c Config, regime Regime, r *rand.Rand) []*transcoder {
	all := make([]*transcoder, c.Transcoders)
	for i := range all {
		speed := speeds[r.IntN(len(speeds))]
		t := &transcoder{slots: 1 + r.IntN(longest), speed: speed, base: speed, region: r.IntN(len(trips)), here: true, stake: math.Exp(r.NormFloat64())}
		t.price = protocol.NewWei(uint64(basePrice * math.Sqrt(0.63/speed) * math.Exp(0.2*r.NormFloat64())))
		all[i] = t
	}
	if regime == Cheats {
		for _, i := range r.Perm(len(all))[:max(1, len(all)/10)] {
			all[i].cheat, all[i].speed, all[i].base = true, all[i].speed/2, all[i].base/2
			all[i].price = all[i].price.Mul(7).Div(10)
		}
	}
	return all
}

// chance draws for one thing about one segment on one transcoder: the same whatever was drawn before.
func chance(seed uint64, segment, transcoder, what int) (uniform, normal float64) {
	x := seed*0x9e3779b97f4a7c15 + uint64(segment)*0xbf58476d1ce4e5b9 + uint64(transcoder)*0x94d049bb133111eb + uint64(what)*0xd6e8feb86659fd93
	a, b := mix(&x), mix(&x)
	u, v := float64(a>>11+1)/(1<<53+1), float64(b>>11)/(1<<53)
	return v, math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}

func mix(x *uint64) uint64 {
	*x += 0x9e3779b97f4a7c15
	z := *x
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// service is how long segment s takes on transcoder i once it has a slot.
func (r *run) service(s *segment, i, try int) time.Duration {
	_, normal := chance(r.seed, s.id, i, 2*try)
	return time.Duration(r.transcoders[i].speed * weights[s.ladder] * math.Exp(spread*normal) * float64(r.config.Segment))
}

// bad says whether transcoder i's output of segment s is.
func (r *run) bad(s *segment, i int) bool {
	if !r.transcoders[i].cheat {
		return false
	}
	u, _ := chance(r.seed, s.id, i, 1)
	return u < cheatFail
}
