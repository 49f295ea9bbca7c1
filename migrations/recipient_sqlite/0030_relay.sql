-- +goose Up
-- Redemptions in the hands of others. An order that was handed out is a redemption whose tx is its digest, whose tx_nonce is
-- -1 minus its number (so that no two of one number are under way) and whose raw is its JSON. One that this side knows
-- only from the chain has the least tx_nonce there is, and no raw.
ALTER TABLE recipient_redemptions ADD COLUMN fee_wei text NOT NULL DEFAULT '0'; -- what the relayer kept of it
ALTER TABLE recipient_redemptions ADD COLUMN relay_tx blob; -- the transaction that carried the order out

-- +goose Down
ALTER TABLE recipient_redemptions DROP COLUMN fee_wei;
ALTER TABLE recipient_redemptions DROP COLUMN relay_tx;
