package fleet

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/route"
)

// Owned is t with its owner, as it says itself in the record of its machine. Who says nothing is its own.
func (f *Fleet) Owned(t common.Address) route.Owned[common.Address] {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members[t].owned(t)
}

// Owners are the members that name an owner.
func (f *Fleet) Owners() []route.Owned[common.Address] {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []route.Owned[common.Address]
	for t, m := range f.members {
		if o := m.owned(t); o.Owner != "" {
			all = append(all, o)
		}
	}
	return all
}

func (m *member) owned(t common.Address) route.Owned[common.Address] {
	o := route.Owned[common.Address]{Node: t}
	if m != nil && m.record != nil && m.record.Owner != (common.Address{}) {
		o.Owner = m.record.Owner.Hex()
	}
	return o
}
