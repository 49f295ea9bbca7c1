-- +goose Up
-- Settlements that payers signed for tickets that came too late: the newest of each payer, and what settlements have paid.
CREATE TABLE recipient_settlements (
    payer       bytea PRIMARY KEY,
    offer       bytea, -- JSON; none: all that was offered is paid
    settled_wei numeric(78, 0) NOT NULL DEFAULT 0
);

-- The first settlement nonce that pays the debt.
ALTER TABLE recipient_debts ADD COLUMN settle_nonce bigint;

-- +goose Down
ALTER TABLE recipient_debts DROP COLUMN settle_nonce;
DROP TABLE recipient_settlements;
