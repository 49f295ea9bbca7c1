package entry_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/protocol"
)

// remote is a signer in another process, as far as anybody can tell: it signs digests, and takes its time.
type remote struct{ key *protocol.KeySigner }

func (r remote) Address() common.Address { return r.key.Address() }

func (r remote) SignDigest(digest [32]byte) (protocol.Signature, error) {
	time.Sleep(300 * time.Millisecond)
	return r.key.SignDigest(digest)
}

// raw connects with login fields as a participant of any kind would send them.
func raw(url, participant, role, market string, sign func(nonce []byte) ([]byte, error)) error {
	conn, err := nats.Connect(url, nats.Nkey(participant, sign), nats.UserInfo(role, market), nats.Timeout(10*time.Second))
	if err == nil {
		conn.Close()
	}
	return err
}

func signed(who protocol.Signer, l protocol.Login) func([]byte) ([]byte, error) {
	return func(nonce []byte) ([]byte, error) {
		if l.Nonce == "" {
			l.Nonce = string(nonce)
		}
		s, err := domain.Sign(who, l)
		return s[:], err
	}
}

func TestLogin_takesTheSignatureOfTheParticipantOverThisNonceAndNothingElse(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		self, market := transcoder.Address(), orchestrator.Address()
		login := protocol.Login{Participant: self, Role: protocol.RoleTranscoder, Market: market}
		with := func(change func(*protocol.Login)) protocol.Login { l := login; change(&l); return l }
		stranger := key("stranger")
		for _, c := range []struct {
			name                      string
			participant, role, market string
			sign                      func([]byte) ([]byte, error)
			in                        bool
		}{
			{"the participant", self.Hex(), "transcoder", market.Hex(), signed(transcoder, login), true},
			{"one that was told no market", self.Hex(), "transcoder", "", signed(transcoder, with(func(l *protocol.Login) { l.Market = common.Address{} })), true},
			{"somebody else", self.Hex(), "transcoder", market.Hex(), signed(stranger, login), false},
			{"another nonce", self.Hex(), "transcoder", market.Hex(), signed(transcoder, with(func(l *protocol.Login) { l.Nonce = "nonce-of-another-connection" })), false},
			{"another role than was signed", self.Hex(), "orchestrator", market.Hex(), signed(transcoder, login), false},
			{"a role that is not its own", self.Hex(), "orchestrator", market.Hex(), signed(transcoder, with(func(l *protocol.Login) { l.Role = protocol.RoleOrchestrator })), false},
			{"a role there is not", self.Hex(), "operator", market.Hex(), signed(transcoder, with(func(l *protocol.Login) { l.Role = "operator" })), false},
			{"another market than was signed", self.Hex(), "transcoder", colleague.Address().Hex(), signed(transcoder, login), false},
			{"a login for another market, passed on", self.Hex(), "transcoder", stranger.Address().Hex(),
				signed(transcoder, with(func(l *protocol.Login) { l.Market = stranger.Address() })), false},
			{"somebody who is no guest", stranger.Address().Hex(), "transcoder", market.Hex(), signed(stranger, with(func(l *protocol.Login) { l.Participant = stranger.Address() })), false},
			{"an address in another spelling", strings.ToLower(self.Hex()), "transcoder", market.Hex(), signed(transcoder, login), false},
			{"no address", "U", "transcoder", market.Hex(), signed(transcoder, login), false},
			{"no signature", self.Hex(), "transcoder", market.Hex(), func([]byte) ([]byte, error) { return nil, nil }, false},
			{"half a signature", self.Hex(), "transcoder", market.Hex(), func(nonce []byte) ([]byte, error) {
				b, err := signed(transcoder, login)(nonce)
				return b[:32], err
			}, false},
		} {
			err := raw(s.urls[0], c.participant, c.role, c.market, c.sign)
			if c.in != (err == nil) || err != nil && !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("%s: %v; may come in: %v", c.name, err, c.in)
			}
		}
		for _, nobody := range [][]nats.Option{nil, {nats.Token("secret")}, {nats.UserInfo(self.Hex(), "transcoder")}, {nats.UserInfo("KINORA", "")}} {
			if conn, err := nats.Connect(s.urls[0], append(nobody, nats.Timeout(10*time.Second))...); err == nil {
				conn.Close()
				t.Error("somebody came in without a login")
			}
		}
	})
}

func TestLogin_worksWithASignerElsewhere(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		enter(t, s.urls[0], as(remote{transcoder}, protocol.RoleTranscoder))
	})
}

func TestLogin_bringsTheJoinToken(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		opts := as(transcoder, protocol.RoleTranscoder)
		opts.Identity.JoinToken = "a secret"
		enter(t, s.urls[0], opts)
		s.guest.mu.Lock()
		defer s.guest.mu.Unlock()
		if len(s.guest.tokens) != 1 || s.guest.tokens[0] != "a secret" {
			t.Errorf("tokens %q", s.guest.tokens)
		}
	})
}

