// Package level knows what each level of H.264, HEVC and AV1 lets a stream have: picture size, rate and bitrate.
package level

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A level is named by ten times its number: 41 is level 4.1 of whichever codec.
type bounds struct {
	level   int
	picture int64 // luma samples of a picture
	rate    int64 // luma samples a second
	kbit    int64 // bitrate, 1000 bit/s
}

// ITU-T H.264 table A-1 (macroblocks of 256 samples; bitrates of the Main profile, which High may exceed), ITU-T H.265 table A.8
// and A.9 (Main tier), AV1 specification section A.3 (Main tier).
var known = map[string][]bounds{
	"h264": {{10, 99 << 8, 1485 << 8, 64}, {11, 396 << 8, 3000 << 8, 192}, {12, 396 << 8, 6000 << 8, 384}, {13, 396 << 8, 11880 << 8, 768},
		{20, 396 << 8, 11880 << 8, 2000}, {21, 792 << 8, 19800 << 8, 4000}, {22, 1620 << 8, 20250 << 8, 4000}, {30, 1620 << 8, 40500 << 8, 10000},
		{31, 3600 << 8, 108000 << 8, 14000}, {32, 5120 << 8, 216000 << 8, 20000}, {40, 8192 << 8, 245760 << 8, 20000},
		{41, 8192 << 8, 245760 << 8, 50000}, {42, 8704 << 8, 522240 << 8, 50000}, {50, 22080 << 8, 589824 << 8, 135000},
		{51, 36864 << 8, 983040 << 8, 240000}, {52, 36864 << 8, 2073600 << 8, 240000}, {60, 139264 << 8, 4177920 << 8, 240000},
		{61, 139264 << 8, 8355840 << 8, 480000}, {62, 139264 << 8, 16711680 << 8, 800000}},
	"hevc": {{10, 36864, 552960, 128}, {20, 122880, 3686400, 1500}, {21, 245760, 7372800, 3000}, {30, 552960, 16588800, 6000},
		{31, 983040, 33177600, 10000}, {40, 2228224, 66846720, 12000}, {41, 2228224, 133693440, 20000}, {50, 8912896, 267386880, 25000},
		{51, 8912896, 534773760, 40000}, {52, 8912896, 1069547520, 60000}, {60, 35651584, 1069547520, 60000},
		{61, 35651584, 2139095040, 120000}, {62, 35651584, 4278190080, 240000}},
	"av1": {{20, 147456, 4423680, 1500}, {21, 278784, 8363520, 3000}, {30, 665856, 19975680, 6000}, {31, 1065024, 31950720, 10000},
		{40, 2359296, 70778880, 12000}, {41, 2359296, 141557760, 20000}, {50, 8912896, 267386880, 30000}, {51, 8912896, 534773760, 40000},
		{52, 8912896, 1069547520, 60000}, {53, 8912896, 1069547520, 60000}, {60, 35651584, 1069547520, 60000},
		{61, 35651584, 2139095040, 100000}, {62, 35651584, 4278190080, 160000}, {63, 35651584, 4278190080, 160000}},
}

// Check says why a stream of codec does not fit level. fps of 0 is not known, and bitrate of 0 neither.
func Check(codec string, level, width, height int, fps float64, bitrate int64) error {
	list := known[codec]
	i := slices.IndexFunc(list, func(b bounds) bool { return b.level == level })
	if i < 0 {
		var names []string
		for _, b := range list {
			names = append(names, fmt.Sprint(b.level))
		}
		return fmt.Errorf("%d is no level of %s: want one of %s", level, codec, strings.Join(names, ", "))
	}
	b, w, h := list[i], int64(width), int64(height)
	if codec == "h264" {
		w, h = (w+15)&^15, (h+15)&^15
	}
	rate := int64(math.Ceil(float64(w*h)*fps - 0.01))
	switch {
	case w*h > b.picture:
		return fmt.Errorf("level %d of %s has no room for pictures of %d×%d", level, codec, width, height)
	case w*w > 8*b.picture || h*h > 8*b.picture:
		return fmt.Errorf("level %d of %s has no room for pictures as long as %d×%d", level, codec, width, height)
	case rate > b.rate:
		return fmt.Errorf("level %d of %s has no room for %.3g pictures of %d×%d a second", level, codec, fps, width, height)
	case bitrate > b.kbit*1000:
		return fmt.Errorf("level %d of %s ends at %d bit/s, %d are asked for", level, codec, b.kbit*1000, bitrate)
	}
	return nil
}
