// Package chaintest helps tests that need a chain to misbehave: a node that spoils what passes it, and anvil, which can
// take blocks back.
package chaintest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// Call is one JSON-RPC question on its way through a Node.
type Call struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params"`

	node  *Node
	ended <-chan struct{} // who asked has gone
}

// Spoil answers a call in the chain's place, or passes it on with Forward, before or after it changed something. ok false
// breaks the connection.
type Spoil func(c *Call) (result json.RawMessage, ok bool)

// Node is a JSON-RPC server in front of a real one.
type Node struct {
	t        testing.TB
	server   *httptest.Server
	upstream string

	mu    sync.Mutex
	spoil Spoil
	calls map[string]int
	sent  []*types.Transaction
}

// NewNode serves the chain at upstream until the test ends.
func NewNode(t testing.TB, upstream string) *Node {
	t.Helper()
	n := &Node{t: t, upstream: upstream, calls: map[string]int{}}
	n.server = httptest.NewServer(http.HandlerFunc(n.serve))
	t.Cleanup(func() { n.server.CloseClientConnections(); n.server.Close() })
	return n
}

// URL is where it is served.
func (n *Node) URL() string { return n.server.URL }

// Spoil changes what the node does from now on; nil makes it honest.
func (n *Node) Spoil(s Spoil) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spoil = s
}

// Calls is how often a method was asked.
func (n *Node) Calls(method string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls[method]
}

// Sent are the transactions it was given, each as often as it came.
func (n *Node) Sent() []*types.Transaction {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*types.Transaction(nil), n.sent...)
}

func (n *Node) serve(w http.ResponseWriter, req *http.Request) {
	c := &Call{node: n, ended: req.Context().Done()}
	if err := json.NewDecoder(req.Body).Decode(c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	n.calls[c.Method]++
	spoil := n.spoil
	if c.Method == "eth_sendRawTransaction" && len(c.Params) == 1 {
		var raw hexutil.Bytes
		tx := new(types.Transaction)
		if json.Unmarshal(c.Params[0], &raw) == nil && tx.UnmarshalBinary(raw) == nil {
			n.sent = append(n.sent, tx)
		}
	}
	n.mu.Unlock()
	answer, ok := json.RawMessage(nil), false
	if spoil == nil {
		answer, ok = c.Forward()
	} else {
		answer, ok = spoil(c)
	}
	if !ok {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	if len(answer) > 0 && answer[0] == '!' { // an error object
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":%s}`, c.ID, answer[1:])
		return
	}
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, c.ID, answer)
}

// Forward asks the real chain. A JSON-RPC error comes as "!" and its object, which Spoil may hand on as it is.
func (c *Call) Forward() (json.RawMessage, bool) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, false
	}
	resp, err := http.Post(c.node.upstream, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	var answer struct{ Result, Error json.RawMessage }
	if err != nil || json.Unmarshal(b, &answer) != nil {
		return nil, false
	}
	if answer.Error != nil {
		return append(json.RawMessage("!"), answer.Error...), true
	}
	return answer.Result, true
}

// Hang answers nothing until who asked gives up.
func (c *Call) Hang() (json.RawMessage, bool) {
	select {
	case <-c.ended:
	case <-time.After(time.Minute):
	}
	return nil, false
}

// Number reads a hexadecimal answer.
func Number(r json.RawMessage) (uint64, bool) {
	var n hexutil.Uint64
	err := json.Unmarshal(r, &n)
	return uint64(n), err == nil
}

// Hex writes one.
func Hex(n uint64) json.RawMessage { return json.RawMessage(`"` + hexutil.EncodeUint64(n) + `"`) }

// Lagging is a node that knows nothing of the newest blocks.
func Lagging(blocks uint64) Spoil {
	return func(c *Call) (json.RawMessage, bool) {
		head, ok := (&Call{Version: "2.0", ID: c.ID, Method: "eth_blockNumber", Params: []json.RawMessage{}, node: c.node}).Forward()
		n, isNumber := Number(head)
		if !ok || !isNumber {
			return nil, false
		}
		known := n - min(n, blocks)
		switch c.Method {
		case "eth_blockNumber":
			return Hex(known), true
		case "eth_getTransactionReceipt":
			r, ok := c.Forward()
			var at struct{ BlockNumber hexutil.Uint64 }
			if ok && json.Unmarshal(r, &at) == nil && uint64(at.BlockNumber) > known {
				return json.RawMessage("null"), true
			}
			return r, ok
		case "eth_estimateGas":
			if len(c.Params) == 1 {
				c.Params = append(c.Params, Hex(known))
			}
		}
		for i, p := range c.Params {
			if s := string(p); s == `"latest"` || s == `"pending"` {
				c.Params[i] = Hex(known)
			}
		}
		return c.Forward()
	}
}

// Counting is a node that is wrong about TxNonces by so many.
func Counting(by int) Spoil {
	return func(c *Call) (json.RawMessage, bool) {
		r, ok := c.Forward()
		if n, isNumber := Number(r); ok && isNumber && c.Method == "eth_getTransactionCount" {
			return Hex(uint64(max(int(n)+by, 0))), true
		}
		return r, ok
	}
}

// Dear is a node at which gas costs so many times what it does.
func Dear(times uint64) Spoil {
	return func(c *Call) (json.RawMessage, bool) {
		r, ok := c.Forward()
		switch {
		case !ok || len(r) == 0 || r[0] == '!':
		case c.Method == "eth_getBlockByNumber":
			var block map[string]json.RawMessage
			if json.Unmarshal(r, &block) == nil {
				if fee, isNumber := Number(block["baseFeePerGas"]); isNumber {
					block["baseFeePerGas"] = Hex(fee * times)
					r, _ = json.Marshal(block)
				}
			}
		case c.Method == "eth_maxPriorityFeePerGas":
			if fee, isNumber := Number(r); isNumber {
				r = Hex(fee * times)
			}
		}
		return r, ok
	}
}

// Dropping is a node that takes so many transactions and forgets them.
func Dropping(times int) Spoil {
	var mu sync.Mutex
	return func(c *Call) (json.RawMessage, bool) {
		mu.Lock()
		drop := c.Method == "eth_sendRawTransaction" && times > 0
		if drop {
			times--
		}
		mu.Unlock()
		if !drop {
			return c.Forward()
		}
		var raw hexutil.Bytes
		tx := new(types.Transaction)
		if json.Unmarshal(c.Params[0], &raw) != nil || tx.UnmarshalBinary(raw) != nil {
			return nil, false
		}
		return json.RawMessage(`"` + tx.Hash().Hex() + `"`), true
	}
}

// Doubling is a node that passes every transaction on twice and answers what the second try came to.
func Doubling(c *Call) (json.RawMessage, bool) {
	if strings.HasPrefix(c.Method, "eth_send") {
		c.Forward()
	}
	return c.Forward()
}
