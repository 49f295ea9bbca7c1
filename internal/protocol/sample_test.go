package protocol

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Samples of every message, every field set and no two alike: what the vectors and the fuzz corpora are made of.
var (
	sampleKey    = testKey("payer")
	sampleOrch   = testKey("orchestrator")
	sampleWorker = testKey("transcoder")
	sampleDomain = NewDomain(1337, common.HexToAddress("0x5FbDB2315678afecb367f032d93F642f64180aa3"))

	sampleProfile = Profile{Name: "480p", Width: 854, Height: 480, Bitrate: 1_600_000, FPSNum: 30000, FPSDen: 1001, GOPMillis: 2000,
		Codec: H264, CodecProfile: "main", Preset: "veryfast", Lookahead: -1}
	sampleOutput = Profile{Name: "720p", Width: 1280, Height: 720, Bitrate: 3_000_000, FPSNum: 25, FPSDen: 1, GOPMillis: 1000, Codec: HEVC, CodecProfile: "main10",
		Preset: "fast", Lookahead: 20, Container: FMP4, PartMillis: 200, Fit: Pad, Level: 41, Tune: "grain", DynamicRange: SDR,
		AudioCodec: "opus", AudioBitrate: 96_000, AudioChannels: 2}
	sampleLadder = Ladder{sampleProfile, {Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: HEVC}}
	samplePrices = Prices{{Codec: H264, WeiPerPixel: NewWei(1200)}, {Codec: AV1, WeiPerPixel: MaxUint96}}
	sampleSeg    = SegmentKey{Stream: "camera-1.main_b", Incarnation: 3, Seq: 1<<63 - 1}

	sampleAssignment = Assignment{Orchestrator: sampleOrch.Address(), Transcoder: sampleWorker.Address(), Lease: testID("lease"), SegmentKey: sampleSeg, Attempt: testID("attempt")}
	sampleReceipt    = Receipt{Orchestrator: sampleOrch.Address(), Transcoder: sampleWorker.Address(), Lease: testID("lease"), Seq: 7, Attempt: testID("attempt"), Source: testID("source"),
		Renditions: []RenditionReceipt{
			{Profile: Hash(sampleProfile.Hash()), Output: testID("out 0"), Pixels: 854 * 480 * 60, Frames: 60, FirstPTS: -3003, LastPTS: 174_174},
			{Profile: testID("other profile"), Output: testID("out 1"), Pixels: 426 * 240 * 50, Frames: 50, FirstPTS: 0, LastPTS: 1 << 33}}}
	sampleSlot         = SlotRequest{Lease: testID("lease"), Transcoder: sampleWorker.Address(), Serial: 12}
	sampleCapabilities = Capabilities{Transcoder: sampleWorker.Address(), Owner: common.HexToAddress("0x0a11ce"), Engine: "kinora-media 1, FFmpeg 7.1", Sandbox: Sandbox{Layers: []string{"landlock", "seccomp"}, Blocked: 27, Attempts: 28, Report: testID("report"), At: 1_763_812_700},
		Measured: Measured{Encode: CodecRates{{H264, 60_000_000}, {AV1, 9_000_000}}, Decode: []string{"av1", "h264"}, Method: "search", At: 1_763_812_600}}
	sampleDuty = Duty{Transcoder: sampleWorker.Address(), State: DutyHandingOver, Reason: ForHeat, Leases: 3, DeadlineMillis: 20_000, WindowInMillis: 3_600_000, WindowMillis: 7_200_000, WindowReason: ForMaintenance, Sequence: 1_763_812_800_001}
	sampleBid  = Bid{Transcoder: sampleWorker.Address(), Region: "eu-west", Prices: samplePrices, LoadPPM: 250_000, FreePixelRate: 27_648_000, FreeByCodec: CodecRates{{HEVC, 9_216_000}, {AV1, 0}}, TTLMillis: 5000, Sequence: 1_763_812_800_000, Capabilities: Hash(sampleCapabilities.StructHash()),
		Curves: []PriceCurve{{Codec: H264, Points: []PricePoint{{500_000, NewWei(1300)}, {1_000_000, NewWei(2000)}}}}, Floor: Prices{{H264, NewWei(700)}, {HEVC, NewWei(2100)}}, Request: testID("request")}
	sampleFirstBid = Bid{Transcoder: sampleWorker.Address(), Prices: samplePrices, TTLMillis: 5000, Sequence: 1, Capabilities: Hash(sampleCapabilities.StructHash()), Record: &sampleCapabilities}
	sampleAward    = Award{Lease: testID("lease"), Orchestrator: sampleOrch.Address(), Payer: sampleKey.Address(), Transcoder: sampleWorker.Address(), Stream: "camera-1.main_b", Incarnation: 3, LadderHash: Hash(sampleLadder.Hash()), Prices: samplePrices, MaxFee: NewWei(9_999_999_999), LeaseMillis: 30_000, BidSequence: 1_763_812_800_001, URL: "https://orchestrator.example:8936",
		Epoch: testID("secret"), Auction: 41, Book: testID("book"), Figures: testID("figures")}
	sampleAuctionEpoch = AuctionEpoch{Orchestrator: sampleOrch.Address(), Commitment: testID("secret"), Rule: "second-score", TrialsPPM: 50_000, BeganMillis: 1_763_812_800_000, LengthMillis: 300_000, URL: "https://orchestrator.example:8936"}
	sampleFiguresRoot  = FiguresRoot{Orchestrator: sampleOrch.Address(), Epoch: testID("secret"), Serial: 17, Root: testID("figures"), AtMillis: 1_763_812_800_123}
	sampleAuctionClose = AuctionClose{Orchestrator: sampleOrch.Address(), Epoch: testID("secret"), Auctions: 99, Pages: 3, Journal: testID("journal")}
	sampleWorkRequest  = WorkRequest{Orchestrator: sampleOrch.Address(), Ask: testID("ask"), LadderHash: Hash(sampleLadder.Hash()), MaxPrices: samplePrices, AtMillis: 1_763_812_800_321, WaitMillis: 5}
	sampleSheet        = ScoreSheet{Lease: testID("lease"), Orchestrator: sampleOrch.Address(), Transcoder: sampleWorker.Address(), BidSequence: 1_763_812_800_001, Prices: samplePrices, Cost: NewWei(77), Quality: 912_345,
		Paid: Prices{{H264, NewWei(1201)}}, Reason: "outscored", Rank: 2, Of: 9, WouldWin: Prices{{H264, NewWei(1100)}}, Epoch: testID("secret"), Auction: 41, Book: testID("book"), Figures: testID("figures"), TellMillis: 1_763_813_100_000}
	sampleSheetRequest = SheetRequest{Orchestrator: sampleOrch.Address(), Transcoder: sampleWorker.Address(), AtMillis: 1_763_812_800_000}
	sampleLeaseRequest = LeaseRequest{Lease: testID("lease"), Orchestrator: sampleOrch.Address(), ExtendMillis: 30_000, Serial: 13}
	sampleParamsReq    = ParamsRequest{Lease: testID("lease"), Orchestrator: sampleOrch.Address(), Serial: 14}
	sampleHeader       = SegmentHeader{Payer: sampleKey.Address(), Recipient: sampleOrch.Address(), Quote: testID("quote"), SegmentKey: sampleSeg, Budget: NewWei(5_000_000), Expiry: 1_763_812_800}
	sampleQuote        = Quote{ID: testID("quote"), Orchestrator: sampleOrch.Address(), Payer: sampleKey.Address(), Stream: "camera-1.main_b", LadderHash: Hash(sampleLadder.Hash()), Prices: samplePrices, MaxFee: NewWei(77), ValidMillis: 20_000, MaxMillis: 10_000}
	sampleParams       = TicketParams{Set: testID("set"), Payer: sampleKey.Address(), Recipient: sampleOrch.Address(), Lane: 65_535, FaceValue: MaxUint96, RecipientRandHash: testID("rand"), Expiry: 1<<40 - 1, UsableMillis: 10_000, AcceptMillis: 25_000, RedeemMillis: 27_000}
	sampleFlush        = Flush{Payer: sampleKey.Address(), Recipient: sampleOrch.Address(), Set: testID("set")}
	sampleList         = List{Publisher: sampleKey.Address(), Sequence: 9, Orchestrators: []Listing{{Account: sampleOrch.Address(), URL: "https://orchestrator.example:8936", Region: "eu-west"}, {Account: sampleWorker.Address(), URL: "http://127.0.0.1:8936"}}}
	sampleLogin        = Login{Participant: sampleWorker.Address(), Role: RoleTranscoder, Market: sampleOrch.Address(), Nonce: "nZ1-k2_abcdefgh"}
	sampleBinding      = KeyBinding{Identity: sampleOrch.Address(), KeyHash: testID("key"), NotBefore: 1_763_812_800, NotAfter: 1_764_417_600}

	sampleOffer      = SegmentOffer{Header: seal(sampleKey, sampleHeader), DurationMillis: 2000, BudgetMillis: 6000, Avoid: []common.Address{sampleWorker.Address()}}
	sampleRequest    = QuoteRequest{Payer: sampleKey.Address(), Stream: "camera-1.main_b", Ladder: sampleLadder, SourceFPS: 29.97, SegmentMillis: 2000, MaxMillis: 10_000}
	sampleAwardOffer = AwardOffer{Award: seal(sampleOrch, sampleAward), Ladder: sampleLadder, SourceFPS: 30, SegmentMillis: 2000}
	sampleProblem    = ProblemOf(Limited(SegmentTooLarge, "max_bytes", 1000, "the segment has more than %d bytes", 1000))
	sampleEvent      = Event{ID: 9, At: time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC), Role: "orchestrator", Actor: sampleOrch.Address(), Kind: OutputRejected, Stream: "s", Incarnation: 1, Seq: 2,
		Lease: ptr(testID("lease")), Attempt: ptr(testID("attempt")), Counterparty: ptr(sampleWorker.Address()), Layers: "L0+L1", Wei: ptr(NewWei(5)), Count: 3, Millis: -4, Code: VerificationFailed, Detail: "≠", Tx: &common.Hash{1}}
)

