-- +goose Up
-- The receiving side of tickets. Times are Unix milliseconds of this side's clock unless they say otherwise; addresses,
-- hashes and ids are raw bytes; amounts are wei, as decimal text since they outgrow 64 bits.

CREATE TABLE recipient_secret (
    id         integer PRIMARY KEY CONSTRAINT recipient_secret_is_one CHECK (id = 1),
    secret     blob    NOT NULL CONSTRAINT recipient_secret_has_32_bytes CHECK (length(secret) = 32)
);

-- One row per payer: locked while its credit is counted.
CREATE TABLE recipient_payers (
    payer      blob    PRIMARY KEY CONSTRAINT recipient_payers_are_addresses CHECK (length(payer) = 20)
);

-- One lane per (payer, stream): a sequence of ticket nonces with one watermark on chain, and the lane's running totals.
CREATE TABLE recipient_lanes (
    payer         blob    NOT NULL,
    lane          integer NOT NULL,
    stream        text    NOT NULL,
    floor_nonce   integer  NOT NULL, -- nonces begin above it
    highest_nonce integer  NOT NULL,
    used_at       integer  NOT NULL,
    accepted      integer  NOT NULL DEFAULT 0,
    accepted_wei  text NOT NULL DEFAULT '0',
    won           integer  NOT NULL DEFAULT 0,
    won_wei       text NOT NULL DEFAULT '0',
    redeemed      integer  NOT NULL DEFAULT 0,
    redeemed_wei  text NOT NULL DEFAULT '0',
    lost          integer  NOT NULL DEFAULT 0,
    lost_wei      text NOT NULL DEFAULT '0',
    PRIMARY KEY (payer, lane),
    CONSTRAINT recipient_lanes_one_per_stream UNIQUE (payer, stream),
    CONSTRAINT recipient_lanes_fit_the_contract CHECK (lane BETWEEN 0 AND 65535),
    CONSTRAINT recipient_lanes_settle_no_more_than_won CHECK (redeemed + lost <= won)
);

-- Parameter sets. Open sets accept tickets; a closed one never does again. Closing is written before the first disclosure.
CREATE TABLE recipient_sets (
    serial       integer PRIMARY KEY AUTOINCREMENT,
    id           blob    NOT NULL CONSTRAINT recipient_sets_ids_are_unique UNIQUE,
    payer        blob    NOT NULL,
    lane         integer NOT NULL,
    face_value   text NOT NULL,
    seed         blob    NOT NULL,
    rand_hash    blob    NOT NULL CONSTRAINT recipient_sets_rands_are_unique UNIQUE,
    expiry       integer  NOT NULL, -- Unix seconds, chain time
    opened_at    integer  NOT NULL,
    usable_until integer  NOT NULL,
    accept_until integer  NOT NULL,
    redeem_from  integer  NOT NULL,
    state        text    NOT NULL DEFAULT 'open',
    closed_at    integer,
    min_nonce    integer,
    max_nonce    integer,
    CONSTRAINT recipient_sets_belong_to_a_lane FOREIGN KEY (payer, lane) REFERENCES recipient_lanes (payer, lane),
    CONSTRAINT recipient_sets_state_is_known CHECK (state IN ('open', 'closed')),
    CONSTRAINT recipient_sets_times_ascend CHECK (state = 'closed' OR (usable_until < accept_until AND accept_until < redeem_from)),
    CONSTRAINT recipient_sets_closed_has_a_time CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT recipient_sets_disclosed_after_closed CHECK (closed_at IS NULL OR redeem_from >= closed_at),
    CONSTRAINT recipient_sets_nonces_ascend CHECK (min_nonce <= max_nonce)
);
CREATE INDEX recipient_sets_open ON recipient_sets (accept_until) WHERE state = 'open';
CREATE INDEX recipient_sets_by_lane ON recipient_sets (payer, lane, serial);

-- Every ticket that was accepted, kept until it has expired so that a resend is acknowledged again.
CREATE TABLE recipient_tickets (
    payer       blob    NOT NULL,
    lane        integer NOT NULL,
    nonce       integer  NOT NULL,
    digest      blob    NOT NULL,
    attempt     blob    NOT NULL,
    expiry      integer  NOT NULL, -- Unix seconds, chain time
    PRIMARY KEY (payer, lane, nonce),
    CONSTRAINT recipient_tickets_nonces_begin_at_1 CHECK (nonce >= 1)
);
CREATE INDEX recipient_tickets_by_expiry ON recipient_tickets (expiry);

-- Winners on their way to the chain: won → submitted → redeemed, or expired, or unpayable. This table is the queue.
CREATE TABLE recipient_winners (
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
CREATE INDEX recipient_winners_pending ON recipient_winners (payer, lane, nonce) WHERE state IN ('won', 'submitted');

-- Redemption transactions, written before they are sent.
CREATE TABLE recipient_redemptions (
    tx           blob    PRIMARY KEY,
    tx_nonce     integer  NOT NULL,
    raw          blob    NOT NULL,
    submitted_at integer  NOT NULL,
    state        text    NOT NULL DEFAULT 'sent',
    gas_wei      text NOT NULL DEFAULT '0',
    CONSTRAINT recipient_redemptions_state_is_known CHECK (state IN ('sent', 'replaced', 'mined', 'dropped'))
);
CREATE INDEX recipient_redemptions_sent ON recipient_redemptions (submitted_at) WHERE state = 'sent';

-- What attempts cost and what was paid for them. fee is NULL while only the ticket is known; is_open: fee > paid and not forgiven.
CREATE TABLE recipient_debts (
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
CREATE INDEX recipient_debts_open ON recipient_debts (payer) WHERE is_open = 1;
CREATE INDEX recipient_debts_by_attempt ON recipient_debts (attempt);

-- Credit set aside for attempts that run.
CREATE TABLE recipient_holds (
    payer       blob    NOT NULL,
    attempt     blob    NOT NULL,
    budget      text NOT NULL,
    expires_at  integer  NOT NULL,
    PRIMARY KEY (payer, attempt)
);

-- +goose Down
DROP TABLE recipient_holds;
DROP TABLE recipient_debts;
DROP TABLE recipient_redemptions;
DROP TABLE recipient_winners;
DROP TABLE recipient_tickets;
DROP TABLE recipient_sets;
DROP TABLE recipient_lanes;
DROP TABLE recipient_payers;
DROP TABLE recipient_secret;
