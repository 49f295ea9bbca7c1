package chain

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/internal/protocol"
)

// How endpoints are watched.
const (
	callTimeout = 10 * time.Second // of one call to one endpoint
	probeEvery  = 2 * time.Second
	maxLag      = 3 // blocks behind the others before an endpoint is passed over
	firstRest   = 500 * time.Millisecond
	longestRest = 30 * time.Second
)

// endpoint is one node. Its URL may hold an access key, so name, its scheme and host, is what anybody gets to see.
type endpoint struct {
	name string
	eth  *ethclient.Client

	mu        sync.Mutex
	checked   bool // it answered, and serves the chain we want
	foreign   bool // it serves another chain
	head      uint64
	failures  int
	restUntil time.Time
}

// endpoints are the nodes of one chain, the preferred first. Questions go to the first that is well and not behind; where
// it fails, to the next. Transactions go to all of them.
type endpoints struct {
	all     []*endpoint
	chainID uint64
	timeout time.Duration
	stop    context.CancelFunc
	work    sync.WaitGroup // the prober, and broadcasts that nobody waits for
}

// CheckURLs refuses what cannot be the addresses of nodes, separated by commas, before anybody dials them.
func CheckURLs(urls string) error {
	some := false
	for s := range strings.SplitSeq(urls, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		if u, err := url.Parse(s); err != nil || u.Scheme == "" {
			return fmt.Errorf("%s is no URL: want one such as http://127.0.0.1:8545, or several separated by commas", nameOf(s))
		}
		some = true
	}
	if !some {
		return errors.New("the URL of a node is needed, such as http://127.0.0.1:8545")
	}
	return nil
}

func dialEndpoints(ctx context.Context, urls string, timeout time.Duration) (*endpoints, error) {
	p := &endpoints{timeout: timeout, stop: func() {}}
	for u := range strings.SplitSeq(urls, ",") {
		u = strings.TrimSpace(u)
		if u == "" {
			continue
		}
		name := nameOf(u)
		eth, err := ethclient.DialContext(ctx, u)
		if err != nil {
			p.close()
			return nil, protocol.Errorf(protocol.Unavailable, "dial chain at %s: %w (check --chain-rpc)", name, hide(err, name))
		}
		p.all = append(p.all, &endpoint{name: name, eth: eth})
	}
	if len(p.all) == 0 {
		return nil, errors.New("chain-rpc: no address given: want the URL of a node, or several separated by commas")
	}
	if err := p.learnChain(ctx); err != nil {
		p.close()
		return nil, err
	}
	if len(p.all) > 1 {
		probing, stop := context.WithCancel(context.WithoutCancel(ctx))
		p.stop = stop
		p.probe(probing)
		p.work.Go(func() {
			ticker := time.NewTicker(probeEvery)
			defer ticker.Stop()
			for {
				select {
				case <-probing.Done():
					return
				case <-ticker.C:
					p.probe(probing)
				}
			}
		})
	}
	return p, nil
}

// learnChain takes the chain id of the first endpoint that answers; the others are checked against it when they do.
func (p *endpoints) learnChain(ctx context.Context) error {
	var failures []error
	for _, e := range p.all {
		call, cancel := context.WithTimeout(ctx, p.timeout)
		id, err := e.eth.ChainID(call)
		cancel()
		switch {
		case err != nil:
			failures = append(failures, fmt.Errorf("ask chain at %s for its id: %w", e.name, hide(err, e.name)))
		case !id.IsUint64():
			return fmt.Errorf("chain id %s of %s does not fit 64 bits", id, e.name)
		case p.chainID != 0 && p.chainID != id.Uint64():
			return fmt.Errorf("chain-rpc: %s serves chain %d, another of the nodes chain %d: name nodes of one chain", e.name, id.Uint64(), p.chainID)
		default:
			p.chainID, e.checked = id.Uint64(), true
		}
	}
	if p.chainID == 0 {
		return protocol.Errorf(protocol.Unavailable, "%w (check --chain-rpc)", errors.Join(failures...))
	}
	return nil
}

