package protocol

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"
)

func TestPrices(t *testing.T) {
	t.Parallel()
	one := CodecPrice{H264, NewWei(1)}
	for _, c := range []struct {
		p    Prices
		want string
	}{
		{Prices{one}, ""},
		{Prices{one, {HEVC, MaxUint96}, {AV1, Wei{}}}, ""},
		{nil, "0 entries"},
		{Prices{one, one}, "two prices"},
		{Prices{{"vp9", NewWei(1)}}, "unknown codec"},
		{Prices{{H264, MaxUint96.Add(NewWei(1))}}, "96 bits"},
		{slices.Repeat(Prices{one}, 9), "9 entries"},
	} {
		err := c.p.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.p, err, c.want)
		}
	}
	if w, ok := samplePrices.Of(AV1); !ok || w != MaxUint96 {
		t.Error(w, ok)
	}
	if _, ok := samplePrices.Of(HEVC); ok {
		t.Error("a price that is not listed")
	}
}

func TestPricesOf_leavesOutWhatIsNotSold(t *testing.T) {
	t.Parallel()
	p := PricesOf(NewWei(3), Wei{}, NewWei(9))
	if _, sold := p.Of(HEVC); sold || len(p) != 2 || p.Validate() != nil {
		t.Errorf("%+v", p)
	}
}

func TestLadder_fee(t *testing.T) {
	t.Parallel()
	l := Ladder{{Name: "a", Width: 640, Height: 360, Bitrate: 1000, Codec: H264}, {Name: "b", Width: 320, Height: 180, Bitrate: 1000, Codec: HEVC}}
	p := Prices{{H264, NewWei(3)}, {HEVC, NewWei(10)}}
	r := Receipt{Renditions: []RenditionReceipt{{Profile: Hash(l[0].Hash()), Pixels: 100}, {Profile: Hash(l[1].Hash()), Pixels: 7}}}
	if fee, err := l.Fee(p, r); err != nil || fee != NewWei(370) {
		t.Error(fee, err)
	}
	for _, bad := range []struct {
		l Ladder
		p Prices
		r Receipt
	}{
		{l, p[:1], r},
		{l, p, Receipt{Renditions: r.Renditions[:1]}},
		{Ladder{l[1], l[0]}, p, r},
	} {
		if fee, err := bad.l.Fee(bad.p, bad.r); err == nil {
			t.Errorf("fee %s", fee)
		}
	}
	if _, err := l.MaxFee(p[:1], 30, 2000); err == nil {
		t.Error("a most fee without a price")
	}
}

// TestLadder_maxFeeCoversEveryFee: what a budget and a face value are made of is never below what an honest segment costs.
func TestLadder_maxFeeCoversEveryFee(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fps := rapid.Float64Range(1, MaxFPS).Draw(t, "fps")
		millis := rapid.Uint32Range(1, MaxSegmentMillis).Draw(t, "millis")
		p := Profile{Name: "p", Width: 2 * rapid.Uint32Range(8, 2048).Draw(t, "w"), Height: 2 * rapid.Uint32Range(8, 2048).Draw(t, "h"), Bitrate: 1000, Codec: H264}
		rate := fps
		if rapid.Bool().Draw(t, "own rate") {
			p.FPSNum, p.FPSDen = rapid.Uint32Range(1, 60).Draw(t, "num"), rapid.Uint32Range(1, 2).Draw(t, "den")
			rate = float64(p.FPSNum) / float64(p.FPSDen)
		}
		l, prices := Ladder{p}, Prices{{H264, NewWei(rapid.Uint64Range(1, 1<<40).Draw(t, "price"))}}
		most, err := l.MaxFee(prices, fps, millis)
		if err != nil {
			t.Fatal(err)
		}
		frames := uint64(rate * float64(millis) / 1000)
		fee, err := l.Fee(prices, Receipt{Renditions: []RenditionReceipt{{Profile: Hash(p.Hash()), Pixels: frames * uint64(p.Width) * uint64(p.Height)}}})
		if err != nil || most.Less(fee) {
			t.Fatalf("%d pictures cost %s, at most %s is covered (%v)", frames, fee, most, err)
		}
	})
}

