package level

import "testing"

func TestCheck_bounds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		codec       string
		level, w, h int
		fps         float64
		bitrate     int64
		fits        bool
	}{
		{"h264", 31, 1280, 720, 30, 14_000_000, true}, {"h264", 31, 1280, 720, 30.01, 1, false}, {"h264", 31, 1280, 720, 30, 14_000_001, false},
		{"h264", 31, 1920, 1080, 0, 0, false}, {"h264", 40, 1920, 1080, 30, 20_000_000, true}, {"h264", 40, 1920, 1080, 60, 0, false},
		{"h264", 42, 1920, 1080, 60, 0, true}, {"h264", 10, 176, 144, 15, 64000, true}, {"h264", 14, 176, 144, 15, 64000, false},
		{"h264", 31, 2704, 16, 1, 1, true}, {"h264", 30, 1808, 16, 1, 1, true}, {"h264", 30, 4000, 16, 1, 1, false},
		{"hevc", 41, 1920, 1080, 60, 20_000_000, true}, {"hevc", 40, 1920, 1080, 60, 0, false}, {"av1", 40, 1920, 1080, 30, 0, true},
		{"av1", 41, 1920, 1080, 60, 0, true}, {"av1", 22, 320, 180, 0, 0, false}, {"vp9", 41, 320, 180, 0, 0, false},
	} {
		if err := Check(tc.codec, tc.level, tc.w, tc.h, tc.fps, tc.bitrate); (err == nil) != tc.fits {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}
