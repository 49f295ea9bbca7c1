package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http/httptest"
	"strconv"
	"testing"
)

// codes are frozen: text, HTTP status, and whether the same request may succeed later.
var codes = map[Code]struct {
	status    int
	retryable bool
}{
	"bad_request": {400, false}, "bad_stream_name": {400, false}, "bad_sequence": {400, false}, "bad_extension": {400, false}, "bad_duration": {400, false},
	"bad_resolution": {400, false}, "bad_ladder": {400, false}, "method_not_allowed": {405, false}, "not_found": {404, false}, "unauthorized": {403, false},
	"empty_segment": {422, false}, "bad_media": {422, false}, "no_video": {422, false}, "no_keyframe": {422, false}, "segment_too_large": {413, false},
	"segment_too_long": {422, false}, "segment_too_short": {422, false}, "too_many_pixels": {422, false}, "body_too_slow": {408, false},
	"segment_conflict": {409, true}, "rate_limited": {429, true}, "unsupported_codec": {422, false},
	"spend_cap_reached": {402, true}, "price_above_max": {503, false}, "insufficient_credit": {402, true}, "no_allocation": {402, false}, "fee_above_face_value": {400, false},
	"budget_too_small": {402, false}, "ticket_invalid": {400, false}, "ticket_set_closed": {400, false}, "ticket_unknown_set": {400, false}, "ticket_underpays": {400, false}, "nothing_owed": {400, false},
	"quote_expired": {400, false}, "quote_unknown": {400, false}, "bad_signature": {400, false}, "stale": {400, false}, "no_transcoder": {503, true}, "no_orchestrator": {503, true},
	"no_capacity": {503, true}, "not_allocated": {400, false}, "price_below_bid": {400, false}, "lease_unknown": {400, false}, "draining": {503, true}, "unreachable": {503, true},
	"verification_failed": {502, true}, "deadline_exceeded": {503, true}, "cancelled": {400, false}, "child_crashed": {502, true}, "transcode_failed": {502, true},
	"session_ended": {400, false}, "fee_too_low": {402, false}, "payer_flagged": {403, false}, "poison_segment": {422, false},
	"internal": {500, false}, "unavailable": {503, true},
}

func TestCodes_areFrozen(t *testing.T) {
	t.Parallel()
	f, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[Code]bool{}
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Error(err)
		}
		if declared[Code(text)] {
			t.Errorf("%q is declared twice", text)
		}
		declared[Code(text)] = true
		return true
	})
	for c := range declared {
		if _, ok := codes[c]; !ok {
			t.Errorf("%q is new: add it here, with its status, for ever", c)
		}
	}
	for c, want := range codes {
		if !declared[c] {
			t.Errorf("%q is gone; a code once published keeps its meaning", c)
		}
		if c.HTTPStatus() != want.status || c.Retryable() != want.retryable {
			t.Errorf("%q: status %d, retryable %v; was %d, %v", c, c.HTTPStatus(), c.Retryable(), want.status, want.retryable)
		}
	}
}

func TestProblem_keepsCodeAndLimitOverTheWire(t *testing.T) {
	t.Parallel()
	for c := range codes {
		err := fmt.Errorf("while pushing: %w", Limited(c, "max", 7, "too much: %w", io.ErrShortBuffer))
		if CodeOf(err) != c || !errors.Is(err, io.ErrShortBuffer) {
			t.Errorf("%v", err)
		}
		w := httptest.NewRecorder()
		WriteProblem(w, err)
		p, derr := Decode[Problem](w.Body.Bytes())
		if derr != nil || w.Code != c.HTTPStatus() || w.Header().Get("Content-Type") != ProblemType || p.Status != w.Code || p.Retryable != c.Retryable() {
			t.Errorf("%s: %d %+v %v", c, w.Code, p, derr)
		}
		if wait := w.Header().Get("Retry-After"); (wait != "") != (w.Code == 503 || w.Code == 429) {
			t.Errorf("%s: Retry-After %q", c, wait)
		}
		var back *Error
		if !errors.As(p.Err(), &back) || back.Code != c || back.Limit != "max=7" || back.Detail != "too much: short buffer" {
			t.Errorf("%s came back as %v", c, p.Err())
		}
	}
}

func TestProblem_keepsForeignErrorsToItself(t *testing.T) {
	t.Parallel()
	p := ProblemOf(errors.New("password is hunter2"))
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if p.Code != Internal || p.Status != 500 || p.Detail == "" || string(b) != `{"type":"urn:kinora:problem:internal","title":"Internal Server Error","status":500,"code":"internal","detail":"internal error; the log of this process says more","retryable":false}` {
		t.Errorf("%s", b)
	}
	if CodeOf(nil) != Internal || CodeOf(io.EOF) != Internal {
		t.Error("an error without a code is not internal")
	}
}
