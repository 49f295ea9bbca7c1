package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/mpegts"
	"github.com/kinora/kinora/internal/protocol"
)

// made is an attempt as a transcoder makes it, receipt and all.
func made(t *testing.T, source []byte, ladder protocol.Ladder) *trial {
	t.Helper()
	tr := &trial{spec: Spec{Ladder: ladder}, domain: protocol.NewDomain(1337, [20]byte{1}), worker: key(t), source: source, portion: 10_000,
		outs: make([][]byte, len(ladder))}
	res, err := startChild(t).Transcode(t.Context(), media.Job{Ladder: ladder, Source: bytes.NewReader(source), Out: func(i int, p []byte) error {
		tr.outs[i] = append(tr.outs[i], p...)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	tr.assignment = protocol.Assignment{Orchestrator: key(t).Address(), Transcoder: tr.worker.Address(), Lease: protocol.NewID(),
		SegmentKey: protocol.SegmentKey{Stream: "s", Seq: 7}, Attempt: protocol.NewID()}
	a := tr.assignment
	tr.receipt = protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: a.Transcoder, Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt, Source: sha256.Sum256(source)}
	for i, r := range res.Renditions {
		tr.receipt.Renditions = append(tr.receipt.Renditions, protocol.RenditionReceipt{Profile: protocol.Hash(ladder[i].Hash()), Output: sha256.Sum256(tr.outs[i]),
			Pixels: uint64(r.Pixels), Frames: uint32(r.Frames), FirstPTS: r.FirstPTS, LastPTS: r.LastPTS})
	}
	if err := tr.receipt.Validate(); err != nil {
		t.Error(err)
	}
	return tr
}

func outputProfile(change func(*protocol.Profile)) protocol.Profile {
	p := protocol.Profile{Name: "p", Width: 256, Height: 144, Bitrate: 300_000, Codec: protocol.H264, Preset: "veryfast"}
	change(&p)
	return p
}

// outputKinds are profiles of every kind, with the CODECS a player is told.
var outputKinds = map[string]struct {
	profile protocol.Profile
	codecs  string
}{
	"h264 fmp4":   {outputProfile(func(p *protocol.Profile) { p.Container, p.PartMillis, p.Level = "fmp4", 200, 30 }), "avc1.64001e,mp4a.40.2"},
	"hevc ts":     {outputProfile(func(p *protocol.Profile) { p.Codec, p.GOPMillis = "hevc", 500 }), "hvc1.1.6.L60.90,mp4a.40.2"},
	"hevc 10 bit": {outputProfile(func(p *protocol.Profile) { p.Codec, p.CodecProfile, p.Container = "hevc", "main10", "fmp4" }), "hvc1.2.4.L60.90,mp4a.40.2"},
	"av1":         {outputProfile(func(p *protocol.Profile) { p.Codec, p.Container, p.GOPMillis = "av1", "fmp4", 500 }), "av01.0.00M.08,mp4a.40.2"},
	"zero latency fmp4": {outputProfile(func(p *protocol.Profile) {
		p.Lookahead, p.Container, p.PartMillis, p.FPSNum, p.FPSDen = -1, "fmp4", 40, 15, 1
	}), "avc1.64000c,mp4a.40.2"},
	"aac":     {outputProfile(func(p *protocol.Profile) { p.AudioCodec, p.AudioChannels, p.AudioBitrate = "aac", 2, 96_000 }), "avc1.64000c,mp4a.40.2"},
	"opus":    {outputProfile(func(p *protocol.Profile) { p.AudioCodec, p.Container = "opus", "fmp4" }), "avc1.64000c,opus"},
	"mute":    {outputProfile(func(p *protocol.Profile) { p.AudioCodec = "none" }), "avc1.64000c"},
	"padded":  {outputProfile(func(p *protocol.Profile) { p.Fit, p.Height = "pad", 256 }), "avc1.64000d,mp4a.40.2"},
	"cropped": {outputProfile(func(p *protocol.Profile) { p.Fit, p.Height = "crop", 256 }), "avc1.64000d,mp4a.40.2"},
	"contain": {outputProfile(func(p *protocol.Profile) { p.Fit, p.Width, p.Height, p.Container = "contain", 200, 200, "fmp4" }), "avc1.64000c,mp4a.40.2"},
}

func TestCheck_passesHonestWorkOfEveryKind(t *testing.T) {
	t.Parallel()
	source := mediatest.Segments(t, mediatest.Spec{Start: float64(wrap)/ticks - 1.2})[0].Bytes
	for name, kind := range outputKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ladder := protocol.Ladder{kind.profile, {Name: "sound", Codec: kind.profile.Codec, AudioCodec: "aac"}, {Name: "sound-fmp4", Codec: kind.profile.Codec, Container: "fmp4"}}
			tr := made(t, source, ladder)
			tr.config.Meter, tr.spec.Deep = newMeter(t), true
			v := tr.judge(t)
			if !v.Passed || v.Layers != L0L1 {
				t.Fatalf("verdict %v %v %q %q", v.Passed, v.Layers, v.Code, v.Detail)
			}
			o := v.Outputs[0]
			if o.Codecs != kind.codecs || o.Codec != string(kind.profile.Codec) || (o.InitBytes > 0) != (kind.profile.Container == "fmp4") {
				t.Errorf("output is %s, %s, with an init segment of %d bytes", o.Codec, o.Codecs, o.InitBytes)
			}
			for _, o := range v.Outputs[1:] {
				if o.Codecs != "mp4a.40.2" || o.Frames != 0 || o.Pixels != 0 || o.Duration.Seconds() < 1.9 || o.Duration.Seconds() > 2.1 {
					t.Errorf("sound alone is %+v", o)
				}
			}
		})
	}
}

