package discover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// ListStore keeps the newest list of a URL; *store.Store is one.
type ListStore interface {
	List(ctx context.Context, url string) (list protocol.Signed[protocol.List], etag string, found bool, err error)
	SaveList(ctx context.Context, url string, list protocol.Signed[protocol.List], etag string) error
}

// Webhook fetches a list that its publisher signed. The last good one is used on while its URL is away or answers anything
// else: also over a restart.
type Webhook struct {
	URL       string
	Publisher common.Address
	Domain    protocol.Domain
	Store     ListStore
	Loopback  bool // take orchestrators on this machine
	Log       *slog.Logger

	client *http.Client
	list   protocol.Signed[protocol.List]
	etag   string
	found  bool
}

// Name is "webhook".
func (w *Webhook) Name() string { return "webhook" }

// Bounds of a fetch: its size, its time, and how soon and how late the next one is whatever max-age says.
const (
	maxList   = 1 << 20
	listTime  = 10 * time.Second
	soonest   = 5 * time.Second
	latest    = time.Hour
	unsaidAge = time.Minute
)

// ValidateListURL accepts https, and http on loopback.
func ValidateListURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && protocol.IsLoopback(u.Hostname())) {
		return fmt.Errorf("%q: want https://…, or http://… on loopback", text)
	}
	return nil
}

// Run tells what was kept at once, and fetches until ctx ends.
func (w *Webhook) Run(ctx context.Context, tell func([]protocol.Listing)) {
	w.client = &http.Client{Timeout: listTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer w.client.CloseIdleConnections()
	if err := w.load(ctx); err != nil && ctx.Err() == nil {
		w.Log.Warn("the kept list of orchestrators cannot be used", "err", err)
	}
	if w.found {
		tell(usable(w.list.Message.Orchestrators, w.Loopback, w.Log))
	}
	for ctx.Err() == nil {
		changed, next, err := w.fetch(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.Warn("the list of orchestrators cannot be fetched; the last one is used on", "url", w.URL, "sequence", w.list.Message.Sequence, "err", err)
		}
		if changed {
			tell(usable(w.list.Message.Orchestrators, w.Loopback, w.Log))
		}
		if !rest(ctx, next) {
			return
		}
	}
}

// load takes up what was kept, if its publisher is still the one.
func (w *Webhook) load(ctx context.Context) error {
	list, etag, found, err := w.Store.List(ctx, w.URL)
	if err != nil || !found {
		return err
	}
	if err := w.check(list); err != nil {
		return err
	}
	w.list, w.etag, w.found = list, etag, true
	return nil
}

func (w *Webhook) check(list protocol.Signed[protocol.List]) error {
	m, err := list.Open(w.Domain)
	if err != nil {
		return err
	}
	if m.Publisher != w.Publisher {
		return protocol.Errorf(protocol.BadSignature, "the list is %s's, the configured publisher is %s", m.Publisher, w.Publisher)
	}
	return nil
}

// fetch asks once, and says whether the list changed and when to ask again.
func (w *Webhook) fetch(ctx context.Context) (changed bool, next time.Duration, err error) {
	next = unsaidAge
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL, nil)
	if err != nil {
		return false, next, err
	}
	req.Header.Set("Accept", "application/json")
	if w.found && w.etag != "" {
		req.Header.Set("If-None-Match", w.etag)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return false, soonest, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return false, maxAge(resp.Header), nil
	case http.StatusOK:
	default:
		return false, next, fmt.Errorf("answered %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxList+1))
	if err != nil {
		return false, soonest, err
	}
	if len(body) > maxList {
		return false, next, fmt.Errorf("the list has more than %d bytes", maxList)
	}
	var list protocol.Signed[protocol.List]
	if err := json.Unmarshal(body, &list); err != nil {
		return false, next, fmt.Errorf("the list: %w", err)
	}
	if err := w.check(list); err != nil {
		return false, next, err
	}
	next = maxAge(resp.Header)
	if w.found {
		same := list.Message.StructHash() == w.list.Message.StructHash()
		switch was := w.list.Message.Sequence; {
		case list.Message.Sequence < was:
			return false, next, fmt.Errorf("the list has sequence %d, number %d was seen before", list.Message.Sequence, was)
		case list.Message.Sequence == was && !same:
			return false, next, errors.New("the list changed and its sequence did not")
		}
		changed = !same
	} else {
		changed = true
	}
	etag := resp.Header.Get("ETag")
	if err := w.Store.SaveList(ctx, w.URL, list, etag); err != nil {
		return false, soonest, err
	}
	w.list, w.etag, w.found = list, etag, true
	return changed, next, nil
}

// maxAge is how long an answer says that it stays fresh, within bounds.
func maxAge(h http.Header) time.Duration {
	for _, field := range strings.Split(h.Get("Cache-Control"), ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(strings.ToLower(field)), "max-age="); ok {
			if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
				return min(latest, max(soonest, time.Duration(seconds)*time.Second))
			}
		}
	}
	return unsaidAge
}
