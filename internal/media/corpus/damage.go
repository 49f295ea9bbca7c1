package corpus

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// damages are what a bad line, a bad disk or a bad neighbour does to a segment.
var damages = []struct {
	name string
	do   func(*rand.Rand, Case) []byte
}{
	{"1 bit flipped", func(r *rand.Rand, c Case) []byte { return flipped(r, c.Bytes, 1) }},
	{"30 bits flipped", func(r *rand.Rand, c Case) []byte { return flipped(r, c.Bytes, 30) }},
	{"1 in 100 bits flipped", func(r *rand.Rand, c Case) []byte { return flipped(r, c.Bytes, len(c.Bytes)*8/100) }},
	{"a stretch zeroed", func(r *rand.Rand, c Case) []byte {
		b := bytes.Clone(c.Bytes)
		from := r.IntN(len(b))
		clear(b[from:min(len(b), from+1+r.IntN(len(b)/4))])
		return b
	}},
	{"a stretch of noise", func(r *rand.Rand, c Case) []byte {
		b := bytes.Clone(c.Bytes)
		from := r.IntN(len(b))
		for i := from; i < min(len(b), from+len(b)/8); i++ {
			b[i] = byte(r.Uint32())
		}
		return b
	}},
	{"a unit lost", func(r *rand.Rand, c Case) []byte {
		u := units(c)
		i := r.IntN(len(u))
		return bytes.Join(append(append([][]byte{}, u[:i]...), u[i+1:]...), nil)
	}},
	{"a unit doubled", func(r *rand.Rand, c Case) []byte {
		u := units(c)
		i := r.IntN(len(u))
		return bytes.Join(append(append(append([][]byte{}, u[:i+1]...), u[i]), u[i+1:]...), nil)
	}},
	{"two units swapped", func(r *rand.Rand, c Case) []byte {
		u := append([][]byte{}, units(c)...)
		i, j := r.IntN(len(u)), r.IntN(len(u))
		u[i], u[j] = u[j], u[i]
		return bytes.Join(u, nil)
	}},
	{"a length that lies", func(r *rand.Rand, c Case) []byte {
		b := bytes.Clone(c.Bytes)
		at := boundaries(c)
		from := at[r.IntN(len(at))]
		if from+4 <= len(b) {
			binary.BigEndian.PutUint32(b[from:], r.Uint32()>>r.IntN(24))
		}
		return b
	}},
}

func flipped(r *rand.Rand, b []byte, n int) []byte {
	b = bytes.Clone(b)
	for range n {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	}
	return b
}

// units are the bytes of c between its boundaries.
func units(c Case) (u [][]byte) {
	from := 0
	for _, at := range append(boundaries(c), len(c.Bytes)) {
		if at > from {
			u = append(u, c.Bytes[from:at])
			from = at
		}
	}
	return u
}
