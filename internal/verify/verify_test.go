package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

var testLadder = protocol.Ladder{
	{Name: "144p", Width: 256, Height: 144, Bitrate: 250_000, Codec: protocol.H264, Preset: "veryfast"},
	{Name: "108p", Width: 192, Height: 108, Bitrate: 100_000, Codec: protocol.H264, Preset: "veryfast"},
}

// trial is one attempt about to be judged. Its fields may be spoiled before judge.
type trial struct {
	config     Config
	spec       Spec
	domain     protocol.Domain
	worker     protocol.Signer
	source     []byte
	outs       [][]byte
	assignment protocol.Assignment
	receipt    protocol.Receipt
	spoil      func(*protocol.Signed[protocol.Receipt])
	portion    int
}

func key(t testing.TB) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

// newTrial is an honest attempt.
func newTrial(t *testing.T, source []byte, ladder protocol.Ladder) *trial {
	t.Helper()
	tr := &trial{spec: Spec{Ladder: ladder}, domain: protocol.NewDomain(1337, common.Address{1}), worker: key(t), source: source, portion: 10_000}
	tr.outs = transcode(t, startChild(t), ladder, source)
	tr.assignment = protocol.Assignment{Orchestrator: key(t).Address(), Transcoder: tr.worker.Address(), Lease: protocol.NewID(),
		SegmentKey: protocol.SegmentKey{Stream: "s", Seq: 7}, Attempt: protocol.NewID()}
	return tr
}

// attest writes the receipt of what the outputs are.
func (tr *trial) attest() {
	a := tr.assignment
	tr.receipt = protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: a.Transcoder, Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt, Source: sha256.Sum256(tr.source)}
	for i, b := range tr.outs {
		st := scan(b, false)
		tr.receipt.Renditions = append(tr.receipt.Renditions, protocol.RenditionReceipt{Profile: protocol.Hash(tr.spec.Ladder[i].Hash()),
			Output: sha256.Sum256(b), Pixels: max(st.Pixels, 1), Frames: max(uint32(st.Frames), 1), FirstPTS: st.FirstPTS, LastPTS: st.LastPTS})
	}
}

