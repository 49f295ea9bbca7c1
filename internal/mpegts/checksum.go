// Package mpegts is what those that read MPEG-TS by themselves have in common.
package mpegts

var table = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

// Checksum is CRC-32/MPEG-2 of b; 0 over a section with its own at the end.
func Checksum(b []byte) uint32 {
	c := ^uint32(0)
	for _, x := range b {
		c = c<<8 ^ table[byte(c>>24)^x]
	}
	return c
}