func (p *endpoints) close() {
	p.stop()
	for _, e := range p.all {
		e.eth.Close()
	}
	p.work.Wait()
}

// probe asks every endpoint for its newest block.
func (p *endpoints) probe(ctx context.Context) {
	var wg sync.WaitGroup
	for _, e := range p.all {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, p.timeout)
			defer cancel()
			e.mu.Lock()
			checked := e.checked
			e.mu.Unlock()
			if !checked {
				id, err := e.eth.ChainID(ctx)
				if err != nil {
					e.failed()
					return
				}
				e.mu.Lock()
				e.checked, e.foreign = true, !id.IsUint64() || id.Uint64() != p.chainID
				e.mu.Unlock()
			}
			head, err := e.eth.BlockNumber(ctx)
			if err != nil {
				e.failed()
				return
			}
			e.answered()
			e.mu.Lock()
			e.head = head
			e.mu.Unlock()
		})
	}
	wg.Wait()
}

func (e *endpoint) answered() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failures, e.restUntil = 0, time.Time{}
}

func (e *endpoint) failed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.restUntil = time.Now().Add(min(firstRest<<min(e.failures, 10), longestRest))
	e.failures++
}

// EndpointHealth is how one node is seen. The name leaves out what may be an access key.
type EndpointHealth struct {
	Name   string `json:"name"`
	Usable bool   `json:"usable"`
	Head   uint64 `json:"head"`
	Why    string `json:"why,omitempty"` // it is not usable
}

// health judges all endpoints at one moment.
func (p *endpoints) health(now time.Time) []EndpointHealth {
	out := make([]EndpointHealth, len(p.all))
	var heads []uint64
	for i, e := range p.all {
		e.mu.Lock()
		out[i] = EndpointHealth{Name: e.name, Head: e.head}
		switch {
		case e.foreign:
			out[i].Why = "serves another chain"
		case now.Before(e.restUntil):
			out[i].Why = "does not answer"
		default:
			heads = append(heads, e.head)
		}
		e.mu.Unlock()
	}
	slices.Sort(heads)
	// Of three or more, one alone cannot put the others behind by claiming a block nobody else has.
	var head uint64
	switch n := len(heads); {
	case n >= 3:
		head = heads[n-2]
	case n > 0:
		head = heads[n-1]
	}
	for i := range out {
		if h := &out[i]; h.Why == "" {
			if h.Usable = h.Head+maxLag >= head; !h.Usable {
				h.Why = fmt.Sprintf("is %d blocks behind", head-h.Head)
			}
		}
	}
	return out
}

// order is who to ask: the well ones, then those that are behind or failed lately, since one of them is better than nobody.
func (p *endpoints) order() (well, rest []*endpoint) {
	if len(p.all) == 1 {
		return p.all, nil
	}
	for i, h := range p.health(time.Now()) {
		switch e := p.all[i]; {
		case h.Usable:
			well = append(well, e)
		case h.Why != "serves another chain":
			rest = append(rest, e)
		}
	}
	return well, rest
}

// ask puts a question to one endpoint after another until one answers. A refusal of the chain's is an answer.
func ask[T any](ctx context.Context, p *endpoints, question func(context.Context, *ethclient.Client) (T, error)) (T, error) {
	var zero T
	var failures []error
	well, rest := p.order()
	for _, e := range slices.Concat(well, rest) {
		answer, err := askOne(ctx, p, e, question)
		if err == nil || ctx.Err() != nil || isAnswer(err) {
			return answer, err
		}
		failures = append(failures, fmt.Errorf("%s: %w", e.name, err))
	}
	return zero, errors.Join(failures...)
}

