package protocol

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// One target per message; the property is in sample_test.go.

func FuzzAssignment(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleAssignment)))
	f.Fuzz(checkSigned[Assignment])
}

func FuzzReceipt(f *testing.F) {
	f.Add(Encode(seal(sampleWorker, sampleReceipt)))
	f.Fuzz(checkSigned[Receipt])
}

func FuzzSlotRequest(f *testing.F) {
	f.Add(Encode(seal(sampleWorker, sampleSlot)))
	f.Fuzz(checkSigned[SlotRequest])
}

func FuzzBid(f *testing.F) {
	f.Add(Encode(seal(sampleWorker, sampleBid)))
	f.Add(Encode(seal(sampleWorker, sampleFirstBid)))
	f.Fuzz(checkSigned[Bid])
}

func FuzzDuty(f *testing.F) {
	f.Add(Encode(seal(sampleWorker, sampleDuty)))
	f.Fuzz(checkSigned[Duty])
}

func FuzzAward(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleAward)))
	f.Fuzz(checkSigned[Award])
}

func FuzzAuctionEpoch(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleAuctionEpoch)))
	f.Fuzz(checkSigned[AuctionEpoch])
}

func FuzzFiguresRoot(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleFiguresRoot)))
	f.Fuzz(checkSigned[FiguresRoot])
}

func FuzzAuctionClose(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleAuctionClose)))
	f.Fuzz(checkSigned[AuctionClose])
}

func FuzzCommitment(f *testing.F) {
	f.Add(Encode(Commitment{Figures: ptr(seal(sampleOrch, sampleFiguresRoot))}))
	f.Fuzz(checkMessage[Commitment])
}

func FuzzScoreSheet(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleSheet)))
	f.Fuzz(checkSigned[ScoreSheet])
}

func FuzzBidRequest(f *testing.F) {
	f.Add(Encode(BidRequest{Request: seal(sampleOrch, sampleWorkRequest), Ladder: sampleLadder, SourceFPS: 30}))
	f.Fuzz(checkMessage[BidRequest])
}

func FuzzSheetRequest(f *testing.F) {
	f.Add(Encode(seal(sampleWorker, sampleSheetRequest)))
	f.Fuzz(checkSigned[SheetRequest])
}

func FuzzLeaseRequest(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleLeaseRequest)))
	f.Fuzz(checkSigned[LeaseRequest])
}

func FuzzParamsRequest(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleParamsReq)))
	f.Fuzz(checkSigned[ParamsRequest])
}

func FuzzLogin(f *testing.F) {
	f.Add(Encode(seal(sampleWorker, sampleLogin)))
	f.Fuzz(checkSigned[Login])
}

func FuzzKeyBinding(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleBinding)))
	f.Fuzz(checkSigned[KeyBinding])
}

func FuzzSegmentHeader(f *testing.F) {
	f.Add(Encode(seal(sampleKey, sampleHeader)))
	f.Fuzz(checkSigned[SegmentHeader])
}

func FuzzQuote(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleQuote)))
	f.Fuzz(checkSigned[Quote])
}

func FuzzTicketParams(f *testing.F) {
	f.Add(Encode(seal(sampleOrch, sampleParams)))
	f.Fuzz(checkSigned[TicketParams])
}

func FuzzFlush(f *testing.F) {
	f.Add(Encode(seal(sampleKey, sampleFlush)))
	f.Fuzz(checkSigned[Flush])
}

func FuzzList(f *testing.F) {
	f.Add(Encode(seal(sampleKey, sampleList)))
	f.Fuzz(checkSigned[List])
}

func FuzzAwardOffer(f *testing.F) {
	f.Add(Encode(sampleAwardOffer))
	f.Fuzz(checkMessage[AwardOffer])
}

