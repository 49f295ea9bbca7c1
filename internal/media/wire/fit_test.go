package wire

import "testing"

func TestFitted_keepsTheShape(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fit            string
		w, h, num, den int
		toW, toH       int
		crop, show     Rect
		width, height  int
	}{
		{"", 640, 480, 1, 1, 854, 480, Rect{0, 0, 640, 480}, Rect{0, 0, 854, 480}, 854, 480},
		{"pad", 1280, 720, 1, 1, 854, 480, Rect{0, 0, 1280, 720}, Rect{0, 0, 854, 480}, 854, 480}, // only rounded apart
		{"pad", 640, 480, 0, 0, 854, 480, Rect{0, 0, 640, 480}, Rect{106, 0, 640, 480}, 854, 480},
		{"pad", 720, 576, 64, 45, 640, 480, Rect{0, 0, 720, 576}, Rect{0, 60, 640, 360}, 640, 480}, // 16:9 by its pixels
		{"contain", 1080, 1920, 1, 1, 640, 360, Rect{0, 0, 1080, 1920}, Rect{0, 0, 204, 360}, 204, 360},
		{"contain", 1920, 800, 1, 1, 640, 360, Rect{0, 0, 1920, 800}, Rect{0, 0, 640, 268}, 640, 268},
		{"crop", 1920, 1080, 1, 1, 480, 480, Rect{420, 0, 1080, 1080}, Rect{0, 0, 480, 480}, 480, 480},
		{"crop", 1080, 1920, 1, 1, 640, 360, Rect{0, 656, 1080, 608}, Rect{0, 0, 640, 360}, 640, 360},
		{"crop", 720, 576, 64, 45, 360, 360, Rect{158, 0, 404, 576}, Rect{0, 0, 360, 360}, 360, 360},
	} {
		got := Fitted(tc.fit, tc.w, tc.h, tc.num, tc.den, tc.toW, tc.toH)
		if want := (Geometry{tc.crop, tc.show, tc.width, tc.height}); got != want {
			t.Errorf("%s %d×%d into %d×%d: %+v, want %+v", tc.fit, tc.w, tc.h, tc.toW, tc.toH, got, want)
		}
	}
}