// askEvery asks like ask, and goes on to the other well endpoints as long as the answer is that something is not there.
func askEvery[T any](ctx context.Context, p *endpoints, question func(context.Context, *ethclient.Client) (T, error)) (T, error) {
	well, rest := p.order()
	if len(well) == 0 {
		well = rest
	}
	var zero T
	var failures []error
	missing := false
	for _, e := range well {
		answer, err := askOne(ctx, p, e, question)
		switch {
		case err == nil || ctx.Err() != nil:
			return answer, err
		case errors.Is(err, ethereum.NotFound):
			missing = true
		case isAnswer(err):
			return answer, err
		default:
			failures = append(failures, fmt.Errorf("%s: %w", e.name, err))
		}
	}
	if missing {
		return zero, ethereum.NotFound
	}
	return zero, errors.Join(failures...)
}

func askOne[T any](ctx context.Context, p *endpoints, e *endpoint, question func(context.Context, *ethclient.Client) (T, error)) (T, error) {
	call, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	answer, err := question(call, e.eth)
	switch {
	case err == nil || isAnswer(err):
		e.answered()
	case ctx.Err() != nil:
	default:
		e.failed()
		if call.Err() != nil { // not the caller's deadline: nothing that asks errors.Is should take it for that
			err = fmt.Errorf("no answer within %s", p.timeout)
		} else {
			err = hide(err, e.name)
		}
	}
	return answer, err
}

// send gives a transaction to every endpoint, so that one that drops it does no harm. It returns once one took it.
func (p *endpoints) send(ctx context.Context, tx *types.Transaction) error {
	if len(p.all) == 1 {
		_, err := askOne(ctx, p, p.all[0], func(ctx context.Context, eth *ethclient.Client) (struct{}, error) {
			return struct{}{}, eth.SendTransaction(ctx, tx)
		})
		return err
	}
	results := make(chan error, len(p.all))
	well, rest := p.order()
	everybody := slices.Concat(well, rest)
	for _, e := range everybody {
		p.work.Go(func() {
			_, err := askOne(context.WithoutCancel(ctx), p, e, func(ctx context.Context, eth *ethclient.Client) (struct{}, error) {
				return struct{}{}, eth.SendTransaction(ctx, tx)
			})
			if err != nil && !isAnswer(err) {
				err = fmt.Errorf("%s: %w", e.name, err)
			}
			results <- err
		})
	}
	var refused, failures error
	for range everybody {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-results:
			switch {
			case err == nil || isKnown(err):
				return nil
			case isAnswer(err):
				refused = err
			default:
				failures = errors.Join(failures, err)
			}
		}
	}
	if refused != nil {
		return refused
	}
	return failures
}

// JSON-RPC codes with which a node speaks of itself, not of the question.
var nodeTrouble = map[int]bool{-32001: true, -32002: true, -32005: true, -32601: true, -32603: true}

// isAnswer reports whether err is what the chain says, so that another endpoint would say the same.
func isAnswer(err error) bool {
	if errors.Is(err, ethereum.NotFound) {
		return true
	}
	var data rpc.DataError
	if errors.As(err, &data) && data.ErrorData() != nil { // a contract spoke
		return true
	}
	var e rpc.Error
	return errors.As(err, &e) && !nodeTrouble[e.ErrorCode()]
}

// isKnown reports a transaction that the node has, or whose TxNonce was used. Nodes have no codes for these.
func isKnown(err error) bool {
	s := err.Error()
	return strings.Contains(s, "already known") || strings.Contains(s, "already imported") || strings.Contains(s, "nonce too low")
}

// nameOf is what may be shown of a URL: a path or a user often is an access key.
func nameOf(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		if strings.Contains(s, "://") || strings.Contains(s, "@") {
			return "the node"
		}
		return s // a socket's path
	}
	return u.Scheme + "://" + u.Host
}

// hide takes the URL out of an error of the HTTP client's.
func hide(err error, name string) error {
	var e *url.Error
	if errors.As(err, &e) {
		e.URL = name
	}
	return err
}
