package payment_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
)

// processVar makes this test binary one side of the market instead: a process that can be killed.
const processVar = "KINORA_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(processVar) == "" {
		os.Exit(m.Run())
	}
	if err := runProcess(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// sideConfig is what a side is made from. It comes by standard input: there is a key in it.
type sideConfig struct {
	Role   string // "payer" or "earner"
	Key    []byte
	Chain  string
	Escrow common.Address
	// Database is a Postgres; SQLite is an earner's file instead.
	Database, SQLite string
	// Point is where it stops for ever, once it is armed: "word N", "inside STATEMENT", or a step of crash.
	Point string
}

// side is the payer or the earner behind HTTP: in the test's own process, or in one to be killed.
type side struct {
	config sideConfig
	key    *protocol.KeySigner
	domain protocol.Domain
	escrow *chain.Escrow
	log    *slog.Logger
	pool   *pgxpool.Pool
	words  *mortal
	steps  *crash

	account *chain.Account // the earner's
	store   payment.Store
}

// newSide opens a side. reached is called when it comes to its point, and must not return.
func newSide(ctx context.Context, c sideConfig, log *slog.Logger, reached func()) (*side, error) {
	key, err := crypto.ToECDSA(c.Key)
	if err != nil {
		return nil, err
	}
	s := &side{config: c, key: protocol.NewKeySigner(key), log: log, words: &mortal{left: -1, kill: reached}, steps: &crash{kill: reached, seen: map[string]int{}}}
	client, err := chain.Dial(ctx, c.Chain)
	if err != nil {
		return nil, err
	}
	if s.escrow, err = chain.NewEscrow(ctx, client, c.Escrow); err != nil {
		return nil, err
	}
	s.domain, s.account = s.escrow.Domain(), chain.NewAccount(client, s.key)
	if c.SQLite != "" {
		db, err := litestore.Open(c.SQLite)
		if err != nil {
			return nil, err
		}
		s.store = doomedStore{litestore.New(db), s.steps}
		return s, nil
	}
	config, err := pgxpool.ParseConfig(c.Database)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.Tracer = s.words
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	s.store = doomedStore{pgstore.Recipient(s.pool), s.steps}
	return s, nil
}

// arm makes the side stop at its point from now on, and counts its words.
func (s *side) arm() {
	s.words.mu.Lock()
	defer s.words.mu.Unlock()
	s.words.said = 0
	if n, ok := strings.CutPrefix(s.config.Point, "word "); ok {
		s.words.left, _ = strconv.Atoi(n) // words are counted from 1
		s.words.left--
	} else if after, ok := strings.CutPrefix(s.config.Point, "inside "); ok {
		s.words.after = after
	} else {
		s.steps.mu.Lock()
		defer s.steps.mu.Unlock()
		s.steps.at, s.steps.seen = s.config.Point, map[string]int{}
	}
}

// work is a segment on its way through both sides.
type work struct {
	Stream  string
	Attempt protocol.ID
	Payer   common.Address
	Earner  common.Address
	URL     string // of the earner's side
	Fresh   bool   // begun for the first time
}

var segmentFee = wei(1000)

func (s *side) handler() http.Handler {
	mux := http.NewServeMux()
	handle(mux, "/pay", s.pay)
	handle(mux, "/open", s.open)
	handle(mux, "/deliver", func(ctx context.Context, d payment.Delivery) (payment.DeliveryAnswer, error) {
		return s.recipient().Accept(ctx, d)
	})
	handle(mux, "/settle", func(ctx context.Context, _ work) (struct{}, error) { return struct{}{}, s.recipient().Drain(ctx) })
	return mux
}

// recipient is one that hands out parameters, however many of this process were drained before.
func (s *side) recipient() *payment.Recipient {
	c := payment.RecipientConfig{Domain: s.domain, Signer: s.key, Account: s.account, FaceValueMultiple: 1, Log: s.log}
	hasty(&c)
	deep(&c)
	return payment.NewRecipient(c, s.store, s.escrow)
}

// open is an earner's side of a segment before it is paid.
func (s *side) open(ctx context.Context, w work) (p protocol.Signed[protocol.TicketParams], err error) {
	if w.Fresh && s.config.Role == "earner" {
		s.arm()
	}
	r := s.recipient()
	if p, err = r.Params(ctx, w.Payer, w.Stream, segmentFee); err != nil {
		return p, err
	}
	release, err := r.Admit(ctx, w.Payer, w.Attempt, segmentFee)
	if err != nil {
		return p, err
	}
	defer release()
	return p, r.Owe(ctx, payment.Owed{Payer: w.Payer, Attempt: w.Attempt, Stream: w.Stream, Fee: segmentFee})
}

// pay is a payer's side of a segment, to the end of its stream; the answer is how many words it took.
func (s *side) pay(ctx context.Context, w work) (words int, err error) {
	if w.Fresh && s.config.Role == "payer" {
		s.arm()
	}
	p := payment.NewPayer(payment.PayerConfig{Domain: s.domain, Signer: s.key, Log: s.log}, pgstore.Payer(s.pool),
		sending(func(ctx context.Context, _ common.Address, d payment.Delivery) (a payment.DeliveryAnswer, err error) {
			s.words.says("delivery")
			a, err = post[payment.DeliveryAnswer](ctx, w.URL+"/deliver", d)
			s.words.says("answer")
			return a, err
		}))
	opening := w
	opening.Payer = s.key.Address()
	params, err := post[protocol.Signed[protocol.TicketParams]](ctx, w.URL+"/open", opening)
	if err != nil {
		return 0, err
	}
	if err := p.Use(ctx, w.Stream, params); err != nil {
		return 0, err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO verdicts (attempt) VALUES ($1) ON CONFLICT DO NOTHING`, w.Attempt[:])
		if err != nil || tag.RowsAffected() == 0 { // committed in an earlier life
			return err
		}
		_, err = p.PayTx(ctx, tx, payment.Order{Recipient: w.Earner, Stream: w.Stream, Attempt: w.Attempt, Fee: segmentFee})
		return err
	})
	if err != nil {
		return 0, err
	}
	err = p.EndStream(ctx, w.Stream)
	s.words.mu.Lock()
	defer s.words.mu.Unlock()
	return s.words.said, err
}

// handle answers JSON with JSON; an error is its text.
func handle[Q, A any](mux *http.ServeMux, path string, f func(context.Context, Q) (A, error)) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		var q Q
		err := json.NewDecoder(r.Body).Decode(&q)
		var a A
		if err == nil {
			a, err = f(r.Context(), q)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(a) // who asked may be gone
	})
}

func post[A any](ctx context.Context, url string, q any) (a A, err error) {
	b, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return a, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, err := io.ReadAll(resp.Body)
		return a, fmt.Errorf("%s: %s (%v)", url, said, err)
	}
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

// What a process says on its standard output, a line each.
const (
	saysReady   = "ready "
	saysReached = "reached"
)

// runProcess is a side until it is killed, or until its input ends: with its parent.
func runProcess() error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c sideConfig
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		os.Exit(1)
	}()
	s, err := newSide(context.Background(), c, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), func() {
		fmt.Println(saysReached)
		select {} // whatever it holds stays held until the kernel takes it
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(saysReady + "http://" + l.Addr().String())
	return http.Serve(l, s.handler())
}
