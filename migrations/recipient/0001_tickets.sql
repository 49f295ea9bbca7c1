-- +goose Up
-- The receiving side of tickets. Times are Unix milliseconds of this side's clock unless they say otherwise; addresses,
-- hashes and ids are raw bytes; amounts are wei.

CREATE TABLE recipient_secret (
    id         integer PRIMARY KEY CONSTRAINT recipient_secret_is_one CHECK (id = 1),
    secret     bytea   NOT NULL CONSTRAINT recipient_secret_has_32_bytes CHECK (octet_length(secret) = 32)
);

-- One row per payer: locked while its credit is counted.
CREATE TABLE recipient_payers (
    payer      bytea   PRIMARY KEY CONSTRAINT recipient_payers_are_addresses CHECK (octet_length(payer) = 20)
);

-- One lane per (payer, stream): a sequence of ticket nonces with one watermark on chain, and the lane's running totals.
CREATE TABLE recipient_lanes (
    payer         bytea   NOT NULL,
    lane          integer NOT NULL,
    stream        text    NOT NULL,
    floor_nonce   bigint  NOT NULL, -- nonces begin above it
    highest_nonce bigint  NOT NULL,
    used_at       bigint  NOT NULL,
    accepted      bigint  NOT NULL DEFAULT 0,
    accepted_wei  numeric(78, 0) NOT NULL DEFAULT 0,
    won           bigint  NOT NULL DEFAULT 0,
    won_wei       numeric(78, 0) NOT NULL DEFAULT 0,
    redeemed      bigint  NOT NULL DEFAULT 0,
    redeemed_wei  numeric(78, 0) NOT NULL DEFAULT 0,
    lost          bigint  NOT NULL DEFAULT 0,
    lost_wei      numeric(78, 0) NOT NULL DEFAULT 0,
    PRIMARY KEY (payer, lane),
    CONSTRAINT recipient_lanes_one_per_stream UNIQUE (payer, stream),
    CONSTRAINT recipient_lanes_fit_the_contract CHECK (lane BETWEEN 0 AND 65535),
    CONSTRAINT recipient_lanes_settle_no_more_than_won CHECK (redeemed + lost <= won)
);

-- Parameter sets. Open sets accept tickets; a closed one never does again. Closing is written before the first disclosure.
CREATE TABLE recipient_sets (
    serial       bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           bytea   NOT NULL CONSTRAINT recipient_sets_ids_are_unique UNIQUE,
    payer        bytea   NOT NULL,
    lane         integer NOT NULL,
    face_value   numeric(78, 0) NOT NULL,
    seed         bytea   NOT NULL,
    rand_hash    bytea   NOT NULL CONSTRAINT recipient_sets_rands_are_unique UNIQUE,
    expiry       bigint  NOT NULL, -- Unix seconds, chain time
    opened_at    bigint  NOT NULL,
    usable_until bigint  NOT NULL,
    accept_until bigint  NOT NULL,
    redeem_from  bigint  NOT NULL,
    state        text    NOT NULL DEFAULT 'open',
    closed_at    bigint,
    min_nonce    bigint,
    max_nonce    bigint,
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
    payer       bytea   NOT NULL,
    lane        integer NOT NULL,
    nonce       bigint  NOT NULL,
    digest      bytea   NOT NULL,
    attempt     bytea   NOT NULL,
    expiry      bigint  NOT NULL, -- Unix seconds, chain time
    PRIMARY KEY (payer, lane, nonce),
    CONSTRAINT recipient_tickets_nonces_begin_at_1 CHECK (nonce >= 1)
);
CREATE INDEX recipient_tickets_by_expiry ON recipient_tickets (expiry);

-- Winners on their way to the chain: won → submitted → redeemed, or expired, or unpayable. This table is the queue.
CREATE TABLE recipient_winners (
    payer       bytea   NOT NULL,
    lane        integer NOT NULL,
    nonce       bigint  NOT NULL,
    set_serial  bigint  NOT NULL CONSTRAINT recipient_winners_belong_to_a_set REFERENCES recipient_sets (serial),
    face_value  numeric(78, 0) NOT NULL,
    expiry      bigint  NOT NULL, -- Unix seconds, chain time
    ticket      bytea   NOT NULL, -- JSON of the signed ticket
    state       text    NOT NULL DEFAULT 'won',
    reason      text    NOT NULL DEFAULT '',
    tx          bytea,
    not_before  bigint  NOT NULL DEFAULT 0,
    won_at      bigint  NOT NULL,
    settled_at  bigint,
    PRIMARY KEY (payer, lane, nonce),
    CONSTRAINT recipient_winners_state_is_known CHECK (state IN ('won', 'submitted', 'redeemed', 'expired', 'unpayable')),
    CONSTRAINT recipient_winners_sent_name_their_transaction CHECK (state NOT IN ('submitted', 'redeemed') OR tx IS NOT NULL),
    CONSTRAINT recipient_winners_unpayable_say_why CHECK (state <> 'unpayable' OR reason <> ''),
    CONSTRAINT recipient_winners_settled_have_a_time CHECK ((state IN ('redeemed', 'expired', 'unpayable')) = (settled_at IS NOT NULL))
);
CREATE INDEX recipient_winners_pending ON recipient_winners (payer, lane, nonce) WHERE state IN ('won', 'submitted');

-- Redemption transactions, written before they are sent.
CREATE TABLE recipient_redemptions (
    tx           bytea   PRIMARY KEY,
    tx_nonce     bigint  NOT NULL,
    raw          bytea   NOT NULL,
    submitted_at bigint  NOT NULL,
    state        text    NOT NULL DEFAULT 'sent',
    gas_wei      numeric(78, 0) NOT NULL DEFAULT 0,
    CONSTRAINT recipient_redemptions_state_is_known CHECK (state IN ('sent', 'replaced', 'mined', 'dropped'))
);
CREATE INDEX recipient_redemptions_sent ON recipient_redemptions (submitted_at) WHERE state = 'sent';

-- What attempts cost and what was paid for them. fee is NULL while only the ticket is known; is_open: fee > paid and not forgiven.
CREATE TABLE recipient_debts (
    payer       bytea   NOT NULL,
    attempt     bytea   NOT NULL,
    stream      text    NOT NULL DEFAULT '',
    fee         numeric(78, 0),
    paid        numeric(78, 0) NOT NULL DEFAULT 0,
    forgiven    integer NOT NULL DEFAULT 0,
    is_open     integer NOT NULL DEFAULT 0,
    noted_at    bigint  NOT NULL,
    PRIMARY KEY (payer, attempt),
    CONSTRAINT recipient_debts_forgiven_is_a_flag CHECK (forgiven IN (0, 1)),
    CONSTRAINT recipient_debts_open_says_what_is_owed CHECK (is_open = CASE WHEN forgiven = 0 AND fee IS NOT NULL AND fee > paid THEN 1 ELSE 0 END)
);
CREATE INDEX recipient_debts_open ON recipient_debts (payer) WHERE is_open = 1;
CREATE INDEX recipient_debts_by_attempt ON recipient_debts (attempt);

-- Credit set aside for attempts that run.
CREATE TABLE recipient_holds (
    payer       bytea   NOT NULL,
    attempt     bytea   NOT NULL,
    budget      numeric(78, 0) NOT NULL,
    expires_at  bigint  NOT NULL,
    PRIMARY KEY (payer, attempt)
);

-- +goose Down
DROP TABLE recipient_holds, recipient_debts, recipient_redemptions, recipient_winners, recipient_tickets, recipient_sets, recipient_lanes, recipient_payers, recipient_secret;
