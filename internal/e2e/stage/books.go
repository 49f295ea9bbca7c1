package stage

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Books are what became of the money once all streams have ended.
type Books struct {
	Published uint64       // segments
	Signed    uint64       // tickets of the broadcaster, one a segment
	FeeWei    protocol.Wei // of a segment, as the broadcaster pays for it
	LostWei   protocol.Wei // work that was delivered and is not paid for, and winners that cannot be redeemed
	VainWei   protocol.Wei // paid for segments that no playlist lists, or once more
	Gaps      int          // in the playlists
}

type payer struct {
	Signed, Acknowledged, Refused, Unsent, Due uint64
	FeeWei                                     protocol.Wei `json:"fee_wei"`
}

type recipient struct {
	Accepted    uint64       `json:"accepted"`
	LostWei     protocol.Wei `json:"lost_wei"`
	OwedWei     protocol.Wei `json:"owed_wei"`
	AcceptedWei protocol.Wei `json:"accepted_wei"`
}

// Settle ends the streams, waits until every ticket has arrived, and reads the books of all.
func (s *Stage) Settle(ctx context.Context, l Load) (Books, error) {
	var b Books
	for i := range l.Streams {
		end := fmt.Sprintf("http://%s/api/v1/streams/%s-%d/end", s.Broadcaster.HTTP(), l.Name, i)
		if err := Poll(ctx, func() (bool, error) {
			err := ask(ctx, http.MethodPost, end, s.secret, nil)
			return err == nil || strings.Contains(err.Error(), "not_found"), err
		}); err != nil {
			return b, fmt.Errorf("end a stream: %w", err)
		}
		gaps, err := s.gaps(ctx, fmt.Sprintf("%s-%d", l.Name, i))
		if err != nil {
			return b, err
		}
		b.Gaps += gaps
	}
	var in struct {
		Published uint64 `json:"segments_published"`
		Payer     payer  `json:"payer"`
	}
	var out struct {
		Payer     payer     `json:"payer"`
		Recipient recipient `json:"recipient"`
	}
	var sellers []recipient
	// The tickets under way arrive, then nothing is owed any more; what still is after a while is lost.
	patient, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := Poll(patient, func() (bool, error) {
		if err := Ask(ctx, http.MethodGet, "http://"+s.Broadcaster.HTTP()+"/api/v1/stats", &in); err != nil {
			return false, err
		}
		var o *Process
		for _, p := range s.Orchestrators { // any replica that answers: they share their books
			if Ask(ctx, http.MethodGet, "http://"+p.HTTP()+"/api/v1/stats", &out) == nil {
				o = p
				break
			}
		}
		if o == nil {
			return false, fmt.Errorf("no orchestrator answers")
		}
		sellers = sellers[:0]
		owed := out.Recipient.OwedWei
		for _, t := range s.Transcoders {
			var x struct {
				Recipient recipient `json:"recipient"`
			}
			if err := Ask(ctx, http.MethodGet, "http://"+t.HTTP()+"/api/v1/stats", &x); err != nil {
				return false, err
			}
			sellers = append(sellers, x.Recipient)
			owed = owed.Add(x.Recipient.OwedWei)
		}
		return in.Payer.Due+in.Payer.Unsent+out.Payer.Due+out.Payer.Unsent == 0 && owed.IsZero(), nil
	})
	if err != nil && patient.Err() == nil {
		return b, err
	}
	b.Published, b.Signed = in.Published, in.Payer.Signed+in.Payer.Due
	b.LostWei = out.Recipient.LostWei.Add(out.Recipient.OwedWei)
	for _, x := range sellers {
		b.LostWei = b.LostWei.Add(x.LostWei).Add(x.OwedWei)
	}
	if in.Payer.Signed > 0 {
		b.FeeWei = in.Payer.FeeWei.Div(in.Payer.Signed)
		b.VainWei = b.FeeWei.Mul(b.Signed - min(b.Signed, b.Published))
	}
	return b, nil
}

var variant = regexp.MustCompile(`(?m)^[^#\s]\S*\.m3u8`)

// gaps counts what a player of the stream does not get.
func (s *Stage) gaps(ctx context.Context, stream string) (int, error) {
	base := fmt.Sprintf("http://%s/hls/%s/", s.Broadcaster.HTTP(), stream)
	index, err := text(ctx, base+"index.m3u8")
	if err != nil {
		return 0, err
	}
	gaps := 0
	for _, v := range variant.FindAllString(index, -1) {
		list, err := text(ctx, base+v)
		if err != nil {
			return 0, err
		}
		gaps += strings.Count(list, "#EXT-X-GAP")
	}
	return gaps, nil
}

func text(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", url, resp.Status, b)
	}
	return string(b), err
}
