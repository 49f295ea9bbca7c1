package payment

import (
	"context"

	"github.com/kinora/kinora/internal/protocol"
)

// PriceNow is what a relayer prices quotes by.
func PriceNow(ask func(context.Context) (protocol.Wei, error)) func(context.Context, uint64) (protocol.Wei, error) {
	return (&priceNow{ask: ask}).of
}
