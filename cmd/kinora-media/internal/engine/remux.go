package engine

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// remuxDelay is added to the times of a segment: an MP4 may begin before 0, an MPEG-TS cannot.
const remuxDelay = wire.TicksPerSecond * 14 / 10

// maxUnsorted bounds the sound packets kept before the first picture says that there are pictures.
const maxUnsorted = 1000

// remux carries the coded pictures and the sound of a segment, whatever its container, into an MPEG-TS. The same segment gives
// the same bytes.
func remux(ctx context.Context, s *server, j *job, req wire.Remux) (*wire.Remuxed, error) {
	r := &remuxing{ctx: ctx, server: s, job: j, limits: req.Limits}
	defer r.free()
	if err := r.run(); err != nil {
		return nil, err
	}
	return &wire.Remuxed{Bytes: r.written}, nil
}

type remuxing struct {
	ctx    context.Context
	server *server
	job    *job
	limits wire.Limits

	demux   *demuxer
	sink    sink
	fc      *astiav.FormatContext
	video   outTrack
	sound   outTrack
	early   []*astiav.Packet // sound before the first picture
	written int64
}

func (r *remuxing) free() {
	for _, p := range r.early {
		p.Free()
	}
	if r.fc != nil {
		r.fc.Free()
	}
	if r.sink.io != nil {
		r.sink.io.Free()
	}
	if r.demux != nil {
		r.demux.close()
	}
}

func (r *remuxing) run() (err error) {
	if r.demux, err = openDemuxer(r.job.source, r.limits); err != nil {
		return err
	}
	for {
		pkt, isVideo, err := r.demux.next()
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		switch {
		case errors.Is(err, io.EOF):
			return r.finish()
		case err != nil:
			return err
		case isVideo:
			err = r.picture(pkt)
		case r.demux.dateAudio(pkt):
			err = r.audio(pkt)
		}
		if err != nil {
			return err
		}
	}
}

func (r *remuxing) picture(pkt *astiav.Packet) error {
	if r.fc == nil {
		if !pkt.Flags().Has(astiav.PacketFlagKey) {
			return failf(wire.CodeNoKeyframe, "the segment does not begin with a keyframe")
		}
		if err := r.open(); err != nil {
			return err
		}
		for len(r.early) > 0 {
			p := r.early[0]
			r.early = r.early[1:]
			err := r.put(p, &r.sound)
			p.Free()
			if err != nil {
				return err
			}
		}
	}
	if r.demux.video.changed() {
		return failf(wire.CodeBadMedia, "the codec of the pictures changes within the segment")
	}
	if pkt.Pts() == astiav.NoPtsValue {
		return failf(wire.CodeBadMedia, "a picture has no timestamp")
	}
	if pkt.Dts() == astiav.NoPtsValue { // as in Matroska
		if r.video.begun && pkt.Pts()+remuxDelay <= r.video.dts {
			return failf(wire.CodeBadMedia, "reordered pictures have no decoding times in %s: push MP4 or MPEG-TS", r.demux.format.name)
		}
		pkt.SetDts(pkt.Pts())
	}
	return r.put(pkt, &r.video)
}

func (r *remuxing) audio(pkt *astiav.Packet) error {
	if r.fc != nil {
		return r.put(pkt, &r.sound)
	}
	if len(r.early) >= maxUnsorted {
		return failf(wire.CodeBadMedia, "more than %d sound packets before the first picture", maxUnsorted)
	}
	r.early = append(r.early, pkt.Clone())
	return nil
}