func (tr *trial) judge(t *testing.T) Verdict {
	t.Helper()
	if tr.receipt.Renditions == nil {
		tr.attest()
	}
	src := NewSource(tr.config, 2*time.Second)
	defer src.Cancel()
	c := Begin(t.Context(), src, tr.spec)
	for p := range slices.Chunk(tr.source, tr.portion) {
		if _, err := src.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	for i, b := range tr.outs {
		for p := range slices.Chunk(b, tr.portion) {
			if err := c.Write(i, p); err != nil {
				if protocol.CodeOf(err) != protocol.VerificationFailed {
					t.Errorf("Write: %v", err)
				}
				break
			}
		}
	}
	sig, err := tr.domain.Sign(tr.worker, tr.receipt)
	if err != nil {
		t.Fatal(err)
	}
	signed := protocol.Signed[protocol.Receipt]{Message: tr.receipt, Signature: sig}
	if tr.spoil != nil {
		tr.spoil(&signed)
	}
	return c.Finish(t.Context(), tr.assignment, signed, tr.domain)
}

func newMeter(t *testing.T) *Meter {
	t.Helper()
	pool := media.NewPool(media.Options{}, 0)
	m := NewMeter(pool, nil)
	t.Cleanup(func() { m.Close(); pool.Close() })
	return m
}

// starvedProfile leaves an encoder so few bits that it lags behind fades.
var starvedProfile = protocol.Profile{Name: "starved", Width: 426, Height: 240, Bitrate: 60_000, Codec: protocol.H264, Preset: "ultrafast", Lookahead: -1}

func TestCheck_passesHonestWork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		source mediatest.Spec
		ladder protocol.Ladder
	}{
		{"plain", mediatest.Spec{}, testLadder},
		{"no sound", mediatest.Spec{NoAudio: true}, testLadder},
		{"half the frame rate", mediatest.Spec{FPS: 30}, protocol.Ladder{{Name: "a", Width: 256, Height: 144, Bitrate: 250_000, FPSNum: 15, FPSDen: 1, Codec: protocol.H264}}},
		{"NTSC from 25", mediatest.Spec{FPS: 25}, protocol.Ladder{{Name: "a", Width: 256, Height: 144, Bitrate: 250_000, FPSNum: 30000, FPSDen: 1001, Codec: protocol.H264}}},
		{"keyframes within", mediatest.Spec{}, protocol.Ladder{{Name: "a", Width: 256, Height: 144, Bitrate: 250_000, GOPMillis: 500, Codec: protocol.H264}}},
		{"baseline, zero latency", mediatest.Spec{}, protocol.Ladder{{Name: "a", Width: 256, Height: 144, Bitrate: 250_000, CodecProfile: "baseline", Lookahead: -1, Codec: protocol.H264}}},
		{"crossing the timestamp wrap", mediatest.Spec{Start: float64(wrap)/ticks - 1.2}, testLadder},
		{"cropped size", mediatest.Spec{}, protocol.Ladder{{Name: "a", Width: 230, Height: 130, Bitrate: 250_000, Codec: protocol.H264}}},
		{"mp2 sound", mediatest.Spec{Extra: "-c:a mp2"}, testLadder},
		{"interlaced", mediatest.Spec{Extra: "-flags +ildct+ilme"}, testLadder},
		{"starved in fades", mediatest.Spec{Seconds: 2, Bitrate: 2_500_000, Extra: "-vf fade=in:0:10,fade=out:20:12"}, protocol.Ladder{starvedProfile}},
		{"one picture", mediatest.Spec{FPS: 30, Seconds: 1. / 30, NoAudio: true}, testLadder},
		{"black", mediatest.Spec{Picture: "black", NoClock: true}, testLadder},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrial(t, mediatest.Segments(t, c.source)[0].Bytes, c.ladder)
			tr.config.Meter, tr.spec.Deep = newMeter(t), true
			v := tr.judge(t)
			if !v.Passed || v.Layers != L0L1 || v.Code != "" {
				t.Fatalf("verdict %v %v %q %q", v.Passed, v.Layers, v.Code, v.Detail)
			}
			for i, o := range v.Outputs {
				p := c.ladder[i]
				if twice := p == starvedProfile; v.Deep[i].Beside != twice {
					t.Errorf("judged beside an encode of our own: %v; %+v", !twice, v.Deep[i])
				}
				if o.Width != int(p.Width) || o.Height != int(p.Height) || o.Bytes != int64(len(tr.outs[i])) || o.SHA256 != sha256.Sum256(tr.outs[i]) || !strings.HasPrefix(o.Codecs, "avc1.") {
					t.Errorf("output %d: %+v", i, o)
				}
			}
		})
	}
}

func TestCheck_measuresWhatFFprobeDoes(t *testing.T) {
	t.Parallel()
	seg := mediatest.Segments(t, mediatest.Spec{Width: 320, Height: 180, Start: 10})[0]
	st := scan(seg.Bytes, false)
	out, _ := mediatest.Run(t, nil, mediatest.FFprobe(t), "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,flags", "-of", "csv=p=0", seg.Path)
	var pts []string
	keys := 0
	for _, l := range strings.Fields(string(out)) {
		cell := strings.Split(l, ",")
		pts = append(pts, cell[0])
		if strings.HasPrefix(cell[1], "K") {
			keys++
		}
	}
	if st.Frames != len(pts) || st.Keyframes != keys || st.FPSNum != 30 || st.FPSDen != 1 || st.Duration != 2*time.Second {
		t.Errorf("%d pictures, %d keyframes, %d/%d fps, %s; ffprobe finds %d and %d", st.Frames, st.Keyframes, st.FPSNum, st.FPSDen, st.Duration, len(pts), keys)
	}
	sound, _ := mediatest.Run(t, nil, mediatest.FFprobe(t), "-v", "error", "-select_streams", "a", "-show_entries", "packet=size", "-of", "csv=p=0", seg.Path)
	if n := len(strings.Fields(string(sound))); st.Audio.Packets != n || st.Audio.SampleRate != 48000 {
		t.Errorf("%d packets of sound at %d Hz, ffprobe finds %d", st.Audio.Packets, st.Audio.SampleRate, n)
	}
}

