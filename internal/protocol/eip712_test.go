package protocol

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
)

var update = flag.Bool("update", false, "write testdata/eip712.json anew; the messages on the wire are frozen, so that is never right after a release")

// The type strings are written out here once more: what is signed must not change by a change of the package.
const (
	codecPriceString = "CodecPrice(string codec,uint96 weiPerPixel)"
	profileString    = "Profile(" + profileStringOld + ")"
	outputString     = "OutputProfile(" + profileStringOld + ",string container,uint32 partMillis,string fit,uint32 level,string tune,string dynamicRange,string audioCodec,uint32 audioBitrate,uint32 audioChannels)"
	profileStringOld = "string name,uint32 width,uint32 height,uint32 bitrate,uint32 fpsNum,uint32 fpsDen,uint32 gopMillis,string codec,string codecProfile,string preset,int32 lookahead"
)

// typed is one signed message with its EIP-712 type and its fields, in that type's words.
type typed struct {
	types   string
	message Hashed
	signer  Signer
	fields  map[string]any
}

func n[T uint8 | uint16 | uint32 | uint64 | int32 | int64](v T) *big.Int {
	if v < 0 {
		return big.NewInt(int64(v))
	}
	return new(big.Int).SetUint64(uint64(v))
}

func a(v common.Address) string { return v.Hex() }
func h(v ID) string             { return v.String() }

func prices(p Prices) []any {
	var out []any
	for _, c := range p {
		out = append(out, map[string]any{"codec": string(c.Codec), "weiPerPixel": c.WeiPerPixel.Big()})
	}
	return out
}

func listings(l []Listing) []any {
	var out []any
	for _, o := range l {
		out = append(out, map[string]any{"account": a(o.Account), "url": o.URL, "region": o.Region})
	}
	return out
}

func curves(all []PriceCurve) []any {
	var out []any
	for _, c := range all {
		var points []any
		for _, p := range c.Points {
			points = append(points, map[string]any{"loadPpm": n(p.LoadPPM), "weiPerPixel": p.WeiPerPixel.Big()})
		}
		out = append(out, map[string]any{"codec": string(c.Codec), "points": points})
	}
	return out
}

func rates(r CodecRates) []any {
	var out []any
	for _, c := range r {
		out = append(out, map[string]any{"codec": string(c.Codec), "pixelRate": n(c.PixelRate)})
	}
	return out
}

func profileFields712(p Profile) map[string]any {
	return map[string]any{"name": p.Name, "width": n(p.Width), "height": n(p.Height), "bitrate": n(p.Bitrate), "fpsNum": n(p.FPSNum), "fpsDen": n(p.FPSDen),
		"gopMillis": n(p.GOPMillis), "codec": string(p.Codec), "codecProfile": p.CodecProfile, "preset": p.Preset, "lookahead": n(p.Lookahead)}
}

func outputFields(p Profile) map[string]any {
	f := profileFields712(p)
	for k, v := range map[string]any{"container": string(p.Container), "partMillis": n(p.PartMillis), "fit": string(p.Fit), "level": n(p.Level), "tune": p.Tune,
		"dynamicRange": string(p.DynamicRange), "audioCodec": p.AudioCodec, "audioBitrate": n(p.AudioBitrate), "audioChannels": n(p.AudioChannels)} {
		f[k] = v
	}
	return f
}

// hashedProfile gives a Profile, which is hashed and never signed by itself, the method of a message.
type hashedProfile struct{ Profile }

func (p hashedProfile) StructHash() common.Hash { return p.Hash() }