func TestCheck_comparesMappedPicturesWithTheSourceMapped(t *testing.T) {
	t.Parallel()
	source := mediatest.Segments(t, mediatest.Spec{PixelFormat: "yuv420p10le", SegmentSeconds: 1, Extra: "-x264-params colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"})[0].Bytes
	sdr := outputProfile(func(p *protocol.Profile) { p.DynamicRange = "sdr" })
	same := outputProfile(func(*protocol.Profile) {})
	for name, tc := range map[string]struct {
		work, asked protocol.Profile
		passes      bool
	}{"mapped": {sdr, sdr, true}, "as it is": {same, same, true}, "not mapped": {same, sdr, false}, "mapped unasked": {sdr, same, false}} {
		tr := made(t, source, protocol.Ladder{tc.work})
		tr.spec.Ladder, tr.receipt.Renditions[0].Profile = protocol.Ladder{tc.asked}, protocol.Hash(tc.asked.Hash())
		tr.config.Meter, tr.spec.Deep = newMeter(t), true
		if v := tr.judge(t); v.Passed != tc.passes || v.Layers != L0L1 {
			t.Errorf("%s: %v at %s: %s", name, v.Passed, v.Layers, v.Detail)
		}
	}
}

// TestCheck_refusesWhatWasNotAskedFor judges honest work by every profile but its own.
func TestCheck_refusesWhatWasNotAskedFor(t *testing.T) {
	t.Parallel()
	source := mediatest.Segments(t, mediatest.Spec{})[0].Bytes
	names := []string{"h264 fmp4", "hevc ts", "hevc 10 bit", "av1", "aac", "opus", "mute", "padded", "cropped", "contain"}
	work := make(map[string]*trial)
	for _, name := range names {
		work[name] = made(t, source, protocol.Ladder{outputKinds[name].profile})
	}
	for _, is := range names {
		for _, asked := range names {
			if is == asked || is == "padded" && asked == "cropped" || is == "cropped" && asked == "padded" { // which only L1 tells apart
				continue
			}
			tr := *work[is]
			tr.spec.Ladder = protocol.Ladder{outputKinds[asked].profile}
			tr.receipt.Renditions = slices.Clone(tr.receipt.Renditions)
			tr.receipt.Renditions[0].Profile = protocol.Hash(tr.spec.Ladder[0].Hash())
			if v := tr.judge(t); v.Passed || v.Code != protocol.VerificationFailed {
				t.Errorf("%s passes for %s: %+v", is, asked, v)
			}
		}
	}
	for is, asked := range map[string]string{"padded": "cropped", "cropped": "padded"} {
		tr := *work[is]
		tr.spec.Ladder = protocol.Ladder{outputKinds[asked].profile}
		tr.receipt.Renditions = slices.Clone(tr.receipt.Renditions)
		tr.receipt.Renditions[0].Profile = protocol.Hash(tr.spec.Ladder[0].Hash())
		tr.config.Meter, tr.spec.Deep = newMeter(t), true
		if v := tr.judge(t); v.Passed || !strings.Contains(v.Detail, "does not show") {
			t.Errorf("%s passes for %s: %+v", is, asked, v)
		}
	}
}

