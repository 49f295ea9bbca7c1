package chain

import (
	"context"
	"fmt"
	"math"
	"math/big"
)

// Pause is the escrow's last one, running or over, in Unix seconds; both are 0 when there never was one. While it runs
// nothing is paid; what had not expired when it began expires later by its length.
type Pause struct{ Start, End uint64 }

// LastPause is the last pause.
func (e *Escrow) LastPause(ctx context.Context) (Pause, error) {
	out, err := call(ctx, e, "read last pause", e.abi.PackLastPause(), e.abi.UnpackLastPause)
	if err != nil {
		return Pause{}, err
	}
	return Pause{out.Start.Uint64(), out.End.Uint64()}, nil
}

// PayableUntil is the last second, chain time, in which a ticket with this expiry pays.
func (e *Escrow) PayableUntil(ctx context.Context, expiry uint64) (uint64, error) {
	out, err := call(ctx, e, "read until when a ticket pays", e.abi.PackPayableUntil(new(big.Int).SetUint64(expiry)), e.abi.UnpackPayableUntil)
	if err != nil {
		return 0, err
	}
	if !out.IsUint64() || out.Uint64() > math.MaxInt64 {
		return 0, fmt.Errorf("the escrow says a ticket pays until %s, which is no time", out)
	}
	return out.Uint64(), nil
}
