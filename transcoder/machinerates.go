package transcoder

import (
	"sync"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

// machineRates are what the machine holds with every device; the meter sells by what is left of it while some fail.
type machineRates struct {
	cards *devices.Cards
	meter *capacity.Meter

	mu    sync.Mutex
	rates capacity.Rates
}

func (m *machineRates) set(r capacity.Rates) {
	m.mu.Lock()
	m.rates = r
	m.mu.Unlock()
	m.adjust()
}

// adjust follows a change of the devices that work.
func (m *machineRates) adjust() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meter.SetRates(m.cards.Rates(m.rates))
}
