// Package ingest takes segments over HTTP as go-livepeer does: PUT or POST /live/{stream}/{seq}.ts or .mp4, answered with the
// renditions once they are verified and paid.
package ingest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/broadcaster/internal/stream"
	"github.com/kinora/kinora/internal/protocol"
)

// Secret is what a pusher must know. The zero Secret lets everybody in.
type Secret struct {
	hash [32]byte
	set  bool
}

// NewSecret is the secret s; an empty one is none.
func NewSecret(s string) Secret { return Secret{sha256.Sum256([]byte(s)), s != ""} }

// Admits reports whether r brings the secret, as a bearer token or as ?key=, in a time that does not depend on how much of
// it is right.
func (s Secret) Admits(r *http.Request) bool {
	if !s.set {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		given = r.URL.Query().Get("key")
	}
	hash := sha256.Sum256([]byte(strings.TrimSpace(given)))
	return subtle.ConstantTimeCompare(hash[:], s.hash[:]) == 1
}

// Limits of a push.
type Limits struct {
	MaxBytes    int64         // of a segment
	MaxDuration time.Duration // that may be announced
	MinRate     int64         // bytes a second that a body must keep up, on average
	Grace       time.Duration // before the rate counts, and the longest pause
	Policy      store.Policy  // of streams, where a push leaves it out
}

// Desk takes pushes; *stream.Desk is one.
type Desk interface {
	Push(ctx context.Context, p stream.Push) (stream.Answer, error)
	Read(seg protocol.SegmentKey, r store.Rendition) ([]byte, error)
}

// Remux carries the tracks of a segment of another container into an MPEG-TS, as it arrives, and gives that to out.
type Remux func(ctx context.Context, segment io.Reader, out func(p []byte) error) error

// Handler serves /live/.
type Handler struct {
	desk    Desk
	remux   Remux
	secret  Secret
	limits  Limits
	refused func(protocol.Code) // counts
	log     *slog.Logger
}

// New makes a Handler; refused is called with the code of every refusal.
func New(desk Desk, remux Remux, secret Secret, limits Limits, refused func(protocol.Code), log *slog.Logger) *Handler {
	return &Handler{desk: desk, remux: remux, secret: secret, limits: limits, refused: refused, log: log}
}

// Mount adds the routes.
func (h *Handler) Mount(r chi.Router) {
	r.HandleFunc("/live/{stream}/{file}", h.serve)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	id := requestID(r)
	w.Header().Set("X-Request-Id", id)
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex() // HTTP/1.1: an early refusal must not wait for the body; HTTP/2 is duplex anyway
	body := &paced{Reader: r.Body, deadline: rc.SetReadDeadline, limits: h.limits, began: time.Now()}
	answer, req, err := h.push(r, body)
	n, whole, slow := body.stop()
	// An HTTP/1.1 connection whose body was not read to its end cannot carry another request: a duplex one would take the
	// rest of this body for it.
	if r.ProtoMajor == 1 && r.ContentLength != 0 && !whole {
		w.Header().Set("Connection", "close")
	}
	if err != nil {
		h.refused(protocol.CodeOf(err))
		h.log.Info("push refused", "path", r.URL.Path, "request", id, "code", protocol.CodeOf(err), "err", err)
		if protocol.CodeOf(err) == protocol.MethodNotAllowed {
			w.Header().Set("Allow", "PUT, POST")
		}
		protocol.WriteProblem(w, err)
		_ = rc.Flush()
		if !slow && !(n == 0 && r.Header.Get("Expect") != "") { // else it is slow, or waits for our word before it sends
			drain(r, rc, h.limits.MaxBytes)
		}
		return
	}
	_ = rc.SetReadDeadline(time.Time{})
	if req.ignored {
		w.WriteHeader(http.StatusOK)
		return
	}
	if err := h.answer(w, rc, req, answer); err != nil {
		h.log.Info("answer not delivered", "segment", answer.Segment.SegmentKey.String(), "request", id, "err", err)
	}
}

