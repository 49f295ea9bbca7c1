package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

const (
	maxEpochs = 100
	maxRoots  = 500
	maxText   = 16 << 20 // of a page, which has a few hundred entries
)

// number reads a parameter of a query that is one; without it, usual.
func number(r *http.Request, name string, usual, most uint64) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most {
		return 0, protocol.Limited(protocol.BadRequest, name, most, "%s is %.40q, want a number up to %d", name, text, most)
	}
	return n, nil
}

// auctionEpochs lists what the auctions were held to, newest first: ?before= a time in Unix milliseconds, ?limit=.
func (a *API) auctionEpochs(w http.ResponseWriter, r *http.Request) {
	before, err := number(r, "before", uint64(time.Now().Add(time.Hour).UnixMilli()), 1<<53)
	if err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	limit, err := number(r, "limit", maxEpochs, maxEpochs)
	if err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	epochs, err := a.store.AuctionEpochs(r.Context(), time.UnixMilli(int64(before)), int(limit))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if epochs == nil {
		epochs = []auction.Reveal{}
	}
	answer(w, http.StatusOK, epochs)
}

// AuctionEpoch is the body of /api/v1/auctions/epochs/{commitment}: the roots over the figures of quality are told as they come
// into force, 500 at a time (?after= the last one's number), the rest once the epoch is over.
type AuctionEpoch struct {
	auction.Reveal
	Figures []protocol.Signed[protocol.FiguresRoot] `json:"figures"`
}

// auctionEpoch tells of one epoch; ?page= gives a page of its journal, once it is over.
func (a *API) auctionEpoch(w http.ResponseWriter, r *http.Request) {
	commitment, err := protocol.ParseID(chi.URLParam(r, "commitment"))
	if err != nil {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "commitment: %w", err))
		return
	}
	if r.URL.Query().Has("page") {
		a.auctionPage(w, r, commitment)
		return
	}
	after, err := number(r, "after", 0, 1<<53)
	if err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	var body AuctionEpoch
	if body.Reveal, err = a.store.AuctionEpoch(r.Context(), commitment); err == nil {
		body.Figures, err = a.store.FigureRoots(r.Context(), commitment, after, maxRoots)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if body.Figures == nil {
		body.Figures = []protocol.Signed[protocol.FiguresRoot]{}
	}
	answer(w, http.StatusOK, body)
}

// auctionPage gives the text of a page as it was hashed: a JSON list of auction.Entry.
func (a *API) auctionPage(w http.ResponseWriter, r *http.Request, commitment protocol.Hash) {
	page, err := number(r, "page", 0, 1<<30)
	if err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	p, err := a.store.AuctionPage(r.Context(), commitment, int(page))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(p.Text) // the client has gone
		return
	}
	text, err := gzip.NewReader(bytes.NewReader(p.Text))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	_, _ = io.Copy(w, io.LimitReader(text, maxText)) // the client has gone
}