// again encodes the source anew with ffmpeg, as an attacker would: right container, times and sound, then args.
func again(t *testing.T, source []byte, p protocol.Profile, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.ts"), filepath.Join(dir, "out.ts")
	if err := os.WriteFile(in, source, 0o600); err != nil {
		t.Fatal(err)
	}
	rate := fmtInt(p.Bitrate)
	all := []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-copyts", "-i", in, "-map", "0:v", "-map", "0:a?", "-c:a", "copy",
		"-c:v", "libx264", "-preset", "veryfast", "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-g", "9999", "-sc_threshold", "0",
		"-s", fmtInt(p.Width) + "x" + fmtInt(p.Height), "-enc_time_base", "1/90000", "-fps_mode", "passthrough",
		"-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"}
	mediatest.Run(t, nil, mediatest.FFmpeg(t), append(append(all, args...), "-f", "mpegts", out)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fmtInt(n uint32) string { return strconv.Itoa(int(n)) }

func TestCheck_findsEachFault(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	source := segments[0].Bytes
	honest := newTrial(t, source, testLadder)
	other := key(t)
	gross := []string{"receipt signed by another", "signature spoiled", "receipt of another attempt", "receipt of another source", "receipt of another output",
		"receipt of another profile", "receipt with more pixels", "receipt with other times", "receipt with a rendition less",
		"black", "flipped", "overlay", "slices spoiled"}
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, tr *trial)
		deep  bool // only L1 finds it
		want  string
	}{
		{"re-encoded by ffmpeg, honestly", func(t *testing.T, tr *trial) { tr.outs[0] = again(t, source, testLadder[0]) }, false, ""},
		{"receipt signed by another", func(t *testing.T, tr *trial) { tr.worker = other }, false, "signed by"},
		{"signature spoiled", func(t *testing.T, tr *trial) {
			tr.spoil = func(r *protocol.Signed[protocol.Receipt]) { r.Signature[40] ^= 1 }
		}, false, "receipt"},
		{"receipt of another attempt", func(t *testing.T, tr *trial) { tr.attest(); tr.receipt.Attempt = protocol.NewID() }, false, "does not answer"},
		{"receipt of another source", func(t *testing.T, tr *trial) { tr.attest(); tr.receipt.Source[0]++ }, false, "source"},
		{"receipt of another output", func(t *testing.T, tr *trial) { tr.attest(); tr.receipt.Renditions[1].Output[0]++ }, false, "hash"},
		{"receipt of another profile", func(t *testing.T, tr *trial) { tr.attest(); tr.receipt.Renditions[1].Profile[0]++ }, false, "profile"},
		{"receipt with more pixels", func(t *testing.T, tr *trial) { tr.attest(); tr.receipt.Renditions[0].Pixels++ }, false, "pixels"},
		{"receipt with other times", func(t *testing.T, tr *trial) { tr.attest(); tr.receipt.Renditions[0].LastPTS += 3000 }, false, "PTS"},
		{"receipt with a rendition less", func(t *testing.T, tr *trial) { tr.attest(); tr.receipt.Renditions = tr.receipt.Renditions[:1] }, false, "1 renditions"},
		{"renditions swapped", func(t *testing.T, tr *trial) { tr.outs[0], tr.outs[1] = tr.outs[1], tr.outs[0] }, false, "192×108"},
		{"text", func(t *testing.T, tr *trial) { tr.outs[0] = bytes.Repeat([]byte("Good text\n"), 1000) }, false, "144p"},
		{"nothing", func(t *testing.T, tr *trial) { tr.outs[1] = nil }, false, "no bytes"},
		{"cut", func(t *testing.T, tr *trial) { tr.outs[0] = tr.outs[0][:len(tr.outs[0])/2] }, false, "144p"},
		{"cut at a packet", func(t *testing.T, tr *trial) { tr.outs[0] = tr.outs[0][:len(tr.outs[0])/2/188*188] }, false, "144p"},
		{"a packet lost", func(t *testing.T, tr *trial) {
			tr.outs[0] = slices.Delete(slices.Clone(tr.outs[0]), 188*40, 188*41)
		}, false, "missing"},
		{"a table spoiled", func(t *testing.T, tr *trial) { tr.outs[0] = spoilTables(tr.outs[0]) }, false, "wrong checksum"},
		{"no sound", func(t *testing.T, tr *trial) { tr.outs[0] = again(t, source, testLadder[0], "-an") }, false, "sound is missing"},
		{"other sound", func(t *testing.T, tr *trial) { tr.outs[0] = again(t, source, testLadder[0], "-c:a", "aac") }, false, "sound is not"},
		{"pictures left out", func(t *testing.T, tr *trial) {
			tr.outs[0] = again(t, source, testLadder[0], "-vf", "select='mod(n,10)'")
		}, false, "pictures"},
		{"every second picture", func(t *testing.T, tr *trial) {
			tr.outs[0] = again(t, source, testLadder[0], "-vf", "select='mod(n,2)'")
		}, false, "pictures"},
		{"times shifted", func(t *testing.T, tr *trial) { tr.outs[0] = again(t, source, testLadder[0], "-output_ts_offset", "1") }, false, "PTS"},
		{"too many bits", func(t *testing.T, tr *trial) {
			tr.outs[1] = again(t, source, testLadder[1], "-b:v", "900k", "-maxrate", "900k", "-bufsize", "900k", "-preset", "ultrafast")
		}, false, "kbit"},
		{"too few bits", func(t *testing.T, tr *trial) {
			tr.outs[0] = again(t, source, testLadder[0], "-b:v", "0", "-maxrate", "0", "-crf", "51", "-vf", "scale=32:18,scale=256:144")
		}, false, "kbit"},
		{"too few bits, padded with zeros", func(t *testing.T, tr *trial) {
			tr.outs[0] = padSlices(t, again(t, source, testLadder[0], "-b:v", "0", "-maxrate", "0", "-crf", "51", "-vf", "scale=32:18,scale=256:144"), []byte{0})
		}, false, "of pictures"},
		{"too few bits, padded with words that hold nothing", func(t *testing.T, tr *trial) {
			tr.outs[0] = padSlices(t, again(t, source, testLadder[0], "-b:v", "0", "-maxrate", "0", "-crf", "51", "-vf", "scale=32:18,scale=256:144"), []byte{0, 0, 3})
		}, false, "of pictures"},
		{"padded with null packets", func(t *testing.T, tr *trial) {
			null := append([]byte{syncByte, 0x1f, 0xff, 0x10}, make([]byte, packetLen-4)...)
			tr.outs[0] = append(slices.Clone(tr.outs[0]), bytes.Repeat(null, len(tr.outs[0])/packetLen+1000)...)
		}, false, "bytes hold"},
		{"keyframes at will", func(t *testing.T, tr *trial) { tr.outs[0] = again(t, source, testLadder[0], "-g", "15") }, false, "keyframes"},
		{"4:4:4", func(t *testing.T, tr *trial) { tr.outs[0] = again(t, source, testLadder[0], "-pix_fmt", "yuv444p") }, false, "4:2:0"},
		{"mpeg2", func(t *testing.T, tr *trial) {
			tr.outs[0] = again(t, source, testLadder[0], "-c:v", "mpeg2video", "-enc_time_base", "1/30", "-fps_mode", "cfr")
		}, false, "type 0x02"},
		{"black", func(t *testing.T, tr *trial) {
			tr.outs[0] = again(t, source, testLadder[0], "-vf", "drawbox=c=black:t=fill,noise=alls=12:allf=t")
		}, true, "does not show"},
		{"flipped", func(t *testing.T, tr *trial) { tr.outs[0] = again(t, source, testLadder[0], "-vf", "hflip") }, true, "does not show"},
		{"overlay", func(t *testing.T, tr *trial) {
			tr.outs[1] = again(t, source, testLadder[1], "-vf", "drawbox=c=white:t=fill:x=0:y=0:w=iw/2:h=ih/2")
		}, true, "does not show"},
		{"slices spoiled", func(t *testing.T, tr *trial) { tr.outs[0] = spoilSlices(tr.outs[0]) }, true, "144p"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := *honest
			tr.outs = slices.Clone(honest.outs)
			c.spoil(t, &tr)
			v := tr.judge(t)
			if c.deep {
				if !v.Passed {
					t.Errorf("L0 alone already says %q", v.Detail)
				}
				tr.config.Meter, tr.spec.Deep, tr.receipt = newMeter(t), true, protocol.Receipt{}
				v = tr.judge(t)
			}
			if v.Passed != (c.want == "") || v.Inconclusive || !strings.Contains(v.Detail, c.want) {
				t.Errorf("verdict %v %v %q %q, want %q", v.Passed, v.Inconclusive, v.Code, v.Detail, c.want)
			}
			// Whether a cut falls between two pictures is up to the encoder.
			if v.Gross != slices.Contains(gross, c.name) && !strings.HasPrefix(c.name, "cut") {
				t.Errorf("gross: %v; %s", v.Gross, v.Detail)
			}
			if c.deep && v.Layers != L0L1 {
				t.Errorf("layers %q", v.Layers)
			}
		})
	}
}

