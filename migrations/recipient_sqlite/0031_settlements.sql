-- +goose Up
-- Settlements that payers signed for tickets that came too late: the newest of each payer, and what settlements have paid.
CREATE TABLE recipient_settlements (
    payer       blob PRIMARY KEY,
    offer       blob, -- JSON; none: all that was offered is paid
    settled_wei text NOT NULL DEFAULT '0'
);

-- The first settlement nonce that pays the debt.
ALTER TABLE recipient_debts ADD COLUMN settle_nonce integer;

-- +goose Down
ALTER TABLE recipient_debts DROP COLUMN settle_nonce;
DROP TABLE recipient_settlements;