func typedMessages() []typed {
	seg := map[string]any{"stream": sampleSeg.Stream, "incarnation": n(sampleSeg.Incarnation), "seq": n(sampleSeg.Seq)}
	with := func(more map[string]any) map[string]any {
		for k, v := range seg {
			more[k] = v
		}
		return more
	}
	var renditions []any
	for _, r := range sampleReceipt.Renditions {
		renditions = append(renditions, map[string]any{"profile": h(r.Profile), "output": h(r.Output), "pixels": n(r.Pixels), "frames": n(r.Frames), "firstPts": n(r.FirstPTS), "lastPts": n(r.LastPTS)})
	}
	w, b, t, l, f, q := sampleAward, sampleBid, sampleParams, sampleLeaseRequest, sampleHeader, sampleQuote
	e, r, c, o, s := sampleAuctionEpoch, sampleFiguresRoot, sampleAuctionClose, sampleWorkRequest, sampleSheet
	box, did := sampleCapabilities.Sandbox, sampleCapabilities.Measured
	return []typed{
		{profileString, hashedProfile{sampleProfile}, nil, profileFields712(sampleProfile)},
		{outputString, hashedProfile{sampleOutput}, nil, outputFields(sampleOutput)},
		{"Assignment(address orchestrator,address transcoder,bytes32 lease,string stream,uint32 incarnation,uint64 seq,bytes32 attempt)", sampleAssignment, sampleOrch,
			with(map[string]any{"orchestrator": a(sampleAssignment.Orchestrator), "transcoder": a(sampleAssignment.Transcoder), "lease": h(sampleAssignment.Lease), "attempt": h(sampleAssignment.Attempt)})},
		{"Receipt(address orchestrator,address transcoder,bytes32 lease,uint64 seq,bytes32 attempt,bytes32 source,RenditionReceipt[] renditions)" +
			"RenditionReceipt(bytes32 profile,bytes32 output,uint64 pixels,uint32 frames,int64 firstPts,int64 lastPts)", sampleReceipt, sampleWorker,
			map[string]any{"orchestrator": a(sampleReceipt.Orchestrator), "transcoder": a(sampleReceipt.Transcoder), "lease": h(sampleReceipt.Lease), "seq": n(sampleReceipt.Seq),
				"attempt": h(sampleReceipt.Attempt), "source": h(sampleReceipt.Source), "renditions": renditions}},
		{"SlotRequest(bytes32 lease,address transcoder,uint64 serial)", sampleSlot, sampleWorker,
			map[string]any{"lease": h(sampleSlot.Lease), "transcoder": a(sampleSlot.Transcoder), "serial": n(sampleSlot.Serial)}},
		{"Capabilities(address transcoder,address owner,string engine,Sandbox sandbox,Measured measured)CodecRate(string codec,uint64 pixelRate)" +
			"Measured(CodecRate[] encode,string[] decode,string method,uint64 at)Sandbox(string[] layers,uint32 blocked,uint32 attempts,bytes32 report,uint64 at)", sampleCapabilities, nil,
			map[string]any{"transcoder": a(sampleCapabilities.Transcoder), "owner": a(sampleCapabilities.Owner), "engine": sampleCapabilities.Engine, "sandbox": map[string]any{"layers": []any{box.Layers[0], box.Layers[1]},
				"blocked": n(box.Blocked), "attempts": n(box.Attempts), "report": h(box.Report), "at": n(box.At)},
				"measured": map[string]any{"encode": rates(did.Encode), "decode": []any{did.Decode[0], did.Decode[1]}, "method": did.Method, "at": n(did.At)}}},
		{"Bid(address transcoder,string region,CodecPrice[] prices,PriceCurve[] curves,uint32 loadPpm,uint64 freePixelRate,CodecRate[] freeByCodec,CodecPrice[] floor,bytes32 request," +
			"uint32 ttlMillis,uint64 sequence,bytes32 capabilities)" + codecPriceString +
			"CodecRate(string codec,uint64 pixelRate)PriceCurve(string codec,PricePoint[] points)PricePoint(uint32 loadPpm,uint96 weiPerPixel)", b, sampleWorker,
			map[string]any{"transcoder": a(b.Transcoder), "region": b.Region, "prices": prices(b.Prices), "curves": curves(b.Curves), "loadPpm": n(b.LoadPPM), "freePixelRate": n(b.FreePixelRate),
				"freeByCodec": rates(b.FreeByCodec), "floor": prices(b.Floor), "request": h(b.Request), "ttlMillis": n(b.TTLMillis), "sequence": n(b.Sequence),
				"capabilities": h(b.Capabilities)}},
		{"Award(bytes32 lease,address orchestrator,address payer,address transcoder,string stream,uint32 incarnation,bytes32 ladderHash,CodecPrice[] prices,uint96 maxFee,uint32 leaseMillis,uint64 bidSequence,string url," +
			"bytes32 epoch,uint64 auction,bytes32 book,bytes32 figures)" + codecPriceString, w, sampleOrch,
			map[string]any{"lease": h(w.Lease), "orchestrator": a(w.Orchestrator), "payer": a(w.Payer), "transcoder": a(w.Transcoder), "stream": w.Stream, "incarnation": n(w.Incarnation), "ladderHash": h(w.LadderHash),
				"prices": prices(w.Prices), "maxFee": w.MaxFee.Big(), "leaseMillis": n(w.LeaseMillis), "bidSequence": n(w.BidSequence), "url": w.URL,
				"epoch": h(w.Epoch), "auction": n(w.Auction), "book": h(w.Book), "figures": h(w.Figures)}},
		{"AuctionEpoch(address orchestrator,bytes32 commitment,string rule,uint32 trialsPpm,uint64 beganMillis,uint32 lengthMillis,string url)", e, sampleOrch,
			map[string]any{"orchestrator": a(e.Orchestrator), "commitment": h(e.Commitment), "rule": e.Rule, "trialsPpm": n(e.TrialsPPM), "beganMillis": n(e.BeganMillis), "lengthMillis": n(e.LengthMillis), "url": e.URL}},
		{"FiguresRoot(address orchestrator,bytes32 epoch,uint64 serial,bytes32 root,uint64 atMillis)", r, sampleOrch,
			map[string]any{"orchestrator": a(r.Orchestrator), "epoch": h(r.Epoch), "serial": n(r.Serial), "root": h(r.Root), "atMillis": n(r.AtMillis)}},
		{"AuctionClose(address orchestrator,bytes32 epoch,uint64 auctions,uint32 pages,bytes32 journal)", c, sampleOrch,
			map[string]any{"orchestrator": a(c.Orchestrator), "epoch": h(c.Epoch), "auctions": n(c.Auctions), "pages": n(c.Pages), "journal": h(c.Journal)}},
		{"WorkRequest(address orchestrator,bytes32 ask,bytes32 ladderHash,CodecPrice[] maxPrices,uint64 atMillis,uint32 waitMillis)" + codecPriceString, o, sampleOrch,
			map[string]any{"orchestrator": a(o.Orchestrator), "ask": h(o.Ask), "ladderHash": h(o.LadderHash), "maxPrices": prices(o.MaxPrices), "atMillis": n(o.AtMillis), "waitMillis": n(o.WaitMillis)}},
		{"ScoreSheet(bytes32 lease,address orchestrator,address transcoder,uint64 bidSequence,CodecPrice[] prices,uint256 weiPerSecond,uint32 qualityPpm,bool won,CodecPrice[] paid,string reason," +
			"uint32 rank,uint32 of,CodecPrice[] wouldHaveWon,bytes32 epoch,uint64 auction,bytes32 book,bytes32 figures,uint64 tellMillis)" + codecPriceString, s, sampleOrch,
			map[string]any{"lease": h(s.Lease), "orchestrator": a(s.Orchestrator), "transcoder": a(s.Transcoder), "bidSequence": n(s.BidSequence), "prices": prices(s.Prices), "weiPerSecond": s.Cost.Big(),
				"qualityPpm": n(s.Quality), "won": s.Won, "paid": prices(s.Paid), "reason": s.Reason, "rank": n(s.Rank), "of": n(s.Of), "wouldHaveWon": prices(s.WouldWin),
				"epoch": h(s.Epoch), "auction": n(s.Auction), "book": h(s.Book), "figures": h(s.Figures), "tellMillis": n(s.TellMillis)}},
		{"SheetRequest(address orchestrator,address transcoder,uint64 atMillis)", sampleSheetRequest, sampleWorker,
			map[string]any{"orchestrator": a(sampleSheetRequest.Orchestrator), "transcoder": a(sampleSheetRequest.Transcoder), "atMillis": n(sampleSheetRequest.AtMillis)}},
		{"LeaseRequest(bytes32 lease,address orchestrator,uint32 extendMillis,uint64 serial)", l, sampleOrch,
			map[string]any{"lease": h(l.Lease), "orchestrator": a(l.Orchestrator), "extendMillis": n(l.ExtendMillis), "serial": n(l.Serial)}},
		{"ParamsRequest(bytes32 lease,address orchestrator,uint64 serial)", sampleParamsReq, sampleOrch,
			map[string]any{"lease": h(sampleParamsReq.Lease), "orchestrator": a(sampleParamsReq.Orchestrator), "serial": n(sampleParamsReq.Serial)}},
		{"SegmentHeader(address payer,address recipient,bytes32 quote,string stream,uint32 incarnation,uint64 seq,uint96 budget,uint40 expiry)", f, sampleKey,
			with(map[string]any{"payer": a(f.Payer), "recipient": a(f.Recipient), "quote": h(f.Quote), "budget": f.Budget.Big(), "expiry": n(f.Expiry)})},
		{"List(address publisher,uint64 sequence,Listing[] orchestrators)Listing(address account,string url,string region)", sampleList, sampleKey,
			map[string]any{"publisher": a(sampleList.Publisher), "sequence": n(sampleList.Sequence), "orchestrators": listings(sampleList.Orchestrators)}},
		{"Quote(bytes32 id,address orchestrator,address payer,string stream,bytes32 ladderHash,CodecPrice[] prices,uint96 maxFee,uint32 validMillis,uint32 maxMillis)" + codecPriceString, q, sampleOrch,
			map[string]any{"id": h(q.ID), "orchestrator": a(q.Orchestrator), "payer": a(q.Payer), "stream": q.Stream, "ladderHash": h(q.LadderHash), "prices": prices(q.Prices),
				"maxFee": q.MaxFee.Big(), "validMillis": n(q.ValidMillis), "maxMillis": n(q.MaxMillis)}},
		{"TicketParams(bytes32 set,address payer,address recipient,uint16 lane,uint96 faceValue,bytes32 recipientRandHash,uint40 expiry,uint32 usableMillis,uint32 acceptMillis,uint32 redeemMillis)", t, sampleOrch,
			map[string]any{"set": h(t.Set), "payer": a(t.Payer), "recipient": a(t.Recipient), "lane": n(t.Lane), "faceValue": t.FaceValue.Big(), "recipientRandHash": h(t.RecipientRandHash),
				"expiry": n(t.Expiry), "usableMillis": n(t.UsableMillis), "acceptMillis": n(t.AcceptMillis), "redeemMillis": n(t.RedeemMillis)}},
		{"Flush(address payer,address recipient,bytes32 set)", sampleFlush, sampleKey,
			map[string]any{"payer": a(sampleFlush.Payer), "recipient": a(sampleFlush.Recipient), "set": h(sampleFlush.Set)}},
		{"Duty(address transcoder,string state,string reason,uint32 leases,uint64 deadlineMillis,uint64 windowInMillis,uint64 windowMillis,string windowReason,uint64 sequence)", sampleDuty, sampleWorker,
			map[string]any{"transcoder": a(sampleDuty.Transcoder), "state": string(sampleDuty.State), "reason": string(sampleDuty.Reason), "leases": n(sampleDuty.Leases),
				"deadlineMillis": n(sampleDuty.DeadlineMillis), "windowInMillis": n(sampleDuty.WindowInMillis), "windowMillis": n(sampleDuty.WindowMillis),
				"windowReason": string(sampleDuty.WindowReason), "sequence": n(sampleDuty.Sequence)}},
		{"Login(address participant,string role,address market,string nonce)", sampleLogin, sampleWorker,
			map[string]any{"participant": a(sampleLogin.Participant), "role": string(sampleLogin.Role), "market": a(sampleLogin.Market), "nonce": sampleLogin.Nonce}},
		{"KeyBinding(address identity,bytes32 keyHash,uint64 notBefore,uint64 notAfter)", sampleBinding, sampleOrch,
			map[string]any{"identity": a(sampleBinding.Identity), "keyHash": h(sampleBinding.KeyHash), "notBefore": n(sampleBinding.NotBefore), "notAfter": n(sampleBinding.NotAfter)}},
	}
}

