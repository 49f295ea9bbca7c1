package main

import (
	"math/rand/v2"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

func newKey() (*protocol.KeySigner, error) {
	k, err := crypto.GenerateKey()
	if err != nil {
		return nil, err
	}
	return protocol.NewKeySigner(k), nil
}

// tickets measures signing, and verifying with the win check, on one core.
func (b *benchmark) tickets() error {
	payer, err := newKey()
	if err != nil {
		return err
	}
	hasher := ticket.Domain{ChainID: 1337, Escrow: common.HexToAddress("0x5FbDB2315678afecb367f032d93F642f64180aa3")}.Hasher()
	secret := [32]byte{1}
	faceValue := protocol.NewWei(1e14)
	winProb, err := ticket.WinProbFor(protocol.NewWei(1e11), faceValue)
	if err != nil {
		return err
	}
	next := ticket.Ticket{Payer: payer.Address(), Recipient: common.HexToAddress("0x01"), Lane: 1, FaceValue: faceValue, WinProb: winProb,
		Expiry: 2_000_000_000, RecipientRandHash: ticket.RandHash(secret)}
	var signed []ticket.Signed
	n, took, err := b.repeat(func() error {
		next.TicketNonce++
		next.Salt = rand.Uint64()
		s, err := hasher.Sign(payer, next)
		if len(signed) < 1<<16 {
			signed = append(signed, s)
		}
		return err
	})
	if err != nil {
		return err
	}
	b.figure("sign_per_s", float64(n)/took.Seconds(), "1/s", ">= 30000", "one core")
	i := 0
	n, took, err = b.repeat(func() error {
		s := signed[i%len(signed)]
		i++
		digest, err := hasher.Verify(s)
		ticket.Won(secret, digest, s.WinProb)
		return err
	})
	if err != nil {
		return err
	}
	b.figure("verify_per_s", float64(n)/took.Seconds(), "1/s", ">= 18000", "one core, with the win check")
	return b.memory("tickets")
}

// repeat runs f for the length of a measurement, after a short one that warms up.
func (b *benchmark) repeat(f func() error) (n int, took time.Duration, err error) {
	for _, span := range []time.Duration{200 * time.Millisecond, time.Duration(b.seconds) * time.Second} {
		n = 0
		start := time.Now()
		for took = 0; took < span; took = time.Since(start) {
			for range 64 {
				if err := f(); err != nil {
					return n, took, err
				}
				n++
			}
		}
	}
	return n, took, nil
}