func ptr[T any](v T) *T { return &v }

func testKey(name string) *KeySigner {
	sum := sha256.Sum256([]byte("key of " + name))
	k, err := crypto.ToECDSA(sum[:])
	if err != nil {
		panic(err)
	}
	return NewKeySigner(k)
}

func testID(name string) ID { return sha256.Sum256([]byte(name)) }

func seal[M Message](s Signer, m M) Signed[M] {
	signed, err := Seal(sampleDomain, s, m)
	if err != nil {
		panic(err)
	}
	return signed
}

// checkMessage is the one property of every message on the wire: arbitrary bytes that decode and validate are encoded and decoded to
// the same, and hash the same.
func checkMessage[M any](t *testing.T, b []byte) {
	m, err := Decode[M](b)
	if err != nil {
		if CodeOf(err) != BadRequest {
			t.Fatalf("refused with %v", err)
		}
		return
	}
	if v, ok := any(m).(interface{ Validate() error }); ok && v.Validate() != nil {
		return
	}
	first := Encode(m)
	again, err := Decode[M](first)
	if err != nil {
		if len(first) > MaxMessage { // escaping may double what was within the limit
			return
		}
		t.Fatalf("%s does not decode: %v", first, err)
	}
	if second := Encode(again); !bytes.Equal(first, second) {
		t.Fatalf("%s became %s", first, second)
	}
	if h, ok := any(m).(Hashed); ok && h.StructHash() != any(again).(Hashed).StructHash() {
		t.Fatalf("the struct hash of %s changed", first)
	}
}

// checkSigned is checkMessage of the message and of what is around it; none of it opens unsigned.
func checkSigned[M Message](t *testing.T, b []byte) {
	checkMessage[M](t, b)
	checkMessage[Signed[M]](t, b)
	if s, err := Decode[Signed[M]](b); err == nil {
		if m, err := s.Open(sampleDomain); err == nil && m.Validate() != nil {
			t.Fatalf("%s opens", b)
		}
	}
}