// typesOf reads an EIP-712 type string.
func typesOf(t *testing.T, s string) (primary string, types apitypes.Types) {
	t.Helper()
	types = apitypes.Types{"EIP712Domain": {{Name: "name", Type: "string"}, {Name: "version", Type: "string"}, {Name: "chainId", Type: "uint256"}, {Name: "verifyingContract", Type: "address"}}}
	for _, one := range strings.Split(strings.TrimSuffix(s, ")"), ")") {
		name, list, ok := strings.Cut(one, "(")
		if !ok {
			t.Fatalf("type %q", s)
		}
		if primary == "" {
			primary = name
		}
		for _, field := range strings.Split(list, ",") {
			kind, field, _ := strings.Cut(field, " ")
			types[name] = append(types[name], apitypes.Type{Name: field, Type: kind})
		}
	}
	return primary, types
}

// vector is one line of testdata/eip712.json, for other languages.
type vector struct {
	Type       string          `json:"type"`
	Message    json.RawMessage `json:"message"`
	StructHash common.Hash     `json:"struct_hash"`
	Digest     common.Hash     `json:"digest"`
	Signer     *common.Address `json:"signer,omitempty"`
	Signature  *Signature      `json:"signature,omitempty"`
}

// TestStructHash_agreesWithGoEthereum proves the hand-written hashing of every signed message.
func TestStructHash_agreesWithGoEthereum(t *testing.T) {
	t.Parallel()
	var vectors []vector
	for _, m := range typedMessages() {
		primary, types := typesOf(t, m.types)
		data := apitypes.TypedData{Types: types, PrimaryType: primary, Message: m.fields, Domain: apitypes.TypedDataDomain{
			Name: "Kinora", Version: "1", ChainId: math.NewHexOrDecimal256(int64(sampleDomain.ChainID)), VerifyingContract: sampleDomain.Escrow.Hex()}}
		if got := string(data.EncodeType(primary)); got != m.types {
			t.Errorf("%s: go-ethereum encodes the type as %s", primary, got)
		}
		if len(m.fields) != len(types[primary]) {
			t.Errorf("%s: %d fields, the type has %d", primary, len(m.fields), len(types[primary]))
		}
		want, err := data.HashStruct(primary, m.fields)
		if err != nil {
			t.Fatalf("%s: %v", primary, err)
		}
		if got := m.message.StructHash(); !bytes.Equal(got[:], want) {
			t.Errorf("%s: struct hash %s, go-ethereum's is %s", primary, got, want)
		}
		digest, _, err := apitypes.TypedDataAndHash(data)
		if err != nil {
			t.Fatalf("%s: %v", primary, err)
		}
		if got := sampleDomain.Digest(m.message); !bytes.Equal(got[:], digest) {
			t.Errorf("%s: digest %s, go-ethereum's is %s", primary, got, hexutil.Encode(digest))
		}
		v := vector{Type: m.types, Message: Encode(m.message), StructHash: m.message.StructHash(), Digest: sampleDomain.Digest(m.message)}
		if m.signer != nil {
			sig, err := sampleDomain.Sign(m.signer, m.message)
			if err != nil {
				t.Fatal(err)
			}
			v.Signer, v.Signature = ptr(m.signer.Address()), &sig
			if err := sampleDomain.Check(m.message, sig, m.message.(Message).SignedBy()); err != nil {
				t.Errorf("%s: %v", primary, err)
			}
		}
		vectors = append(vectors, v)
	}
	file := struct {
		Domain  map[string]any `json:"domain"`
		Vectors []vector       `json:"vectors"`
	}{map[string]any{"name": "Kinora", "version": "1", "chainId": sampleDomain.ChainID, "verifyingContract": sampleDomain.Escrow, "separator": sampleDomain.Separator()}, vectors}
	got, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/eip712.json"
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(want), got) {
		t.Errorf("%s does not hold what is signed now; signed messages are frozen", path)
	}
}

