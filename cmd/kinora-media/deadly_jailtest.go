//go:build jailtest

package main

import (
	"bytes"
	"os"
)

// In a build for tests, media that holds these words does what hostile media might.
const (
	crashNow = "kinora-media: crash now"
	hangNow  = "kinora-media: hang now"
)

func init() { stdin = &deadly{} }

type deadly struct{ tail []byte }

func (d *deadly) Read(p []byte) (int, error) {
	n, err := os.Stdin.Read(p)
	d.tail = append(d.tail, p[:n]...)
	if bytes.Contains(d.tail, []byte(crashNow)) {
		panic("told to crash")
	}
	if bytes.Contains(d.tail, []byte(hangNow)) {
		select {}
	}
	d.tail = append(d.tail[:0], d.tail[max(0, len(d.tail)-len(crashNow)):]...)
	return n, err
}