func TestProfile_validate(t *testing.T) {
	t.Parallel()
	good := sampleProfile
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := sampleOutput.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Profile){
		"name":          func(p *Profile) { p.Name = "480P" },
		"name ":         func(p *Profile) { p.Name = "../x" },
		"width":         func(p *Profile) { p.Width = 855 },
		"width ":        func(p *Profile) { p.Width = MaxWidth + 2 },
		"height":        func(p *Profile) { p.Height = 14 },
		"bitrate":       func(p *Profile) { p.Bitrate = 999 },
		"frame rate":    func(p *Profile) { p.FPSDen = 0 },
		"frame rate ":   func(p *Profile) { p.FPSNum, p.FPSDen = 121, 1 },
		"frame rate  ":  func(p *Profile) { p.FPSNum, p.FPSDen = 0, 1 },
		"gop_ms":        func(p *Profile) { p.GOPMillis = 60_001 },
		"codec":         func(p *Profile) { p.Codec = "vp9" },
		"codec_profile": func(p *Profile) { p.CodecProfile = "high10" },
		"preset":        func(p *Profile) { p.Preset = "veryfast:crf=0" },
		"lookahead":     func(p *Profile) { p.Lookahead = -2 },
	} {
		p := good
		spoil(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
		if (Ladder{p}).Validate() == nil {
			t.Errorf("a ladder with a bad %s", name)
		}
	}
	if (Ladder{good, good}).Validate() == nil || (Ladder{}).Validate() == nil || slices.Repeat(Ladder{good}, 9).Validate() == nil {
		t.Error("a ladder with a name twice, without profiles or with nine")
	}
}

func TestProfile_validatesWhatItAsksOfTheOutput(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		wrong string // the field an error must name; empty: none
		spoil func(*Profile)
	}{
		{"container", func(p *Profile) { p.Container = "mkv" }},
		{"container", func(p *Profile) {
			p.Codec, p.Container, p.CodecProfile, p.Tune, p.PartMillis, p.AudioCodec, p.AudioBitrate, p.AudioChannels = AV1, TS, "main", "", 0, "", 0, 0
		}},
		{"part_ms", func(p *Profile) { p.PartMillis = 19 }},
		{"part_ms", func(p *Profile) { p.Container, p.AudioCodec = "", "aac" }},
		{"fit", func(p *Profile) { p.Fit = "squeeze" }},
		{"level", func(p *Profile) { p.Level = 42 }}, // HEVC has none
		{"level", func(p *Profile) { p.Level = 30 }},
		{"tune", func(p *Profile) { p.Tune = "film" }}, // x265 has none
		{"dynamic_range", func(p *Profile) { p.DynamicRange = "hdr" }},
		{"audio_codec", func(p *Profile) { p.AudioCodec = "mp3" }},
		{"audio_codec", func(p *Profile) { p.Container, p.PartMillis = TS, 0 }},
		{"audio_bitrate", func(p *Profile) { p.AudioBitrate = 5000 }},
		{"audio_bitrate", func(p *Profile) { p.AudioCodec = "copy" }},
		{"audio_channels", func(p *Profile) { p.AudioChannels = 3 }},
		{"codec_profile", func(p *Profile) { p.CodecProfile = "high" }},
		{"width", func(p *Profile) { p.Width = 0 }},
		{"width and height are 0", func(p *Profile) { p.Width, p.Height = 0, 0 }},
		{"", func(p *Profile) { *p = Profile{Name: "sound", Codec: H264, AudioCodec: "aac", AudioBitrate: 64000} }},
		{"", func(p *Profile) { *p = Profile{Name: "sound", Codec: H264} }},
		{"audio_codec", func(p *Profile) { *p = Profile{Name: "sound", Codec: H264, AudioCodec: "none"} }},
		{"", func(p *Profile) { p.Container, p.PartMillis, p.AudioCodec = TS, 0, "aac" }},
		{"", func(p *Profile) { p.Codec, p.CodecProfile, p.Tune = AV1, "main", "ssim" }},
	} {
		p := sampleOutput
		tc.spoil(&p)
		switch err := p.Validate(); {
		case tc.wrong == "" && err != nil, tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
			t.Errorf("%+v: %v, want an error about %q", p, err, tc.wrong)
		}
	}
	sound := Profile{Name: "sound", Codec: H264, AudioCodec: "aac"}
	if (Ladder{sound}).Validate() == nil || (Ladder{sampleProfile, sound}).Validate() != nil {
		t.Error("sound alone needs pictures beside it, and no more than that")
	}
	if most, err := (Ladder{sampleProfile, sound}).MaxFee(Prices{{H264, NewWei(3)}}, 30, 2000); err != nil {
		t.Error(err)
	} else if alone, _ := (Ladder{sampleProfile}).MaxFee(Prices{{H264, NewWei(3)}}, 30, 2000); most != alone {
		t.Errorf("with sound alone beside it the ladder costs %s, without %s", most, alone)
	}
}

