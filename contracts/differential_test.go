package contracts_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

const (
	differentialVectors = 10_000
	differentialRuns    = 500
	sessionUntil        = 3_000_000_000
	settledUpTo         = 1000 // on lane 7 of the rich payer to the first recipient
)

// market is the state the vectors meet on each chain, and what Go thinks of it.
type market struct {
	domain     ticket.Domain
	payers     []*protocol.KeySigner // rich: balance; saver: allocation to the first recipient; poor: nearly nothing
	hot        []*protocol.KeySigner // a session key of each payer but the last
	recipients []common.Address
	balance    []protocol.Wei
	allocated  protocol.Wei
}

func marketKey(name string) *protocol.KeySigner {
	k, err := crypto.ToECDSA(crypto.Keccak256([]byte("kinora differential " + name)))
	if err != nil {
		panic(err)
	}
	return protocol.NewKeySigner(k)
}

func newMarket() *market {
	escrow := crypto.CreateAddress(richKey.Address(), 0)
	return &market{domain: ticket.Domain{ChainID: worldChainID, Escrow: escrow},
		payers:     []*protocol.KeySigner{marketKey("rich"), marketKey("saver"), marketKey("poor")},
		hot:        []*protocol.KeySigner{marketKey("hot 0"), marketKey("hot 1")},
		recipients: []common.Address{richKey.Address(), marketKey("recipient").Address()},
		balance:    []protocol.Wei{protocol.NewWei(1e18).Mul(50), protocol.Wei{}, protocol.NewWei(1000)},
		allocated:  protocol.NewWei(1e18).Mul(5)}
}

// build makes the market's state on a chain.
func (m *market) build(w *world) {
	w.t.Helper()
	if w.escrow != m.domain.Escrow {
		w.t.Fatalf("the escrow is at %s, not at %s", w.escrow, m.domain.Escrow)
	}
	value := func(v protocol.Wei) *big.Int { return v.Big() }
	settlementFee := protocol.NewWei(1)
	for i, p := range m.payers {
		deposit := m.balance[i]
		if i == 0 {
			deposit = deposit.Add(settlementFee)
		}
		if i == 1 {
			deposit = m.allocated
		}
		w.send(&w.escrow, value(deposit), w.abi.PackDepositFor(p.Address()))
		a := p.Address()
		w.send(&a, value(protocol.NewWei(1e18)), nil) // gas
	}
	w.sendAs(m.payers[1], 0, &w.escrow, nil, w.abi.PackAllocate(m.recipients[0], value(m.allocated)))
	for i, hot := range m.hot {
		w.sendAs(m.payers[i], uint64(i), &w.escrow, nil, w.abi.PackSetSession(hot.Address(), big.NewInt(sessionUntil), big.NewInt(0)))
	}
	s := bindings.ITicketEscrowSettlement{Payer: m.payers[0].Address(), Recipient: m.recipients[0], Lane: 7, FromNonce: 1, ToNonce: settledUpTo,
		Amount: value(settlementFee), Expiry: big.NewInt(sessionUntil)}
	sig, err := m.payers[0].SignDigest(settlementDigest(w.t, m.domain, s))
	if err != nil {
		w.t.Fatal(err)
	}
	r, vs := ticket.Signed{Signature: sig}.Compact()
	w.send(&w.escrow, nil, w.abi.PackSettle(s, r, vs))
}

// vector is a ticket, the rand it is redeemed with, and what Go says of it.
type vector struct {
	ticket.Signed
	rand   [32]byte
	digest common.Hash
	want   chain.Refusal
}

