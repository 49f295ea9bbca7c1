package mpegts_test

import (
	"encoding/binary"
	"testing"

	"github.com/kinora/kinora/internal/mpegts"
)

func TestChecksum_isTheStandardsAndZeroOverItsOwn(t *testing.T) {
	t.Parallel()
	b := []byte("123456789")
	sum := mpegts.Checksum(b)
	if sum != 0x0376e6e7 { // the check value that is published with the algorithm
		t.Errorf("%#x", sum)
	}
	if rest := mpegts.Checksum(binary.BigEndian.AppendUint32(b, sum)); rest != 0 {
		t.Errorf("%#x is left", rest)
	}
}
