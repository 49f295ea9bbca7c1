package ledger

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/ticket"
)

// Evidence implements payment.Store.
func (l *Ledger) Evidence(ctx context.Context) (out []payment.Evidence, err error) {
	err = l.tx(ctx, "list evidence", func(c Conn) error {
		out, err = all(ctx, c, func(r Rows) (e payment.Evidence, err error) {
			var first, second, hash []byte
			var expiry, at int64
			t := ticket.Ticket{}
			if err := r.Scan(&first, &second, &at, &t.FaceValue, &hash, &expiry); err != nil {
				return e, err
			}
			if err := json.Unmarshal(second, &e.Second); err != nil {
				return e, err
			}
			t.Payer, t.Recipient, t.Lane = e.Second.Payer, e.Second.Recipient, e.Second.Lane
			t.RecipientRandHash, t.Expiry = common.BytesToHash(hash), uint64(expiry)
			e.SeenAt = moment(at)
			e.First, err = ticket.Unpack(t, first)
			return e, err
		}, `SELECT e.first, e.second, e.seen_at, CAST(s.face_value AS text), s.rand_hash, s.expiry FROM recipient_evidence e
			JOIN recipient_sets s ON s.payer = e.payer AND s.lane = e.lane AND s.min_nonce <= e.nonce AND s.max_nonce >= e.nonce ORDER BY e.seen_at, e.payer`)
		return err
	})
	return out, err
}

// evidence keeps the first two tickets of one nonce that a payer is seen to have signed.
func (b *batch) evidence(x *item) error {
	first := b.packed[x.key()]
	if first == nil { // of before such were kept
		return nil
	}
	raw, err := json.Marshal(x.Ticket)
	if err != nil {
		return err
	}
	t := x.Ticket
	b.proofs = append(b.proofs, Step{SQL: `INSERT INTO recipient_evidence (payer, lane, nonce, first, second, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING RETURNING nonce`, Args: []any{t.Payer[:], int64(t.Lane), int64(t.TicketNonce), first, raw, millis(x.now)},
		Row: func(r Rows) error {
			var nonce int64
			return r.Scan(&nonce)
		}})
	return nil
}
