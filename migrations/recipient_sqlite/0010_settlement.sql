-- +goose Up
-- Redemptions are followed until no reorganisation can take them back: won → submitted → mined → final. Which winners a
-- transaction held is kept for ever, since any of those sent for a winner may turn out to be the one that paid it. (SQLite
-- changes a constraint by making the table anew.)

CREATE TABLE new_winners (
    payer       blob    NOT NULL,
    lane        integer NOT NULL,
    nonce       integer  NOT NULL,
    set_serial  integer  NOT NULL CONSTRAINT recipient_winners_belong_to_a_set REFERENCES recipient_sets (serial),
    face_value  text NOT NULL,
    expiry      integer  NOT NULL, -- Unix seconds, chain time
    ticket      blob    NOT NULL, -- JSON of the signed ticket
    state       text    NOT NULL DEFAULT 'won',
    reason      text    NOT NULL DEFAULT '',
    tx          blob,
    not_before  integer  NOT NULL DEFAULT 0,
    won_at      integer  NOT NULL,
    settled_at  integer,
    tries       integer  NOT NULL DEFAULT 0, -- how often it was put back: what the next wait goes by
    PRIMARY KEY (payer, lane, nonce),
    CONSTRAINT recipient_winners_state_is_known CHECK (state IN ('won', 'submitted', 'mined', 'final', 'expired', 'unpayable')),
    CONSTRAINT recipient_winners_sent_name_their_transaction CHECK (state NOT IN ('submitted', 'mined', 'final') OR tx IS NOT NULL),
    CONSTRAINT recipient_winners_unpayable_say_why CHECK (state <> 'unpayable' OR reason <> ''),
    CONSTRAINT recipient_winners_settled_have_a_time CHECK ((state IN ('final', 'expired', 'unpayable')) = (settled_at IS NOT NULL))
);
INSERT INTO new_winners (payer, lane, nonce, set_serial, face_value, expiry, ticket, state, reason, tx, not_before, won_at, settled_at)
    SELECT payer, lane, nonce, set_serial, face_value, expiry, ticket, CASE state WHEN 'redeemed' THEN 'final' ELSE state END, reason, tx, not_before, won_at, settled_at
    FROM recipient_winners;
DROP TABLE recipient_winners;
ALTER TABLE new_winners RENAME TO recipient_winners;
CREATE INDEX recipient_winners_pending ON recipient_winners (payer, lane, nonce) WHERE state IN ('won', 'submitted');
CREATE INDEX recipient_winners_by_tx ON recipient_winners (tx) WHERE state IN ('submitted', 'mined');

CREATE TABLE new_redemptions (
    tx           blob    PRIMARY KEY,
    tx_nonce     integer  NOT NULL,
    raw          blob    NOT NULL,
    submitted_at integer  NOT NULL,
    state        text    NOT NULL DEFAULT 'sent',
    gas_wei      text NOT NULL DEFAULT '0',
    block        integer, -- where it was mined
    block_hash   blob,
    CONSTRAINT recipient_redemptions_state_is_known CHECK (state IN ('sent', 'replaced', 'mined', 'final', 'dropped')),
    CONSTRAINT recipient_redemptions_mined_name_their_block CHECK (state <> 'mined' OR (block IS NOT NULL AND block_hash IS NOT NULL))
);
INSERT INTO new_redemptions (tx, tx_nonce, raw, submitted_at, state, gas_wei)
    SELECT tx, tx_nonce, raw, submitted_at, CASE state WHEN 'mined' THEN 'final' ELSE state END, gas_wei FROM recipient_redemptions;
DROP TABLE recipient_redemptions;
ALTER TABLE new_redemptions RENAME TO recipient_redemptions;
CREATE UNIQUE INDEX recipient_redemptions_one_per_tx_nonce ON recipient_redemptions (tx_nonce) WHERE state = 'sent';
CREATE INDEX recipient_redemptions_unsettled ON recipient_redemptions (tx_nonce) WHERE state IN ('sent', 'replaced', 'mined');

