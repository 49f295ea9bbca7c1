-- +goose Up
-- A lease that was accepted: asks for ticket parameters about it are answered after it ended, and after a restart.
CREATE TABLE lease (
    id           TEXT NOT NULL CONSTRAINT lease_pk PRIMARY KEY,
    orchestrator TEXT NOT NULL,
    stream       TEXT NOT NULL,
    max_fee      TEXT NOT NULL, -- of one segment; wei, decimal
    usual_fee    TEXT NOT NULL,
    granted_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX lease_granted ON lease (granted_ms);

-- One try at a segment. The row is written when the try begins, so an attempt is never begun twice; its receipt is written
-- before the receipt leaves this machine.
CREATE TABLE attempt (
    id           TEXT NOT NULL CONSTRAINT attempt_pk PRIMARY KEY,
    lease        TEXT NOT NULL,
    orchestrator TEXT NOT NULL,
    stream       TEXT NOT NULL,
    incarnation  INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    state        TEXT NOT NULL DEFAULT 'begun' CONSTRAINT attempt_state CHECK (state IN ('begun', 'receipted', 'abandoned')),
    source       TEXT,          -- SHA-256 of the source bytes
    receipt      TEXT,          -- the signed receipt, JSON
    fee          TEXT,          -- wei, decimal
    code         TEXT,          -- why it was abandoned
    begun_ms     INTEGER NOT NULL,
    ended_ms     INTEGER,
    CONSTRAINT attempt_receipt CHECK ((state = 'receipted') = (receipt IS NOT NULL AND source IS NOT NULL AND fee IS NOT NULL)),
    CONSTRAINT attempt_code CHECK ((state = 'abandoned') = (code IS NOT NULL)),
    CONSTRAINT attempt_ended CHECK ((state = 'begun') = (ended_ms IS NULL))
) STRICT;

CREATE INDEX attempt_begun ON attempt (begun_ms);

-- Counts outlive the rows they count, which are pruned.
CREATE TABLE tally (
    name  TEXT NOT NULL CONSTRAINT tally_pk PRIMARY KEY,
    count INTEGER NOT NULL CONSTRAINT tally_count CHECK (count >= 0)
) STRICT;

INSERT INTO tally (name, count) VALUES ('attempts', 0), ('receipts', 0), ('leases', 0);

-- +goose Down
DROP TABLE tally;
DROP TABLE attempt;
DROP TABLE lease;
