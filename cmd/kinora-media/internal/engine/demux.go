package engine

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

const (
	ioBuffer   = 32 << 10
	maxRetries = 100_000                  // reads of garbage that yield nothing
	maxTime    = int64(1) << 52           // timestamps beyond are none
	maxFrame   = wire.TicksPerSecond * 10 // a frame of sound is no longer
)

var timeBase = astiav.NewRational(1, wire.TicksPerSecond)

// demuxer reads packets of one video and one audio track of a segment, in 1/90000 s. Nothing is probed: tracks come from the
// container's tables, and what an MPEG-TS leaves out, sizes and rates, from the elementary streams themselves.
type demuxer struct {
	format *container
	fc     *astiav.FormatContext
	io     *astiav.IOContext
	pkt    *astiav.Packet
	src    *source
	read   io.Reader  // what fc reads: src after it was looked into
	boxes  *boxReader // of an MP4
	tables *tables    // of an MPEG-TS
	limits wire.Limits

	video, audio track
	soundAlone   bool // a segment may have no pictures
	streams      int  // seen of fc
	most         int  // streams of any
	changes      int  // of the tables
	packets      int
	retries      int
	first, last  int64 // PTS of video, as demuxed
	begun        bool

	shift int64 // added to timestamps; see place
	sound soundClock
	head  int // bytes of the last sound packet that are the container's need alone
}

// track is one elementary stream that is read; it has no stream until one is found.
type track struct {
	*astiav.Stream
	codec   astiav.CodecID // at its first packet
	packets int
	rescale bool // its unit is not 1/90000 s
}

func (t *track) is(i int) bool { return t.Stream != nil && t.Index() == i }

// changed tells, once, that the codec of the track is not what it was.
func (t *track) changed() bool {
	now := t.CodecParameters().CodecID()
	was := t.codec
	t.codec = now
	return now != was
}

func openDemuxer(src *source, limits wire.Limits) (*demuxer, error) {
	d := &demuxer{src: src, limits: limits}
	d.sound.longest = int64(limits.MaxDuration.Seconds() * wire.TicksPerSecond)
	var err error
	if d.format, d.read, err = sniff(src); err != nil {
		return nil, err
	}
	var seek astiav.IOContextSeekFunc
	if d.format == isoMP4 {
		d.boxes = newBoxReader(d.read, limits)
		d.read = d.boxes
		if err := d.boxes.upFront(); err != nil {
			if errors.Is(err, io.EOF) {
				err = failf(wire.CodeBadMedia, "the MP4 has no media in %d bytes", src.bytes())
			}
			return nil, err
		}
		if !d.boxes.moov { // the index comes last: libav must go back
			whole, err := d.boxes.rest()
			if err != nil {
				return nil, err
			}
			f := &file{b: whole}
			d.read, seek = f, f.seek
		}
	}
	d.tables, _ = d.read.(*tables)
	d.pkt = astiav.AllocPacket()
	if err := d.open(seek); err != nil {
		d.pkt.Free()
		return nil, err
	}
	return d, nil
}

// open opens libav's demuxer on what there is to read.
func (d *demuxer) open(seek astiav.IOContextSeekFunc) (err error) {
	if d.io, err = astiav.AllocIOContext(ioBuffer, false, d.read.Read, seek, nil); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			d.io.Free()
			d.io = nil
		}
	}()
	fc := astiav.AllocFormatContext()
	fc.SetPb(d.io)
	opts, err := options("format_whitelist", d.format.demuxer, "protocol_whitelist", "none")
	if err != nil {
		fc.Free()
		return err
	}
	defer opts.Free()
	if err := fc.OpenInput("", astiav.FindInputFormat(d.format.demuxer), opts); err != nil { // has freed fc
		if fault := d.fault(); fault != nil {
			return fault
		}
		return failf(wire.CodeBadMedia, "not an %s: %v", d.format.name, err)
	}
	d.fc, d.streams = fc, 0
	if err := d.look(); err != nil {
		fc.CloseInput()
		d.fc = nil
		return err
	}
	return nil
}

// more opens the rest of an MPEG-TS whose tables changed; false when there is none.
func (d *demuxer) more() (bool, error) {
	if d.tables == nil || !d.tables.more() {
		return false, nil
	}
	if d.changes++; d.changes > maxTables {
		return false, failf(wire.CodeBadMedia, "the tables of the MPEG-TS change more than %d times", maxTables)
	}
	d.fc.CloseInput()
	d.io.Free()
	d.fc, d.io, d.video.Stream, d.audio.Stream = nil, nil, nil, nil
	return true, d.open(nil)
}

