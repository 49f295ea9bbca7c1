// Package callout answers, for a NATS server or cluster of somebody's own, who may come in: the servers ask it about each
// connection (auth callout), and it cuts those of a participant that was let go.
package callout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/entry"
)

const (
	account       = "KINORA" // in which participants are
	systemAccount = "SYS"

	loginSubject = "$SYS.REQ.USER.AUTH"
	listSubject  = "$SYS.REQ.SERVER.PING.CONNZ"
	kickSubject  = "$SYS.REQ.SERVER.%s.KICK"
	inbox        = "_INBOX.kinora-callout"
	curveField   = "Nats-Server-Xkey"

	maxLogins     = 64                     // at once; more wait
	kickQuiet     = 300 * time.Millisecond // after the last server's answer
	expelPatience = 5 * time.Second
)

// UserLife bounds how long a connection lasts that nobody was there to cut: it must log in again then.
const UserLife = 24 * time.Hour

// Callout is a connection that answers. Several may serve one cluster: each login is answered by one of them.
type Callout struct {
	bus     *bus.Bus
	keys    *Keys
	gate    *entry.Gate
	life    context.Context
	end     context.CancelFunc
	slots   chan struct{}
	serving sync.WaitGroup
}

// Dial connects as the callout of the servers at url, as bus.Dial does, and answers from then on.
func Dial(ctx context.Context, url string, keys *Keys, gate *entry.Gate, opts bus.Options) (*Callout, error) {
	user, err := keys.user.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("NATS keys: %w", err)
	}
	opts.NKey = &bus.NKey{Public: user, Sign: keys.user.Sign, Inbox: inbox}
	b, err := bus.Dial(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	c := &Callout{bus: b, keys: keys, gate: gate, slots: make(chan struct{}, maxLogins)}
	c.life, c.end = context.WithCancel(context.WithoutCancel(ctx))
	if _, err = b.Conn().QueueSubscribe(loginSubject, "kinora", c.take); err == nil {
		err = b.Flush(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("answer the logins of NATS: %w", err), c.Close())
	}
	return c, nil
}

// Close stops answering.
func (c *Callout) Close() error {
	err := c.bus.Close()
	c.end()
	c.serving.Wait()
	return err
}

// Connected reports whether servers can ask.
func (c *Callout) Connected() bool { return c.bus.Connected() }

// take answers one login on a goroutine of its own.
func (c *Callout) take(m *nats.Msg) {
	select {
	case c.slots <- struct{}{}:
	case <-c.life.Done():
		return
	}
	c.serving.Go(func() {
		defer func() { <-c.slots }()
		answer, err := c.answer(m.Data, m.Header.Get(curveField))
		if err != nil { // no question of a server
			c.gate.Log.Warn("a question of NATS about a login is not understood", "err", err)
			return
		}
		if err := m.Respond(answer); err != nil {
			c.gate.Log.Warn("the answer to a login is lost", "err", err)
		}
	})
}

// answer is what a server is told about a connection; curve is the key it encrypts by, if it does.
func (c *Callout) answer(question []byte, curve string) ([]byte, error) {
	if curve != "" {
		var err error
		if question, err = c.keys.curve.Open(question, curve); err != nil {
			return nil, fmt.Errorf("decrypt: %w (is its xkey of other keys than --nats-auth-keys?)", err)
		}
	}
	q, err := jwt.DecodeAuthorizationRequestClaims(string(question))
	if err != nil {
		return nil, err
	}
	said := q.ConnectOptions
	a := jwt.NewAuthorizationResponseClaims(q.UserNkey)
	a.Audience = q.Server.ID
	pass, err := c.gate.Enter(c.life, entry.Claim{Participant: said.Nkey, Role: said.Username, Market: said.Password,
		Nonce: q.ClientInformation.Nonce, Signature: said.SignedNonce, JoinToken: said.Token, From: q.ClientInformation.Host})
	if err != nil {
		a.Error = err.Error()
	} else if a.Jwt, err = c.user(q.UserNkey, pass); err != nil {
		return nil, err
	}
	text, err := a.Encode(c.keys.issuer)
	if err != nil || curve == "" {
		return []byte(text), err
	}
	return c.keys.curve.Seal([]byte(text), curve)
}

// user is a NATS user with what pass permits; its name is the participant's.
func (c *Callout) user(key string, pass entry.Pass) (string, error) {
	u := jwt.NewUserClaims(key)
	u.Name, u.Audience = pass.Participant.Hex(), account
	until := time.Now().Add(UserLife)
	if !pass.Until.IsZero() && pass.Until.Before(until) {
		until = pass.Until
	}
	u.Expires = until.Unix()
	u.Pub.Allow.Add(pass.Permissions.Publish...)
	u.Sub.Allow.Add(pass.Permissions.Subscribe...)
	u.Resp = &jwt.ResponsePermission{MaxMsgs: entry.Answers, Expires: entry.AnswerTime}
	return u.Encode(c.keys.issuer)
}

// listing is a server's answer about its connections.
type listing struct {
	Server struct {
		ID string `json:"id"`
	} `json:"server"`
	Data struct {
		Connections []struct {
			CID uint64 `json:"cid"`
		} `json:"connections"`
	} `json:"data"`
}

// Expel cuts every connection of a participant at every server that answers. One that is just logging in may slip through: ask
// again a moment later.
func (c *Callout) Expel(ctx context.Context, participant common.Address) error {
	ctx, cancel := context.WithTimeout(ctx, expelPatience)
	defer cancel()
	conn := c.bus.Conn()
	replies, err := conn.SubscribeSync(conn.NewRespInbox())
	if err != nil {
		return fmt.Errorf("connections of %s: %w", participant, err)
	}
	defer func() { _ = replies.Unsubscribe() }()
	ask, _ := json.Marshal(map[string]any{"auth": true, "user": participant.Hex(), "limit": 1024})
	if err := conn.PublishRequest(listSubject, replies.Subject, ask); err != nil {
		return fmt.Errorf("connections of %s: %w", participant, err)
	}
	for patience := bus.RequestTimeout; ; patience = kickQuiet {
		bounded, cancel := context.WithTimeout(ctx, patience)
		m, err := replies.NextMsgWithContext(bounded)
		cancel()
		switch {
		case err != nil && patience == kickQuiet && ctx.Err() == nil:
			return nil // no further server answers
		case err != nil:
			return fmt.Errorf("connections of %s: %w", participant, err)
		}
		var l listing
		if err := json.Unmarshal(m.Data, &l); err != nil || l.Server.ID == "" {
			return fmt.Errorf("connections of %s: a server answered %.200q", participant, m.Data)
		}
		for _, one := range l.Data.Connections {
			kick, _ := json.Marshal(map[string]uint64{"cid": one.CID})
			// A server heeds what it can answer; one that knows the connection no more says so.
			if _, err := conn.RequestWithContext(ctx, fmt.Sprintf(kickSubject, l.Server.ID), kick); err != nil {
				return fmt.Errorf("cut a connection of %s: %w", participant, err)
			}
		}
	}
}
