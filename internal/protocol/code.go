package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Code is a frozen, machine-readable reason. A Code once published keeps its meaning for ever.
type Code string

// Codes of refusals. The comment says who acts, and how.
const (
	// What the sender of the request must change.
	BadRequest       Code = "bad_request"     // malformed header, query or JSON
	BadStreamName    Code = "bad_stream_name" // see ValidateStream
	BadSequence      Code = "bad_sequence"    // not a decimal number below 2^63
	BadExtension     Code = "bad_extension"   // only .ts and .mp4 are taken
	BadDuration      Code = "bad_duration"    // Content-Duration is not a number of milliseconds
	BadResolution    Code = "bad_resolution"  // Content-Resolution is not WxH
	BadLadder        Code = "bad_ladder"      // Livepeer-Transcode-Configuration cannot be
	MethodNotAllowed Code = "method_not_allowed"
	NotFound         Code = "not_found"
	Unauthorized     Code = "unauthorized"  // push secret missing or wrong
	EmptySegment     Code = "empty_segment" // no bytes
	BadMedia         Code = "bad_media"     // not decodable
	NoVideo          Code = "no_video"      // no video track
	NoKeyframe       Code = "no_keyframe"   // does not begin with a keyframe
	SegmentTooLarge  Code = "segment_too_large"
	SegmentTooLong   Code = "segment_too_long"
	SegmentTooShort  Code = "segment_too_short"
	TooManyPixels    Code = "too_many_pixels"  // source larger than the limit
	BodyTooSlow      Code = "body_too_slow"    // bytes arrive below the minimum rate
	SegmentConflict  Code = "segment_conflict" // other bytes under a key in flight
	RateLimited      Code = "rate_limited"     // too many pushes or streams; Retry-After says when
	UnsupportedCodec Code = "unsupported_codec"

	// Money.
	SpendCapReached    Code = "spend_cap_reached"    // the broadcaster's own hourly or total cap
	PriceAboveMax      Code = "price_above_max"      // the quote exceeds the broadcaster's maximum
	InsufficientCredit Code = "insufficient_credit"  // allocation or credit window exhausted
	NoAllocation       Code = "no_allocation"        // payer has no confirmed allocation to this recipient
	FeeAboveFaceValue  Code = "fee_above_face_value" // a receipt could cost more than one ticket can pay
	BudgetTooSmall     Code = "budget_too_small"     // the signed budget does not cover the fee
	TicketInvalid      Code = "ticket_invalid"       // signature, lane, nonce, value or expiry is wrong
	TicketSetClosed    Code = "ticket_set_closed"    // the parameter set was closed before this ticket came
	TicketUnknownSet   Code = "ticket_unknown_set"   // no such parameter set
	TicketUnderpays    Code = "ticket_underpays"     // expected value below the fee owed
	NothingOwed        Code = "nothing_owed"         // no delivery stands behind this ticket
	SessionEnded       Code = "session_ended"        // this key may not sign for the payer, or no longer

	// The market.
	QuoteExpired   Code = "quote_expired"
	QuoteUnknown   Code = "quote_unknown"
	BadSignature   Code = "bad_signature"
	Stale          Code = "stale"           // expired, or older than what is known
	NoTranscoder   Code = "no_transcoder"   // nobody with a live bid can take it
	NoOrchestrator Code = "no_orchestrator" // none answered with an acceptable quote
	NoCapacity     Code = "no_capacity"     // declined: no free pixel rate
	NotAllocated   Code = "not_allocated"   // declined: the orchestrator has no allocation to this transcoder
	PriceBelowBid  Code = "price_below_bid" // declined: the award does not pay the bid
	LeaseUnknown   Code = "lease_unknown"   // no such lease, or it lapsed
	Draining       Code = "draining"        // declined: shutting down
	Unreachable    Code = "unreachable"     // the other side did not answer in time

	// The life of an attempt.
	VerificationFailed Code = "verification_failed"
	DeadlineExceeded   Code = "deadline_exceeded"
	Cancelled          Code = "cancelled"
	ChildCrashed       Code = "child_crashed" // the media child died under this segment
	TranscodeFailed    Code = "transcode_failed"

	// This side's fault; Retryable says whether trying again helps.
	Internal    Code = "internal"
	Unavailable Code = "unavailable"
)

