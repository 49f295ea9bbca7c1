package wire

// Geometry is how pictures of one size become pictures of another.
type Geometry struct {
	Crop          Rect // the part of a source picture that is shown
	Show          Rect // where in the new picture
	Width, Height int  // of the new picture
}

// Rect is a part of a picture, in pixels.
type Rect struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// The ways to fit; empty is Stretch (fields as protocol.Fit).
const (
	FitStretch = "stretch"
	FitPad     = "pad"
	FitCrop    = "crop"
	FitContain = "contain"
)

// sameShape is how many pixels two pictures may differ by and still be of one shape: sizes are even, so shapes are rounded.
const sameShape = 2

// Fitted is how pictures of w×h, of pixels shaped sarNum/sarDen (0: square), are made to fit toW×toH. Whoever makes a rendition,
// and whoever checks it, counts alike.
func Fitted(fit string, w, h, sarNum, sarDen, toW, toH int) Geometry {
	g := Geometry{Crop: Rect{0, 0, w, h}, Show: Rect{0, 0, toW, toH}, Width: toW, Height: toH}
	if w <= 0 || h <= 0 || fit == "" || fit == FitStretch {
		return g
	}
	if sarNum <= 0 || sarDen <= 0 {
		sarNum, sarDen = 1, 1
	}
	wide, high := int64(w)*int64(sarNum), int64(h)*int64(sarDen) // the shape of the source
	byWidth, byHeight := over(int64(toW)*high, wide), over(int64(toH)*wide, high)
	if abs(byWidth-int64(toH)) <= sameShape || abs(byHeight-int64(toW)) <= sameShape {
		return g
	}
	if fit == FitCrop {
		if byHeight > int64(toW) { // the source is wider
			g.Crop.W = int(min(int64(w), max(2, over(high*int64(toW), int64(toH)*int64(sarNum))&^1)))
		} else {
			g.Crop.H = int(min(int64(h), max(2, over(wide*int64(toH), int64(toW)*int64(sarDen))&^1)))
		}
		g.Crop.X, g.Crop.Y = (w-g.Crop.W)/2&^1, (h-g.Crop.H)/2&^1
		return g
	}
	if byWidth < int64(toH) {
		g.Show.H = int(max(16, even(byWidth)))
	} else {
		g.Show.W = int(max(16, even(byHeight)))
	}
	if fit == FitContain {
		g.Width, g.Height = g.Show.W, g.Show.H
		return g
	}
	g.Show.X, g.Show.Y = (toW-g.Show.W)/2&^1, (toH-g.Show.H)/2&^1
	return g
}

// Plain reports whether all of a source picture is shown on all of the new one.
func (g Geometry) Plain(w, h int) bool {
	return g.Crop == Rect{0, 0, w, h} && g.Show == Rect{0, 0, g.Width, g.Height}
}

func over(a, b int64) int64 { return (a + b/2) / b }
func even(n int64) int64    { return (n + 1) &^ 1 }
func abs(n int64) int64     { return max(n, -n) }
