package ledger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// Accept implements payment.Store.
func (l *Ledger) Accept(ctx context.Context, arrivals []payment.Arrival, now time.Time) ([]payment.Outcome, error) {
	return l.accepts.accept(ctx, &call{arrivals: arrivals, now: now}, func(ctx context.Context, calls []*call) (outcomes [][]payment.Outcome, err error) {
		err = l.tx(ctx, "accept tickets", func(c Conn) error {
			b := newBatch(calls, l.db)
			outcomes = b.outcomes
			return b.accept(ctx, c)
		})
		return outcomes, err
	})
}

// batch is what one transaction accepts. Rows are locked in one order everywhere: lanes by payer and number, sets by
// serial, debts by payer and attempt; inside a lane tickets are taken by nonce.
type batch struct {
	db       DB
	items    []*item
	outcomes [][]payment.Outcome // by call
	lanes    map[payment.LaneKey]*lane
	sets     map[int64]*nonceSet
	onLane   map[payment.LaneKey][]int64  // serials
	known    map[payment.WinnerKey][]byte // digests by ticket
	packed   map[payment.WinnerKey][]byte // the tickets themselves
	proofs   []Step                       // of tickets that share a nonce
	debts    map[debtKey][]*item          // accepted tickets by attempt
}

// item is one arrival and where its outcome goes.
type item struct {
	payment.Arrival
	now      time.Time
	outcome  *payment.Outcome
	accepted bool
}

func (i *item) laneKey() payment.LaneKey {
	return payment.LaneKey{Payer: i.Ticket.Payer, Lane: i.Ticket.Lane}
}

func (i *item) key() payment.WinnerKey {
	return payment.WinnerKey{LaneKey: i.laneKey(), TicketNonce: i.Ticket.TicketNonce}
}

