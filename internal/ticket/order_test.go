package ticket_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// The contract is held to the same file by a Foundry test.
func TestDigests_ofOrdersAndSettlementsAreTheContracts(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "contracts", "testdata", "message-vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	type signed struct {
		Signer    common.Address     `json:"signer"`
		Digest    common.Hash        `json:"digest"`
		Signature protocol.Signature `json:"signature"`
		R         common.Hash        `json:"r"`
		VS        common.Hash        `json:"vs"`
	}
	var f struct {
		ChainID     uint64         `json:"chain_id,string"`
		Escrow      common.Address `json:"escrow"`
		Settlements []struct {
			ticket.Settlement
			signed
		} `json:"settlements"`
		Orders []struct {
			ticket.RedeemOrder
			signed
		} `json:"orders"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Settlements) < 3 || len(f.Orders) < 3 {
		t.Fatalf("%d settlements and %d orders in the file", len(f.Settlements), len(f.Orders))
	}
	h := ticket.Domain{ChainID: f.ChainID, Escrow: f.Escrow}.Hasher()
	check := func(digest common.Hash, s signed) {
		t.Helper()
		if digest != s.Digest {
			t.Errorf("digest %s, the contract computes %s", digest, s.Digest)
		}
		if err := s.Signature.Check(digest, s.Signer); err != nil {
			t.Error(err)
		}
		if r, vs := ticket.CompactSignature(s.Signature); r != s.R || vs != s.VS {
			t.Errorf("compact %x %x, want %s %s", r, vs, s.R, s.VS)
		}
	}
	for _, s := range f.Settlements {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
		check(h.SettlementDigest(s.Settlement), s.signed)
	}
	for _, o := range f.Orders {
		if err := o.Validate(); err != nil {
			t.Error(err)
		}
		check(h.OrderDigest(o.RedeemOrder), o.signed)
	}
}

func TestReadRuns_readsWhatWasPackedAndNothingElse(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(vectorsPath)
	if err != nil {
		t.Fatal(err)
	}
	var f vectorsFile
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	var packed []byte
	var written []ticket.Signed
	for _, v := range f.Tickets {
		run, err := ticket.EncodeRun(ticket.Run{Tickets: []ticket.Signed{v.Signed}, RecipientRand: v.RecipientRand, MinPayout: v.Signed.FaceValue})
		if err != nil { // some can never win
			continue
		}
		packed = append(packed, run...)
		written = append(written, v.Signed)
	}
	heads, err := ticket.ReadRuns(packed, written[0].Recipient)
	if err != nil {
		t.Fatal(err)
	}
	if len(heads) != len(written) || len(heads) < 2 {
		t.Fatalf("%d runs, want %d", len(heads), len(written))
	}
	for i, h := range heads {
		want := written[i]
		want.Recipient = written[0].Recipient
		if h.First != want || h.Payer != want.Payer || h.Lane != want.Lane || h.Tickets != 1 {
			t.Errorf("run %d reads %+v, want %+v", i, h, want)
		}
	}
	for _, n := range []int{0, 1, ticket.RunHeaderBytes, len(packed) - 1} {
		if _, err := ticket.ReadRuns(packed[:n], common.Address{1}); err == nil {
			t.Errorf("%d of %d bytes are taken for runs", n, len(packed))
		}
	}
}
