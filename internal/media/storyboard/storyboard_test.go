package storyboard_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media/storyboard"
)

// plain is a picture of one grey.
func plain(t *testing.T, w, h int, grey uint8) []byte {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, w, h))
	for i := range p.Pix {
		p.Pix[i] = grey
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, p, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSheet_showsEachPictureWhereItSays(t *testing.T) {
	t.Parallel()
	var shots []storyboard.Shot
	for i := range 5 {
		w := 64
		if i == 3 {
			w = 32
		}
		shots = append(shots, storyboard.Shot{JPEG: plain(t, w, 36, uint8(50*i+40)), From: time.Duration(i) * 2 * time.Second, To: time.Duration(i+1) * 2 * time.Second})
	}
	sheet, vtt, err := storyboard.Sheet(shots, 3, "storyboard.jpg")
	if err != nil {
		t.Fatal(err)
	}
	want := `WEBVTT

00:00:00.000 --> 00:00:02.000
storyboard.jpg#xywh=0,0,64,36

00:00:02.000 --> 00:00:04.000
storyboard.jpg#xywh=64,0,64,36

00:00:04.000 --> 00:00:06.000
storyboard.jpg#xywh=128,0,64,36

00:00:06.000 --> 00:00:08.000
storyboard.jpg#xywh=16,36,32,36

00:00:08.000 --> 00:00:10.000
storyboard.jpg#xywh=64,36,64,36
`
	if string(vtt) != want {
		t.Errorf("the WebVTT is\n%s", vtt)
	}
	whole, err := jpeg.Decode(bytes.NewReader(sheet))
	if err != nil || whole.Bounds() != image.Rect(0, 0, 192, 72) {
		t.Fatalf("%v: %v", whole.Bounds(), err)
	}
	for i, at := range []image.Point{{32, 18}, {96, 18}, {160, 18}, {32, 54}, {96, 54}} {
		if got := color.GrayModel.Convert(whole.At(at.X, at.Y)).(color.Gray).Y; int(got)-(50*i+40) > 4 || int(got)-(50*i+40) < -4 {
			t.Errorf("picture %d is %d grey", i, got)
		}
	}
	if got := color.GrayModel.Convert(whole.At(170, 54)).(color.Gray).Y; got > 8 {
		t.Errorf("the empty cell is %d grey", got)
	}
}

func TestSheet_refusesWhatIsNoPicture(t *testing.T) {
	t.Parallel()
	good := storyboard.Shot{JPEG: plain(t, 64, 36, 9)}
	for want, shots := range map[string][]storyboard.Shot{"0 pictures": nil, "picture 1": {good, {JPEG: []byte("text")}}, "2000×16": {{JPEG: plain(t, 2000, 16, 0)}}} {
		if _, _, err := storyboard.Sheet(shots, 3, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want a word of %s", err, want)
		}
	}
}
