-- +goose Up
-- What is written for every ticket has no more indices than it needs. Debts are found by attempt, and by attempt and payer:
-- one index does for both. Tickets expire in about the order in which they come, so a summary of pages finds the old ones.

DROP INDEX recipient_debts_by_attempt;
ALTER TABLE recipient_debts DROP CONSTRAINT recipient_debts_pkey, ADD PRIMARY KEY (attempt, payer);
DROP INDEX recipient_tickets_by_expiry;
CREATE INDEX recipient_tickets_by_expiry ON recipient_tickets USING brin (expiry) WITH (pages_per_range = 32);

-- Rows that change with every group of tickets find room on their page for the next version, so that no index is touched.
ALTER TABLE recipient_lanes SET (fillfactor = 50);
ALTER TABLE recipient_sets SET (fillfactor = 50);

-- +goose Down
ALTER TABLE recipient_sets RESET (fillfactor);
ALTER TABLE recipient_lanes RESET (fillfactor);
DROP INDEX recipient_tickets_by_expiry;
CREATE INDEX recipient_tickets_by_expiry ON recipient_tickets (expiry);
ALTER TABLE recipient_debts DROP CONSTRAINT recipient_debts_pkey, ADD PRIMARY KEY (payer, attempt);
CREATE INDEX recipient_debts_by_attempt ON recipient_debts (attempt);