// TestStructHash_coversEveryField changes each field in turn: a field that is not hashed could be changed under a signature.
func TestStructHash_coversEveryField(t *testing.T) { // not parallel: it changes the samples for a moment
	for _, m := range typedMessages() {
		original := m.message.StructHash()
		var walk func(v reflect.Value, path string)
		walk = func(v reflect.Value, path string) {
			changed := func() {
				if m.message.StructHash() == original {
					t.Errorf("%s is not hashed", path)
				}
			}
			switch v.Kind() {
			case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
				was := v.Uint()
				v.SetUint(was ^ 1)
				changed()
				v.SetUint(was)
			case reflect.Int32, reflect.Int64:
				was := v.Int()
				v.SetInt(was ^ 1)
				changed()
				v.SetInt(was)
			case reflect.Bool:
				v.SetBool(!v.Bool())
				changed()
				v.SetBool(!v.Bool())
			case reflect.String:
				was := v.String()
				v.SetString(was + "x")
				changed()
				v.SetString(was)
			case reflect.Array: // of bytes: the last one
				walk(v.Index(v.Len()-1), path)
			case reflect.Slice:
				for i := range v.Len() {
					walk(v.Index(i), path)
				}
				was := v.Len()
				v.SetLen(was - 1)
				changed()
				v.SetLen(was)
			case reflect.Struct:
				if w, ok := v.Addr().Interface().(*Wei); ok {
					was := *w
					*w = was.Sub(NewWei(1))
					changed()
					*w = was
					return
				}
				for i := range v.NumField() {
					walk(v.Field(i), path+"."+v.Type().Field(i).Name)
				}
			case reflect.Pointer:
				if !v.IsNil() || path != "Bid.Record" { // hashed through Bid.Capabilities, which Validate compares
					t.Fatalf("%s is a pointer", path)
				}
			default:
				t.Fatalf("%s is a %s", path, v.Kind())
			}
		}
		// A copy that can be set, behind the same interface.
		p := reflect.New(reflect.TypeOf(m.message))
		p.Elem().Set(reflect.ValueOf(m.message))
		m.message = p.Interface().(Hashed)
		walk(p.Elem(), p.Elem().Type().Name())
	}
}

func TestLadderHash_isOfTheOrderedArray(t *testing.T) {
	t.Parallel()
	if sampleLadder.Hash() != arrayHash([]word{word(sampleLadder[0].Hash()), word(sampleLadder[1].Hash())}) {
		t.Error("not the EIP-712 hash of an array")
	}
	if (Ladder{sampleLadder[1], sampleLadder[0]}).Hash() == sampleLadder.Hash() || sampleLadder[:1].Hash() == sampleLadder.Hash() {
		t.Error("order and length do not matter")
	}
}

func TestDomain_separatesChainsAndEscrows(t *testing.T) {
	t.Parallel()
	sig, err := sampleDomain.Sign(sampleOrch, sampleQuote)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Domain{NewDomain(1338, sampleDomain.Escrow), NewDomain(1337, common.Address{1}), {}} {
		if d.Check(sampleQuote, sig, sampleOrch.Address()) == nil {
			t.Errorf("a signature for %+v is good for %+v", sampleDomain, d)
		}
	}
}
