-- +goose Up
-- The first two different tickets of one nonce that a payer signed: proof against it. signed is what, with its set, makes a
-- ticket whole again: nonce, salt, probability and signature, as a redemption has them.
ALTER TABLE recipient_tickets ADD COLUMN signed bytea;
CREATE TABLE recipient_evidence (
    payer   bytea PRIMARY KEY,
    lane    integer NOT NULL,
    nonce   bigint NOT NULL,
    first   bytea NOT NULL, -- as recipient_tickets.signed
    second  bytea NOT NULL, -- JSON of the signed ticket
    seen_at bigint NOT NULL
);

-- +goose Down
DROP TABLE recipient_evidence;
ALTER TABLE recipient_tickets DROP COLUMN signed;
