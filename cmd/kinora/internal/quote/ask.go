// Package quote asks an orchestrator what a stream would cost and says what its answer means: per hour, for a balance, and for
// whoever is paid with such tickets.
package quote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/kinora/kinora/internal/protocol"
)

// Answer is a quote that was checked, with the ticket parameters to pay it by.
type Answer struct {
	Quote  protocol.Quote
	Params protocol.TicketParams
}

// Ask posts a request to the orchestrator at url and checks both signatures and that the answer is to what was asked.
func Ask(ctx context.Context, client *http.Client, url string, domain protocol.Domain, r protocol.QuoteRequest) (Answer, error) {
	if err := r.Validate(); err != nil {
		return Answer{}, fmt.Errorf("quote request: %w", err)
	}
	url = strings.TrimRight(url, "/") + "/v1/quote"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(protocol.Encode(r)))
	if err != nil {
		return Answer{}, fmt.Errorf("ask %s: %w", url, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("ask for a quote: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, protocol.MaxMessage+1))
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		var p protocol.Problem
		if json.Unmarshal(body, &p) != nil || p.Code == "" {
			return Answer{}, fmt.Errorf("%s answered %s: is it an orchestrator?", url, resp.Status)
		}
		return Answer{}, fmt.Errorf("%s refuses: %w", url, p.Err())
	}
	answer, err := protocol.Decode[protocol.QuoteAnswer](body)
	if err != nil {
		return Answer{}, fmt.Errorf("the answer of %s: %w", url, err)
	}
	return check(answer, domain, r)
}

func check(answer protocol.QuoteAnswer, domain protocol.Domain, r protocol.QuoteRequest) (a Answer, err error) {
	if a.Quote, err = answer.Quote.Open(domain); err != nil {
		return Answer{}, fmt.Errorf("quote: %w (is it for another chain or escrow?)", err)
	}
	if a.Params, err = answer.Params.Open(domain); err != nil {
		return Answer{}, fmt.Errorf("ticket parameters: %w", err)
	}
	q, p := a.Quote, a.Params
	switch {
	case q.Payer != r.Payer || q.Stream != r.Stream || q.LadderHash != protocol.Hash(r.Ladder.Hash()) || q.MaxMillis < r.MaxMillis:
		return Answer{}, fmt.Errorf("the quote is for %s, stream %q, of another ladder or for shorter segments than was asked", q.Payer, q.Stream)
	case p.Payer != r.Payer || p.Recipient != q.Orchestrator:
		return Answer{}, fmt.Errorf("the ticket parameters are from %s to %s, the quote is from %s to %s", p.Payer, p.Recipient, q.Payer, q.Orchestrator)
	case p.FaceValue.Less(q.MaxFee):
		return Answer{}, fmt.Errorf("a segment may cost %s wei, one ticket pays %s", q.MaxFee, p.FaceValue)
	}
	for _, profile := range r.Ladder {
		if _, sold := q.Prices.Of(profile.Codec); !sold {
			return Answer{}, fmt.Errorf("the quote has no price for %s of profile %q", profile.Codec, profile.Name)
		}
	}
	return a, nil
}
