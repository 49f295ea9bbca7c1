package transcoder

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
)

// PixelRates are pixels a second by codec, written as h264=60000000,hevc=9000000; one number alone is of H.264.
type PixelRates protocol.CodecRates

// UnmarshalText reads them; 0 is none.
func (r *PixelRates) UnmarshalText(b []byte) error {
	*r = nil
	text := strings.TrimSpace(string(b))
	if text == "" || text == "0" {
		return nil
	}
	var rates protocol.CodecRates
	for entry := range strings.SplitSeq(text, ",") {
		codec, number, named := strings.Cut(strings.TrimSpace(entry), "=")
		if !named {
			codec, number = string(protocol.H264), codec
		}
		n, err := strconv.ParseUint(number, 10, 63)
		if err != nil || n == 0 {
			return fmt.Errorf("%q: want pixels a second, such as 60000000, or h264=60000000,av1=5000000", entry)
		}
		rates = append(rates, protocol.CodecRate{Codec: protocol.Codec(codec), PixelRate: n})
	}
	if err := rates.Validate(); err != nil {
		return err
	}
	*r = PixelRates(rates)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (r PixelRates) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String is what UnmarshalText reads.
func (r PixelRates) String() string {
	if len(r) == 0 {
		return "0"
	}
	entries := make([]string, len(r))
	for i, c := range r {
		entries[i] = fmt.Sprintf("%s=%d", c.Codec, c.PixelRate)
	}
	return strings.Join(entries, ",")
}

func (r PixelRates) validate() error {
	if err := protocol.CodecRates(r).Validate(); err != nil {
		return err
	}
	for _, c := range r {
		if c.PixelRate == 0 {
			return errors.New("a rate of 0 pixels a second is none: leave the codec out")
		}
	}
	return nil
}

// prices are what a pixel costs of each codec that rates has: base for H.264, for others more in proportion to how much
// longer this machine takes over them.
func prices(base protocol.Wei, rates capacity.Rates) protocol.Prices {
	var out protocol.Prices
	reference, known := rates.Encode.Of(protocol.H264)
	for _, r := range rates.Encode {
		price := base
		if known && r.PixelRate > 0 && r.PixelRate < reference {
			price = base.Mul(reference).Div(r.PixelRate)
		}
		out = append(out, protocol.CodecPrice{Codec: r.Codec, WeiPerPixel: price})
	}
	return out
}
