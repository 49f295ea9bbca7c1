package ticket_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

var update = flag.Bool("update", false, "write contracts/testdata/ticket-vectors.json anew; a change of a vector breaks every issued ticket")

var vectorsPath = filepath.Join("..", "..", "contracts", "testdata", "ticket-vectors.json")

// vectorsFile is what Go and Solidity must agree on. Integers are decimal strings, bytes are 0x-hex.
type vectorsFile struct {
	Tickets []ticketVector `json:"tickets"`
	Draws   []drawVector   `json:"draws"`
	Refused []ticketVector `json:"refused"` // signatures that recover nobody or another account
	Runs    []runVector    `json:"runs"`
}

type ticketVector struct {
	Name          string         `json:"name"`
	ChainID       uint64         `json:"chain_id,string"`
	Escrow        common.Address `json:"escrow"`
	Signed        ticket.Signed  `json:"signed"`
	RecipientRand common.Hash    `json:"recipient_rand"`
	Digest        common.Hash    `json:"digest"`
	R             common.Hash    `json:"r"`
	VS            common.Hash    `json:"vs"`
	Wins          bool           `json:"wins"`
}

// drawVector fixes the lottery at its edges: the ticket loses at winProb = Draw and wins at Draw+1.
type drawVector struct {
	RecipientRand common.Hash `json:"recipient_rand"`
	Digest        common.Hash `json:"digest"`
	Draw          uint64      `json:"draw,string"`
}

type runVector struct {
	Name      string          `json:"name"`
	ChainID   uint64          `json:"chain_id,string"`
	Escrow    common.Address  `json:"escrow"`
	Payer     common.Address  `json:"payer"`
	Recipient common.Address  `json:"recipient"`
	Lane      string          `json:"lane"`
	LastNonce uint64          `json:"last_nonce,string"` // watermark after redemption
	MinPayout protocol.Wei    `json:"min_payout"`
	Rand      common.Hash     `json:"recipient_rand"`
	Tickets   []ticket.Signed `json:"tickets"`
	Encoded   hexutil.Bytes   `json:"encoded"`
	Paid      protocol.Wei    `json:"paid"`
}

func seed(format string, args ...any) common.Hash {
	return crypto.Keccak256Hash([]byte("kinora ticket vector " + fmt.Sprintf(format, args...)))
}

