package market

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/kinora/kinora/internal/route"
)

// Log writes decisions as lines of JSON into a file, which is put aside when it has grown; the file put aside before goes.
// Nothing depends on it: what cannot be written is counted and forgotten.
type Log struct {
	path string
	most int64
	log  *slog.Logger

	mu   sync.Mutex
	file *os.File
	size int64
	lost uint64
}

// maxLog is the size at which a log is put aside.
const maxLog = 16 << 20

// OpenLog appends to the file at path, and puts it aside as path.1 before it has more than most bytes (0: 16 MiB).
func OpenLog(path string, most int64, log *slog.Logger) (*Log, error) {
	if most <= 0 {
		most = maxLog
	}
	l := &Log{path: path, most: most, log: log}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open the log of decisions: %w", err)
	}
	return l, nil
}

func (l *Log) open() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	st, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return err
	}
	l.file, l.size = file, st.Size()
	return nil
}

// Write adds a decision.
func (l *Log) Write(d route.Decision) {
	if l == nil {
		return
	}
	line, err := json.Marshal(d)
	if err == nil {
		err = l.write(append(line, '\n'))
	}
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.lost++; l.lost&(l.lost-1) == 0 { // the first, and then ever less often
			l.log.Warn("decisions cannot be written down", "file", l.path, "lost", l.lost, "err", err)
		}
	}
}

func (l *Log) write(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil || l.size > 0 && l.size+int64(len(line)) > l.most {
		if l.file != nil {
			_ = l.file.Close()
			l.file = nil
			if err := os.Rename(l.path, l.path+".1"); err != nil {
				return err
			}
		}
		if err := l.open(); err != nil {
			return err
		}
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	return err
}

// Close ends it.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