func (h *Handler) push(r *http.Request, body io.Reader) (stream.Answer, request, error) {
	if !h.secret.Admits(r) {
		return stream.Answer{}, request{}, protocol.Errorf(protocol.Unauthorized, "the push secret is missing or wrong: send it as Authorization: Bearer SECRET or as ?key=SECRET")
	}
	req, err := parse(r.Method, chi.URLParam(r, "stream"), chi.URLParam(r, "file"), r.Header, h.limits)
	if err != nil {
		return stream.Answer{}, req, err
	}
	if req.ignored {
		_, err = io.Copy(io.Discard, body)
		return stream.Answer{}, req, err
	}
	if r.ContentLength > h.limits.MaxBytes {
		return stream.Answer{}, req, tooLarge(h.limits.MaxBytes)
	}
	req.push.Body = body
	if req.remux {
		remuxed := h.remuxed(r.Context(), body)
		defer remuxed.close()
		req.push.Body = remuxed
	}
	answer, err := h.desk.Push(r.Context(), req.push)
	return answer, req, err
}

// answer sends the renditions, lowest first, or nothing to those who did not ask for them.
func (h *Handler) answer(w http.ResponseWriter, rc *http.ResponseController, req request, a stream.Answer) error {
	t := a.Timing
	w.Header().Set("Server-Timing", fmt.Sprintf("upload;dur=%d, transcode;dur=%d, verify;dur=%d, commit;dur=%d",
		t.Upload.Milliseconds(), t.Transcode.Milliseconds(), t.Verify.Milliseconds(), t.Commit.Milliseconds()))
	if a.Replayed {
		w.Header().Set("Kinora-Replayed", "true")
	}
	if !req.multipart {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	renditions := stream.Sorted(a.Segment.Renditions)
	contents := make([][]byte, len(renditions))
	for i, rendition := range renditions { // all of them before the status, which cannot be taken back
		b, err := h.desk.Read(a.Segment.SegmentKey, rendition)
		if errors.Is(err, os.ErrNotExist) {
			err = protocol.Errorf(protocol.Stale, "the renditions of %s are no longer kept", a.Segment.SegmentKey)
		}
		if err != nil {
			protocol.WriteProblem(w, err)
			return err
		}
		contents[i] = b
	}
	parts := multipart.NewWriter(w)
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+parts.Boundary())
	w.WriteHeader(http.StatusOK)
	for i, rendition := range renditions {
		extension, kind := playlist.TSExtension, playlist.SegmentType
		if rendition.Init != "" { // its init segment and its media, which are one file together
			extension, kind = playlist.InitExtension, playlist.MP4Type
		}
		name := fmt.Sprintf(`"%s_%d%s"`, rendition.Label, req.push.Seq, extension)
		part, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type":        {kind + "; name=" + name},
			"Content-Length":      {strconv.Itoa(len(contents[i]))},
			"Content-Disposition": {"attachment; filename=" + name},
			"Rendition-Name":      {rendition.Label},
			"Repr-Digest":         {"sha-256=:" + base64.StdEncoding.EncodeToString(rendition.SHA256[:]) + ":"},
		})
		if err == nil {
			_, err = part.Write(contents[i])
		}
		if err == nil {
			err = rc.Flush()
		}
		if err != nil {
			return err
		}
	}
	return parts.Close()
}

// request is what a push's URL and header fields say.
type request struct {
	push      stream.Push
	multipart bool
	remux     bool // not an MPEG-TS
	ignored   bool // a playlist, which HLS muxers push beside their segments
}

var digits = regexp.MustCompile(`^[0-9]{1,19}$`)