var codeStatus = map[Code]int{
	Unauthorized: http.StatusForbidden, NotFound: http.StatusNotFound, MethodNotAllowed: http.StatusMethodNotAllowed,
	SegmentTooLarge: http.StatusRequestEntityTooLarge, BodyTooSlow: http.StatusRequestTimeout, SegmentConflict: http.StatusConflict,
	RateLimited: http.StatusTooManyRequests, SpendCapReached: http.StatusPaymentRequired, InsufficientCredit: http.StatusPaymentRequired,
	NoAllocation: http.StatusPaymentRequired, BudgetTooSmall: http.StatusPaymentRequired,
	EmptySegment: http.StatusUnprocessableEntity, BadMedia: http.StatusUnprocessableEntity, NoVideo: http.StatusUnprocessableEntity,
	NoKeyframe: http.StatusUnprocessableEntity, SegmentTooLong: http.StatusUnprocessableEntity, SegmentTooShort: http.StatusUnprocessableEntity,
	TooManyPixels: http.StatusUnprocessableEntity, UnsupportedCodec: http.StatusUnprocessableEntity,
	NoTranscoder: http.StatusServiceUnavailable, NoOrchestrator: http.StatusServiceUnavailable, NoCapacity: http.StatusServiceUnavailable,
	Draining: http.StatusServiceUnavailable, Unavailable: http.StatusServiceUnavailable, Unreachable: http.StatusServiceUnavailable,
	DeadlineExceeded: http.StatusServiceUnavailable, VerificationFailed: http.StatusBadGateway, ChildCrashed: http.StatusBadGateway,
	TranscodeFailed: http.StatusBadGateway, Internal: http.StatusInternalServerError, PriceAboveMax: http.StatusServiceUnavailable,
}

// HTTPStatus is the status a Code is answered with; 400 unless its meaning asks for another.
func (c Code) HTTPStatus() int {
	if s, ok := codeStatus[c]; ok {
		return s
	}
	return http.StatusBadRequest
}

// Retryable reports whether the same request may succeed later without a change.
func (c Code) Retryable() bool {
	switch c {
	case RateLimited, NoTranscoder, NoOrchestrator, NoCapacity, Draining, Unavailable, Unreachable, DeadlineExceeded,
		VerificationFailed, ChildCrashed, TranscodeFailed, SegmentConflict, SpendCapReached, InsufficientCredit:
		return true
	}
	return false
}

// Error is a refusal with its Code: what was wrong with which input, and what to do.
type Error struct {
	Code   Code
	Detail string
	Limit  string // the limit that was passed, as "name=value", where there is one
	Err    error
}

// Errorf makes an Error; %w in format is kept for errors.Is.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Detail: err.Error(), Err: errors.Unwrap(err)}
}

// Limited makes an Error about a limit: which one and its value.
func Limited(code Code, limit string, value any, format string, args ...any) *Error {
	e := Errorf(code, format, args...)
	e.Limit = fmt.Sprintf("%s=%v", limit, value)
	return e
}

// Error says code and detail.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the Code err carries, or Internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Problem is an RFC 9457 problem document, the body of every refusal over HTTP and of every declined request on the bus.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      Code   `json:"code"`
	Detail    string `json:"detail,omitempty"`
	Limit     string `json:"limit,omitempty"`
	Retryable bool   `json:"retryable"`
}

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// ProblemOf describes err; what is not an *Error is Internal and keeps its text out of the answer.
func ProblemOf(err error) Problem {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: Internal, Detail: "internal error; the log of this process says more"}
	}
	status := e.Code.HTTPStatus()
	return Problem{Type: "urn:kinora:problem:" + string(e.Code), Title: http.StatusText(status), Status: status,
		Code: e.Code, Detail: e.Detail, Limit: e.Limit, Retryable: e.Code.Retryable()}
}

// Err turns a Problem from another machine back into an Error.
func (p Problem) Err() *Error { return &Error{Code: p.Code, Detail: p.Detail, Limit: p.Limit} }

// WriteProblem answers an HTTP request with err.
func WriteProblem(w http.ResponseWriter, err error) {
	p := ProblemOf(err)
	w.Header().Set("Content-Type", ProblemType)
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		if w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", "1")
		}
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
