package ticket_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

func validTicket(t testing.TB) (ticket.Ticket, [32]byte) {
	rand := seed("a rand")
	return ticket.Ticket{Payer: key(t, "payer").Address(), Recipient: key(t, "recipient").Address(), Lane: 7, TicketNonce: 42,
		FaceValue: protocol.NewWei(1_000_000), WinProb: 1 << 62, Expiry: 2_000_000_000, RecipientRandHash: ticket.RandHash(rand), Salt: 99}, rand
}

func testDomain() ticket.Domain {
	return ticket.Domain{ChainID: 31337, Escrow: common.HexToAddress("0x5FbDB2315678afecb367f032d93F642f64180aa3")}
}

func TestValidate_namesTheFieldThatCannotBe(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*ticket.Ticket){
		"payer":      func(t *ticket.Ticket) { t.Payer = common.Address{} },
		"recipient":  func(t *ticket.Ticket) { t.Recipient = common.Address{} },
		"itself":     func(t *ticket.Ticket) { t.Recipient = t.Payer },
		"nonces":     func(t *ticket.Ticket) { t.TicketNonce = 0 },
		"face value": func(t *ticket.Ticket) { t.FaceValue = protocol.Wei{} },
		"2^96":       func(t *ticket.Ticket) { t.FaceValue = protocol.MaxUint96.Add(protocol.NewWei(1)) },
		"never win":  func(t *ticket.Ticket) { t.WinProb = 0 },
		"expiry":     func(t *ticket.Ticket) { t.Expiry = 1 << 40 },
		"expiry is 0": func(t *ticket.Ticket) {
			t.Expiry = 0
		},
		"rand hash": func(t *ticket.Ticket) { t.RecipientRandHash = common.Hash{} },
	}
	good, _ := validTicket(t)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, edit := range cases {
		bad := good
		edit(&bad)
		err := bad.Validate()
		if !errors.Is(err, ticket.ErrTicket) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
		if _, err := testDomain().Hasher().Sign(key(t, "payer"), bad); !errors.Is(err, ticket.ErrTicket) {
			t.Errorf("%s: signed with %v", want, err)
		}
	}
}

func TestSign_verifiesAndOnlyForItsPayerAndDomain(t *testing.T) {
	t.Parallel()
	tk, _ := validTicket(t)
	h := testDomain().Hasher()
	s, err := h.Sign(key(t, "payer"), tk)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := h.Verify(s)
	if err != nil || digest != testDomain().Digest(tk) {
		t.Fatalf("verify: %s, %v", digest, err)
	}
	if _, err := h.Sign(key(t, "stranger"), tk); !errors.Is(err, ticket.ErrTicket) {
		t.Errorf("a stranger signed: %v", err)
	}
	for name, other := range map[string]ticket.Domain{
		"chain":  {ChainID: 31338, Escrow: testDomain().Escrow},
		"escrow": {ChainID: 31337, Escrow: common.HexToAddress("0x01")},
	} {
		if _, err := other.Hasher().Verify(s); !errors.Is(err, protocol.ErrSignature) {
			t.Errorf("verified under another %s: %v", name, err)
		}
	}
}