func TestDial_saysThatItWasNotLetIn(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err := bus.Dial(ctx, s.urls[0], as(key("stranger"), protocol.RoleTranscoder))
		if protocol.CodeOf(err) != protocol.Unauthorized || !strings.Contains(err.Error(), key("stranger").Address().Hex()) {
			t.Errorf("error %v", err)
		}
	})
}

// Bids are sealed: what one transcoder says, and what it is asked and answers, no other one hears.
func TestMarket_goesOnBetweenParticipantsAndUnheardByOthers(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		far := s.urls[len(s.urls)-1]
		market, worker, spy := enter(t, s.urls[0], as(orchestrator, protocol.RoleOrchestrator)), enter(t, far, as(transcoder, protocol.RoleTranscoder)), enter(t, s.urls[0], as(rival, protocol.RoleTranscoder))
		heard := make(chan *nats.Msg, 16)
		for _, subject := range []string{"kinora.v1.bid.*", "kinora.v1.bid." + transcoder.Address().Hex(), "_INBOX.>", "kinora.v1.tickets.*", ">"} {
			if _, err := spy.Conn().ChanSubscribe(subject, heard); err != nil {
				t.Fatal(err)
			}
		}
		bids := make(chan protocol.Signed[protocol.Bid], 1)
		if err := errors.Join(spy.Flush(t.Context()), market.SubscribeBids(t.Context(), func(b protocol.Signed[protocol.Bid]) { bids <- b }),
			worker.ServeTickets(t.Context(), transcoder.Address(), func(_ context.Context, b []byte) ([]byte, error) { return append(b, " back"...), nil }),
			market.ServeRelays(t.Context(), orchestrator.Address(), func(_ context.Context, b []byte) ([]byte, error) { return append(b, " relayed"...), nil })); err != nil {
			t.Fatal(err)
		}
		bid, err := protocol.Seal(domain, transcoder, protocol.Bid{Transcoder: transcoder.Address(), Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(7)}},
			FreePixelRate: 1, TTLMillis: 2000, Sequence: 1})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "a bid and an answer over both servers", func() bool { // interest takes a moment to spread through a cluster
			if err := worker.PublishBid(bid); err != nil {
				t.Fatal(err)
			}
			answer, err := market.SendTickets(t.Context(), transcoder.Address(), []byte("there and"))
			return err == nil && string(answer) == "there and back" && len(bids) > 0
		})
		eventually(t, "a request of the transcoder", func() bool {
			answer, err := worker.AskRelay(t.Context(), orchestrator.Address(), []byte("order"))
			return err == nil && string(answer) == "order relayed"
		})
		if err := spy.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(heard) > 0 {
			t.Errorf("another transcoder heard %s", (<-heard).Subject)
		}
	})
}

func TestAnswer_isAllowedOncePerRequest(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		market, worker := enter(t, s.urls[0], as(orchestrator, protocol.RoleOrchestrator)).Conn(), enter(t, s.urls[0], as(transcoder, protocol.RoleTranscoder)).Conn()
		asked, err := worker.SubscribeSync(protocol.AwardSubject(transcoder.Address()))
		if err != nil || worker.Flush() != nil {
			t.Fatal(err)
		}
		inbox := market.NewRespInbox()
		if err := market.PublishRequest(protocol.AwardSubject(transcoder.Address()), inbox, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := asked.NextMsg(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		if !publishes(t, worker, inbox) {
			t.Error("the answer was denied")
		}
		if publishes(t, worker, inbox) {
			t.Error("a second answer was allowed")
		}
	})
}

func TestExpel_cutsAParticipantAtEveryServerAndNobodyElse(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		stays := enter(t, s.urls[0], as(rival, protocol.RoleTranscoder))
		var goes []*bus.Bus
		for _, url := range append(s.urls, s.urls...) {
			goes = append(goes, enter(t, url, as(transcoder, protocol.RoleTranscoder)))
		}
		s.guest.strike(transcoder.Address())
		if err := s.expel(t.Context(), transcoder.Address()); err != nil {
			t.Fatal(err)
		}
		for i, b := range goes {
			eventually(t, "it is cut", func() bool { return !b.Connected() })
			if err := b.PublishEvent(protocol.Event{Actor: transcoder.Address()}); err == nil {
				t.Errorf("connection %d still publishes", i)
			}
		}
		if err := raw(s.urls[0], transcoder.Address().Hex(), "transcoder", "", signed(transcoder, protocol.Login{Participant: transcoder.Address(), Role: protocol.RoleTranscoder})); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("it comes back: %v", err)
		}
		if err := stays.Flush(t.Context()); err != nil || stays.Conn().Stats().Reconnects > 0 {
			t.Errorf("another one was cut too: %v", err)
		}
	})
}