// padSlices appends filling to the end of every picture of an output, in packets of its own.
func padSlices(t *testing.T, b, filling []byte) []byte {
	t.Helper()
	const pid = 256 // where FFmpeg's muxer puts the first track
	filling = bytes.Repeat(filling, 2*(packetLen-4))[:2*(packetLen-4)]
	var out []byte
	counter, begun, padded := byte(0), false, 0
	put := func(head [4]byte, rest []byte) {
		head[3] = head[3]&0xf0 | counter
		counter = (counter + 1) & 15
		out = append(append(out, head[:]...), rest...)
	}
	fill := func() {
		for rest := range slices.Chunk(filling, packetLen-4) {
			put([4]byte{syncByte, pid >> 8, pid & 0xff, 0x10}, rest)
		}
		padded++
	}
	for p := range slices.Chunk(b, packetLen) {
		if int(p[1]&0x1f)<<8|int(p[2]) != pid || p[3]&0x10 == 0 {
			out = append(out, p...)
			continue
		}
		if p[1]&0x40 != 0 && begun {
			fill()
		}
		begun = true
		put([4]byte(p[:4]), p[4:])
	}
	fill()
	if padded < 2 {
		t.Fatal("nothing was padded")
	}
	return out
}

// spoilTables has every program association table of one program name another one, under its old checksum.
func spoilTables(ts []byte) []byte {
	out := bytes.Clone(ts)
	for i := 0; i+188 <= len(out); i += 188 {
		if out[i+1]&0x1f == 0 && out[i+2] == 0 {
			out[i+14]++
		}
	}
	return out
}