func TestValidateStream(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a", "0", "camera-1", "A.b_c-d", strings.Repeat("x", 64)} {
		if err := ValidateStream(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", ".", "..", "a..b", "-a", "_a", "a/b", "a b", "a*", "a>", "é", "a\n", "a\x00", strings.Repeat("x", 65)} {
		if ValidateStream(s) == nil {
			t.Errorf("%q can name a stream", s)
		}
	}
}

// TestValidate_namesWhatIsWrong spoils one field of each message.
func TestValidate_namesWhatIsWrong(t *testing.T) {
	t.Parallel()
	type validated interface{ Validate() error }
	with := func(m any, spoil any) validated { // spoil is func(*M)
		switch f := spoil.(type) {
		case func(*Assignment):
			v := m.(Assignment)
			f(&v)
			return v
		case func(*Receipt):
			v := m.(Receipt)
			v.Renditions = slices.Clone(v.Renditions)
			f(&v)
			return v
		case func(*Bid):
			v := m.(Bid)
			f(&v)
			return v
		case func(*Capabilities):
			v := m.(Capabilities)
			v.Sandbox.Layers = slices.Clone(v.Sandbox.Layers)
			f(&v)
			return v
		case func(*Award):
			v := m.(Award)
			f(&v)
			return v
		case func(*AuctionEpoch):
			v := m.(AuctionEpoch)
			f(&v)
			return v
		case func(*FiguresRoot):
			v := m.(FiguresRoot)
			f(&v)
			return v
		case func(*WorkRequest):
			v := m.(WorkRequest)
			f(&v)
			return v
		case func(*AwardOffer):
			v := m.(AwardOffer)
			f(&v)
			return v
		case func(*SegmentHeader):
			v := m.(SegmentHeader)
			f(&v)
			return v
		case func(*SegmentOffer):
			v := m.(SegmentOffer)
			f(&v)
			return v
		case func(*QuoteRequest):
			v := m.(QuoteRequest)
			f(&v)
			return v
		case func(*Quote):
			v := m.(Quote)
			f(&v)
			return v
		case func(*Login):
			v := m.(Login)
			f(&v)
			return v
		case func(*KeyBinding):
			v := m.(KeyBinding)
			f(&v)
			return v
		case func(*TicketParams):
			v := m.(TicketParams)
			f(&v)
			return v
		}
		t.Fatalf("%T", spoil)
		return nil
	}
	for _, good := range []validated{sampleAssignment, sampleReceipt, sampleSlot, sampleBid, sampleFirstBid, sampleCapabilities, sampleAward, sampleAwardOffer, sampleLeaseRequest, sampleParamsReq, sampleHeader, sampleOffer, sampleRequest, sampleQuote, sampleParams, sampleFlush,
		sampleAuctionEpoch, sampleFiguresRoot, sampleAuctionClose, sampleWorkRequest, sampleSheet, sampleSheet.Sealed(), sampleSheetRequest, sampleLogin, sampleBinding} {
		if err := good.Validate(); err != nil {
			t.Errorf("%T: %v", good, err)
		}
	}
	for _, c := range []struct {
		m, spoil any
		want     string
	}{
		{sampleAssignment, func(v *Assignment) { v.Transcoder = v.Orchestrator }, "two accounts"},
		{sampleAssignment, func(v *Assignment) { v.Attempt = ID{} }, "attempt"},
		{sampleAssignment, func(v *Assignment) { v.Seq = 1 << 63 }, "seq"},
		{sampleAssignment, func(v *Assignment) { v.Stream = "" }, "stream"},
		{sampleReceipt, func(v *Receipt) { v.Renditions = nil }, "renditions"},
		{sampleReceipt, func(v *Receipt) { v.Renditions = slices.Repeat(v.Renditions, 5) }, "renditions"},
		{sampleReceipt, func(v *Receipt) { v.Renditions[1].Frames = 0 }, "rendition 1"},
		{sampleReceipt, func(v *Receipt) { v.Renditions[0].Pixels = math.MaxUint64 }, "rendition 0"},
		{sampleReceipt, func(v *Receipt) { v.Renditions[0].LastPTS = -3004 }, "rendition 0"},
		{sampleBid, func(v *Bid) { v.LoadPPM = FullLoad + 1 }, "load_ppm"},
		{sampleBid, func(v *Bid) { v.Floor = Prices{{H264, NewWei(1)}, {H264, NewWei(1)}} }, "floor"},
		{sampleBid, func(v *Bid) { v.Curves = []PriceCurve{{Codec: HEVC, Points: []PricePoint{{1, NewWei(1)}}}} }, "no price"},
		{sampleBid, func(v *Bid) { v.Curves = []PriceCurve{{Codec: H264}} }, "0 points"},
		{sampleBid, func(v *Bid) { v.Curves = []PriceCurve{{Codec: H264, Points: []PricePoint{{9, NewWei(1199)}}}} }, "falls from"},
		{sampleBid, func(v *Bid) {
			v.Curves = []PriceCurve{{Codec: H264, Points: []PricePoint{{9, NewWei(1200)}, {9, NewWei(1201)}}}}
		}, "load_ppm 9 after 9"},
		{sampleAward, func(v *Award) { v.Auction = 0 }, "auction 0"},
		{sampleWorkRequest, func(v *WorkRequest) { v.WaitMillis = MaxRequestWait + 1 }, "wait_ms"},
		{sampleFiguresRoot, func(v *FiguresRoot) { v.Serial = 0 }, "serial"},
		{sampleAuctionEpoch, func(v *AuctionEpoch) { v.Rule = "" }, "rule"},
		{sampleBid, func(v *Bid) { v.TTLMillis = MaxBidTTLMillis + 1 }, "ttl_ms"},
		{sampleBid, func(v *Bid) { v.Sequence = 0 }, "sequence"},
		{sampleBid, func(v *Bid) { v.Prices = Prices{{H264, NewWei(0)}}; v.Curves = nil }, "for nothing"},
		{sampleBid, func(v *Bid) { v.Region = strings.Repeat("r", 33) }, "region"},
		{sampleBid, func(v *Bid) { v.Prices = nil }, "price list"},
		{sampleBid, func(v *Bid) { v.Transcoder = common.Address{} }, "transcoder"},
		{sampleFirstBid, func(v *Bid) { v.Capabilities[0]++ }, "record"},
		{sampleFirstBid, func(v *Bid) { r := *v.Record; r.Sandbox.Blocked++; v.Record = &r }, "record"},
		{sampleFirstBid, func(v *Bid) { v.Transcoder = sampleOrch.Address() }, "record"},
		{sampleCapabilities, func(v *Capabilities) { v.Transcoder = common.Address{} }, "transcoder"},
		{sampleCapabilities, func(v *Capabilities) { v.Engine = strings.Repeat("e", 129) }, "engine"},
		{sampleCapabilities, func(v *Capabilities) { v.Sandbox.Layers[0] = "z" }, "layers"},
		{sampleCapabilities, func(v *Capabilities) { v.Sandbox.Layers[0] = v.Sandbox.Layers[1] }, "layers"},
		{sampleCapabilities, func(v *Capabilities) { v.Sandbox.Layers[1] = strings.Repeat("z", 33) }, "layers"},
		{sampleCapabilities, func(v *Capabilities) { v.Sandbox.Blocked = 29 }, "blocked"},
		{sampleAward, func(v *Award) { v.MaxFee = Wei{} }, "max_fee"},
		{sampleAward, func(v *Award) { v.LeaseMillis = 999 }, "lease_ms"},
		{sampleAward, func(v *Award) { v.URL = "" }, "url"},
		{sampleAward, func(v *Award) { v.Lease = ID{} }, "lease"},
		{sampleAwardOffer, func(v *AwardOffer) { v.Ladder = v.Ladder[:1] }, "ladder_hash"},
		{sampleAwardOffer, func(v *AwardOffer) { v.SourceFPS = math.NaN() }, "source_fps"},
		{sampleAwardOffer, func(v *AwardOffer) { v.SegmentMillis = 0 }, "segment_ms"},
		{sampleHeader, func(v *SegmentHeader) { v.Budget = MaxUint96.Add(NewWei(1)) }, "budget"},
		{sampleHeader, func(v *SegmentHeader) { v.Expiry = 1 << 40 }, "expiry"},
		{sampleHeader, func(v *SegmentHeader) { v.Quote = ID{} }, "quote"},
		{sampleOffer, func(v *SegmentOffer) { v.DurationMillis = 0 }, "duration_ms"},
		{sampleOffer, func(v *SegmentOffer) { v.BudgetMillis = MaxSegmentMillis + 1 }, "budget_ms"},
		{sampleOffer, func(v *SegmentOffer) { v.Avoid = make([]common.Address, 65) }, "avoid"},
		{sampleRequest, func(v *QuoteRequest) { v.SourceFPS = math.Inf(1) }, "source_fps"},
		{sampleRequest, func(v *QuoteRequest) { v.MaxMillis = v.SegmentMillis - 1 }, "segment_ms"},
		{sampleRequest, func(v *QuoteRequest) { v.Ladder = nil }, "ladder"},
		{sampleQuote, func(v *Quote) { v.ID = ID{} }, "id"},
		{sampleQuote, func(v *Quote) { v.ValidMillis = 0 }, "valid_ms"},
		{sampleParams, func(v *TicketParams) { v.FaceValue = Wei{} }, "face_value"},
		{sampleParams, func(v *TicketParams) { v.AcceptMillis = v.UsableMillis }, "times"},
		{sampleParams, func(v *TicketParams) { v.RecipientRandHash = ID{} }, "recipient_rand_hash"},
		{sampleLogin, func(v *Login) { v.Participant = common.Address{} }, "participant"},
		{sampleLogin, func(v *Login) { v.Role = "broadcaster" }, "role"},
		{sampleLogin, func(v *Login) { v.Nonce = "short" }, "nonce"},
		{sampleBinding, func(v *KeyBinding) { v.KeyHash = Hash{} }, "key_hash"},
		{sampleBinding, func(v *KeyBinding) { v.NotAfter = v.NotBefore }, "not_after"},
	} {
		if err := with(c.m, c.spoil).Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: %v, want something about %s", c.m, err, c.want)
		}
	}
}

