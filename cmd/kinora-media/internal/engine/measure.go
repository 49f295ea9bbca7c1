package engine

// #include <libavcodec/avcodec.h>
import "C"

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// measure reports what a segment holds.
func measure(ctx context.Context, s *server, j *job, req wire.Measure) (*wire.Measurement, error) {
	m := &measuring{ctx: ctx, server: s, job: j, req: req, normal: normaliser{keepFields: !req.Grid}}
	defer m.release()
	return m.run()
}

type measuring struct {
	ctx    context.Context
	server *server
	job    *job
	req    wire.Measure

	demux   *demuxer
	decoder *decoder
	normal  normaliser
	small   shaper // before pictures are mapped, which costs by the pixel
	tone    toneMapper
	loud    loudness
	grid    gridder
	batch   []byte
	count   int // pictures in batch
	out     wire.Measurement

	pictures     int
	first, last  int64 // PTS as demuxed, over all pictures
	lastDTS      int64
	decodedFirst bool
}

func (m *measuring) release() {
	if m.decoder != nil {
		m.decoder.free()
	}
	if m.demux != nil {
		m.demux.close()
	}
	m.normal.free()
	m.small.free(m.server.warm)
	m.tone.free()
	m.loud.free()
	m.grid.free()
}

func (m *measuring) run() (*wire.Measurement, error) {
	err := checkStill(m.req.Still)
	if err != nil {
		return nil, err
	}
	if m.demux, err = openDemuxer(m.job.source, m.req.Limits); err != nil {
		return nil, err
	}
	sound := sha256.New()
	for {
		pkt, isVideo, err := m.demux.next()
		if m.ctx.Err() != nil {
			return nil, m.ctx.Err()
		}
		switch {
		case errors.Is(err, io.EOF):
			return m.finish(hex.EncodeToString(sound.Sum(nil)))
		case err != nil:
			return nil, err
		case isVideo:
			err = m.video(pkt)
		default:
			if m.demux.dateAudio(pkt) {
				err = m.demux.together()
				a := &m.out.Audio
				if a.Packets == 0 {
					a.FirstPTS = pkt.Pts() & (wrapTicks - 1)
				}
				a.Packets++
				a.Bytes += int64(pkt.Size())
				a.LastPTS = pkt.Pts() & (wrapTicks - 1)
				if m.req.Loudness {
					m.loud.take(m.demux.audio.CodecParameters(), pkt)
				}
				sound.Write(pkt.Data()[min(m.demux.head, pkt.Size()):]) // the same in every container
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (m *measuring) video(pkt *astiav.Packet) error {
	key := pkt.Flags().Has(astiav.PacketFlagKey)
	if m.decoder == nil {
		m.out.KeyframeAt0 = key
		var err error
		// The grid compares means over thousands of pixels: the deblocking it is spared does not show in them.
		if m.decoder, err = openDecoder(m.demux.video.Stream, m.req.Limits, "skip_loop_filter", "all"); err != nil {
			return err
		}
		m.out.Codec = m.decoder.name
		m.out.FirstDTS = pkt.Dts() & (wrapTicks - 1)
	} else if pkt.Dts() <= m.lastDTS && pkt.Dts() != astiav.NoPtsValue {
		m.out.DTSBackwards++
	}
	if m.demux.video.changed() { // the same track goes on in another codec
		if err := m.another(); err != nil {
			return err
		}
	}
	if pkt.Dts() != astiav.NoPtsValue {
		m.lastDTS = pkt.Dts()
	}
	m.out.LastDTS = m.out.FirstDTS
	m.out.Packets++
	m.out.VideoBytes += int64(pkt.Size())
	if m.req.Grid {
		return m.decoder.decode(pkt, m.frame)
	}
	if pkt.Pts() != astiav.NoPtsValue {
		if err := m.add(&wire.Picture{PTS: pkt.Pts(), Key: key}); err != nil {
			return err
		}
	}
	if m.decodedFirst {
		return nil
	}
	return m.decoder.decode(pkt, m.size)
}

// dimSize is what pictures are scaled to before they are mapped: many times the grid.
const dimWidth, dimHeight = 480, 270

// dim is the picture as it looks mapped to standard dynamic range; free it.
func (m *measuring) dim(f *astiav.Frame) (*astiav.Frame, error) {
	if m.small.geometry.Width == 0 {
		m.small = newShaper(wire.Profile{Width: min(dimWidth, f.Width()&^1), Height: min(dimHeight, f.Height()&^1)}, f.Width(), f.Height(), f.SampleAspectRatio())
	}
	s, err := m.small.scale(m.server.warm, f, astiav.PixelFormatYuv420P10Le, false)
	if err != nil {
		return nil, err
	}
	defer s.Free()
	if err := copyProperties(s, f); err != nil {
		return nil, err
	}
	return m.tone.apply(s)
}

// another puts another decoder in the place of the one that is open.
func (m *measuring) another() error {
	take := m.size
	if m.req.Grid {
		take = m.frame
	}
	if err := m.decoder.decode(nil, take); err != nil {
		return err
	}
	next, err := openDecoder(m.demux.video.Stream, m.req.Limits, "skip_loop_filter", "all")
	if err != nil {
		return err
	}
	next.bad += m.decoder.bad
	m.decoder.free()
	m.decoder = next
	return nil
}

// size takes what there is to know from one picture.
func (m *measuring) size(f *astiav.Frame) error {
	if err := checkSize(f, m.req.Limits); err != nil || m.decodedFirst {
		return err
	}
	return m.normal.push(f, m.note)
}

// frame takes one decoded picture.
func (m *measuring) frame(f *astiav.Frame) error {
	if err := checkSize(f, m.req.Limits); err != nil {
		return err
	}
	if damaged(f) {
		m.out.Damaged++
	}
	return m.normal.push(f, m.upright)
}

// note takes what there is to know from one upright picture.
func (m *measuring) note(f *astiav.Frame) error {
	if m.decodedFirst {
		return nil
	}
	m.decodedFirst = true
	if s := m.req.Still; s.Format != "" {
		var err error
		if m.out.Still, err = makeStill(m.server.warm, f, s); err != nil {
			return err
		}
	}
	m.out.Width, m.out.Height = f.Width(), f.Height()
	m.out.PixelFormat = f.PixelFormat().Name()
	sar := f.SampleAspectRatio()
	m.out.SARNum, m.out.SARDen = sar.Num(), sar.Den()
	cc := m.decoder.cc
	m.out.CodecProfile, m.out.Level = profileName(m.out.Codec, cc.CodecID(), int(cc.Profile())), int(cc.Level())
	return nil
}

// upright takes one picture as renditions are made of it.
func (m *measuring) upright(f *astiav.Frame) error {
	if err := m.note(f); err != nil {
		return err
	}
	if f.Width() != m.out.Width || f.Height() != m.out.Height {
		m.out.OtherSize++
	}
	if f.Pts() == astiav.NoPtsValue {
		m.out.Damaged++
		return nil
	}
	p := wire.Picture{PTS: f.Pts(), Key: f.KeyFrame()}
	if of := m.req.Of; of != (wire.Rect{}) {
		if of.X < 0 || of.Y < 0 || of.W < 1 || of.H < 1 || of.X+of.W > f.Width() || of.Y+of.H > f.Height() {
			return failf(wire.CodeBadMedia, "pictures of %d×%d have no part %+v", f.Width(), f.Height(), of)
		}
		shown, err := part(f, of)
		if err != nil {
			return err
		}
		defer shown.Free()
		f = shown
	}
	if m.req.SDR && hdr(f) {
		mapped, err := m.dim(f)
		if err != nil {
			return err
		}
		defer mapped.Free()
		f = mapped
	}
	if err := m.grid.measure(f, &p.Luma); err != nil {
		return err
	}
	return m.add(&p)
}

// add sends a picture along with others.
func (m *measuring) add(p *wire.Picture) error {
	if m.pictures == 0 {
		m.first, m.last = p.PTS, p.PTS
		m.demux.shift = -p.PTS + p.PTS&(wrapTicks-1)
	}
	m.pictures++
	m.first, m.last = min(m.first, p.PTS), max(m.last, p.PTS)
	p.PTS += m.demux.shift
	m.batch = wire.AppendPicture(m.batch, p)
	if m.count++; m.count < wire.PicturesPerFrame {
		return nil
	}
	return m.flush()
}

func (m *measuring) flush() error {
	if m.count == 0 {
		return nil
	}
	err := m.server.send(wire.Frame{Kind: wire.KindGrids, Job: m.job.id, Payload: m.batch})
	m.batch, m.count = m.batch[:0], 0
	return err
}

func (m *measuring) finish(soundHash string) (*wire.Measurement, error) {
	if m.decoder == nil {
		return nil, failf(wire.CodeBadMedia, "the video track has no pictures")
	}
	take := m.size
	if m.req.Grid {
		take = m.frame
	}
	if m.req.Grid || !m.decodedFirst {
		if err := m.decoder.decode(nil, take); err != nil {
			return nil, err
		}
		if err := m.normal.push(nil, m.upright); err != nil {
			return nil, err
		}
	}
	if !m.decodedFirst && !m.out.KeyframeAt0 {
		return nil, failf(wire.CodeNoKeyframe, "the segment does not begin with a keyframe, and none of %d coded pictures decodes", m.out.Packets)
	}
	if !m.decodedFirst {
		return nil, failf(wire.CodeBadMedia, "none of %d coded pictures decodes", m.out.Packets)
	}
	if err := m.flush(); err != nil {
		return nil, err
	}
	m.out.Damaged += m.decoder.bad
	m.out.LastDTS = m.lastDTS + m.demux.shift
	m.out.Streams = m.demux.most
	m.out.Bytes = m.job.source.bytes()
	if n := int64(m.pictures); n > 1 {
		m.out.Duration = ticks(m.last - m.first + (m.last-m.first+(n-1)/2)/(n-1))
	}
	if a := &m.out.Audio; a.Packets > 0 {
		a.Codec = m.demux.audio.codec.Name()
		a.SampleRate, a.Channels = m.demux.sound.rate, m.demux.sound.channels
		a.Hash = soundHash
		m.loud.finish(a)
	}
	return &m.out, nil
}

// profileName is the profile of a codec as the ladder names it.
func profileName(codec string, id astiav.CodecID, profile int) string {
	if codec != "h264" { // Main 10 is main10
		return strings.ReplaceAll(strings.ToLower(C.GoString(C.avcodec_profile_name(C.enum_AVCodecID(id), C.int(profile)))), " ", "")
	}
	switch profile {
	case 66:
		return "baseline"
	case 66 | 1<<9:
		return "constrained_baseline"
	case 77:
		return "main"
	case 88:
		return "extended"
	case 100:
		return "high"
	case 110:
		return "high10"
	case 122:
		return "high422"
	case 244:
		return "high444"
	}
	return "other"
}