// parse reads everything of a push but its body.
func parse(method, name, file string, header http.Header, limits Limits) (request, error) {
	if method != http.MethodPut && method != http.MethodPost {
		return request{}, protocol.Errorf(protocol.MethodNotAllowed, "%.20s: segments are pushed with PUT or POST", method)
	}
	if err := protocol.ValidateStream(name); err != nil {
		return request{}, protocol.Errorf(protocol.BadStreamName, "%w", err)
	}
	number, isTS := strings.CutSuffix(file, ".ts")
	number, isMP4 := strings.CutSuffix(number, ".mp4")
	if isTS == isMP4 {
		if strings.HasSuffix(file, ".m3u8") {
			return request{ignored: true}, nil
		}
		return request{}, protocol.Errorf(protocol.BadExtension, "%.80q: want a number and .ts (MPEG-TS) or .mp4", file)
	}
	seq, err := strconv.ParseUint(number, 10, 63)
	if err != nil || !digits.MatchString(number) {
		return request{}, protocol.Errorf(protocol.BadSequence, "%.80q: want a decimal number below 2^63 and .ts or .mp4", file)
	}
	req := request{remux: isMP4, push: stream.Push{Stream: name, Seq: seq, Announced: 2 * time.Second}, multipart: wantsParts(header)}
	if v := header.Get("Content-Duration"); v != "" {
		ms, err := strconv.ParseUint(v, 10, 32)
		if err != nil || ms == 0 {
			return request{}, protocol.Errorf(protocol.BadDuration, "Content-Duration %.40q: want milliseconds above 0", v)
		}
		req.push.Announced = time.Duration(ms) * time.Millisecond
	}
	if req.push.Announced > limits.MaxDuration {
		return request{}, protocol.Limited(protocol.SegmentTooLong, "max-segment-duration", limits.MaxDuration, "Content-Duration says %s", req.push.Announced)
	}
	if v := header.Get("Content-Resolution"); v != "" {
		// Only checked: the pictures say what they are.
		w, h, ok := strings.Cut(v, "x")
		for _, n := range []string{w, h} {
			if x, err := strconv.ParseUint(n, 10, 32); !ok || err != nil || x == 0 {
				return request{}, protocol.Errorf(protocol.BadResolution, "Content-Resolution %.40q: want WxH", v)
			}
		}
	}
	for _, field := range []string{"Content-Slice-From", "Content-Slice-To"} {
		if header.Get(field) != "" {
			return request{}, protocol.Errorf(protocol.BadRequest, "%s: slices of a segment are not made; push it cut", field)
		}
	}
	if req.push.Policy, err = parsePolicy(header.Get(DegradeField), limits.Policy); err != nil {
		return request{}, err
	}
	req.push.Ladder, req.push.Labels, err = parseConfiguration(header.Get("Livepeer-Transcode-Configuration"))
	return req, err
}

func wantsParts(header http.Header) bool {
	for _, v := range header.Values("Accept") {
		for one := range strings.SplitSeq(v, ",") {
			kind, _, _ := strings.Cut(one, ";")
			if strings.EqualFold(strings.TrimSpace(kind), "multipart/mixed") {
				return true
			}
		}
	}
	return false
}

func tooLarge(limit int64) error {
	return protocol.Limited(protocol.SegmentTooLarge, "max-segment-bytes", limit, "a segment has at most %d bytes", limit)
}

// paced reads a body that must keep up a minimum rate, never pause for long, and stay below a maximum size.
type paced struct {
	io.Reader
	deadline func(time.Time) error
	limits   Limits
	began    time.Time

	mu    sync.Mutex // a body that is remuxed is read by another goroutine, which may hang in a read when all is over
	last  time.Time  // of a byte
	n     int64
	slow  bool
	whole bool // read to its end
	over  bool // no read begins any more
}

func (p *paced) Read(b []byte) (int, error) {
	if !p.begin() {
		return 0, io.ErrClosedPipe
	}
	n, err := p.Reader.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.whole = err == io.EOF
	if n > 0 {
		p.last = time.Now()
	}
	if p.n += int64(n); p.n > p.limits.MaxBytes {
		return n, tooLarge(p.limits.MaxBytes)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.slow = true
		if float64(p.n) >= p.limits.Grace.Seconds()*float64(p.limits.MinRate) { // fast enough until it stopped
			return n, protocol.Limited(protocol.BodyTooSlow, "body-grace", p.limits.Grace, "nothing came for %s after %d bytes", p.limits.Grace, p.n)
		}
		return n, protocol.Limited(protocol.BodyTooSlow, "min-body-rate", p.limits.MinRate,
			"%d bytes in %s: less than %d bytes a second", p.n, time.Since(p.began).Round(time.Millisecond), p.limits.MinRate)
	}
	return n, err
}

// begin sets the deadline of the next read.
func (p *paced) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	if p.limits.MinRate > 0 {
		due := p.began.Add(p.limits.Grace + time.Duration(float64(p.n)/float64(p.limits.MinRate)*float64(time.Second)))
		if pause := p.last.Add(p.limits.Grace); !p.last.IsZero() && pause.Before(due) {
			due = pause
		}
		_ = p.deadline(due)
	}
	return true
}

// stop ends the reading, and says how much was read: all of it, and none of it too slowly.
func (p *paced) stop() (n int64, whole, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	return p.n, p.whole, p.slow
}

// drain reads what the pusher is still sending, within bounds, so that it comes to read the answer.
func drain(r *http.Request, rc *http.ResponseController, most int64) {
	_ = rc.SetReadDeadline(time.Now().Add(2 * time.Second))
	_, _ = io.CopyN(io.Discard, r.Body, most)
}

var sane = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

// requestID is the pusher's own, where it is harmless, or a fresh one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); sane.MatchString(id) {
		return id
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	return hex.EncodeToString(b[:])
}