// open begins the MPEG-TS.
func (r *remuxing) open() (err error) {
	switch id := r.demux.video.codec; id {
	case astiav.CodecIDH264, astiav.CodecIDHevc, astiav.CodecIDMpeg2Video:
	default:
		return failf(wire.CodeUnsupportedCodec, "pictures in %s cannot be carried on: push H.264", id.Name())
	}
	if m, ok := r.demux.video.CodecParameters().SideData().DisplayMatrix().Get(); ok && turned(*m) {
		return failf(wire.CodeBadMedia, "the pictures are to be turned by %.0f°, which an MPEG-TS cannot say: turn them before", m.Rotation())
	}
	if r.fc, err = astiav.AllocOutputFormatContext(nil, "mpegts", ""); err != nil {
		return fmt.Errorf("open muxer: %w", err)
	}
	r.sink.write = r.write
	if err := r.sink.open(); err != nil {
		return err
	}
	r.fc.SetPb(r.sink.io)
	if r.video.stream, err = r.track(r.demux.video.CodecParameters()); err != nil {
		return err
	}
	if r.demux.audio.Stream != nil {
		switch id := r.demux.audio.CodecParameters().CodecID(); id {
		case astiav.CodecIDAac, astiav.CodecIDMp2, astiav.CodecIDMp3, astiav.CodecIDAc3, astiav.CodecIDEac3, astiav.CodecIDOpus:
		default:
			return failf(wire.CodeUnsupportedCodec, "sound in %s cannot be carried on: push AAC", id.Name())
		}
		if r.sound.stream, err = r.track(r.demux.audio.CodecParameters()); err != nil {
			return err
		}
	}
	opts, err := options("mpegts_copyts", "1", "max_delay", "700000", "pat_period", "10", "sdt_period", "10", "flush_packets", "1",
		"avoid_negative_ts", "disabled", "fflags", "+bitexact")
	if err != nil {
		return err
	}
	defer opts.Free()
	if err := r.fc.WriteHeader(opts); err != nil {
		return r.sink.cause("open muxer", err)
	}
	return leftover(opts)
}

// turned tells whether pictures are to be shown otherwise than as they are coded.
func turned(m astiav.DisplayMatrix) bool {
	return m[0] != 1<<16 || m[4] != 1<<16 || m[1] != 0 || m[3] != 0
}

func (r *remuxing) track(from *astiav.CodecParameters) (*astiav.Stream, error) {
	s := r.fc.NewStream(nil)
	if s == nil {
		return nil, errors.New("open muxer: no memory")
	}
	to := s.CodecParameters()
	if err := from.Copy(to); err != nil {
		return nil, fmt.Errorf("open muxer: %w", err)
	}
	if to.MediaType() == astiav.MediaTypeAudio && to.SampleRate() == 0 { // the muxer wants one and does not use it
		to.SetSampleRate(8000)
	}
	to.SetCodecTag(0)
	s.SetTimeBase(timeBase)
	return s, nil
}

func (r *remuxing) put(pkt *astiav.Packet, t *outTrack) error {
	if t.stream == nil { // a track that appears late
		return failf(wire.CodeBadMedia, "a sound track appears after the first pictures: begin another segment there")
	}
	pkt.SetPts(pkt.Pts() + remuxDelay)
	pkt.SetDts(pkt.Dts() + remuxDelay)
	t.order(pkt)
	pkt.SetStreamIndex(t.stream.Index())
	pkt.SetPos(-1)
	pkt.RescaleTs(timeBase, t.stream.TimeBase())
	if err := r.fc.WriteInterleavedFrame(pkt); err != nil {
		if r.sink.fault == nil { // libav refuses the packet, not we its bytes
			return failf(wire.CodeBadMedia, "the segment cannot be carried into an MPEG-TS: %v", err)
		}
		return r.sink.fault
	}
	return nil
}

func (r *remuxing) finish() error {
	if r.fc == nil {
		return failf(wire.CodeBadMedia, "the video track has no pictures")
	}
	if err := r.fc.WriteInterleavedFrame(nil); err != nil {
		return r.sink.cause("end segment", err)
	}
	if err := r.fc.WriteFrame(nil); err != nil {
		return r.sink.cause("end segment", err)
	}
	r.sink.io.Flush()
	return r.sink.fault
}

func (r *remuxing) write(p []byte) error {
	if r.written += int64(len(p)); r.written > r.limits.MaxOutput {
		return limitf(wire.CodeFailed, "max_output", r.limits.MaxOutput, "the MPEG-TS has more than %d bytes", r.limits.MaxOutput)
	}
	return r.server.deliver(r.ctx, r.job, 0, p)
}