func (i *item) refuse(code protocol.Code, format string, args ...any) {
	*i.outcome = payment.Outcome{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// lane is a lane's row, locked.
type lane struct {
	floor, highest, accepted, won int64
	acceptedWei, wonWei           protocol.Wei
	found, changed                bool
}

// nonceSet is a set's row, locked, with the nonces of its neighbours on the lane.
type nonceSet struct {
	lane           payment.LaneKey
	state          string
	low, high      *int64
	above, below   *int64 // the highest of earlier sets and the lowest of later ones
	found, changed bool
}

type debtKey struct {
	payer   common.Address
	attempt protocol.ID
}

func newBatch(calls []*call, db DB) *batch {
	b := &batch{db: db, lanes: map[payment.LaneKey]*lane{}, sets: map[int64]*nonceSet{}, onLane: map[payment.LaneKey][]int64{},
		known: map[payment.WinnerKey][]byte{}, packed: map[payment.WinnerKey][]byte{}, debts: map[debtKey][]*item{}}
	for _, c := range calls {
		outcomes := make([]payment.Outcome, len(c.arrivals))
		b.outcomes = append(b.outcomes, outcomes)
		for i, a := range c.arrivals {
			x := &item{Arrival: a, now: c.now, outcome: &outcomes[i]}
			b.items = append(b.items, x)
			b.lanes[x.laneKey()] = &lane{}
			if b.sets[a.SetSerial] == nil {
				b.sets[a.SetSerial] = &nonceSet{lane: x.laneKey()}
				b.onLane[x.laneKey()] = append(b.onLane[x.laneKey()], a.SetSerial)
			}
		}
	}
	slices.SortStableFunc(b.items, func(x, y *item) int {
		return cmp.Or(compareLanes(x.laneKey(), y.laneKey()), cmp.Compare(x.Ticket.TicketNonce, y.Ticket.TicketNonce))
	})
	return b
}

func compareLanes(a, b payment.LaneKey) int {
	return cmp.Or(bytes.Compare(a.Payer[:], b.Payer[:]), cmp.Compare(a.Lane, b.Lane))
}

func (b *batch) accept(ctx context.Context, c Conn) error {
	if err := b.read(ctx, c); err != nil {
		return err
	}
	for _, x := range b.items {
		if err := b.decide(x); err != nil {
			return err
		}
	}
	steps, err := b.writes()
	if err != nil {
		return err
	}
	paid, err := b.pay(ctx, c)
	if err != nil {
		return err
	}
	return c.Do(ctx, append(steps, paid...))
}

// read locks lanes and sets, and looks for tickets that may have been accepted before.
func (b *batch) read(ctx context.Context, c Conn) error {
	steps := many(slices.SortedFunc(maps.Keys(b.lanes), compareLanes), func(k payment.LaneKey) []any { return []any{b.onLane[k][0]} }, Step{
		SQL: `SELECT l.payer, l.lane, l.floor_nonce, l.highest_nonce, l.accepted, l.won, CAST(l.accepted_wei AS text), CAST(l.won_wei AS text) FROM recipient_lanes l
			WHERE (l.payer, l.lane) IN (SELECT s.payer, s.lane FROM recipient_sets s WHERE s.serial IN (` + rowsHere + `)) ORDER BY l.payer, l.lane` + b.db.Lock(),
		Row: func(r Rows) error {
			var payer []byte
			var number int64
			x := lane{found: true}
			err := r.Scan(&payer, &number, &x.floor, &x.highest, &x.accepted, &x.won, &x.acceptedWei, &x.wonWei)
			if at := b.lanes[payment.LaneKey{Payer: address(payer), Lane: uint16(number)}]; at != nil {
				*at = x
			}
			return err
		}}, "$")
	steps = append(steps, many(slices.Sorted(maps.Keys(b.sets)), func(serial int64) []any { return []any{serial} }, Step{
		SQL: `SELECT s.serial, s.state, s.min_nonce, s.max_nonce,
			(SELECT e.max_nonce FROM recipient_sets e WHERE e.payer = s.payer AND e.lane = s.lane AND e.serial < s.serial AND e.max_nonce IS NOT NULL ORDER BY e.serial DESC LIMIT 1),
			(SELECT e.min_nonce FROM recipient_sets e WHERE e.payer = s.payer AND e.lane = s.lane AND e.serial > s.serial AND e.min_nonce IS NOT NULL ORDER BY e.serial LIMIT 1)
			FROM recipient_sets s WHERE s.serial IN (` + rowsHere + `) ORDER BY s.serial` + b.db.Lock(),
		Row: func(r Rows) error {
			var serial int64
			var s nonceSet
			err := r.Scan(&serial, &s.state, &s.low, &s.high, &s.above, &s.below)
			if at := b.sets[serial]; at != nil {
				s.lane, s.found = at.lane, true
				*at = s
			}
			return err
		}}, "$")...)
	if err := c.Do(ctx, steps); err != nil {
		return err
	}
	steps = nil
	for _, x := range b.items {
		l, s := b.lanes[x.laneKey()], b.sets[x.SetSerial]
		if !l.found || !s.found {
			return errors.Join(missing(l.found, "lane"), missing(s.found, "set"))
		}
		if x.Ticket.TicketNonce > uint64(l.highest) { // nothing above it was ever accepted
			continue
		}
		steps = append(steps, Step{SQL: `SELECT digest, signed FROM recipient_tickets WHERE payer = $1 AND lane = $2 AND nonce = $3`,
			Args: []any{x.Ticket.Payer[:], int64(x.Ticket.Lane), int64(x.Ticket.TicketNonce)}, Row: func(r Rows) error {
				var digest, signed []byte
				err := r.Scan(&digest, &signed)
				b.known[x.key()], b.packed[x.key()] = digest, signed
				return err
			}})
	}
	if len(steps) == 0 {
		return nil
	}
	return c.Do(ctx, steps)
}

// decide accepts or refuses one ticket, in memory.
func (b *batch) decide(x *item) error {
	t, l, s := x.Ticket, b.lanes[x.laneKey()], b.sets[x.SetSerial]
	if t.TicketNonce > math.MaxInt64-payment.NonceWindow {
		x.refuse(protocol.TicketInvalid, "nonce %d is outside the window", t.TicketNonce)
		return nil
	}
	nonce := int64(t.TicketNonce)
	if digest, known := b.known[x.key()]; known {
		if *x.outcome = (payment.Outcome{Known: true}); !bytes.Equal(digest, x.Digest[:]) {
			x.refuse(protocol.TicketInvalid, "nonce %d of lane %d was used by another ticket", nonce, t.Lane)
			x.outcome.Equivocates = true
			return b.evidence(x)
		}
		return nil
	}
	if s.state != "open" {
		x.refuse(protocol.TicketSetClosed, "the parameter set of nonce %d is closed", nonce)
		return nil
	}
	if nonce <= l.floor || nonce > l.highest+payment.NonceWindow {
		x.refuse(protocol.TicketInvalid, "nonce %d of lane %d is outside the window from %d to %d", nonce, t.Lane, l.floor+1, l.highest+payment.NonceWindow)
		return nil
	}
	// A set's nonces lie above those of earlier sets and below those of later ones. Without that a payer could have an early
	// set's high nonce redeemed first, which kills the winners below it.
	above, below := b.bounds(x.SetSerial, s)
	if above != nil && nonce <= *above || below != nil && nonce >= *below {
		x.refuse(protocol.TicketInvalid, "nonce %d of lane %d is out of the order of its parameter sets", nonce, t.Lane)
		return nil
	}
	x.accepted = true
	b.known[x.key()], b.packed[x.key()] = x.Digest[:], t.Packed()
	if s.changed = true; s.low == nil || nonce < *s.low {
		s.low = &nonce
	}
	if s.high == nil || nonce > *s.high {
		s.high = &nonce
	}
	l.changed = true
	l.highest = max(l.highest, nonce)
	l.accepted++
	l.acceptedWei = l.acceptedWei.Add(t.EV())
	if x.Won {
		l.won++
		l.wonWei = l.wonWei.Add(t.FaceValue)
	}
	k := debtKey{t.Payer, x.Attempt}
	b.debts[k] = append(b.debts[k], x)
	return nil
}

// bounds are the nonces between which a set's must be, those that this batch accepted included.
func (b *batch) bounds(serial int64, s *nonceSet) (above, below *int64) {
	above, below = s.above, s.below
	for _, other := range b.onLane[s.lane] {
		o := b.sets[other]
		switch {
		case other < serial && o.high != nil && (above == nil || *o.high > *above):
			above = o.high
		case other > serial && o.low != nil && (below == nil || *o.low < *below):
			below = o.low
		}
	}
	return above, below
}

// writes are the statements that keep what was accepted.
func (b *batch) writes() (steps []Step, err error) {
	var accepted, winners [][]any
	for _, x := range b.items {
		if !x.accepted {
			continue
		}
		t := x.Ticket
		accepted = append(accepted, []any{t.Payer[:], int64(t.Lane), int64(t.TicketNonce), x.Digest[:], x.Attempt[:], int64(t.Expiry), b.packed[x.key()]})
		if !x.Won {
			continue
		}
		raw, err := json.Marshal(t)
		if err != nil {
			return nil, err
		}
		winners = append(winners, []any{t.Payer[:], int64(t.Lane), int64(t.TicketNonce), x.SetSerial, t.FaceValue.String(), int64(t.Expiry), raw, millis(x.now)})
	}
	var sets [][]any
	for serial, s := range b.sets {
		if s.changed {
			sets = append(sets, []any{*s.low, *s.high, serial})
		}
	}
	steps = append(steps, many(accepted, row, Step{SQL: `INSERT INTO recipient_tickets (payer, lane, nonce, digest, attempt, expiry, signed) VALUES ` + rowsHere}, "($, $, $, $, $, $, $)")...)
	steps = append(steps, many(winners, row, Step{SQL: `INSERT INTO recipient_winners (payer, lane, nonce, set_serial, face_value, expiry, ticket, won_at) VALUES ` + rowsHere},
		"($, $, $, $, $, $, $, $)")...)
	steps = append(steps, many(sets, row, Step{SQL: `UPDATE recipient_sets SET min_nonce = v.column1, max_nonce = v.column2 FROM (VALUES ` + rowsHere + `) AS v
		WHERE recipient_sets.serial = v.column3`}, "(CAST($ AS bigint), CAST($ AS bigint), CAST($ AS bigint))")...)
	var lanes [][]any // named by a set of theirs
	for k, l := range b.lanes {
		if l.changed {
			lanes = append(lanes, []any{b.onLane[k][0], l.highest, l.accepted, l.acceptedWei.String(), l.won, l.wonWei.String()})
		}
	}
	amount := "CAST($ AS " + b.db.Amount() + ")"
	return append(append(steps, b.proofs...), many(lanes, row, Step{SQL: `UPDATE recipient_lanes SET highest_nonce = v.column2, accepted = v.column3, accepted_wei = v.column4, won = v.column5,
		won_wei = v.column6 FROM (VALUES ` + rowsHere + `) AS v JOIN recipient_sets s ON s.serial = v.column1
		WHERE recipient_lanes.payer = s.payer AND recipient_lanes.lane = s.lane`},
		"(CAST($ AS bigint), CAST($ AS bigint), CAST($ AS bigint), "+amount+", CAST($ AS bigint), "+amount+")")...), nil
}

// pay counts what was accepted against the debts of its attempts. A debt that nobody noted yet is made with what is paid;
// for those that were there it returns the statements that change them.
func (b *batch) pay(ctx context.Context, c Conn) (steps []Step, err error) {
	keys := slices.SortedFunc(maps.Keys(b.debts), func(x, y debtKey) int {
		return cmp.Or(bytes.Compare(x.payer[:], y.payer[:]), bytes.Compare(x.attempt[:], y.attempt[:]))
	})
	if len(keys) == 0 {
		return nil, nil
	}
	made := map[debtKey]bool{}
	inserts := many(keys, func(k debtKey) []any {
		var paid protocol.Wei
		for _, x := range b.debts[k] {
			paid = paid.Add(x.Ticket.EV())
		}
		return []any{k.payer[:], k.attempt[:], paid.String(), millis(b.debts[k][0].now)}
	}, Step{
		SQL: `INSERT INTO recipient_debts (payer, attempt, paid, noted_at) VALUES ` + rowsHere + ` ON CONFLICT DO NOTHING RETURNING payer, attempt`,
		Row: func(r Rows) error {
			var payer, attempt []byte
			err := r.Scan(&payer, &attempt)
			k := debtKey{payer: address(payer)}
			copy(k.attempt[:], attempt)
			made[k] = true
			return err
		}}, "($, $, $, $)")
	if err := c.Do(ctx, inserts); err != nil {
		return nil, err
	}
	var reads []Step
	for _, k := range keys {
		if made[k] {
			continue
		}
		reads = append(reads, Step{SQL: debtColumns + ` WHERE payer = $1 AND attempt = $2` + b.db.Lock(), Args: []any{k.payer[:], k.attempt[:]}, Row: func(r Rows) error {
			d, err := debt(r)
			if err != nil {
				return err
			}
			for _, x := range b.debts[k] {
				worth := x.Ticket.EV()
				d.paid = d.paid.Add(worth)
				if rest := d.open(); !rest.IsZero() {
					x.refuse(protocol.TicketUnderpays, "accepted for %s wei; %s wei are still owed", worth, rest)
				}
			}
			steps = append(steps, Step{SQL: updateDebt, Args: d.args(k.attempt)})
			return nil
		}})
	}
	if len(reads) == 0 {
		return nil, nil
	}
	if err := c.Do(ctx, reads); err != nil {
		return nil, err
	}
	if len(steps) != len(reads) {
		return nil, errors.New("a debt is not there any more")
	}
	return steps, nil
}
