package stream

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/storyboard"
	"github.com/kinora/kinora/internal/protocol"
)

// Stills are made when somebody asks, of renditions that are listed anyway, and once each: who watches no storyboard pays nothing.
const (
	stillWidth, stillHeight = 320, 320 // what a still fits in
	maxShots                = 60       // of a storyboard; of a longer playlist it shows every second segment, or fewer
	storyboardColumns       = 10
	stillTime               = 10 * time.Second
)

// stills keeps those of one stream.
type stills struct {
	turn  chan struct{} // holds one token while nobody makes any
	mu    sync.Mutex
	made  map[protocol.SegmentKey][]byte
	sheet storyboardOf
}

// storyboardOf is the newest storyboard and the segments it shows.
type storyboardOf struct {
	shows      []protocol.SegmentKey
	sheet, vtt []byte
}

func newStills() *stills {
	return &stills{turn: make(chan struct{}, 1), made: make(map[protocol.SegmentKey][]byte)}
}

// Thumbnail is a JPEG of the newest listed segment's first picture.
func (d *Desk) Thumbnail(ctx context.Context, v View) ([]byte, error) {
	for _, seg := range slices.Backward(v.Segments) {
		if !seg.Gap {
			return d.still(ctx, v, seg)
		}
	}
	return nil, protocol.Errorf(protocol.NotFound, "stream %.70q has nothing but gaps to show", v.Name)
}

// Storyboard is a sheet of the listed segments' first pictures, and the WebVTT that says where each is in the sheet at url;
// times count from the first listed segment.
func (d *Desk) Storyboard(ctx context.Context, v View, url string) (sheet, vtt []byte, err error) {
	var shows []store.Segment
	var from []time.Duration
	var at time.Duration
	step := (len(v.Segments) + maxShots - 1) / maxShots
	for i, seg := range v.Segments {
		if i%max(step, 1) == 0 && !seg.Gap {
			shows, from = append(shows, seg), append(from, at)
		}
		at += seg.Duration
	}
	if len(shows) == 0 {
		return nil, nil, protocol.Errorf(protocol.NotFound, "stream %.70q has nothing but gaps to show", v.Name)
	}
	keys := make([]protocol.SegmentKey, len(shows))
	for i, seg := range shows {
		keys[i] = seg.SegmentKey
	}
	st := v.stills
	st.mu.Lock()
	made := st.sheet
	st.mu.Unlock()
	if slices.Equal(made.shows, keys) {
		return made.sheet, made.vtt, nil
	}
	shots := make([]storyboard.Shot, len(shows))
	for i, seg := range shows {
		shot, err := d.still(ctx, v, seg)
		if err != nil {
			return nil, nil, err
		}
		shots[i] = storyboard.Shot{JPEG: shot, From: from[i], To: at}
		if i > 0 {
			shots[i-1].To = from[i]
		}
	}
	if sheet, vtt, err = storyboard.Sheet(shots, storyboardColumns, url); err != nil {
		return nil, nil, fmt.Errorf("stream %s: %w", v.Name, err)
	}
	st.mu.Lock()
	st.sheet = storyboardOf{keys, sheet, vtt}
	st.mu.Unlock()
	return sheet, vtt, nil
}

// still is the JPEG of one listed segment.
func (d *Desk) still(ctx context.Context, v View, seg store.Segment) ([]byte, error) {
	st := v.stills
	known := func() []byte {
		st.mu.Lock()
		defer st.mu.Unlock()
		return st.made[seg.SegmentKey]
	}
	if b := known(); b != nil {
		return b, nil
	}
	select {
	case st.turn <- struct{}{}:
		defer func() { <-st.turn }()
	case <-ctx.Done():
		return nil, protocol.Errorf(protocol.Cancelled, "nobody waits for the picture any more: %w", ctx.Err())
	}
	if b := known(); b != nil {
		return b, nil
	}
	if d.cfg.Verify.Meter == nil || len(seg.Renditions) == 0 {
		return nil, protocol.Errorf(protocol.NotFound, "stream %.70q has no pictures", v.Name)
	}
	// The smallest rendition that is large enough, else the largest.
	best := slices.MaxFunc(seg.Renditions, func(a, b store.Rendition) int {
		rank := func(r store.Rendition) int {
			if r.Width >= stillWidth || r.Height >= stillHeight {
				return 1<<30 - r.Width*r.Height
			}
			return r.Width * r.Height
		}
		return cmp.Compare(rank(a), rank(b))
	})
	if best.Width == 0 {
		return nil, protocol.Errorf(protocol.NotFound, "stream %.70q has no pictures", v.Name)
	}
	b, err := d.Read(seg.SegmentKey, best)
	if errors.Is(err, os.ErrNotExist) {
		return nil, protocol.Errorf(protocol.NotFound, "segment %s is no longer kept", seg.SegmentKey)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, stillTime)
	defer cancel()
	still, err := d.cfg.Verify.Meter.Still(ctx, "stills of "+v.Name, bytes.NewReader(b), media.Still{Format: "jpeg", Width: stillWidth, Height: stillHeight})
	if err != nil {
		return nil, fmt.Errorf("picture of segment %s: %w", seg.SegmentKey, err)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	listed := make(map[protocol.SegmentKey]bool, len(v.Segments))
	for _, x := range v.Segments {
		listed[x.SegmentKey] = true
	}
	maps.DeleteFunc(st.made, func(k protocol.SegmentKey, _ []byte) bool { return !listed[k] })
	st.made[seg.SegmentKey] = still
	return still, nil
}