// A signature has one form: the mirrored s, which recovers the same account, and v of 0 or 1 are refused.
func TestVerify_refusesOtherFormsOfAValidSignature(t *testing.T) {
	t.Parallel()
	tk, _ := validTicket(t)
	h := testDomain().Hasher()
	good, err := h.Sign(key(t, "payer"), tk)
	if err != nil {
		t.Fatal(err)
	}
	order, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	mirrored := good
	new(big.Int).Sub(order, new(big.Int).SetBytes(good.Signature[32:64])).FillBytes(mirrored.Signature[32:64])
	mirrored.Signature[64] ^= 27 ^ 28
	raw := good
	raw.Signature[64] -= 27
	for name, s := range map[string]ticket.Signed{"mirrored s": mirrored, "v below 27": raw} {
		if _, err := h.Verify(s); !errors.Is(err, protocol.ErrSignature) || protocol.CodeOf(err) != protocol.TicketInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCompact_keepsTheSignature(t *testing.T) {
	t.Parallel()
	h := testDomain().Hasher()
	parities := map[byte]bool{}
	for nonce := uint64(1); nonce <= 32; nonce++ {
		tk, _ := validTicket(t)
		tk.TicketNonce = nonce
		s, err := h.Sign(key(t, "payer"), tk)
		if err != nil {
			t.Fatal(err)
		}
		r, vs := s.Compact()
		var back protocol.Signature
		copy(back[:32], r[:])
		copy(back[32:64], vs[:])
		back[32] &= 0x7f
		back[64] = 27 + vs[0]>>7
		if back != s.Signature {
			t.Fatalf("nonce %d: %x became %x", nonce, s.Signature, back)
		}
		parities[back[64]] = true
	}
	if len(parities) != 2 {
		t.Fatalf("only parities %v were seen", parities)
	}
}

func TestDigest_dependsOnEveryField(t *testing.T) {
	t.Parallel()
	good, _ := validTicket(t)
	h := testDomain().Hasher()
	edits := []func(*ticket.Ticket){
		func(t *ticket.Ticket) { t.Payer[19] ^= 1 }, func(t *ticket.Ticket) { t.Recipient[0] ^= 1 },
		func(t *ticket.Ticket) { t.Lane ^= 0x8000 }, func(t *ticket.Ticket) { t.TicketNonce ^= 1 << 63 },
		func(t *ticket.Ticket) { t.FaceValue = t.FaceValue.Add(protocol.NewWei(1)) }, func(t *ticket.Ticket) { t.WinProb++ },
		func(t *ticket.Ticket) { t.Expiry++ }, func(t *ticket.Ticket) { t.RecipientRandHash[31] ^= 1 }, func(t *ticket.Ticket) { t.Salt++ },
	}
	seen := map[common.Hash]bool{h.Digest(good): true}
	for i, edit := range edits {
		other := good
		edit(&other)
		if d := h.Digest(other); seen[d] {
			t.Errorf("edit %d left the digest unchanged", i)
		} else {
			seen[d] = true
		}
	}
}

func TestWinProbFor_isTheSmallestThatCoversTheFee(t *testing.T) {
	t.Parallel()
	wei := func(r *rapid.T, name string) protocol.Wei {
		bits := rapid.IntRange(1, 96).Draw(r, name+" bits")
		raw := rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(r, name)
		b := new(big.Int).SetBytes(raw)
		b.Rsh(b, uint(96-bits)).Add(b, common.Big1)
		w, err := protocol.WeiFromBig(b)
		if err != nil {
			r.Fatal(err)
		}
		return w.Min(protocol.MaxUint96)
	}
	rapid.Check(t, func(r *rapid.T) {
		a, b := wei(r, "a"), wei(r, "b")
		fee, faceValue := a.Min(b), a
		if a.Less(b) {
			faceValue = b
		}
		p, err := ticket.WinProbFor(fee, faceValue)
		if err != nil {
			r.Fatal(err)
		}
		if ev := ticket.EV(faceValue, p); ev.Less(fee) {
			r.Fatalf("EV %s at %d of %s does not cover %s", ev, p, faceValue, fee)
		}
		if p > 0 && p != ticket.AlwaysWins && !ticket.EV(faceValue, p-1).Less(fee) {
			r.Fatalf("%d also covers %s of %s", p-1, fee, faceValue)
		}
		if faceValue.IsUint64() && fee.Less(faceValue) && ticket.EV(faceValue, p) != fee {
			r.Fatalf("EV %s, want exactly %s", ticket.EV(faceValue, p), fee)
		}
	})
}

func TestWinProbFor_edges(t *testing.T) {
	t.Parallel()
	one, two := protocol.NewWei(1), protocol.NewWei(2)
	for _, c := range []struct {
		fee, faceValue protocol.Wei
		want           uint64
	}{
		{protocol.Wei{}, one, 0}, {one, one, ticket.AlwaysWins}, {one, two, 1 << 63},
		{one, protocol.MaxUint96, 1}, // 2^64/(2^96-1), rounded up
		{protocol.MaxUint96, protocol.MaxUint96, ticket.AlwaysWins},
		{protocol.MaxUint96.Sub(one), protocol.MaxUint96, ticket.AlwaysWins}, // rounds up to a certainty
	} {
		if got, err := ticket.WinProbFor(c.fee, c.faceValue); err != nil || got != c.want {
			t.Errorf("%s of %s: %d, %v, want %d", c.fee, c.faceValue, got, err, c.want)
		}
	}
	for _, c := range [][2]protocol.Wei{{two, one}, {one, {}}, {{}, {}}, {one, protocol.MaxUint96.Add(one)}} {
		if _, err := ticket.WinProbFor(c[0], c[1]); protocol.CodeOf(err) != protocol.FeeAboveFaceValue {
			t.Errorf("%s of %s: %v", c[0], c[1], err)
		}
	}
}

// The draw is uniform enough to pay what it promises: wins within five standard deviations at several probabilities.
func TestWon_frequencyIsTheWinProbability(t *testing.T) {
	t.Parallel()
	h := testDomain().Hasher()
	tk, rand := validTicket(t)
	const n = 20_000
	for _, p := range []float64{0.01, 0.25, 0.5, 0.9} {
		tk.WinProb = uint64(p * math.Pow(2, 64))
		wins := 0
		for i := range n {
			tk.Salt = uint64(i)
			if ticket.Won(rand, h.Digest(tk), tk.WinProb) {
				wins++
			}
		}
		if d := math.Abs(float64(wins) - n*p); d > 5*math.Sqrt(n*p*(1-p)) {
			t.Errorf("probability %g won %d of %d", p, wins, n)
		}
	}
}

func TestEncodeRun_refusesWhatTheContractWouldNotPay(t *testing.T) {
	t.Parallel()
	h := testDomain().Hasher()
	sign := func(edit func(*ticket.Ticket)) ticket.Signed {
		tk, _ := validTicket(t)
		edit(&tk)
		return mustSign(t, h, key(t, "payer"), tk)
	}
	_, rand := validTicket(t)
	a := sign(func(t *ticket.Ticket) { t.TicketNonce = 1 })
	b := sign(func(t *ticket.Ticket) { t.TicketNonce = 2 })
	otherSet := sign(func(t *ticket.Ticket) { t.TicketNonce, t.Lane = 3, 8 })
	unsigned := b
	unsigned.Signature[64] = 0
	if _, err := ticket.EncodeRun(ticket.Run{Tickets: []ticket.Signed{a, b}, RecipientRand: rand}); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]ticket.Run{
		"empty":         {RecipientRand: rand},
		"wrong rand":    {Tickets: []ticket.Signed{a}},
		"descending":    {Tickets: []ticket.Signed{b, a}, RecipientRand: rand},
		"repeated":      {Tickets: []ticket.Signed{a, a}, RecipientRand: rand},
		"another set":   {Tickets: []ticket.Signed{a, otherSet}, RecipientRand: rand},
		"zero nonce":    {Tickets: []ticket.Signed{sign(func(t *ticket.Ticket) { t.TicketNonce = 0 })}, RecipientRand: rand},
		"too many":      {Tickets: make([]ticket.Signed, math.MaxUint16+1), RecipientRand: rand},
		"huge minimum":  {Tickets: []ticket.Signed{a}, RecipientRand: rand, MinPayout: protocol.MaxUint96.Add(protocol.NewWei(1))},
		"bad signature": {Tickets: []ticket.Signed{a, unsigned}, RecipientRand: rand},
	} {
		if _, err := ticket.EncodeRun(run); !errors.Is(err, ticket.ErrTicket) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJSON_refusesWhatIsNotCanonical(t *testing.T) {
	t.Parallel()
	tk, _ := validTicket(t)
	good, err := json.Marshal(mustSign(t, testDomain().Hasher(), key(t, "payer"), tk))
	if err != nil {
		t.Fatal(err)
	}
	var back ticket.Signed
	if err := json.Unmarshal(good, &back); err != nil || back.Ticket != tk {
		t.Fatalf("%v, %v", back, err)
	}
	text := string(good)
	replace := func(old, with string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%s is not in %s", old, text)
		}
		return strings.Replace(text, old, with, 1)
	}
	for name, bad := range map[string]string{
		"null":              `null`,
		"array":             `[]`,
		"empty object":      `{}`,
		"unknown key":       replace(`"lane":7`, `"lane":7,"colour":1`),
		"repeated key":      replace(`"lane":7`, `"lane":7,"lane":7`),
		"key in other case": replace(`"lane":7`, `"Lane":7`),
		"missing key":       replace(`"lane":7,`, ``),
		"lane as string":    replace(`"lane":7`, `"lane":"7"`),
		"lane too wide":     replace(`"lane":7`, `"lane":65536`),
		"lane as float":     replace(`"lane":7`, `"lane":7.0`),
		"nonce as number":   replace(`"ticket_nonce":"42"`, `"ticket_nonce":42`),
		"leading zero":      replace(`"ticket_nonce":"42"`, `"ticket_nonce":"042"`),
		"sign":              replace(`"ticket_nonce":"42"`, `"ticket_nonce":"+42"`),
		"escape":            replace(`"ticket_nonce":"42"`, `"ticket_nonce":"4\u0032"`),
		"2^64":              replace(`"salt":"99"`, `"salt":"18446744073709551616"`),
		"negative wei":      replace(`"1000000"`, `"-1"`),
		"2^96 wei":          replace(`"1000000"`, `"79228162514264337593543950336"`),
		"address case":      replace(tk.Payer.Hex(), strings.ToLower(tk.Payer.Hex())),
		"short address":     replace(tk.Payer.Hex(), tk.Payer.Hex()[:40]),
		"short hash":        replace(tk.RecipientRandHash.Hex(), tk.RecipientRandHash.Hex()[:64]),
		"short signature":   replace(`"signature":"0x`, `"signature":"0x00`),
		"huge":              replace(`"lane":7`, `"lane":7`+strings.Repeat(" ", 4096)),
	} {
		kept := back
		if err := kept.UnmarshalJSON([]byte(bad)); !errors.Is(err, ticket.ErrTicket) {
			t.Errorf("%s: %v", name, err)
		} else if kept != back {
			t.Errorf("%s: refused, but the ticket changed", name)
		}
	}
}

// FuzzSignedJSON: whatever is read is written again as a ticket that reads the same, and nothing crashes.
func FuzzSignedJSON(f *testing.F) {
	for _, v := range readVectors(f).Tickets[:6] {
		b, err := json.Marshal(v.Signed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	h := testDomain().Hasher()
	f.Fuzz(func(t *testing.T, b []byte) {
		var s ticket.Signed
		if err := s.UnmarshalJSON(b); err != nil {
			if !errors.Is(err, ticket.ErrTicket) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back ticket.Signed
		if err := json.Unmarshal(again, &back); err != nil || back != s {
			t.Fatalf("%s came back as %s: %v", b, again, err)
		}
		_, _ = h.Verify(s) // must not panic
		_, _ = ticket.EncodeRun(ticket.Run{Tickets: []ticket.Signed{s}})
	})
}

func BenchmarkDigest(b *testing.B) {
	tk, _ := validTicket(b)
	h := testDomain().Hasher()
	b.ReportAllocs()
	for b.Loop() {
		h.Digest(tk)
	}
}

func BenchmarkSign(b *testing.B) {
	tk, _ := validTicket(b)
	h, payer := testDomain().Hasher(), key(b, "payer")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Sign(payer, tk); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign/s")
}

func BenchmarkVerifyAndDraw(b *testing.B) {
	tk, rand := validTicket(b)
	h := testDomain().Hasher()
	s := mustSign(b, h, key(b, "payer"), tk)
	b.ReportAllocs()
	for b.Loop() {
		digest, err := h.Verify(s)
		if err != nil {
			b.Fatal(err)
		}
		ticket.Won(rand, digest, s.WinProb)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verify/s")
}
