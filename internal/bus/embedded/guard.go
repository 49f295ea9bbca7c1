package embedded

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/kinora/kinora/internal/bus/entry"
)

// maxOwn bounds the connections of one participant. Those whose other end has vanished count for some seconds more.
const maxOwn = 32

// guard asks the gate about every connection.
type guard struct {
	life context.Context
	gate *entry.Gate
	open func(id uint64) bool
	log  *slog.Logger

	mu    sync.Mutex
	conns map[common.Address][]uint64 // that were let in
}

// Check is the server's authentication; it runs on a goroutine of the connection's own.
func (g *guard) Check(c server.ClientAuthentication) bool {
	said := c.GetOpts()
	pass, err := g.gate.Enter(g.life, entry.Claim{Participant: said.Nkey, Role: said.Username, Market: said.Password,
		Nonce: string(c.GetNonce()), Signature: said.Sig, JoinToken: said.Token, From: c.RemoteAddress().String()})
	if err != nil {
		return false
	}
	if !g.count(pass.Participant, c.GetID()) {
		if g.log != nil {
			g.log.Debug("a connection to NATS was refused: its participant has enough", "participant", pass.Participant, "connections", maxOwn)
		}
		return false
	}
	c.RegisterUser(&server.User{Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: pass.Permissions.Publish},
		Subscribe: &server.SubjectPermission{Allow: pass.Permissions.Subscribe},
		Response:  &server.ResponsePermission{MaxMsgs: entry.Answers, Expires: entry.AnswerTime},
	}})
	return true
}

// count takes one more connection of a participant, unless it has enough.
func (g *guard) count(who common.Address, id uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	closed := func(id uint64) bool { return !g.open(id) }
	if len(g.conns) > maxConns { // of some nobody is left
		maps.DeleteFunc(g.conns, func(_ common.Address, own []uint64) bool { return !slices.ContainsFunc(own, g.open) })
	}
	own := slices.DeleteFunc(g.conns[who], closed)
	if len(own) >= maxOwn {
		g.conns[who] = own
		return false
	}
	g.conns[who] = append(own, id)
	return true
}
