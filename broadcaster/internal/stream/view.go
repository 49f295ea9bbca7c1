package stream

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

// View is a stream as its playlists show it.
type View struct {
	Name          string
	TargetSeconds int
	Segments      []store.Segment // listed, in order
	Ended         bool            // the playlists are closed
	Live          bool
	InFlight      int
	Incarnation   uint32
	LastPush      time.Time
	Degraded      *Degraded // nil: everything is made of it

	stills *stills
	rungs  map[string]bool // that were asked for; whether the source can stand in
}

// View of one stream; false when nothing of it is or was published.
func (d *Desk) View(name string) (View, bool) {
	d.mu.Lock()
	s := d.streams[name]
	d.mu.Unlock()
	if s == nil {
		return View{}, false
	}
	v := s.view()
	return v, len(v.Segments) > 0
}

// Views of all streams, by name.
func (d *Desk) Views() []View {
	d.mu.Lock()
	defer d.mu.Unlock()
	views := make([]View, 0, len(d.streams))
	for _, s := range d.streams {
		views = append(views, s.view())
	}
	slices.SortFunc(views, func(a, b View) int { return strings.Compare(a.Name, b.Name) })
	return views
}

func (s *Stream) view() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := View{Name: s.name, TargetSeconds: s.target, Ended: s.ended, Live: s.live, InFlight: s.flying, Incarnation: s.epoch.incarnation, LastPush: s.lastPush, stills: s.stills, rungs: maps.Clone(s.rungs)}
	if d := s.descent; d.At() != route.Whole {
		v.Degraded = &Degraded{Step: d.At(), LeftOut: slices.Clone(d.Dropped), Why: s.why, Since: d.Since, Next: d.Next}
		for name := range s.rungs {
			if d.At() == route.Shed && !slices.Contains(d.Dropped, name) {
				v.Degraded.Made = append(v.Degraded.Made, name)
			}
		}
		slices.Sort(v.Degraded.Made)
	}
	from := 0
	if last := s.placed(); last != nil && s.desk.cfg.Retention > 0 {
		for from < len(s.window)-1 && last.PublishedAt.Sub(s.window[from].PublishedAt) > s.keepFor()/2 {
			from++
		}
	}
	v.Segments = slices.Clone(s.window[from:])
	return v
}

// Variants are the renditions of the listed segments, measured on them, in the order of the newest ladder.
func (v View) Variants() []playlist.Variant {
	var variants []playlist.Variant
	rates := make(map[string]*playlist.Rate)
	for _, seg := range slices.Backward(v.Segments) {
		for _, r := range seg.Renditions {
			if seg.Gap {
				continue
			}
			if rates[r.Name] == nil {
				rates[r.Name] = &playlist.Rate{}
				variants = append(variants, playlist.Variant{Name: r.Name, URI: r.Name + "/index.m3u8", Width: r.Width, Height: r.Height, FPS: r.FPS, Codecs: r.Codecs})
			}
			rates[r.Name].Add(uint64(r.Bytes), r.Duration)
		}
	}
	for i := range variants {
		variants[i].Bandwidth, variants[i].Average = rates[variants[i].Name].Peak(), rates[variants[i].Name].Average()
	}
	return variants
}

// Media is the playlist of one rendition; false when no listed segment has it and nobody asked for it. Where a segment lacks it,
// there is a gap, or the source where that is all there is: who plays this rung may not know of any other.
func (v View) Media(rendition string) (playlist.Media, bool) {
	m := playlist.Media{TargetSeconds: v.TargetSeconds, Ended: v.Ended}
	standIn, has := v.rungs[rendition]
	for _, seg := range v.Segments {
		e := playlist.Segment{MSN: seg.MSN, DiscontinuitySequence: seg.DiscontinuitySequence, Discontinuity: seg.Discontinuity, Gap: true,
			Duration: seg.Duration, At: seg.ProgramAt, URI: playlist.FileName(seg.Incarnation, seg.Seq, "lost", playlist.TSExtension)}
		for _, r := range seg.Renditions {
			switch {
			case seg.Gap:
			case r.Name == rendition:
				e.Gap, e.Duration, e.URI, e.Map, has = false, r.Duration, r.File, r.Init, true
			case seg.State == store.Passed && standIn:
				e.Gap, e.Duration, e.URI = false, r.Duration, "../"+SourceName+"/"+r.File
			}
		}
		m.Segments = append(m.Segments, e)
	}
	return m, has
}

// Read returns a kept rendition's bytes.
func (d *Desk) Read(seg protocol.SegmentKey, r store.Rendition) ([]byte, error) {
	media, err := d.cfg.Shelf.Read(seg.Stream, r.Name, r.File)
	if err != nil || r.Init == "" {
		return media, err
	}
	init, err := d.cfg.Shelf.Read(seg.Stream, r.Name, r.Init)
	if err != nil {
		return nil, err
	}
	return append(init, media...), nil
}
