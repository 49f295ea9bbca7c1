package auction

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Tree is a Merkle tree over numbered places that are filled and changed one by one: the bid book, or the figures of
// quality. Its root commits an auctioneer to all of them before the auction; a change costs one hash per level. Leaves and
// nodes are hashed under different prefixes, and the root binds the number of places. The zero Tree is empty.
type Tree struct {
	levels [][]protocol.Hash // leaves first; each a power of two wide
	places int
}

var (
	leafPrefix = []byte{0}
	nodePrefix = []byte{1}
	rootPrefix = []byte{2}
)

// Set fills place i with a leaf; the zero Hash empties it.
func (t *Tree) Set(i int, leaf protocol.Hash) {
	if len(t.levels) == 0 {
		t.levels = [][]protocol.Hash{make([]protocol.Hash, 1)}
	}
	for i >= len(t.levels[0]) { // one more level above, and every one twice as wide
		for l := range t.levels {
			t.levels[l] = append(t.levels[l], make([]protocol.Hash, len(t.levels[l]))...)
		}
		t.levels = append(t.levels, make([]protocol.Hash, 1))
		for l := 1; l < len(t.levels); l++ {
			for n := range t.levels[l] {
				t.levels[l][n] = node(t.levels[l-1][2*n], t.levels[l-1][2*n+1])
			}
		}
	}
	t.places = max(t.places, i+1)
	t.levels[0][i] = leaf
	for l := 1; l < len(t.levels); l++ {
		i /= 2
		t.levels[l][i] = node(t.levels[l-1][2*i], t.levels[l-1][2*i+1])
	}
}

// Root commits to every place.
func (t *Tree) Root() protocol.Hash {
	if len(t.levels) == 0 {
		return root(protocol.Hash{}, 0)
	}
	return root(t.levels[len(t.levels)-1][0], t.places)
}

// Proof shows that a leaf stands at a place of a Tree.
type Proof struct {
	Place    int             `json:"place"`
	Places   int             `json:"places"`
	Siblings []protocol.Hash `json:"siblings"` // from the leaf up
}

// Prove makes the proof for place i.
func (t *Tree) Prove(i int) (Proof, bool) {
	if i < 0 || i >= t.places {
		return Proof{}, false
	}
	p := Proof{Place: i, Places: t.places, Siblings: []protocol.Hash{}}
	for _, level := range t.levels[:len(t.levels)-1] {
		p.Siblings = append(p.Siblings, level[i^1])
		i /= 2
	}
	return p, true
}

// Holds reports whether leaf stands there in the tree of that root.
func (p Proof) Holds(leaf, committed protocol.Hash) bool {
	if p.Place < 0 || p.Place >= p.Places || len(p.Siblings) > 48 || p.Places > 1<<len(p.Siblings) {
		return false
	}
	i := p.Place
	for _, s := range p.Siblings {
		if i%2 == 0 {
			leaf = node(leaf, s)
		} else {
			leaf = node(s, leaf)
		}
		i /= 2
	}
	return root(leaf, p.Places) == committed
}

func node(left, right protocol.Hash) protocol.Hash {
	if left.IsZero() && right.IsZero() {
		return protocol.Hash{}
	}
	return hashOf(nodePrefix, left[:], right[:])
}

func root(top protocol.Hash, places int) protocol.Hash {
	return hashOf(rootPrefix, binary.BigEndian.AppendUint64(nil, uint64(places)), top[:])
}

func hashOf(parts ...[]byte) protocol.Hash {
	var b [128]byte
	buf := b[:0]
	for _, p := range parts {
		buf = append(buf, p...)
	}
	return sha256.Sum256(buf)
}

// Secret is what an orchestrator draws from while an epoch lasts and shows afterwards: ties and salts, which it can thus
// not choose to favour anyone.
type Secret struct{ key [32]byte }

// NewSecret draws one.
func NewSecret() Secret {
	var s Secret
	_, _ = rand.Read(s.key[:]) // never fails, says crypto/rand
	return s
}

// SecretOf is the one that was shown.
func SecretOf(key [32]byte) Secret { return Secret{key} }

// Show gives the secret away.
func (s Secret) Show() [32]byte { return s.key }

// Commitment may be published before the epoch is over.
func (s Secret) Commitment() protocol.Hash {
	return sha256.Sum256(append([]byte("kinora auction secret\x00"), s.key[:]...))
}

// Tie decides between equals in the n-th auction of a stream's incarnation at a ladder.
func (s Secret) Tie(payer common.Address, stream string, incarnation uint32, ladder protocol.Hash, n uint64) protocol.Hash {
	b := append([]byte("tie\x00"), payer[:]...)
	b = binary.BigEndian.AppendUint32(b, incarnation)
	b = append(b, ladder[:]...)
	b = binary.BigEndian.AppendUint64(b, n)
	return s.prf(append(b, stream...))
}

// Salt is that of t's figure.
func (s Secret) Salt(t common.Address) protocol.ID { return s.prf(append([]byte("salt\x00"), t[:]...)) }

func (s Secret) prf(b []byte) protocol.Hash {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write(b)
	return protocol.Hash(mac.Sum(nil))
}

// String does not show it.
func (s Secret) String() string { return "auction secret " + s.Commitment().Short() }

// GoString is String.
func (s Secret) GoString() string { return s.String() }