func key(t testing.TB, name string) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.ToECDSA(seed("key %s", name).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func mustWei(t testing.TB, s string) protocol.Wei {
	t.Helper()
	w, err := protocol.ParseWei(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mustSign(t testing.TB, h *ticket.Hasher, payer protocol.Signer, tk ticket.Ticket) ticket.Signed {
	t.Helper()
	sig, err := payer.SignDigest(h.Digest(tk)) // past Validate: vectors also fix what Sign refuses
	if err != nil {
		t.Fatal(err)
	}
	return ticket.Signed{Ticket: tk, Signature: sig}
}

func vectorOf(name string, d ticket.Domain, s ticket.Signed, rand common.Hash) ticketVector {
	digest := d.Digest(s.Ticket)
	r, vs := s.Compact()
	return ticketVector{Name: name, ChainID: d.ChainID, Escrow: d.Escrow, Signed: s, RecipientRand: rand, Digest: digest,
		R: r, VS: vs, Wins: ticket.Won(rand, digest, s.WinProb)}
}

func makeVectors(t *testing.T) vectorsFile {
	t.Helper()
	payer, recipient := key(t, "payer"), key(t, "recipient")
	domains := []ticket.Domain{
		{ChainID: 31337, Escrow: common.BytesToAddress(seed("escrow 0").Bytes()[:20])},
		{ChainID: 1, Escrow: common.HexToAddress("0x0000000000000000000000000000000000010001")},
		{ChainID: math.MaxInt64, Escrow: common.HexToAddress("0xfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfE")},
	}
	base := func(name string) (ticket.Ticket, common.Hash) {
		rand := seed("rand %s", name)
		return ticket.Ticket{Payer: payer.Address(), Recipient: recipient.Address(), Lane: 1, TicketNonce: 1,
			FaceValue: mustWei(t, "1000000000000000"), WinProb: 1 << 63, Expiry: 2_000_000_000,
			RecipientRandHash: ticket.RandHash(rand), Salt: binary.BigEndian.Uint64(seed("salt %s", name).Bytes())}, rand
	}
	edges := []struct {
		name string
		edit func(*ticket.Ticket)
	}{
		{"half", func(*ticket.Ticket) {}},
		{"win_prob_zero_never_wins", func(t *ticket.Ticket) { t.WinProb = 0 }},
		{"win_prob_one", func(t *ticket.Ticket) { t.WinProb = 1 }},
		{"win_prob_max_always_wins", func(t *ticket.Ticket) { t.WinProb = ticket.AlwaysWins }},
		{"win_prob_below_max", func(t *ticket.Ticket) { t.WinProb = ticket.AlwaysWins - 1 }},
		{"lane_zero", func(t *ticket.Ticket) { t.Lane = 0 }},
		{"lane_high_byte", func(t *ticket.Ticket) { t.Lane = 0xab00 }},
		{"lane_max", func(t *ticket.Ticket) { t.Lane = math.MaxUint16 }},
		{"nonce_zero", func(t *ticket.Ticket) { t.TicketNonce = 0 }},
		{"nonce_max", func(t *ticket.Ticket) { t.TicketNonce = math.MaxUint64 }},
		{"salt_zero", func(t *ticket.Ticket) { t.Salt = 0 }},
		{"salt_max", func(t *ticket.Ticket) { t.Salt = math.MaxUint64 }},
		{"face_value_one", func(t *ticket.Ticket) { t.FaceValue = protocol.NewWei(1) }},
		{"face_value_max", func(t *ticket.Ticket) { t.FaceValue = protocol.MaxUint96 }},
		{"expiry_one", func(t *ticket.Ticket) { t.Expiry = 1 }},
		{"expiry_max", func(t *ticket.Ticket) { t.Expiry = 1<<40 - 1 }},
		{"recipient_max", func(t *ticket.Ticket) {
			t.Recipient = common.HexToAddress("0xfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfF")
		}},
		{"everything_max", func(t *ticket.Ticket) {
			t.Lane, t.TicketNonce, t.FaceValue = math.MaxUint16, math.MaxUint64, protocol.MaxUint96
			t.WinProb, t.Expiry, t.Salt = ticket.AlwaysWins, 1<<40-1, math.MaxUint64
		}},
	}
	var f vectorsFile
	for i, d := range domains {
		for _, e := range edges {
			name := fmt.Sprintf("%s/chain%d", e.name, i)
			tk, rand := base(name)
			e.edit(&tk)
			f.Tickets = append(f.Tickets, vectorOf(name, d, mustSign(t, d.Hasher(), payer, tk), rand))
		}
	}
	for i := range 8 {
		rand, digest := seed("draw rand %d", i), seed("draw digest %d", i)
		draw := crypto.Keccak256(rand[:], digest[:])
		f.Draws = append(f.Draws, drawVector{rand, digest, binary.BigEndian.Uint64(draw[24:])})
	}

	d := domains[0]
	refuse := func(name string, edit func(*ticket.Signed)) {
		tk, rand := base("refused " + name)
		tk.WinProb = ticket.AlwaysWins
		s := mustSign(t, d.Hasher(), payer, tk)
		edit(&s)
		f.Refused = append(f.Refused, vectorOf(name, d, s, rand))
	}
	refuse("signed_by_another", func(s *ticket.Signed) { *s = mustSign(t, d.Hasher(), key(t, "stranger"), s.Ticket) })
	refuse("signed_for_another_chain", func(s *ticket.Signed) { *s = mustSign(t, domains[1].Hasher(), payer, s.Ticket) })
	refuse("signed_another_win_prob", func(s *ticket.Signed) { s.WinProb-- })
	refuse("signed_another_nonce", func(s *ticket.Signed) { s.TicketNonce++ })
	refuse("other_parity", func(s *ticket.Signed) { s.Signature[64] ^= 27 ^ 28 })
	refuse("zero_signature", func(s *ticket.Signed) { clear(s.Signature[:64]) })
	refuse("zero_payer_and_signature", func(s *ticket.Signed) { clear(s.Signature[:64]); s.Payer = common.Address{} })
	// One above half the group order: the smallest s that a second form of a valid signature could have, and it still
	// leaves the compact form's top bit free.
	refuse("high_s", func(s *ticket.Signed) {
		copy(s.Signature[32:64], hexutil.MustDecode("0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1"))
	})

	for _, size := range []int{1, 3, 20} {
		name := fmt.Sprintf("run_of_%d", size)
		r := ticket.Run{}
		d := domains[size%2]
		var last ticket.Ticket
		for i := range size {
			tk, rand := base(name)
			tk.Lane, tk.TicketNonce, tk.Salt = 0x0102, uint64(i*i+7), tk.Salt+uint64(i)
			tk.WinProb = ticket.AlwaysWins
			if i%2 == 1 { // a probability of its own that wins
				for tk.WinProb = 1 << 63; !ticket.Won(rand, d.Digest(tk), tk.WinProb); tk.Salt += 1000 {
				}
			}
			r.RecipientRand, last = rand, tk
			r.Tickets = append(r.Tickets, mustSign(t, d.Hasher(), payer, tk))
		}
		r.MinPayout = r.Total()
		encoded, err := ticket.EncodeRun(r)
		if err != nil {
			t.Fatal(err)
		}
		f.Runs = append(f.Runs, runVector{Name: name, ChainID: d.ChainID, Escrow: d.Escrow, Payer: last.Payer, Recipient: last.Recipient,
			Lane: fmt.Sprint(last.Lane), LastNonce: last.TicketNonce, MinPayout: r.MinPayout, Rand: r.RecipientRand,
			Tickets: r.Tickets, Encoded: encoded, Paid: r.Total()})
	}
	return f
}

// TestVectors_areReproduced makes every vector anew: digests, deterministic signatures, wins and encodings. The Foundry test of
// the same file holds the contract to them.
func TestVectors_areReproduced(t *testing.T) {
	t.Parallel()
	want, err := json.MarshalIndent(makeVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(vectorsPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(vectorsPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s is not what this code computes: digests and encodings are frozen (go test ./internal/ticket -update writes it anew)", vectorsPath)
	}
}

// TestVectors_hold reads the file as another implementation would, and checks what it says.
func TestVectors_hold(t *testing.T) {
	t.Parallel()
	f := readVectors(t)
	if len(f.Tickets) < 50 || len(f.Draws) == 0 || len(f.Refused) < 8 || len(f.Runs) < 3 {
		t.Fatalf("too few vectors: %d, %d, %d, %d", len(f.Tickets), len(f.Draws), len(f.Refused), len(f.Runs))
	}
	wins := 0
	for _, v := range f.Tickets {
		h := ticket.Domain{ChainID: v.ChainID, Escrow: v.Escrow}.Hasher()
		if got := h.Digest(v.Signed.Ticket); got != v.Digest {
			t.Errorf("%s: digest %s, want %s", v.Name, got, v.Digest)
		}
		if got, err := h.Recover(v.Signed); err != nil || got != v.Signed.Payer {
			t.Errorf("%s: recovered %s, %v, want %s", v.Name, got, err, v.Signed.Payer)
		}
		if got := ticket.Won(v.RecipientRand, v.Digest, v.Signed.WinProb); got != v.Wins {
			t.Errorf("%s: won %t, want %t", v.Name, got, v.Wins)
		}
		if v.Wins {
			wins++
		}
	}
	if wins == 0 || wins == len(f.Tickets) {
		t.Errorf("%d of %d tickets win: the vectors must show both", wins, len(f.Tickets))
	}
	for _, v := range f.Draws {
		for winProb, want := range map[uint64]bool{0: false, v.Draw: false, v.Draw + 1: true, ticket.AlwaysWins: true} {
			if got := ticket.Won(v.RecipientRand, v.Digest, winProb); got != want {
				t.Errorf("draw %d at %d: won %t, want %t", v.Draw, winProb, got, want)
			}
		}
	}
	for _, v := range f.Refused {
		h := ticket.Domain{ChainID: v.ChainID, Escrow: v.Escrow}.Hasher()
		if _, err := h.Verify(v.Signed); protocol.CodeOf(err) != protocol.TicketInvalid {
			t.Errorf("%s: verified with %v", v.Name, err)
		}
	}
}

func readVectors(t testing.TB) vectorsFile {
	t.Helper()
	b, err := os.ReadFile(vectorsPath)
	if err != nil {
		t.Fatal(err)
	}
	var f vectorsFile
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}
