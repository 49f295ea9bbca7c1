package transcoder

import (
	"testing"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

func TestPriceCurve_isReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "50=100, 80=130,100=200": "50=100,80=130,100=200"} {
		var c PriceCurve
		if err := c.UnmarshalText([]byte(text)); err != nil || c.String() != want {
			t.Errorf("%q is %s, %v", text, c, err)
		}
	}
	for _, text := range []string{"80", "0=100", "50=99", "50=120,40=130", "50=120,60=110", "101=200", "50=10001", "a=b", "1=100,2=100,3=100,4=100,5=100,6=100,7=100,8=100,9=100"} {
		var c PriceCurve
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, c)
		}
	}
}

func TestCodecs_areReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	var c Codecs
	if err := c.UnmarshalText([]byte("hevc, av1")); err != nil || c.String() != "hevc,av1" {
		t.Errorf("%s, %v", c, err)
	}
	if err := c.UnmarshalText([]byte("h263")); err == nil {
		t.Error("h263 is a codec")
	}
}

func TestFloor_isWhatThePowerForAPixelCosts(t *testing.T) {
	t.Parallel()
	rates := capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: 60_000_000}, {Codec: protocol.AV1, PixelRate: 9_000_000}}}
	// 180 W at 10^14 wei a kWh are 5·10^9 wei a second: over 60 and 9 megapixels.
	got := floor(180, protocol.NewWei(100_000_000_000_000), rates)
	h264, _ := got.Of(protocol.H264)
	av1, _ := got.Of(protocol.AV1)
	if h264 != protocol.NewWei(84) || av1 != protocol.NewWei(556) {
		t.Errorf("floors %s and %s, want 84 and 556", h264, av1)
	}
	if floor(0, protocol.NewWei(1), rates) != nil || floor(1, protocol.Wei{}, rates) != nil {
		t.Error("a floor of what is not known")
	}
}

func TestDrawn_isWhatFullLoadAdds(t *testing.T) {
	t.Parallel()
	var d drawn
	watts := func(all ...float64) (out []devices.Reading) {
		for _, w := range all {
			out = append(out, devices.Reading{Power: &w})
		}
		return append(out, devices.Reading{})
	}
	d.see(watts())
	if d.watts() != 0 {
		t.Error("devices that tell nothing draw power")
	}
	for _, all := range [][]float64{{20, 30}, {90, 80}, {25, 40}} {
		d.see(watts(all...))
	}
	if got := d.watts(); got != 120 {
		t.Errorf("%d W, want 170 less 50", got)
	}
}
