-- +goose Up
-- What is written for every ticket has no more trees than it needs: rows live in their primary key. Debts are found by
-- attempt, and by attempt and payer: one key does for both.

CREATE TABLE new_tickets (
    payer       blob    NOT NULL,
    lane        integer NOT NULL,
    nonce       integer  NOT NULL,
    digest      blob    NOT NULL,
    attempt     blob    NOT NULL,
    expiry      integer  NOT NULL, -- Unix seconds, chain time
    PRIMARY KEY (payer, lane, nonce),
    CONSTRAINT recipient_tickets_nonces_begin_at_1 CHECK (nonce >= 1)
) WITHOUT ROWID;
INSERT INTO new_tickets SELECT payer, lane, nonce, digest, attempt, expiry FROM recipient_tickets;
DROP TABLE recipient_tickets;
ALTER TABLE new_tickets RENAME TO recipient_tickets;
CREATE INDEX recipient_tickets_by_expiry ON recipient_tickets (expiry);

CREATE TABLE new_debts (
    payer       blob    NOT NULL,
    attempt     blob    NOT NULL,
    stream      text    NOT NULL DEFAULT '',
    fee         text,
    paid        text NOT NULL DEFAULT '0',
    forgiven    integer NOT NULL DEFAULT 0,
    is_open     integer NOT NULL DEFAULT 0,
    noted_at    integer  NOT NULL,
    PRIMARY KEY (attempt, payer),
    CONSTRAINT recipient_debts_forgiven_is_a_flag CHECK (forgiven IN (0, 1)),
    CONSTRAINT recipient_debts_open_says_what_is_owed CHECK (is_open = 0 OR (is_open = 1 AND forgiven = 0 AND fee IS NOT NULL))
) WITHOUT ROWID;
INSERT INTO new_debts SELECT payer, attempt, stream, fee, paid, forgiven, is_open, noted_at FROM recipient_debts;
DROP TABLE recipient_debts;
ALTER TABLE new_debts RENAME TO recipient_debts;
CREATE INDEX recipient_debts_open ON recipient_debts (payer) WHERE is_open = 1;

-- +goose Down
CREATE TABLE old_debts (
    payer       blob    NOT NULL,
    attempt     blob    NOT NULL,
    stream      text    NOT NULL DEFAULT '',
    fee         text,
    paid        text NOT NULL DEFAULT '0',
    forgiven    integer NOT NULL DEFAULT 0,
    is_open     integer NOT NULL DEFAULT 0,
    noted_at    integer  NOT NULL,
    PRIMARY KEY (payer, attempt),
    CONSTRAINT recipient_debts_forgiven_is_a_flag CHECK (forgiven IN (0, 1)),
    CONSTRAINT recipient_debts_open_says_what_is_owed CHECK (is_open = 0 OR (is_open = 1 AND forgiven = 0 AND fee IS NOT NULL))
);
INSERT INTO old_debts SELECT payer, attempt, stream, fee, paid, forgiven, is_open, noted_at FROM recipient_debts;
DROP TABLE recipient_debts;
ALTER TABLE old_debts RENAME TO recipient_debts;
CREATE INDEX recipient_debts_open ON recipient_debts (payer) WHERE is_open = 1;
CREATE INDEX recipient_debts_by_attempt ON recipient_debts (attempt);
CREATE TABLE old_tickets (
    payer       blob    NOT NULL,
    lane        integer NOT NULL,
    nonce       integer  NOT NULL,
    digest      blob    NOT NULL,
    attempt     blob    NOT NULL,
    expiry      integer  NOT NULL, -- Unix seconds, chain time
    PRIMARY KEY (payer, lane, nonce),
    CONSTRAINT recipient_tickets_nonces_begin_at_1 CHECK (nonce >= 1)
);
INSERT INTO old_tickets SELECT payer, lane, nonce, digest, attempt, expiry FROM recipient_tickets;
DROP TABLE recipient_tickets;
ALTER TABLE old_tickets RENAME TO recipient_tickets;
CREATE INDEX recipient_tickets_by_expiry ON recipient_tickets (expiry);