// spoilSlices overwrites the middle of pictures and leaves every header.
func spoilSlices(b []byte) []byte {
	b = bytes.Clone(b)
	for at := 188 * 20; at+188 <= len(b); at += 188 * 7 {
		if p := b[at : at+188]; p[1]&0x40 == 0 && p[3]>>4&3 == 1 && int(p[1]&0x1f)<<8|int(p[2]) == 256 {
			for i := 40; i < 120; i++ {
				p[i] ^= 0x55
			}
		}
	}
	return b
}

func TestSource_refusesWhatIsNoSegment(t *testing.T) {
	t.Parallel()
	plain := mediatest.Segments(t, mediatest.Spec{})[0].Bytes
	long := mediatest.Segments(t, mediatest.Spec{Seconds: 4, SegmentSeconds: 4})[0].Bytes
	random := make([]byte, 100_000)
	for i := range random {
		random[i] = byte(i * i >> 3)
	}
	noKey := mediatest.Segments(t, mediatest.Spec{Seconds: 2, Extra: "-g 30"})[0].Bytes
	for _, c := range []struct {
		name   string
		bytes  []byte
		limits Limits
		want   protocol.Code
	}{
		{"good", plain, Limits{}, ""},
		{"HEVC", again(t, plain, testLadder[0], "-c:v", "libx265", "-x265-params", "log-level=none", "-enc_time_base", "1/30", "-fps_mode", "cfr"), Limits{}, ""},
		{"empty", nil, Limits{}, protocol.EmptySegment},
		{"random", random, Limits{}, protocol.BadMedia},
		{"text that begins like a packet", bytes.Repeat([]byte("Go is not a container.\n"), 500), Limits{}, protocol.BadMedia},
		{"one packet", plain[:188], Limits{}, protocol.BadMedia},
		{"too large", plain, Limits{MaxBytes: 10_000}, protocol.SegmentTooLarge},
		{"too long", long, Limits{MaxDuration: 3 * time.Second}, protocol.SegmentTooLong},
		{"too many pictures", plain, Limits{MaxFrames: 59}, protocol.SegmentTooLong},
		{"too large pictures", plain, Limits{MaxPixels: 320*180 - 1}, protocol.TooManyPixels},
		{"sound only", again(t, plain, testLadder[0], "-vn"), Limits{}, protocol.NoVideo},
		{"mpeg2", again(t, plain, testLadder[0], "-c:v", "mpeg2video", "-enc_time_base", "1/30", "-fps_mode", "cfr"), Limits{}, protocol.UnsupportedCodec},
		{"not from a keyframe", withoutFirstPicture(noKey), Limits{}, protocol.NoKeyframe},
		{"without a keyframe or parameters", withoutFirstPicture(plain), Limits{}, protocol.NoKeyframe},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := NewSource(Config{Limits: c.limits}, 0)
			defer s.Cancel()
			var werr error
			for p := range slices.Chunk(c.bytes, 777) {
				if _, werr = s.Write(p); werr != nil {
					break
				}
			}
			cerr := s.Close()
			_, err := s.Info(t.Context())
			if c.want == "" {
				if err != nil || cerr != nil || werr != nil {
					t.Fatal(err, cerr, werr)
				}
				return
			}
			if protocol.CodeOf(err) != c.want || !errors.Is(cerr, err) || werr != nil && !errors.Is(werr, err) {
				t.Errorf("%v, %v, %v; want %s", werr, cerr, err, c.want)
			}
		})
	}
}