// vectors makes the same n tickets every time: good ones, and ones wrong in every way the contract tells apart.
func (m *market) vectors(t *testing.T, n int) []vector {
	t.Helper()
	rng := rand.New(rand.NewChaCha8([32]byte(crypto.Keccak256([]byte("kinora differential vectors")))))
	hasher := m.domain.Hasher()
	out := make([]vector, n)
	for i := range out {
		p := rng.IntN(len(m.payers))
		v := vector{rand: randomWord(rng)}
		v.Ticket = ticket.Ticket{Payer: m.payers[p].Address(), Recipient: m.recipients[rng.IntN(2)], Lane: uint16(rng.Uint32()),
			TicketNonce: edge(rng, 1, 2, math.MaxUint64), FaceValue: protocol.NewWei(edge(rng, 1, 1e15, 4e18)), WinProb: []uint64{0, 1, 1 << 62, 1 << 63, rng.Uint64(), math.MaxUint64 - 1, math.MaxUint64, math.MaxUint64}[rng.IntN(8)],
			Expiry:            []uint64{sessionUntil - 1, sessionUntil, sessionUntil, sessionUntil + 1, 1<<40 - 1, 1_000_000_000}[rng.IntN(6)],
			RecipientRandHash: ticket.RandHash(v.rand), Salt: edge(rng, 0, math.MaxUint64)}
		if rng.IntN(4) == 0 {
			v.Lane = 7
			v.TicketNonce = []uint64{0, 1, settledUpTo - 1, settledUpTo, settledUpTo + 1}[rng.IntN(5)]
		}
		signer := m.payers[p]
		if p < len(m.hot) && rng.IntN(3) == 0 {
			signer = m.hot[p]
		}
		wrong := rng.IntN(16)
		switch wrong {
		case 0:
			signer = marketKey("stranger")
		case 1:
			v.FaceValue = protocol.Wei{}
		case 2:
			v.FaceValue = protocol.MaxUint96
		case 3:
			v.Recipient = v.Payer
		}
		v.digest = hasher.Digest(v.Ticket)
		sig, err := signer.SignDigest(v.digest)
		if err != nil {
			t.Fatal(err)
		}
		v.Signature = sig
		switch wrong {
		case 4:
			v.Signature[rng.IntN(32)] ^= 1 << rng.IntN(8)
		case 5:
			v.Signature[64] ^= 27 ^ 28
		case 6: // above half the order, below what the compact form holds
			copy(v.Signature[32:64], []byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		case 7:
			v.rand = randomWord(rng)
		case 8: // signed, then altered
			v.Salt++
			v.digest = hasher.Digest(v.Ticket)
		}
		v.want = m.judge(v, 0, m.funds(v.Ticket))
		out[i] = v
	}
	return out
}

// funds is what a payer's own tickets, and those of its session key, can draw on.
func (m *market) funds(t ticket.Ticket) (funds [2]protocol.Wei) {
	for i, p := range m.payers {
		if t.Payer != p.Address() {
			continue
		}
		funds[0] = m.balance[i]
		if i == 1 && t.Recipient == m.recipients[0] {
			funds[0], funds[1] = funds[0].Add(m.allocated), m.allocated
		}
	}
	return funds
}

// judge is the contract's decision in Go.
func (m *market) judge(v vector, after uint64, funds [2]protocol.Wei) chain.Refusal {
	watermark := after
	if v.Payer == m.payers[0].Address() && v.Recipient == m.recipients[0] && v.Lane == 7 {
		watermark = max(watermark, settledUpTo)
	}
	switch {
	case ticket.RandHash(v.rand) != v.RecipientRandHash:
		return chain.WrongRand
	case v.Payer == v.Recipient:
		return chain.SelfPayment
	case v.FaceValue.IsZero():
		return chain.ZeroFaceValue
	case v.Expiry < 1_500_000_000:
		return chain.Expired
	case v.TicketNonce <= watermark:
		return chain.NonceUsed
	case !ticket.Won(v.rand, v.digest, v.WinProb):
		return chain.NotWinning
	}
	signer, err := v.Signature.Recover(v.digest)
	if err != nil {
		return chain.BadSignature
	}
	money := funds[0]
	if signer != v.Payer {
		known := false
		for i, hot := range m.hot {
			known = known || signer == hot.Address() && v.Payer == m.payers[i].Address()
		}
		if !known {
			return chain.BadSignature
		}
		if v.Expiry > sessionUntil {
			return chain.SessionEnded
		}
		money = funds[1]
	}
	if money.Less(v.FaceValue) {
		return chain.Underfunded
	}
	return chain.RefusalNone
}

// TestDifferential_goAndSolidityAgree asks two chains about every vector: its digest, and whether and why not it would be paid.
func TestDifferential_goAndSolidityAgree(t *testing.T) {
	t.Parallel()
	m := newMarket()
	vectors := m.vectors(t, differentialVectors)
	seen := map[chain.Refusal]int{}
	for _, v := range vectors {
		seen[v.want]++
	}
	for _, r := range []chain.Refusal{chain.RefusalNone, chain.SelfPayment, chain.ZeroFaceValue, chain.Expired, chain.NonceUsed, chain.WrongRand,
		chain.NotWinning, chain.BadSignature, chain.Underfunded, chain.SessionEnded} {
		if seen[r] < 100 {
			t.Errorf("only %d vectors are %s: %v", seen[r], r, seen)
		}
	}
	runs := m.runs(t, differentialRuns)
	for name, url := range worlds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, url)
			m.build(w)
			compareTickets(t, w, vectors)
			compareRuns(t, w, runs)
		})
	}
}