func TestCheck_findsFaultsOfFragments(t *testing.T) {
	t.Parallel()
	source := mediatest.Segments(t, mediatest.Spec{})[0].Bytes
	profile := outputKinds["h264 fmp4"].profile
	honest := made(t, source, protocol.Ladder{profile})
	boxesOf := func(b []byte) (out [][]byte) {
		for len(b) >= 8 {
			n := binary.BigEndian.Uint32(b)
			out, b = append(out, b[:n]), b[n:]
		}
		return out
	}
	parts := boxesOf(honest.outs[0])
	if len(parts) < 2+2*8 {
		t.Fatalf("%d boxes", len(parts))
	}
	for name, tc := range map[string]struct {
		spoil func(p *protocol.Profile) []byte
		want  string
	}{
		"no init segment": {func(*protocol.Profile) []byte { return bytes.Join(parts[2:], nil) }, `"ftyp"`},
		"init segment twice": {func(*protocol.Profile) []byte {
			return bytes.Join([][]byte{parts[0], parts[1], bytes.Join(parts, nil)}, nil)
		}, `"moof"`},
		"a chunk missing": {func(*protocol.Profile) []byte { return bytes.Join(slices.Concat(parts[:6], parts[8:]), nil) }, "pictures"},
		"a chunk twice":   {func(*protocol.Profile) []byte { return bytes.Join(slices.Concat(parts[:8], parts[6:]), nil) }, "DTS goes back"},
		"cut":             {func(*protocol.Profile) []byte { b := bytes.Join(parts, nil); return b[:len(b)-100] }, "cut"},
		"a box of junk": {func(*protocol.Profile) []byte {
			return append(bytes.Join(parts, nil), 0, 0, 0, 9, 'f', 'r', 'e', 'e', 0)
		}, `"free"`},
		"a turn of the clock late": {func(*protocol.Profile) []byte {
			b := bytes.Join(parts, nil)
			for at := 0; ; at += 12 {
				n := bytes.Index(b[at:], []byte("tfdt"))
				if n < 0 {
					return b
				}
				at += n
				unit := uint64(90_000)
				if track := bytes.LastIndex(b[:at], []byte("tfhd")) + 8; binary.BigEndian.Uint32(b[track:]) == 2 { // the sound
					unit = 48_000
				}
				time := b[at+8:]
				binary.BigEndian.PutUint64(time, binary.BigEndian.Uint64(time)+uint64(wrap)*unit/90_000)
			}
		}, "does not wrap"},
		"an edit list": {func(*protocol.Profile) []byte {
			moov := bytes.Clone(parts[1])
			at := bytes.Index(moov, []byte("mdia")) - 4
			grow(moov, 8)
			grow(moov[bytes.Index(moov, []byte("trak"))-4:], 8)
			moov = slices.Insert(moov, at, 0, 0, 0, 8, 'e', 'd', 't', 's')
			return bytes.Join(slices.Concat([][]byte{parts[0], moov}, parts[2:]), nil)
		}, "edit list"},
		"an index of many samples in few bytes": {func(*protocol.Profile) []byte {
			run := []byte{0, 0, 0, 20, 't', 'r', 'u', 'n', 0, 0, 0, 1, 0, 0, 0x40, 0, 0, 0, 0, 8}
			return bytes.Join(slices.Concat(parts[:2], [][]byte{withRuns(parts[2], bytes.Repeat(run, 2000))}, parts[3:]), nil)
		}, "more than 20000 samples"},
		"the same bytes for two pictures": {func(*protocol.Profile) []byte {
			at := bytes.Index(parts[2], []byte("trun")) - 4
			run := parts[2][at : at+int(binary.BigEndian.Uint32(parts[2][at:]))]
			return bytes.Join(slices.Concat(parts[:2], [][]byte{withRuns(parts[2], run)}, parts[3:]), nil)
		}, "share their bytes"},
		"an index that points elsewhere": {func(*protocol.Profile) []byte {
			moof := bytes.Clone(parts[2])
			moof[bytes.Index(moof, []byte("tfhd"))+7] |= baseDataOffset
			return bytes.Join(slices.Concat(parts[:2], [][]byte{moof}, parts[3:]), nil)
		}, "not the plain one"},
		"shorter parts asked": {func(p *protocol.Profile) []byte { p.PartMillis = 50; return bytes.Join(parts, nil) }, "a chunk holds"},
		"a lower level asked": {func(p *protocol.Profile) []byte { p.Level = 12; return bytes.Join(parts, nil) }, "level"},
		"padding in the data": {func(*protocol.Profile) []byte {
			padded := slices.Clone(parts)
			last := append(slices.Clone(padded[len(padded)-1]), make([]byte, 60_000)...)
			binary.BigEndian.PutUint32(last, uint32(len(last)))
			padded[len(padded)-1] = last
			return bytes.Join(padded, nil)
		}, "bytes hold"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := *honest
			p := profile
			tr.outs = [][]byte{tc.spoil(&p)}
			tr.spec.Ladder = protocol.Ladder{p}
			tr.receipt.Renditions = slices.Clone(tr.receipt.Renditions)
			tr.receipt.Renditions[0].Profile, tr.receipt.Renditions[0].Output = protocol.Hash(p.Hash()), sha256.Sum256(tr.outs[0])
			st := newScanner(Limits{}.withDefaults(), true, askedOf(p))
			st.write(tr.outs[0])
			got := st.finish()
			if got.Frames > 0 {
				r := &tr.receipt.Renditions[0]
				r.Frames, r.Pixels, r.FirstPTS, r.LastPTS = uint32(got.Frames), got.Pixels, got.FirstPTS, got.LastPTS
			}
			if v := tr.judge(t); v.Passed || !strings.Contains(v.Detail, tc.want) {
				t.Errorf("verdict %+v, want a word of %s", v, tc.want)
			}
		})
	}
}