// withoutFirstPicture drops the video packets before the second PES.
func withoutFirstPicture(b []byte) []byte {
	var out []byte
	begun := 0
	for p := range slices.Chunk(b, 188) {
		if pid := int(p[1]&0x1f)<<8 | int(p[2]); pid == 256 {
			if p[1]&0x40 != 0 {
				begun++
			}
			if begun < 2 {
				continue
			}
		}
		out = append(out, p...)
	}
	return out
}

func TestSource_headComesEarlyAndPortionsDoNotMatter(t *testing.T) {
	t.Parallel()
	b := mediatest.Segments(t, mediatest.Spec{})[0].Bytes
	want := scan(b, true)
	for _, n := range []int{1, 187, 188, 189, 4096} {
		s := NewSource(Config{}, 0)
		early := 0
		for p := range slices.Chunk(b, n) {
			if _, err := s.Write(p); err != nil {
				t.Fatal(err)
			}
			select {
			case <-s.seen:
			default:
				early += n
			}
		}
		if early > 10_000 {
			t.Errorf("the size is known after %d bytes only", early)
		}
		if h, err := s.Head(t.Context()); err != nil || h.Width != 320 || h.Height != 180 || h.FPS != 30 || !h.HasAudio {
			t.Error(h, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := s.Info(t.Context())
		if err != nil || got.SHA256 != want.SHA256 || got.Frames != want.Frames || got.Audio != want.Audio || !slices.Equal(got.PTS, want.PTS) {
			t.Errorf("in portions of %d: %+v, %v", n, got, err)
		}
		s.Cancel()
	}
}

func TestSource_cancelEndsThoseWhoWait(t *testing.T) {
	t.Parallel()
	s := NewSource(Config{}, 0)
	r := s.NewReader(t.Context())
	errs := make(chan error, 3)
	go func() { _, err := s.Info(t.Context()); errs <- err }()
	go func() { _, err := s.Head(t.Context()); errs <- err }()
	go func() { _, err := r.Read(make([]byte, 1)); errs <- err }()
	s.Cancel()
	for range 3 {
		if err := <-errs; protocol.CodeOf(err) != protocol.Cancelled {
			t.Error(err)
		}
	}
	if _, err := s.Write([]byte{0x47}); protocol.CodeOf(err) != protocol.Cancelled {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	open := NewSource(Config{}, 0)
	defer open.Cancel()
	if _, err := open.Info(ctx); protocol.CodeOf(err) != protocol.Cancelled {
		t.Error(err)
	}
}

func TestCheck_ownFailureSaysNothingAboutThePayee(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, mediatest.Segments(t, mediatest.Spec{})[0].Bytes, testLadder)
	tr.spec.Deep = true // without a Meter
	if v := tr.judge(t); v.Passed || !v.Inconclusive {
		t.Errorf("%+v", v)
	}
	tr.attest()
	src := NewSource(Config{}, 0)
	c := Begin(t.Context(), src, Spec{Ladder: testLadder})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v := c.Finish(ctx, tr.assignment, protocol.Signed[protocol.Receipt]{}, tr.domain); v.Passed || !v.Inconclusive || v.Code != protocol.Cancelled {
		t.Errorf("%+v", v)
	}
	src.Cancel()
}

func TestMeter_survivesTheLossOfAChild(t *testing.T) {
	t.Parallel()
	b := mediatest.Segments(t, mediatest.Spec{})[0].Bytes
	m := newMeter(t)
	tape := newTape()
	tape.write(b[:len(b)/2])
	type result struct {
		got *media.Measurement
		err error
	}
	done := make(chan result, 1)
	go func() {
		got, err := m.measure(t.Context(), "a", tape, media.MeasureOptions{})
		done <- result{got, err}
	}()
	l, err := m.borrow(t.Context(), "a") // the one that measures, or is about to
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(l.child.Pid())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	<-l.child.Done()
	m.giveBack(l, false)
	tape.write(b[len(b)/2:])
	tape.finish(io.EOF)
	if r := <-done; r.err != nil || len(r.got.Frames) != 60 {
		t.Error(r.err)
	}
}

func TestMeter_neverLendsAChildToTwoParties(t *testing.T) {
	t.Parallel()
	m := newMeter(t)
	seen := make(map[int]string)
	for i := range maxIdle + 4 {
		for range 2 {
			party := string(rune('a' + i))
			l, err := m.borrow(t.Context(), party)
			if err != nil {
				t.Fatal(err)
			}
			if was, ok := seen[l.child.Pid()]; ok && was != party {
				t.Errorf("a child of %s was lent to %s", was, party)
			}
			seen[l.child.Pid()] = party
			m.giveBack(l, true)
		}
	}
	if len(seen) != maxIdle+4 || len(m.lent) != maxIdle {
		t.Errorf("%d children for %d parties, %d kept", len(seen), maxIdle+4, len(m.lent))
	}
}
