// Package playlist writes HLS playlists (RFC 8216) and keeps the segment files they name.
package playlist

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Content types of what is served.
const (
	Type        = "application/vnd.apple.mpegurl"
	SegmentType = "video/mp2t"
	MP4Type     = "video/mp4"
)

// Segment is one entry of a Media playlist.
type Segment struct {
	MSN                   uint64 // media sequence number
	DiscontinuitySequence uint64 // how many discontinuities were published up to it, its own included
	Discontinuity         bool   // its timeline does not follow its predecessor's
	Gap                   bool   // lost: URI names nothing
	Duration              time.Duration
	At                    time.Time // of its first picture
	URI                   string
	Map                   string // URI of the init segment; empty: it needs none
}

// Media is one rendition's playlist. Segments have consecutive media sequence numbers.
type Media struct {
	TargetSeconds int
	Segments      []Segment
	Ended         bool
}

// Encode writes m. EXTINF rounds up to a multiple of 10 µs, so sums never run behind the media.
func (m Media) Encode() []byte {
	var b strings.Builder
	version := 3
	for _, s := range m.Segments {
		if s.Map != "" {
			version = max(version, 7) // EXT-X-MAP, fMP4
		}
		if s.Gap {
			version = 8 // EXT-X-GAP
		}
	}
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:%d\n", version, m.TargetSeconds)
	if len(m.Segments) > 0 {
		first := m.Segments[0]
		removed := first.DiscontinuitySequence
		if first.Discontinuity {
			removed-- // its own tag is still here: players count it when they meet it
		}
		fmt.Fprintf(&b, "#EXT-X-MEDIA-SEQUENCE:%d\n", first.MSN)
		if removed > 0 {
			fmt.Fprintf(&b, "#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", removed)
		}
	}
	init := ""
	for _, s := range m.Segments {
		if s.Discontinuity {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		if s.Map != "" && s.Map != init {
			fmt.Fprintf(&b, "#EXT-X-MAP:URI=\"%s\"\n", s.Map)
			init = s.Map
		}
		if s.Gap {
			b.WriteString("#EXT-X-GAP\n")
		}
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:%s,\n%s\n",
			s.At.UTC().Format("2006-01-02T15:04:05.000Z"), seconds(s.Duration), s.URI)
	}
	if m.Ended {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return []byte(b.String())
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(math.Ceil(float64(d.Microseconds())/10)/1e5, 'f', 5, 64)
}

// TargetSeconds is the EXT-X-TARGETDURATION that segments of d fit: EXTINF rounded to the nearest second never exceeds it.
func TargetSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()-0.001))) }

// Variant is one rendition in a multivariant playlist. Everything in it was measured on the rendition's segments.
type Variant struct {
	URI           string
	Name          string
	Bandwidth     uint64 // bit/s, the highest of any segment
	Average       uint64 // bit/s
	Width, Height int    // 0: sound alone
	FPS           float64
	Codecs        string
}

// Multivariant writes the playlist of playlists, in the order given.
func Multivariant(variants []Variant) []byte {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n")
	for _, v := range variants {
		fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=\"%s\"", v.Bandwidth, v.Average, v.Codecs)
		if v.Width > 0 {
			fmt.Fprintf(&b, ",RESOLUTION=%dx%d,FRAME-RATE=%.3f", v.Width, v.Height, v.FPS)
		}
		fmt.Fprintf(&b, "\n%s\n", v.URI)
	}
	return []byte(b.String())
}

// Rate measures a rendition's bandwidth over its segments.
type Rate struct {
	peak  uint64
	bits  float64
	total time.Duration
}

// Add counts one segment.
func (r *Rate) Add(bytes uint64, d time.Duration) {
	if d <= 0 {
		return
	}
	r.bits += 8 * float64(bytes)
	r.total += d
	r.peak = max(r.peak, uint64(math.Ceil(8*float64(bytes)/d.Seconds())))
}

// Peak is the highest bit/s of any segment.
func (r *Rate) Peak() uint64 { return r.peak }

// Average is the bit/s over all segments.
func (r *Rate) Average() uint64 {
	if r.total <= 0 {
		return 0
	}
	return uint64(math.Ceil(r.bits / r.total.Seconds()))
}

// wrap is the range of an MPEG-TS timestamp.
const wrap = 1 << 33

// tolerance is how far apart two segments may be and still be one timeline. A segmenter's rounding is far below it.
const tolerance = 250 * time.Millisecond

// Distance is the time from one MPEG-TS timestamp (1/90000 s) to another, by the shorter way around the wrap.
func Distance(from, to int64) time.Duration {
	d := ((to-from)%wrap + wrap) % wrap
	if d > wrap/2 {
		d -= wrap
	}
	return time.Duration(d) * time.Second / 90000
}

// Follows reports whether a segment that begins at first continues one that ended at end (1/90000 s).
func Follows(end, first int64) bool { return Distance(end, first).Abs() <= tolerance }