func (d *demuxer) close() {
	d.pkt.Free()
	if d.fc != nil { // else it could not be opened again
		d.fc.CloseInput()
		d.io.Free()
	}
}

// fault is what the reader found wrong: libav forgets which error it was.
func (d *demuxer) fault() error {
	var f *wire.Failure
	if d.boxes != nil && errors.As(d.boxes.fault, &f) {
		return f
	}
	return nil
}

// next reads the next packet of either track. io.EOF ends it. The packet is the demuxer's, until the next call.
func (d *demuxer) next() (pkt *astiav.Packet, isVideo bool, err error) {
	for {
		d.pkt.Unref()
		err := d.fc.ReadFrame(d.pkt)
		switch {
		case errors.Is(err, astiav.ErrEagain) && d.retries < maxRetries: // garbage was skipped
			d.retries++
			continue
		case err != nil && d.fault() != nil:
			return nil, false, d.fault()
		case errors.Is(err, astiav.ErrEof):
			if again, err := d.more(); err != nil {
				return nil, false, err
			} else if again {
				continue
			}
			return nil, false, d.end()
		case err != nil:
			if d.packets == 0 {
				return nil, false, failf(wire.CodeBadMedia, "not an %s: %v", d.format.name, err)
			}
			return nil, false, failf(wire.CodeBadMedia, "the container is broken after %d packets: %v", d.packets, err)
		}
		if d.fc.NbStreams() != d.streams {
			if err := d.look(); err != nil {
				return nil, false, err
			}
		}
		switch i := d.pkt.StreamIndex(); {
		case d.video.is(i):
			d.arrived(&d.video)
			if d.video.packets > d.limits.MaxFrames {
				return nil, false, limitf(wire.CodeTooLong, "max_frames", d.limits.MaxFrames, "the segment has more than %d pictures", d.limits.MaxFrames)
			}
			if err := d.span(d.pkt.Pts()); err != nil {
				return nil, false, err
			}
			return d.pkt, true, nil
		case d.audio.is(i):
			d.arrived(&d.audio)
			if d.audio.packets > 16*d.limits.MaxFrames {
				return nil, false, limitf(wire.CodeTooLong, "max_frames", d.limits.MaxFrames, "the segment has too many packets")
			}
			if now := d.audio.CodecParameters().CodecID(); now != d.audio.codec {
				return nil, false, failf(wire.CodeBadMedia, "the sound changes from %s to %s within the segment: begin another one there", d.audio.codec.Name(), now.Name())
			}
			return d.pkt, false, nil
		}
	}
}

// arrived counts the packet and brings its times into 1/90000 s.
func (d *demuxer) arrived(t *track) {
	if t.packets == 0 {
		t.codec = t.CodecParameters().CodecID()
		unit := t.TimeBase()
		t.rescale = unit.Num() != 1 || unit.Den() != wire.TicksPerSecond
	}
	t.packets++
	d.packets++
	if t.rescale {
		d.pkt.RescaleTs(t.TimeBase(), timeBase)
	}
	if p := d.pkt.Pts(); p > maxTime || p < -maxTime {
		d.pkt.SetPts(astiav.NoPtsValue)
	}
	if p := d.pkt.Dts(); p > maxTime || p < -maxTime {
		d.pkt.SetDts(astiav.NoPtsValue)
	}
}

// look takes note of tracks that appeared.
func (d *demuxer) look() error {
	n := d.fc.NbStreams()
	if n > d.limits.MaxStreams {
		return limitf(wire.CodeBadMedia, "max_streams", d.limits.MaxStreams, "the segment has %d elementary streams, at most %d", n, d.limits.MaxStreams)
	}
	streams := d.fc.Streams()
	for _, s := range streams[d.streams:] {
		s.SetDiscard(astiav.DiscardAll)
		t := &d.video
		switch s.CodecParameters().MediaType() {
		case astiav.MediaTypeVideo:
			if s.DispositionFlags().Has(astiav.DispositionFlagAttachedPic) { // a cover
				continue
			}
		case astiav.MediaTypeAudio:
			t = &d.audio
		default:
			continue
		}
		if t.Stream != nil && t.packets > 0 { // one is read already
			continue
		}
		isDefault := s.DispositionFlags().Has(astiav.DispositionFlagDefault)
		if t.Stream == nil || isDefault && !t.DispositionFlags().Has(astiav.DispositionFlagDefault) {
			if t.Stream != nil {
				t.SetDiscard(astiav.DiscardAll)
			}
			t.Stream = s
			s.SetDiscard(astiav.DiscardDefault)
		}
	}
	d.streams, d.most = n, max(d.most, n)
	if d.fc.NbPrograms() > 1 && d.video.Stream != nil && d.audio.packets == 0 {
		d.pair()
	}
	return nil
}