func FuzzAwardAnswer(f *testing.F) {
	f.Add(Encode(AwardAnswer{Params: ptr(seal(sampleOrch, sampleParams)), Decline: &sampleProblem}))
	f.Fuzz(checkMessage[AwardAnswer])
}

func FuzzAcknowledgement(f *testing.F) {
	f.Add(Encode(Acknowledgement{Problem: &sampleProblem}))
	f.Fuzz(checkMessage[Acknowledgement])
}

func FuzzSegmentOffer(f *testing.F) {
	f.Add(Encode(sampleOffer))
	f.Fuzz(checkMessage[SegmentOffer])
}

func FuzzQuoteRequest(f *testing.F) {
	f.Add(Encode(sampleRequest))
	f.Fuzz(checkMessage[QuoteRequest])
}

func FuzzQuoteAnswer(f *testing.F) {
	f.Add(Encode(QuoteAnswer{Quote: seal(sampleOrch, sampleQuote), Params: seal(sampleOrch, sampleParams)}))
	f.Fuzz(checkMessage[QuoteAnswer])
}

func FuzzAttemptStart(f *testing.F) {
	f.Add(Encode(AttemptStart{Assignment: seal(sampleOrch, sampleAssignment), DurationMillis: 2000, BudgetMillis: 6000, Continues: true}))
	f.Fuzz(checkMessage[AttemptStart])
}

func FuzzSourceEnd(f *testing.F) {
	f.Add(Encode(SourceEnd{Source: testID("source"), Bytes: 99}))
	f.Fuzz(checkMessage[SourceEnd])
}

func FuzzVerdict(f *testing.F) {
	f.Add(Encode(Verdict{Attempt: testID("attempt"), Code: VerificationFailed, Detail: "<black>"}))
	f.Fuzz(checkMessage[Verdict])
}

func FuzzProblem(f *testing.F) {
	f.Add(Encode(sampleProblem))
	f.Fuzz(checkMessage[Problem])
}

func FuzzEvent(f *testing.F) {
	f.Add(Encode(sampleEvent))
	f.Fuzz(checkMessage[Event])
}

func FuzzLadder(f *testing.F) {
	f.Add(Encode(sampleLadder))
	f.Fuzz(checkMessage[Ladder])
}

func FuzzPrices(f *testing.F) {
	f.Add(Encode(samplePrices))
	f.Fuzz(checkMessage[Prices])
}

// FuzzDecodeField: what a header field holds, if it decodes, is encoded to the same message.
func FuzzDecodeField(f *testing.F) {
	f.Add(EncodeField(sampleOffer))
	f.Fuzz(func(t *testing.T, s string) {
		if o, err := DecodeField[SegmentOffer](s); err == nil {
			checkMessage[SegmentOffer](t, Encode(o))
		} else if CodeOf(err) != BadRequest {
			t.Fatal(err)
		}
	})
}

// FuzzFrameReader: arbitrary bytes are frames or an error, within bounds; frames written again are the same bytes.
func FuzzFrameReader(f *testing.F) {
	var b bytes.Buffer
	w := NewFrameWriter(&b, nil)
	for k := FrameAttempt; k <= FrameEnd; k++ {
		if err := w.Write(Frame{Kind: k, Attempt: uint8(k), Rendition: 1, Payload: []byte("payload")}); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewFrameReader(bytes.NewReader(in))
		var out bytes.Buffer
		w := NewFrameWriter(&out, nil)
		for {
			frame, err := r.Read()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && CodeOf(err) != BadRequest {
					t.Fatal(err)
				}
				break
			}
			if frame.Kind < FrameAttempt || frame.Kind > FrameEnd || frame.Rendition >= MaxProfiles || len(frame.Payload) > MaxFrame {
				t.Fatalf("kind %d, rendition %d, %d bytes", frame.Kind, frame.Rendition, len(frame.Payload))
			}
			if err := w.Write(frame); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(in, out.Bytes()) {
			t.Fatal("frames written again are not what was read")
		}
	})
}