func TestReceipt_matches(t *testing.T) {
	t.Parallel()
	a := sampleAssignment
	a.Seq = sampleReceipt.Seq
	if err := sampleReceipt.Matches(a); err != nil {
		t.Error(err)
	}
	for i, spoil := range []func(*Receipt){func(r *Receipt) { r.Orchestrator[0]++ }, func(r *Receipt) { r.Transcoder[0]++ }, func(r *Receipt) { r.Lease[0]++ }, func(r *Receipt) { r.Seq++ }, func(r *Receipt) { r.Attempt[0]++ }} {
		r := sampleReceipt
		spoil(&r)
		if r.Matches(a) == nil {
			t.Errorf("change %d matches", i)
		}
	}
}

func TestSigned_opensOnlyWhatItsSignerSigned(t *testing.T) {
	t.Parallel()
	s := seal(sampleOrch, sampleQuote)
	if got, err := s.Open(sampleDomain); err != nil || got.StructHash() != sampleQuote.StructHash() {
		t.Fatal(err)
	}
	if _, err := Seal(sampleDomain, sampleKey, sampleQuote); err == nil {
		t.Error("sealed with a key the message does not name")
	}
	if _, err := Seal(sampleDomain, sampleOrch, Quote{Orchestrator: sampleOrch.Address()}); err == nil {
		t.Error("sealed a message that cannot be")
	}
	for _, c := range []struct {
		name  string
		spoil func(*Signed[Quote])
		want  Code
	}{
		{"another message", func(s *Signed[Quote]) { s.Message.MaxFee = NewWei(1) }, BadSignature},
		{"another signer named", func(s *Signed[Quote]) { s.Message.Orchestrator = sampleWorker.Address() }, BadSignature},
		{"signed by another", func(s *Signed[Quote]) { s.Signature, _ = sampleDomain.Sign(sampleWorker, s.Message) }, BadSignature},
		{"no signature", func(s *Signed[Quote]) { s.Signature = Signature{} }, BadSignature},
		{"v of 0", func(s *Signed[Quote]) { s.Signature[64] -= 27 }, BadSignature},
		{"the other v", func(s *Signed[Quote]) { s.Signature[64] = 55 - s.Signature[64] }, BadSignature},
		{"high s", func(s *Signed[Quote]) { s.Signature = highS(s.Signature) }, BadSignature},
		{"a message that cannot be", func(s *Signed[Quote]) { s.Message.Stream = "" }, BadRequest},
	} {
		x := s
		c.spoil(&x)
		if _, err := x.Open(sampleDomain); CodeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := s.Signature.Check(sampleDomain.Digest(sampleQuote), sampleKey.Address()); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
}

// highS is the other signature of the same key over the same digest, which Ethereum's contracts refuse.
func highS(s Signature) Signature {
	order := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
		0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41}
	borrow := 0
	for i := 31; i >= 0; i-- {
		d := int(order[i]) - int(s[32+i]) - borrow
		borrow = 0
		if d < 0 {
			d, borrow = d+256, 1
		}
		s[32+i] = byte(d)
	}
	s[64] = 55 - s[64]
	return s
}

