package embedded

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/kinora/kinora/internal/bus/entry"
)

// logger hands the server's lines to slog.
type logger struct {
	log     *slog.Logger
	sparing entry.Sparing // clients can bring about most of them
}

// theirs are words of the errors that clients make, as often as they like. What goes wrong in their handshakes and permissions is theirs
// to tell, and each that meets a new certificate breaks a handshake off; who is refused, and why, the gate says.
var theirs = []string{"TLS handshake error", "authentication error", "Violation", "parser ERROR", "maximum control line", "maximum payload", "maximum subscriptions"}

func (l *logger) write(level slog.Level, format string, args []any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	for _, words := range theirs {
		if level > slog.LevelDebug && strings.Contains(text, words) {
			level = slog.LevelDebug
		}
	}
	l.sparing.Log(l.log, level, "nats: "+text)
}

func (l *logger) Noticef(format string, args ...any) { l.write(slog.LevelDebug, format, args) }
func (l *logger) Warnf(format string, args ...any)   { l.write(slog.LevelWarn, format, args) }
func (l *logger) Errorf(format string, args ...any)  { l.write(slog.LevelError, format, args) }
func (l *logger) Fatalf(format string, args ...any) {
	l.log.Error("nats: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}
func (l *logger) Debugf(format string, args ...any) { l.write(slog.LevelDebug, format, args) }
func (l *logger) Tracef(format string, args ...any) { l.write(slog.LevelDebug, format, args) }
