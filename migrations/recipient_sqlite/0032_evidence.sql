-- +goose Up
-- The first two different tickets of one nonce that a payer signed: proof against it. signed is what, with its set, makes a
-- ticket whole again: nonce, salt, probability and signature, as a redemption has them.
ALTER TABLE recipient_tickets ADD COLUMN signed blob;
CREATE TABLE recipient_evidence (
    payer   blob PRIMARY KEY,
    lane    integer NOT NULL,
    nonce   integer NOT NULL,
    first   blob NOT NULL, -- as recipient_tickets.signed
    second  blob NOT NULL, -- JSON of the signed ticket
    seen_at integer NOT NULL
);

-- +goose Down
DROP TABLE recipient_evidence;
ALTER TABLE recipient_tickets DROP COLUMN signed;