// compareTickets asks for every vector's redemption, and for the digest of those that are refused before anything depends on it.
func compareTickets(t *testing.T, w *world, vectors []vector) {
	t.Helper()
	var from []common.Address
	var data [][]byte
	var early []int
	for i, v := range vectors {
		r, vs := v.Compact()
		from = append(from, v.Recipient)
		data = append(data, w.abi.PackRedeem(onChain(v.Ticket), v.rand, r, vs))
		switch v.want {
		case chain.SelfPayment, chain.ZeroFaceValue, chain.Expired, chain.NonceUsed, chain.WrongRand:
			early = append(early, i)
		}
	}
	for _, i := range early {
		from = append(from, vectors[i].Recipient)
		data = append(data, w.abi.PackTicketDigest(onChain(vectors[i].Ticket)))
	}
	answers := w.ask(from, data)
	for i, v := range vectors {
		got := chain.RefusalNone
		if reverted := answers[i].reverted; reverted != nil {
			refused, err := w.abi.UnpackError(reverted)
			e, ok := refused.(*bindings.TicketEscrowTicketRefused)
			if err != nil || !ok {
				t.Fatalf("vector %d: reverted with %x (%v)", i, reverted, err)
			}
			got = chain.Refusal(e.Reason)
		}
		if got != v.want {
			t.Fatalf("vector %d: the contract says %s, Go says %s: %+v", i, got, v.want, v)
		}
	}
	for k, i := range early {
		if got := answers[len(vectors)+k].returned; !bytes.Equal(got, vectors[i].digest[:]) {
			t.Fatalf("vector %d: digest %x, Go says %s: %+v", i, got, vectors[i].digest, vectors[i])
		}
	}
}

func onChain(t ticket.Ticket) bindings.ITicketEscrowTicket {
	return bindings.ITicketEscrowTicket{Payer: t.Payer, Recipient: t.Recipient, Lane: t.Lane, Nonce: t.TicketNonce, FaceValue: t.FaceValue.Big(),
		WinProb: t.WinProb, Expiry: new(big.Int).SetUint64(t.Expiry), RecipientRandHash: t.RecipientRandHash, Salt: t.Salt}
}

type run struct {
	recipient common.Address
	encoded   []byte
	paid      protocol.Wei
}

