package bustest

import (
	"bytes"
	"sync"
)

// Log keeps what is written to it.
type Log struct {
	mu sync.Mutex
	to bytes.Buffer
}

// Write is io.Writer's.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}

// String is all of it so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.String()
}
