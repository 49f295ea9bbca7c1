-- +goose Up
-- Tickets that came too late are paid for by settlements, on a lane of their own at each recipient. The newest settlement pays
-- for everything that no paid one has: only one of two that share a nonce can be paid.
CREATE TABLE payer_settlements (
    recipient  bytea   PRIMARY KEY CONSTRAINT payer_settlements_recipients_are_addresses CHECK (octet_length(recipient) = 20),
    last_nonce bigint  NOT NULL DEFAULT 0, -- of the newest
    offer      bytea,                      -- JSON of the newest: what is sent, each time the same
    delivered  boolean NOT NULL DEFAULT false
);

-- The first settlement nonce that pays for the order; 0: nothing is to be settled, since its ticket was paid after all.
ALTER TABLE payer_orders ADD COLUMN settle_nonce bigint;
CREATE INDEX payer_orders_late ON payer_orders (recipient, ordered_at) WHERE state = 'refused' AND code = 'ticket_set_closed' AND settle_nonce IS NULL;
CREATE INDEX payer_orders_settled ON payer_orders (recipient, settle_nonce) WHERE settle_nonce IS NOT NULL;

-- +goose Down
DROP INDEX payer_orders_settled, payer_orders_late;
ALTER TABLE payer_orders DROP COLUMN settle_nonce;
DROP TABLE payer_settlements;