// grow makes the box at the head of b say that it is n bytes longer.
func grow(b []byte, n int) { binary.BigEndian.PutUint32(b, binary.BigEndian.Uint32(b)+uint32(n)) }

// withRuns is a moof whose first track has more runs.
func withRuns(moof, runs []byte) []byte {
	moof = bytes.Clone(moof)
	at := bytes.Index(moof, []byte("traf")) - 4
	end := at + int(binary.BigEndian.Uint32(moof[at:]))
	grow(moof, len(runs))
	grow(moof[at:], len(runs))
	return slices.Insert(moof, end, runs...)
}

func TestCheck_readsTheShapeOfPixelsInEveryCodec(t *testing.T) {
	t.Parallel()
	for _, encoder := range []string{"libx264", "libx265"} {
		source := mediatest.Segments(t, mediatest.Spec{Video: encoder, SAR: "4/3", SegmentSeconds: 1})[0].Bytes
		ladder := protocol.Ladder{outputKinds["contain"].profile, outputKinds["padded"].profile, outputKinds["cropped"].profile}
		for i := range ladder {
			ladder[i].Name = []string{"contain", "padded", "cropped"}[i]
		}
		tr := made(t, source, ladder)
		tr.config.Meter, tr.spec.Deep = newMeter(t), true
		if v := tr.judge(t); !v.Passed || v.Layers != L0L1 {
			t.Errorf("%s: %v at %s: %s", encoder, v.Passed, v.Layers, v.Detail)
		}
	}
}

func TestSource_ofWhichTheSoundIsNamedByItsRegistrationHasSound(t *testing.T) {
	t.Parallel()
	source := bytes.Clone(mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1, Extra: "-c:a ac3"})[0].Bytes)
	changed := 0
	for p := source; len(p) >= packetLen; p = p[packetLen:] { // AC-3 as broadcasters in America send it, under the type of private data
		at := bytes.Index(p[:packetLen], []byte("\x81\xe1\x01\xf0\x06\x05\x04AC-3"))
		if at < 0 {
			continue
		}
		p[at] = 0x06
		section := p[5 : 5+3+int(p[7])]
		body := section[:len(section)-4]
		binary.BigEndian.PutUint32(section[len(body):], mpegts.Checksum(body))
		changed++
	}
	if changed == 0 {
		t.Fatal("the source declares no AC-3")
	}
	tr := made(t, source, protocol.Ladder{outputKinds["aac"].profile})
	if v := tr.judge(t); !v.Passed || v.Outputs[0].Audio.Codec != "aac" {
		t.Errorf("verdict %v %q, sound %+v", v.Passed, v.Detail, v.Outputs[0].Audio)
	}
}

func TestSource_inWhichNoDecoderHearsTheSoundIsNobodysFault(t *testing.T) {
	t.Parallel()
	source := bytes.Clone(mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1})[0].Bytes)
	for p := source; len(p) >= packetLen; p = p[packetLen:] {
		if i := bytes.Index(p[:packetLen], []byte{0, 0, 1, 0xc0}); i >= 4 && p[1]&0x40 != 0 {
			p[i+7] &^= 0xc0 // none of its packets has a time
		}
	}
	tr := made(t, source, protocol.Ladder{outputKinds["h264 fmp4"].profile})
	if v := tr.judge(t); v.Passed || v.Gross || !strings.Contains(v.Detail, "sound is missing") {
		t.Errorf("verdict %v, gross %v: %q", v.Passed, v.Gross, v.Detail)
	}
}

func TestSource_whosePixelsChangeTheirShapeMayBeReadEitherWay(t *testing.T) {
	t.Parallel()
	var source []byte
	for i, sar := range []string{"1/1", "4/3"} {
		source = append(source, mediatest.Segments(t, mediatest.Spec{SAR: sar, SegmentSeconds: 1, Start: float64(i), NoAudio: true})[0].Bytes...)
	}
	s := newScanner(Limits{}.withDefaults(), false, asked{})
	s.write(source)
	if st := s.finish(); st.Frames != 60 || !st.Damaged {
		t.Errorf("%d pictures, damaged %v", st.Frames, st.Damaged)
	}
}
