package pgstore_test

import (
	"testing"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/payment/storetest"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
)

func TestRecipientStore(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, func(t *testing.T) (payment.Store, func() payment.Store) {
		url := pgtest.Migrated(t, "recipient")
		open := func() payment.Store { return pgstore.Recipient(pgtest.Open(t, url)) }
		return open(), open
	})
}