// runs makes n batches of one run of winners and losers, of the payer's and its session key's tickets, and what each would pay.
func (m *market) runs(t *testing.T, n int) []run {
	t.Helper()
	rng := rand.New(rand.NewChaCha8([32]byte(crypto.Keccak256([]byte("kinora differential runs")))))
	hasher := m.domain.Hasher()
	out := make([]run, n)
	for i := range out {
		p := rng.IntN(2)
		set := ticket.Ticket{Payer: m.payers[p].Address(), Recipient: m.recipients[0], Lane: uint16(8 + rng.IntN(100)),
			FaceValue: protocol.NewWei(edge(rng, 1, 1e18, 2e18)), Expiry: sessionUntil}
		r := ticket.Run{RecipientRand: randomWord(rng)}
		set.RecipientRandHash = ticket.RandHash(r.RecipientRand)
		funds := m.funds(set)
		var paid protocol.Wei
		stopped := false
		last := uint64(0)
		for range 1 + rng.IntN(12) {
			v := vector{rand: r.RecipientRand}
			v.Ticket = set
			v.TicketNonce = last + 1 + rng.Uint64N(3)
			v.WinProb = ticket.AlwaysWins
			if rng.IntN(12) == 0 {
				v.WinProb = 1 << 62
			}
			v.Salt = rng.Uint64()
			signer := m.payers[p]
			if rng.IntN(2) == 0 {
				signer = m.hot[p]
			}
			v.digest = hasher.Digest(v.Ticket)
			sig, err := signer.SignDigest(v.digest)
			if err != nil {
				t.Fatal(err)
			}
			v.Signature = sig
			r.Tickets = append(r.Tickets, v.Signed)
			if stopped = stopped || m.judge(v, last, funds) != chain.RefusalNone; !stopped {
				paid = paid.Add(v.FaceValue)
				funds[0] = funds[0].Sub(v.FaceValue)
				if p == 1 { // all its money is the allocation
					funds[1] = funds[1].Sub(v.FaceValue)
				}
			}
			last = v.TicketNonce
		}
		if rng.IntN(3) == 0 {
			r.MinPayout = set.FaceValue.Mul(2)
		}
		encoded, err := ticket.EncodeRun(r)
		if err != nil {
			t.Fatal(err)
		}
		if paid.Less(r.MinPayout) {
			paid = protocol.Wei{}
		}
		out[i] = run{set.Recipient, encoded, paid}
	}
	return out
}

func compareRuns(t *testing.T, w *world, runs []run) {
	t.Helper()
	from := make([]common.Address, len(runs))
	data := make([][]byte, len(runs))
	for i, r := range runs {
		from[i], data[i] = r.recipient, w.abi.PackRedeemBatch(r.encoded, new(big.Int))
	}
	paidSome := 0
	for i, a := range w.ask(from, data) {
		got := new(big.Int)
		if a.reverted != nil {
			refused, err := w.abi.UnpackError(a.reverted)
			if _, ok := refused.(*bindings.TicketEscrowPaidBelowMinimum); err != nil || !ok {
				t.Fatalf("run %d: reverted with %x (%v)", i, a.reverted, err)
			}
		} else {
			got.SetBytes(a.returned)
			paidSome++
		}
		if got.Cmp(runs[i].paid.Big()) != 0 {
			t.Fatalf("run %d: the contract pays %s, Go says %s", i, got, runs[i].paid)
		}
	}
	if paidSome < len(runs)/4 || paidSome == len(runs) {
		t.Errorf("%d of %d runs pay: the vectors must show both", paidSome, len(runs))
	}
}

// edge is one of the given values or, more often than not, anything.
func edge(rng *rand.Rand, values ...uint64) uint64 {
	if i := rng.IntN(2 * len(values)); i < len(values) {
		return values[i]
	}
	return rng.Uint64() >> rng.IntN(60)
}

func randomWord(rng *rand.Rand) (w [32]byte) {
	for i := 0; i < 32; i += 8 {
		binary.BigEndian.PutUint64(w[i:], rng.Uint64())
	}
	return w
}
