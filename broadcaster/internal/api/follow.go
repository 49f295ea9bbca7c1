package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Follow hands the events of the orchestrator at url to into until ctx ends, through any break.
func Follow(ctx context.Context, client *http.Client, url string, into func(protocol.Event), log *slog.Logger) {
	last, pause := "", time.Second
	for ctx.Err() == nil {
		began := time.Now()
		err := followOnce(ctx, client, url, into, &last)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > 10*time.Second {
			pause = time.Second
		}
		log.Debug("an orchestrator's events broke off", "url", url, "err", err, "again_in", pause)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, 15*time.Second)
	}
}

func followOnce(ctx context.Context, client *http.Client, url string, into func(protocol.Event), last *string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 4096), protocol.MaxMessage)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			*last = value
		case "data":
			if e, err := protocol.Decode[protocol.Event]([]byte(value)); err == nil && e.Role != "broadcaster" { // no orchestrator speaks for one
				into(e)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("it ended")
}
