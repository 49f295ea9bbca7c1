package passport

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often files are looked at again, at most.
const lookEvery = time.Minute

// files are a certificate and its key as somebody else renews them.
type files struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	current atomic.Pointer[tls.Certificate]
	mu      sync.Mutex // held by whoever looks
	looked  time.Time
	changed [2]time.Time // of what was read last
}

// load reads them, once at least and then when they have changed.
func (f *files) load() error {
	f.looked = f.now()
	var changed [2]time.Time
	for i, name := range []string{f.cert, f.key} {
		about, err := os.Stat(name)
		if err != nil {
			return err
		}
		changed[i] = about.ModTime()
	}
	if f.current.Load() != nil && changed == f.changed {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.current.Store(&pair)
	f.changed = changed
	return nil
}

// certificate is what the files hold, or held when they could be read last. While one looks, others get the one there is.
func (f *files) certificate() *tls.Certificate {
	if f.mu.TryLock() {
		defer f.mu.Unlock()
		if f.now().Sub(f.looked) >= lookEvery {
			before := f.changed
			switch err := f.load(); {
			case err != nil:
				f.log.Error("cannot read the renewed --tls-cert and --tls-key; serving with the old ones and trying again", "err", err, "in", lookEvery)
			case f.changed != before:
				f.log.Info("--tls-cert and --tls-key were renewed")
			}
		}
	}
	return f.current.Load()
}
