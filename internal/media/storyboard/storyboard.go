// Package storyboard makes one sheet of small pictures, and the WebVTT by which a player finds in it the picture of each moment.
package storyboard

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"strings"
	"time"
)

// Limits of a sheet, in pixels and pictures: pictures come from processes that parse hostile bytes.
const (
	MaxShots = 256
	maxSide  = 1280
	maxSheet = 16 << 20 // pixels
)

// Shot is one picture and the time it stands for, counted from the storyboard's beginning.
type Shot struct {
	JPEG     []byte
	From, To time.Duration
}

// Sheet puts the pictures into rows of so many columns, each in a cell as large as the largest, and says in WebVTT where each is
// in the sheet at url.
func Sheet(shots []Shot, columns int, url string) (sheet, vtt []byte, err error) {
	if len(shots) == 0 || len(shots) > MaxShots || columns < 1 {
		return nil, nil, fmt.Errorf("storyboard of %d pictures in %d columns: want 1 to %d, and a column", len(shots), columns, MaxShots)
	}
	var cell image.Point
	pictures := make([]image.Image, len(shots))
	for i, s := range shots {
		c, err := jpeg.DecodeConfig(bytes.NewReader(s.JPEG))
		if err == nil && (c.Width > maxSide || c.Height > maxSide) {
			err = fmt.Errorf("%d×%d, at most %d each", c.Width, c.Height, maxSide)
		}
		if err == nil {
			pictures[i], err = jpeg.Decode(bytes.NewReader(s.JPEG))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("picture %d of a storyboard: %w", i, err)
		}
		cell.X, cell.Y = max(cell.X, c.Width), max(cell.Y, c.Height)
	}
	columns = min(columns, len(shots))
	rows := (len(shots) + columns - 1) / columns
	if columns*cell.X*rows*cell.Y > maxSheet {
		return nil, nil, fmt.Errorf("storyboard of %d×%d pixels, at most %d", columns*cell.X, rows*cell.Y, maxSheet)
	}
	whole := image.NewRGBA(image.Rect(0, 0, columns*cell.X, rows*cell.Y))
	draw.Draw(whole, whole.Bounds(), image.NewUniform(color.Black), image.Point{}, draw.Src)
	var text strings.Builder
	text.WriteString("WEBVTT\n")
	for i, p := range pictures {
		size := p.Bounds().Size()
		at := image.Pt(i%columns*cell.X+(cell.X-size.X)/2, i/columns*cell.Y+(cell.Y-size.Y)/2)
		draw.Draw(whole, image.Rectangle{at, at.Add(size)}, p, p.Bounds().Min, draw.Src)
		fmt.Fprintf(&text, "\n%s --> %s\n%s#xywh=%d,%d,%d,%d\n", stamp(shots[i].From), stamp(shots[i].To), url, at.X, at.Y, size.X, size.Y)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, whole, &jpeg.Options{Quality: 75}); err != nil {
		return nil, nil, fmt.Errorf("storyboard: %w", err)
	}
	return out.Bytes(), []byte(text.String()), nil
}

// stamp is a WebVTT time.
func stamp(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
