package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
)

// writeIdle is how long a reader of frames may keep this side waiting.
const writeIdle = 30 * time.Second

// segment takes a segment's bytes and answers, while they arrive, with the frames of its attempts.
func (a *API) segment(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex() // HTTP/1.1 only; HTTP/2 always is
	offer, err := a.offer(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	body := &pacedBody{body: r.Body, deadline: rc.SetReadDeadline, idle: a.cfg.BodyIdle,
		last: time.Now().Add(a.cfg.BodyIdle + 4*time.Duration(offer.DurationMillis)*time.Millisecond)}
	defer body.end()
	frames := protocol.NewFrameWriter(w, rc.Flush)
	begun := false
	emit := func(f protocol.Frame) error {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", protocol.FrameType)
			w.WriteHeader(http.StatusOK)
		}
		_ = rc.SetWriteDeadline(time.Now().Add(writeIdle)) // unsupported only in a test's recorder
		return frames.Write(f)
	}
	started, refused, failed := a.dispatcher.Dispatch(r.Context(), offer, body).Copy(r.Context(), emit)
	switch {
	case failed != nil: // the payer has gone; the story goes on if it has the whole source
		a.cfg.Log.Debug("a payer left before its answer's end", "path", r.URL.Path, "err", failed)
	case refused != nil && !started:
		a.refuse(w, r, refused)
	case refused != nil:
		_ = emit(protocol.Frame{Kind: protocol.FrameEnd, Payload: protocol.Encode(protocol.ProblemOf(refused))})
	default:
		_ = emit(protocol.Frame{Kind: protocol.FrameEnd})
	}
}

// offer reads the header field and holds it against the path.
func (a *API) offer(r *http.Request) (protocol.SegmentOffer, error) {
	field := r.Header.Get(protocol.OfferField)
	if field == "" {
		return protocol.SegmentOffer{}, protocol.Errorf(protocol.BadRequest, "header field %s is missing", protocol.OfferField)
	}
	offer, err := protocol.DecodeField[protocol.SegmentOffer](field)
	if err != nil {
		return offer, err
	}
	stream, seqText := chi.URLParam(r, "stream"), chi.URLParam(r, "seq")
	if err := protocol.ValidateStream(stream); err != nil {
		return offer, protocol.Errorf(protocol.BadStreamName, "%w", err)
	}
	seq, err := strconv.ParseUint(seqText, 10, 63)
	if err != nil || seqText[0] == '+' {
		return offer, protocol.Errorf(protocol.BadSequence, "sequence %.40q: want a decimal number below 2^63", seqText)
	}
	if h := offer.Header.Message; h.Stream != stream || h.Seq != seq {
		return offer, protocol.Errorf(protocol.BadRequest, "the path names segment %s/%d, the signed header %s/%d", stream, seq, h.Stream, h.Seq)
	}
	return offer, nil
}

// pacedBody refuses a body that pauses too long or takes too long in all. It is read by a story that may outlive the
// request: after end nothing touches the request's connection any more, which net/http answers with a panic.
type pacedBody struct {
	body     io.Reader
	deadline func(time.Time) error
	idle     time.Duration
	last     time.Time

	mu    sync.Mutex // of deadline
	ended bool       // the request is over
	whole bool       // the body was read to its end
}

func (b *pacedBody) Read(p []byte) (int, error) {
	until := time.Now().Add(b.idle)
	if b.last.Before(until) {
		until = b.last
	}
	if !b.limit(until) {
		return 0, errRequestOver
	}
	n, err := b.body.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.mu.Lock()
		b.whole = true
		b.mu.Unlock()
		b.limit(time.Time{}) // else HTTP/1.1 takes the answer's time for a pause
	case errors.Is(err, os.ErrDeadlineExceeded) && b.over():
		err = errRequestOver
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = protocol.Limited(protocol.BodyTooSlow, "body_idle", b.idle, "the segment's bytes come too slowly")
	}
	return n, err
}

var errRequestOver = protocol.Errorf(protocol.Cancelled, "the request ended before its bytes did")

// limit moves the deadline of reads, while there is a request.
func (b *pacedBody) limit(until time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		_ = b.deadline(until) // unsupported only in a test's recorder
	}
	return !b.ended
}

func (b *pacedBody) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// end must come before the handler's: it lets no further read begin, and ends the one that waits for bytes nobody needs.
func (b *pacedBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.whole {
		_ = b.deadline(time.Now())
	}
	b.ended = true
}

// slot parks a transcoder's request until an attempt needs it.
func (a *API) slot(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor < 2 {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "slots need HTTP/2: both sides speak at once"))
		return
	}
	lease, err := protocol.ParseID(chi.URLParam(r, "lease"))
	if err != nil {
		a.refuse(w, r, protocol.Errorf(protocol.BadRequest, "%w", err))
		return
	}
	request, err := protocol.DecodeField[protocol.Signed[protocol.SlotRequest]](r.Header.Get(protocol.SlotField))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	rc := http.NewResponseController(w)
	open := func() error {
		w.Header().Set("Content-Type", protocol.FrameType)
		w.WriteHeader(http.StatusOK)
		return rc.Flush()
	}
	cut := func() {
		now := time.Now()
		_ = rc.SetReadDeadline(now) // HTTP/2 has both
		_ = rc.SetWriteDeadline(now)
	}
	slot := dispatch.NewSlot(protocol.NewFrameReader(r.Body), protocol.NewFrameWriter(w, rc.Flush), open, cut, r.Context().Done())
	if err := a.dispatcher.Park(lease, request, slot); err != nil {
		a.refuse(w, r, err)
		return
	}
	slot.Wait()
}

// cancel ends the work on a segment that its payer does not want any more.
func (a *API) cancel(w http.ResponseWriter, r *http.Request) {
	offer, err := a.offer(r)
	if err == nil {
		err = a.dispatcher.CallOff(r.Context(), offer)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
