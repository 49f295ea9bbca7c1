package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	askTimeout = 15 * time.Second
	maxAnswer  = 4 << 20 // bytes
)

// askRole sends a role a request over its HTTP face and decodes the answer; a refusal becomes its words.
func askRole[A any](ctx context.Context, method, url string, body any) (A, error) {
	var answer A
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var sent io.Reader
	if body != nil {
		sent = bytes.NewReader(protocol.Encode(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return answer, fmt.Errorf("ask %s: %w", url, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer, fmt.Errorf("ask %s: %w (is it running, and is that its address?)", url, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		var p protocol.Problem
		if json.Unmarshal(b, &p) == nil && p.Code != "" {
			return answer, p.Err()
		}
		return answer, fmt.Errorf("%s answered %s", url, resp.Status)
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return answer, fmt.Errorf("the answer of %s: %w", url, err)
	}
	return answer, nil
}

// rooted is an address given as host:port or URL, as a URL without a slash at its end.
func rooted(address string) string {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	return strings.TrimRight(address, "/")
}