CREATE TABLE recipient_redemption_winners (
    payer      blob    NOT NULL,
    lane       integer NOT NULL,
    nonce      integer NOT NULL,
    tx         blob    NOT NULL CONSTRAINT recipient_redemption_winners_belong_to_a_redemption REFERENCES recipient_redemptions (tx),
    PRIMARY KEY (payer, lane, nonce, tx),
    CONSTRAINT recipient_redemption_winners_are_winners FOREIGN KEY (payer, lane, nonce) REFERENCES recipient_winners (payer, lane, nonce)
);
CREATE INDEX recipient_redemption_winners_by_tx ON recipient_redemption_winners (tx);
INSERT INTO recipient_redemption_winners (payer, lane, nonce, tx)
    SELECT w.payer, w.lane, w.nonce, w.tx FROM recipient_winners w JOIN recipient_redemptions r ON r.tx = w.tx;

-- +goose Down
DROP TABLE recipient_redemption_winners;
CREATE TABLE old_redemptions (
    tx           blob    PRIMARY KEY,
    tx_nonce     integer  NOT NULL,
    raw          blob    NOT NULL,
    submitted_at integer  NOT NULL,
    state        text    NOT NULL DEFAULT 'sent',
    gas_wei      text NOT NULL DEFAULT '0',
    CONSTRAINT recipient_redemptions_state_is_known CHECK (state IN ('sent', 'replaced', 'mined', 'dropped'))
);
INSERT INTO old_redemptions SELECT tx, tx_nonce, raw, submitted_at, CASE state WHEN 'mined' THEN 'sent' WHEN 'final' THEN 'mined' ELSE state END, gas_wei FROM recipient_redemptions;
DROP TABLE recipient_redemptions;
ALTER TABLE old_redemptions RENAME TO recipient_redemptions;
CREATE INDEX recipient_redemptions_sent ON recipient_redemptions (submitted_at) WHERE state = 'sent';
CREATE TABLE old_winners (
    payer       blob    NOT NULL,
    lane        integer NOT NULL,
    nonce       integer  NOT NULL,
    set_serial  integer  NOT NULL CONSTRAINT recipient_winners_belong_to_a_set REFERENCES recipient_sets (serial),
    face_value  text NOT NULL,
    expiry      integer  NOT NULL, -- Unix seconds, chain time
    ticket      blob    NOT NULL, -- JSON of the signed ticket
    state       text    NOT NULL DEFAULT 'won',
    reason      text    NOT NULL DEFAULT '',
    tx          blob,
    not_before  integer  NOT NULL DEFAULT 0,
    won_at      integer  NOT NULL,
    settled_at  integer,
    PRIMARY KEY (payer, lane, nonce),
    CONSTRAINT recipient_winners_state_is_known CHECK (state IN ('won', 'submitted', 'redeemed', 'expired', 'unpayable')),
    CONSTRAINT recipient_winners_sent_name_their_transaction CHECK (state NOT IN ('submitted', 'redeemed') OR tx IS NOT NULL),
    CONSTRAINT recipient_winners_unpayable_say_why CHECK (state <> 'unpayable' OR reason <> ''),
    CONSTRAINT recipient_winners_settled_have_a_time CHECK ((state IN ('redeemed', 'expired', 'unpayable')) = (settled_at IS NOT NULL))
);
INSERT INTO old_winners SELECT payer, lane, nonce, set_serial, face_value, expiry, ticket,
    CASE state WHEN 'mined' THEN 'submitted' WHEN 'final' THEN 'redeemed' ELSE state END, reason, tx, not_before, won_at, settled_at FROM recipient_winners;
DROP TABLE recipient_winners;
ALTER TABLE old_winners RENAME TO recipient_winners;
CREATE INDEX recipient_winners_pending ON recipient_winners (payer, lane, nonce) WHERE state IN ('won', 'submitted');