// pair takes the sound of the program that the pictures are of.
func (d *demuxer) pair() {
	if d.audio.Stream != nil {
		d.audio.SetDiscard(astiav.DiscardAll)
		d.audio.Stream = nil
	}
	for _, p := range d.fc.Programs() {
		streams := p.Streams()
		if !slices.ContainsFunc(streams, func(s *astiav.Stream) bool { return s.Index() == d.video.Index() }) {
			continue
		}
		for _, s := range streams {
			if s.CodecParameters().MediaType() == astiav.MediaTypeAudio {
				d.audio.Stream = s
				s.SetDiscard(astiav.DiscardDefault)
				return
			}
		}
	}
}

// span checks that the timestamps stay within the longest segment.
func (d *demuxer) span(pts int64) error {
	if pts == astiav.NoPtsValue {
		return nil
	}
	if !d.begun {
		d.begun, d.first, d.last = true, pts, pts
	}
	d.first, d.last = min(d.first, pts), max(d.last, pts)
	if limit := int64(d.limits.MaxDuration.Seconds() * wire.TicksPerSecond); d.last-d.first > limit {
		return limitf(wire.CodeTooLong, "max_duration", d.limits.MaxDuration, "the pictures of the segment span more than %s", d.limits.MaxDuration)
	}
	return nil
}

// end is why there is nothing more to read.
func (d *demuxer) end() error {
	if _, err := io.Copy(io.Discard, onlyReader{d.read}); err != nil { // what follows the media
		if fault := d.fault(); fault != nil {
			return fault
		}
		return err
	}
	switch {
	case d.packets == 0 && d.fc.NbStreams() == 0:
		return failf(wire.CodeBadMedia, "not an %s: no tracks in %d bytes", d.format.name, d.src.bytes())
	case d.soundAlone && d.audio.packets > 0 && d.video.Stream == nil:
	case d.video.Stream == nil && d.video.packets == 0:
		return failf(wire.CodeNoVideo, "the segment has no video track")
	}
	return io.EOF
}

// onlyReader hides every method but Read.
type onlyReader struct{ io.Reader }

// dateAudio sets the timestamps of a packet of the audio track (not shifted); false when it has none, or is broken.
func (d *demuxer) dateAudio(pkt *astiav.Packet) bool {
	par := d.audio.CodecParameters()
	var head soundHead
	ok := false
	if d.audio.codec != astiav.CodecIDAac || d.format == mpegTS { // elsewhere AAC has no heads
		head, ok = readSoundHead(d.audio.codec, pkt.Data())
	}
	switch {
	case d.format != mpegTS && (pkt.Size() < 2 || pkt.Flags().Has(astiav.PacketFlagCorrupt)), // cut off
		d.format == mpegTS && d.audio.codec == astiav.CodecIDAac && !ok:
		return false
	}
	if !ok {
		head = soundHead{rate: par.SampleRate()}
		if t := pkt.Duration(); t > 0 && t <= maxFrame { // of the container, in 1/90000 s as its times
			head.samples = int((t*int64(head.rate) + wire.TicksPerSecond/2) / wire.TicksPerSecond)
		}
	}
	if head.channels == 0 {
		head.channels = par.ChannelLayout().Channels()
	}
	if head.rate == 0 {
		head.rate = par.SampleRate()
	}
	d.head = head.length
	t, ok := d.sound.date(pkt.Pts(), head)
	if ok {
		pkt.SetPts(t)
		pkt.SetDts(t)
	}
	return ok
}

// together checks that sound and pictures are of the same time.
func (d *demuxer) together() error {
	apart := (d.sound.last-d.first+wrapTicks/2)&(wrapTicks-1) - wrapTicks/2 // around the wrap, the shorter way
	if d.begun && (apart > 2*d.sound.longest || -apart > 2*d.sound.longest) {
		return failf(wire.CodeBadMedia, "the timestamps of the sound are %s away from those of the pictures", ticks(apart).Abs())
	}
	return nil
}

// file is a whole segment in memory.
type file struct {
	b  []byte
	at int64
}

func (f *file) Read(p []byte) (int, error) {
	if f.at >= int64(len(f.b)) {
		return 0, io.EOF
	}
	n := copy(p, f.b[f.at:])
	f.at += int64(n)
	return n, nil
}

// seekSize is libav's question for the size.
const seekSize = 0x10000

func (f *file) seek(offset int64, whence int) (int64, error) {
	switch whence &^ 0x20000 { // without its "by any means"
	case seekSize:
		return int64(len(f.b)), nil
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += int64(len(f.b))
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek to %d", offset)
	}
	f.at = offset
	return offset, nil
}
