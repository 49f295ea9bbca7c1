package verify

import (
	"fmt"
	"slices"

	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

// The bitrate band. A profile asks for a constant bitrate with a buffer of one second. The upper edge is what such a
// buffer lets through, with room for headers and for content that cannot be made that small. The lower edge cannot be the
// bitrate: easy content needs less, and an encoder must not invent it. But honest encodes never spent less than 0.22 of the
// smaller of what the profile grants and what the source itself spent on as many pixels (docs/verification.md); half of
// that is the lower edge.
const (
	bufferSeconds = 1.0
	overshoot     = 1.10
	headerBits    = 400  // a picture
	floorBits     = 0.02 // a pixel: what x264 still spends on noise at its coarsest
	undershoot    = 0.11
)

// compare says what in out is not what profile p asks of source src; nil if all is. v is what the scanner saw of out. What depends on
// how the source is read is never gross: one can be made in which this side counts pictures, or hears sound, that no decoder gives.
func compare(src, out Stream, p protocol.Profile, v pictures) *fault {
	if p.SoundOnly() {
		return firstOf(compareContainer(src, out, p), compareAudio(src, out, p))
	}
	if w, h := sizeOf(src, p); out.Width != w || out.Height != h {
		return faultf(p.Fit != protocol.Contain, "pictures are %d×%d, not %d×%d", out.Width, out.Height, w, h)
	}
	return firstOf(compareCodec(p, v.params), compareTimes(src, out, p), compareKeyframes(out, p, v), compareBitrate(src, out, p, v),
		compareContainer(src, out, p), compareAudio(src, out, p))
}

func firstOf(faults ...*fault) *fault {
	for _, f := range faults {
		if f != nil {
			return f
		}
	}
	return nil
}

// geometryOf is how pictures of the source become those of profile p.
func geometryOf(src Stream, p protocol.Profile) wire.Geometry {
	return wire.Fitted(string(p.Fit), src.Width, src.Height, src.SARNum, src.SARDen, int(p.Width), int(p.Height))
}

func sizeOf(src Stream, p protocol.Profile) (w, h int) {
	g := geometryOf(src, p)
	return g.Width, g.Height
}

// compareCodec: an encoder may do with less than the profile and the level allow, as a fast one does.
func compareCodec(p protocol.Profile, v *params) *fault {
	if v == nil {
		return nil
	}
	if got, most := profileRank(p.Codec, v.profile), wantedRank(p.Codec, p.CodecProfile); got > most {
		return faultf(false, "%s profile %d is more than %q allows", p.Codec, v.profile, p.CodecProfile)
	}
	if p.Level > 0 && v.level > int(p.Level) {
		return faultf(false, "level %d is more than the %d asked for", v.level, p.Level)
	}
	return nil
}

func profileRank(codec protocol.Codec, profile int) int {
	ranks := map[int]int{66: 0, 77: 1, 100: 2}
	switch codec {
	case protocol.HEVC:
		ranks = map[int]int{1: 0, 3: 0, 2: 1} // main, main still picture, main 10
	case protocol.AV1:
		ranks = map[int]int{0: 0}
	}
	if r, ok := ranks[profile]; ok {
		return r
	}
	return 3
}

func wantedRank(codec protocol.Codec, profile string) int {
	switch {
	case profile == "main10":
		return 1
	case codec != protocol.H264, profile == "baseline", profile == "constrained_baseline":
		return 0
	case profile == "main":
		return 1
	}
	return 2
}

// compareTimes holds every picture's time against the source's, or against the profile's own frame rate.
func compareTimes(src, out Stream, p protocol.Profile) *fault {
	want, optional := expected(src, p)
	got := make([]int64, len(out.PTS))
	for i, t := range out.PTS {
		got[i] = near(t, src.FirstPTS)
	}
	switch {
	case len(src.PTS) != src.Frames && p.FPSNum == 0: // a source that does not date every picture
		if out.Frames != src.Frames || !within(got[0], src.FirstPTS, 1) {
			return faultf(false, "%d pictures from PTS %d, the source has %d from %d", out.Frames, got[0], src.Frames, src.FirstPTS)
		}
		return nil
	case src.Frames == 1 && p.FPSNum != 0: // for how long it shows, nothing in the segment says
		if n := same(got, want); n == 0 || len(got) > 1 && 2*len(got) > 3*len(want) {
			return faultf(false, "%d pictures from PTS %d for one at %d", len(got), got[0], src.FirstPTS)
		}
		return nil
	case src.Damaged:
		// What of a damaged source decodes, only a decoder knows: any part of it that is not a trifle may come back.
		for _, t := range got {
			if i, found := slices.BinarySearch(want, t); !found && (i == len(want) || !within(want[i], t, 1)) && (i == 0 || !within(want[i-1], t, 1)) {
				return faultf(false, "a picture at PTS %d, where the source has none", t)
			}
		}
		if 2*len(got) < len(want) {
			return faultf(false, "%d pictures of %d of the damaged source", len(got), len(want))
		}
		return nil
	}
	first := same(got, want)
	if first < 0 {
		return nil
	}
	if optional > 0 && same(got, want[optional:]) < 0 {
		return nil
	}
	if len(got) != len(want) {
		return faultf(false, "%d pictures, not %d; the first difference is at picture %d", len(got), len(want), first)
	}
	return faultf(false, "picture %d is at PTS %d, not %d", first, got[first], want[first])
}

// expected are the times the pictures of a rendition must have; of the first optional ones, which the source shows before
// its first keyframe, either all or none need be there.
func expected(src Stream, p protocol.Profile) (pts []int64, optional int) {
	if p.FPSNum == 0 {
		return src.PTS, src.Leading
	}
	num, den := int(p.FPSNum), int(p.FPSDen)
	end := src.FirstPTS + int64(src.Duration.Seconds()*ticks+0.5)
	from := wire.Slot(src.FirstPTS, num, den)
	for n := from; n < max(wire.Slot(end, num, den), from+1); n++ { // a segment shorter than a slot still shows its picture
		pts = append(pts, wire.SlotPTS(n, num, den))
	}
	return pts, 0
}

// same returns the first index at which two lists of times differ by more than rounding, or −1.
func same(a, b []int64) int {
	for i := range min(len(a), len(b)) {
		if !within(a[i], b[i], 1) {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

func within(a, b, d int64) bool { return a-b <= d && b-a <= d }

func compareKeyframes(out Stream, p protocol.Profile, v pictures) *fault {
	if len(v.keys) == 0 || !v.startsIDR || v.idrs != len(v.keys) || out.Leading > 0 {
		return faultf(false, "it does not begin with a keyframe, or has one that closes no group")
	}
	if p.GOPMillis == 0 {
		if len(v.keys) != 1 {
			return faultf(false, "%d keyframes, the profile asks for one", len(v.keys))
		}
		return nil
	}
	keys := append(slices.Clone(v.keys), v.keys[0]+out.LastPTS-out.FirstPTS)
	frame := int64(ticks)
	if out.FPS > 0 {
		frame = int64(ticks/out.FPS) + 1
	}
	for _, g := range gaps(keys) {
		if g > int64(p.GOPMillis)*ticks/1000+frame {
			return faultf(false, "%d ms between keyframes, the profile asks for %d", g*1000/ticks, p.GOPMillis)
		}
	}
	return nil
}

func compareBitrate(src, out Stream, p protocol.Profile, v pictures) *fault {
	seconds := out.Duration.Seconds()
	if seconds == 0 {
		seconds = src.Duration.Seconds()
	}
	bits := float64(8 * out.VideoBytes)
	most := overshoot*float64(p.Bitrate)*(seconds+bufferSeconds) + headerBits*float64(out.Frames) + floorBits*float64(out.Pixels)
	if bits > most {
		return faultf(false, "%s of video in %.2f s, at most %s at %s/s", kbit(bits), seconds, kbit(most), kbit(float64(p.Bitrate)))
	}
	if src.Pixels == 0 {
		return nil
	}
	coded := float64(8 * out.slices)
	least := undershoot * min(float64(p.Bitrate)*seconds, float64(8*src.slices)*float64(out.Pixels)/float64(src.Pixels))
	if coded < least {
		return faultf(false, "%s of pictures in %.2f s, at least %s for this source at %s/s", kbit(coded), seconds, kbit(least), kbit(float64(p.Bitrate)))
	}
	return nil
}

// What a container may add. Each picture and each packet of sound begins a packet of its own and stuffs its last one;
// tables and clock references come several times a second.
const (
	containerShare = 1.25 // headers on what fills packets
	tablesPerSec   = 64   // packets
)

// What an fMP4 may add: per chunk and per sample of its index, and the init segment.
const (
	chunkHead  = 512
	sampleHead = 20
)

// compareContainer bounds null packets and stuffing, which would be paid for in traffic by everybody who plays the output.
func compareContainer(src, out Stream, p protocol.Profile) *fault {
	if p.Wrapped() == protocol.FMP4 {
		return compareChunks(src, out, p)
	}
	seconds := max(out.Duration.Seconds(), src.Duration.Seconds())
	packets := 2*float64(out.Frames+out.Audio.Packets) + tablesPerSec*(seconds+1)
	if most := containerShare*float64(out.VideoBytes+out.Audio.Bytes) + packetLen*packets; float64(out.Bytes) > most {
		return faultf(false, "%d bytes hold %d of video and %d of sound, at most %.0f may", out.Bytes, out.VideoBytes, out.Audio.Bytes, most)
	}
	return nil
}

// partSlack is what a chunk may exceed its part by: nobody cuts within a picture or a frame of sound.
const partSlack = ticks / 9

// compareChunks holds the chunks of an fMP4 to the part length, which bounds how late a player gets them, and to no more bytes
// than their indices need.
func compareChunks(src, out Stream, p protocol.Profile) *fault {
	if f := compareClock(src, out); f != nil {
		return f
	}
	part, seconds := int64(p.PartMillis)*ticks/1000, max(out.Duration.Seconds(), src.Duration.Seconds())
	slack := int64(partSlack)
	if out.FPS > 0 {
		slack = max(slack, int64(ticks/out.FPS)+2)
	}
	if part > 0 && out.longestChunk > part+slack {
		return faultf(false, "a chunk holds %d ms, the profile asks for %d at most", out.longestChunk*1000/ticks, p.PartMillis)
	}
	least := protocol.MinPartMillis / 1000. // of a part, seconds
	if part > 0 {
		least = float64(part) / ticks / 2
	}
	most := float64(out.VideoBytes+out.Audio.Bytes) + float64(out.InitBytes) + sampleHead*float64(out.Frames+out.Audio.Packets) +
		chunkHead*min(float64(out.chunks), seconds/least+2)
	if float64(out.Bytes) > most {
		return faultf(false, "%d bytes hold %d of video and %d of sound in %d chunks, at most %.0f may", out.Bytes, out.VideoBytes, out.Audio.Bytes, out.chunks, most)
	}
	return nil
}

// compareClock: the clock of an fMP4 does not wrap, so a time that is right but for a turn of the source's clock is a day away from its
// neighbours' in every player. Only a source that crosses the wrap can be begun on either side of it.
func compareClock(src, out Stream) *fault {
	begins := []int64{out.FirstPTS + out.turns}
	if out.Audio.Codec != "" {
		begins = append(begins, out.Audio.FirstPTS+out.turns)
	}
	for _, t := range begins {
		if d := t - near(t, src.FirstPTS); d != 0 && !(d == -wrap && src.LastPTS >= wrap) {
			return faultf(false, "a track begins at %d in a container whose clock does not wrap, the source at %d", t, src.FirstPTS)
		}
	}
	return nil
}

func kbit(bits float64) string { return fmt.Sprintf("%.1f kbit", bits/1000) }

// carried reports whether a transcoder can put the sound into its output as it is.
func (a Audio) carried() bool { return a.Codec == "aac" || a.Codec == "mp2" || a.Codec == "ac3" }

// compareAudio: without a word of the profile's, AAC is carried through, frame by frame; sound in another codec may be carried or
// encoded anew, or be missing where no transcoder can carry it.
func compareAudio(src, out Stream, p protocol.Profile) *fault {
	a, b := src.Audio, out.Audio
	switch {
	case p.AudioCodec == "none" && b.Codec != "":
		return faultf(true, "it has sound, the profile asks for none")
	case p.AudioCodec == "none":
		return nil
	case a.Codec == "" && b.Codec == "":
		return nil
	case a.Codec == "":
		return faultf(false, "it has sound, the source has none")
	case b.Codec == "" && p.AudioCodec == "" && !p.SoundOnly() && !a.carried():
		return nil
	case b.Codec == "":
		return faultf(false, "the sound is missing")
	case p.AudioCodec == "aac" || p.AudioCodec == "opus":
		return compareEncoded(src, out, p)
	case a.Codec == b.Codec && a.Hash == b.Hash:
		frame := int64(ticks / 10)
		if a.SampleRate > 0 {
			frame = 1024*ticks/int64(a.SampleRate) + 1
		}
		if d := near(b.FirstPTS, src.FirstPTS) - near(a.FirstPTS, src.FirstPTS); !within(d, 0, frame) {
			return faultf(false, "the sound is shifted by %d ms", d*1000/ticks)
		}
		return nil
	case (a.Codec == "aac" || p.AudioCodec == "copy") && !src.Damaged:
		return faultf(false, "the sound is not the source's: %d packets of %d bytes, not %d of %d", b.Packets, b.Bytes, a.Packets, a.Bytes)
	}
	return compareLength(a, b)
}

// encodedSlack is how far sound that is made anew may be from the source's: what primes an encoder, and what is left in it.
const encodedSlack = ticks / 8

// compareEncoded holds sound that is made anew to what was asked for.
func compareEncoded(src, out Stream, p protocol.Profile) *fault {
	a, b := src.Audio, out.Audio
	switch {
	case b.Codec != p.AudioCodec:
		return faultf(false, "the sound is in %s, the profile asks for %s", b.Codec, p.AudioCodec)
	case p.AudioChannels > 0 && b.Channels > 0 && b.Channels != int(p.AudioChannels):
		return faultf(false, "the sound has %d channels, the profile asks for %d", b.Channels, p.AudioChannels)
	}
	if d := near(b.FirstPTS, src.FirstPTS) - near(a.FirstPTS, src.FirstPTS); !within(d, 0, encodedSlack) && !src.Damaged {
		return faultf(false, "the sound is shifted by %d ms", d*1000/ticks)
	}
	rate := float64(p.AudioBitrate)
	if rate == 0 {
		rate = 64_000 * float64(max(b.Channels, 1))
	}
	seconds := float64(b.LastPTS-b.FirstPTS)/ticks + 0.25
	if bits, most := float64(8*b.Bytes), 1.5*rate*seconds+8000; bits > most {
		return faultf(false, "%s of sound in %.2f s, at most %s at %s/s", kbit(bits), seconds, kbit(most), kbit(rate))
	}
	return compareLength(a, b)
}

// compareLength: of sound whose frames are not counted, only the last packet's begin is known, and a packet may hold many frames.
func compareLength(a, b Audio) *fault {
	if longer := (b.LastPTS - b.FirstPTS) - (a.LastPTS - a.FirstPTS); longer < -ticks/4 || longer > ticks/4+a.coarse {
		return faultf(false, "the sound lasts %d ms, the source's %d", (b.LastPTS-b.FirstPTS)*1000/ticks, (a.LastPTS-a.FirstPTS)*1000/ticks)
	}
	return nil
}
