package contracts_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// typedDigest is the digest of a message of the escrow's domain by go-ethereum's general EIP-712 encoder, which knows nothing of this
// project: a third opinion beside the contracts and internal/ticket.
func typedDigest(t *testing.T, d ticket.Domain, primary string, fields []apitypes.Type, message apitypes.TypedDataMessage) common.Hash {
	t.Helper()
	digest, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
		Types: apitypes.Types{primary: fields, "EIP712Domain": {{Name: "name", Type: "string"}, {Name: "version", Type: "string"},
			{Name: "chainId", Type: "uint256"}, {Name: "verifyingContract", Type: "address"}}},
		PrimaryType: primary,
		Domain: apitypes.TypedDataDomain{Name: "Kinora TicketEscrow", Version: "1", ChainId: (*math.HexOrDecimal256)(new(big.Int).SetUint64(d.ChainID)),
			VerifyingContract: d.Escrow.Hex()},
		Message: message,
	})
	if err != nil {
		t.Fatal(err)
	}
	return common.Hash(digest)
}

func settlementDigest(t *testing.T, d ticket.Domain, s bindings.ITicketEscrowSettlement) common.Hash {
	t.Helper()
	return typedDigest(t, d, "Settlement", []apitypes.Type{{Name: "payer", Type: "address"}, {Name: "recipient", Type: "address"},
		{Name: "lane", Type: "uint16"}, {Name: "fromNonce", Type: "uint64"}, {Name: "toNonce", Type: "uint64"}, {Name: "amount", Type: "uint96"},
		{Name: "expiry", Type: "uint40"}},
		apitypes.TypedDataMessage{"payer": s.Payer.Hex(), "recipient": s.Recipient.Hex(), "lane": fmt.Sprint(s.Lane),
			"fromNonce": fmt.Sprint(s.FromNonce), "toNonce": fmt.Sprint(s.ToNonce), "amount": s.Amount.String(), "expiry": s.Expiry.String()})
}

func orderDigest(t *testing.T, d ticket.Domain, o bindings.ITicketEscrowRedeemOrder) common.Hash {
	t.Helper()
	return typedDigest(t, d, "RedeemOrder", []apitypes.Type{{Name: "recipient", Type: "address"}, {Name: "runsHash", Type: "bytes32"},
		{Name: "minTotal", Type: "uint96"}, {Name: "fee", Type: "uint96"}, {Name: "to", Type: "address"}, {Name: "orderNonce", Type: "uint64"},
		{Name: "deadline", Type: "uint40"}},
		apitypes.TypedDataMessage{"recipient": o.Recipient.Hex(), "runsHash": common.Hash(o.RunsHash).Hex(), "minTotal": o.MinTotal.String(),
			"fee": o.Fee.String(), "to": o.To.Hex(), "orderNonce": fmt.Sprint(o.OrderNonce), "deadline": o.Deadline.String()})
}

var update = flag.Bool("update", false, "write testdata/message-vectors.json anew; a change of a vector breaks every signed message")

const messageVectorsPath = "testdata/message-vectors.json"

// messageVectors fix the messages beside the ticket. Integers are decimal strings, bytes are 0x-hex.
type messageVectors struct {
	ChainID     uint64             `json:"chain_id,string"`
	Escrow      common.Address     `json:"escrow"`
	Settlements []settlementVector `json:"settlements"`
	Orders      []orderVector      `json:"orders"`
}

type signedVector struct {
	Signer    common.Address     `json:"signer"`
	Digest    common.Hash        `json:"digest"`
	Signature protocol.Signature `json:"signature"`
	R         common.Hash        `json:"r"`
	VS        common.Hash        `json:"vs"`
}

type settlementVector struct {
	Payer     common.Address `json:"payer"`
	Recipient common.Address `json:"recipient"`
	Lane      uint16         `json:"lane"`
	FromNonce uint64         `json:"from_nonce,string"`
	ToNonce   uint64         `json:"to_nonce,string"`
	Amount    string         `json:"amount"`
	Expiry    string         `json:"expiry"`
	signedVector
}

type orderVector struct {
	Recipient  common.Address `json:"recipient"`
	RunsHash   common.Hash    `json:"runs_hash"`
	MinTotal   string         `json:"min_total"`
	Fee        string         `json:"fee"`
	To         common.Address `json:"to"`
	OrderNonce uint64         `json:"order_nonce,string"`
	Deadline   string         `json:"deadline"`
	signedVector
}

func signVector(t *testing.T, by *protocol.KeySigner, digest common.Hash) signedVector {
	t.Helper()
	sig, err := by.SignDigest(digest)
	if err != nil {
		t.Fatal(err)
	}
	r, vs := ticket.Signed{Signature: sig}.Compact()
	return signedVector{by.Address(), digest, sig, r, vs}
}

func makeMessageVectors(t *testing.T) messageVectors {
	t.Helper()
	payer, recipient := marketKey("vector payer"), marketKey("vector recipient")
	d := ticket.Domain{ChainID: 1, Escrow: common.HexToAddress("0x0000000000000000000000000000000000010002")}
	f := messageVectors{ChainID: d.ChainID, Escrow: d.Escrow}
	maxAmount, maxTime := protocol.MaxUint96.Big(), big.NewInt(1<<40-1)
	for _, s := range []bindings.ITicketEscrowSettlement{
		{Lane: 1, FromNonce: 1, ToNonce: 500, Amount: big.NewInt(1e15), Expiry: big.NewInt(2_000_000_000)},
		{FromNonce: 1, ToNonce: 1, Amount: big.NewInt(1), Expiry: big.NewInt(1)},
		{Lane: 0xab00, FromNonce: 1 << 63, ToNonce: 1<<64 - 1, Amount: maxAmount, Expiry: maxTime},
		{Lane: 0xffff, FromNonce: 1<<64 - 1, ToNonce: 1<<64 - 1, Amount: big.NewInt(1 << 40), Expiry: big.NewInt(2_000_000_001)},
	} {
		s.Payer, s.Recipient = payer.Address(), recipient.Address()
		f.Settlements = append(f.Settlements, settlementVector{s.Payer, s.Recipient, s.Lane, s.FromNonce, s.ToNonce, s.Amount.String(), s.Expiry.String(),
			signVector(t, payer, settlementDigest(t, d, s))})
	}
	for i, o := range []bindings.ITicketEscrowRedeemOrder{
		{MinTotal: big.NewInt(1e15), Fee: big.NewInt(1e12), Deadline: big.NewInt(2_000_000_000)},
		{MinTotal: big.NewInt(0), Fee: big.NewInt(0), To: recipient.Address(), Deadline: big.NewInt(1)},
		{MinTotal: maxAmount, Fee: maxAmount, To: common.HexToAddress("0xfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfF"), OrderNonce: 1<<64 - 1, Deadline: maxTime},
	} {
		o.Recipient, o.RunsHash = recipient.Address(), crypto.Keccak256Hash([]byte{byte(i)})
		f.Orders = append(f.Orders, orderVector{o.Recipient, o.RunsHash, o.MinTotal.String(), o.Fee.String(), o.To, o.OrderNonce, o.Deadline.String(),
			signVector(t, recipient, orderDigest(t, d, o))})
	}
	return f
}

// TestMessageVectors_areReproduced makes every vector anew; a Foundry test holds the contract to the same file.
func TestMessageVectors_areReproduced(t *testing.T) {
	t.Parallel()
	want, err := json.MarshalIndent(makeMessageVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(messageVectorsPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(messageVectorsPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s is not what this code computes: digests are frozen (go test ./contracts -run MessageVectors -update writes it anew)", messageVectorsPath)
	}
}