func TestDecode_isBounded(t *testing.T) {
	t.Parallel()
	big := append([]byte(`{"detail":"`), bytes.Repeat([]byte("x"), MaxMessage)...)
	if _, err := Decode[Verdict](append(big, `"}`...)); CodeOf(err) != BadRequest {
		t.Error(err)
	}
	for _, s := range []string{"", "null x", "[]", "{", `{"passed":1}`, `{"attempt":"0x12"}`} {
		if _, err := Decode[Verdict]([]byte(s)); CodeOf(err) != BadRequest {
			t.Errorf("%q: %v", s, err)
		}
	}
	if v, err := Decode[Verdict]([]byte(`{"passed":true,"from_the_future":1}`)); err != nil || !v.Passed {
		t.Error("a field that is not known yet is not ignored", err)
	}
	if _, err := DecodeField[SegmentOffer]("not base64url!"); CodeOf(err) != BadRequest {
		t.Error(err)
	}
	if o, err := DecodeField[SegmentOffer](EncodeField(sampleOffer)); err != nil || o.Header != sampleOffer.Header {
		t.Error(err)
	}
}

func TestFrames_areSplitReadAndBounded(t *testing.T) {
	t.Parallel()
	var wire bytes.Buffer
	flushed := 0
	w := NewFrameWriter(&wire, func() error { flushed++; return nil })
	payload := bytes.Repeat([]byte("0123456789"), 60_000) // more than two frames
	for _, f := range []Frame{{Kind: FrameAttempt, Payload: []byte("{}")}, {Kind: FrameRendition, Attempt: 3, Rendition: 7, Payload: payload}, {Kind: FrameEnd}} {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if flushed != 3 {
		t.Errorf("flushed %d times", flushed)
	}
	if err := w.Write(Frame{Kind: FrameReceipt, Payload: payload}); err == nil {
		t.Error("a message was split over frames")
	}
	whole := bytes.Clone(wire.Bytes())
	r := NewFrameReader(&wire)
	var got []byte
	var kinds []FrameKind
	for {
		f, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, f.Kind)
		if f.Kind == FrameRendition {
			if f.Attempt != 3 || f.Rendition != 7 {
				t.Errorf("%+v", f)
			}
			got = append(got, f.Payload...)
		}
	}
	if !bytes.Equal(got, payload) || !slices.Equal(kinds, []FrameKind{FrameAttempt, FrameRendition, FrameRendition, FrameRendition, FrameEnd}) {
		t.Errorf("%d bytes in frames %v", len(got), kinds)
	}
	for _, cut := range []int{1, 7, 9, len(whole) - 1} {
		r := NewFrameReader(bytes.NewReader(whole[:cut]))
		var err error
		for err == nil {
			_, err = r.Read()
		}
		if err != io.ErrUnexpectedEOF {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	for name, head := range map[string][]byte{"kind 0": {0, 0, 0, 0, 0, 0, 0, 0}, "kind 11": {11, 0, 0, 0, 0, 0, 0, 0}, "rendition 8": {4, 0, 8, 0, 0, 0, 0, 0}, "reserved": {4, 0, 0, 1, 0, 0, 0, 0}, "too long": {4, 0, 0, 0, 0, 4, 0, 1}} {
		if _, err := NewFrameReader(bytes.NewReader(head)).Read(); CodeOf(err) != BadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	id := NewID()
	if back, err := ParseID(id.String()); err != nil || back != id || id.IsZero() || NewID() == id || !strings.HasPrefix(id.String(), "0x"+id.Short()) {
		t.Error(id, back, err)
	}
	for _, s := range []string{"", "0x", id.String()[2:], id.String() + "00", id.String()[:65], "0X" + id.String()[2:], "0x" + strings.Repeat("g", 64)} {
		if _, err := ParseID(s); err == nil {
			t.Errorf("%q is an ID", s)
		}
	}
	if !(ID{}).IsZero() {
		t.Error("the zero ID names something")
	}
}

func TestSandbox_isTightOnlyWhenTestedWhole(t *testing.T) {
	t.Parallel()
	if (Sandbox{}).Tight() || (Sandbox{Blocked: 27, Attempts: 28}).Tight() || !(Sandbox{Blocked: 28, Attempts: 28}).Tight() {
		t.Error("tight means that something was tried, and that nothing passed")
	}
}
