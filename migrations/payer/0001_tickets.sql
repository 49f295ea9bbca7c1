-- +goose Up
-- The paying side of tickets. Times are Unix milliseconds of this side's clock unless they say otherwise; addresses,
-- hashes and ids are raw bytes; amounts are wei.

-- One row per lane: its next nonce, locked while a ticket is signed, and the lane's running totals.
CREATE TABLE payer_lanes (
    recipient    bytea   NOT NULL,
    lane         integer NOT NULL,
    next_nonce   bigint  NOT NULL DEFAULT 1,
    last_serial  bigint  NOT NULL DEFAULT 0, -- newest set that signed: an older one never signs again
    signed       bigint  NOT NULL DEFAULT 0,
    fee_wei      numeric(78, 0) NOT NULL DEFAULT 0,
    face_wei     numeric(78, 0) NOT NULL DEFAULT 0,
    PRIMARY KEY (recipient, lane),
    CONSTRAINT payer_lanes_recipients_are_addresses CHECK (octet_length(recipient) = 20),
    CONSTRAINT payer_lanes_fit_the_contract CHECK (lane BETWEEN 0 AND 65535),
    CONSTRAINT payer_lanes_nonces_begin_at_1 CHECK (next_nonce >= 1)
);

-- Answers per recipient; apart from the lanes, which a role's own transaction may hold locked.
CREATE TABLE payer_answers (
    recipient    bytea   PRIMARY KEY,
    acknowledged bigint  NOT NULL DEFAULT 0,
    refused      bigint  NOT NULL DEFAULT 0
);

-- Parameter sets that recipients handed out.
CREATE TABLE payer_sets (
    serial       bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           bytea   NOT NULL CONSTRAINT payer_sets_ids_are_unique UNIQUE,
    recipient    bytea   NOT NULL,
    lane         integer NOT NULL,
    stream       text    NOT NULL,
    face_value   numeric(78, 0) NOT NULL,
    rand_hash    bytea   NOT NULL,
    expiry       bigint  NOT NULL, -- Unix seconds, chain time
    usable_until bigint  NOT NULL,
    ended        boolean NOT NULL DEFAULT false,
    CONSTRAINT payer_sets_belong_to_a_lane FOREIGN KEY (recipient, lane) REFERENCES payer_lanes (recipient, lane),
    CONSTRAINT payer_sets_face_value_fits_the_contract CHECK (face_value BETWEEN 1 AND 79228162514264337593543950335)
);
CREATE INDEX payer_sets_by_stream ON payer_sets (recipient, stream, serial DESC);
CREATE INDEX payer_sets_usable ON payer_sets (usable_until) WHERE NOT ended;

-- The verdict on each attempt, and its way to the recipient: due (no usable set yet) → signed → acknowledged or refused;
-- rejects begin as signed. One row, and so one ticket, per attempt for ever.
CREATE TABLE payer_orders (
    attempt      bytea   PRIMARY KEY,
    recipient    bytea   NOT NULL,
    stream       text    NOT NULL,
    kind         text    NOT NULL,
    fee          numeric(78, 0) NOT NULL,
    state        text    NOT NULL,
    lane         integer,
    ticket_nonce bigint,
    ticket       bytea, -- JSON of the signed ticket: what is sent, each time the same
    code         text    NOT NULL DEFAULT '',
    detail       text    NOT NULL DEFAULT '',
    ordered_at   bigint  NOT NULL,
    answered_at  bigint,
    CONSTRAINT payer_orders_kind_is_known CHECK (kind IN ('ticket', 'reject')),
    CONSTRAINT payer_orders_state_is_known CHECK (state IN ('due', 'signed', 'acknowledged', 'refused')),
    CONSTRAINT payer_orders_signed_have_a_ticket CHECK (kind = 'reject' OR (state = 'due') = (ticket IS NULL)),
    CONSTRAINT payer_orders_tickets_have_a_nonce CHECK ((ticket IS NULL) = (ticket_nonce IS NULL) AND (ticket IS NULL) = (lane IS NULL)),
    CONSTRAINT payer_orders_rejects_say_why CHECK (kind = 'ticket' OR (code <> '' AND ticket IS NULL AND state <> 'due')),
    CONSTRAINT payer_orders_answered_have_a_time CHECK ((state IN ('acknowledged', 'refused')) = (answered_at IS NOT NULL)),
    CONSTRAINT payer_orders_nonces_are_used_once UNIQUE (recipient, lane, ticket_nonce)
);
CREATE INDEX payer_orders_outbox ON payer_orders (recipient, lane, ticket_nonce) WHERE state = 'signed';
CREATE INDEX payer_orders_due ON payer_orders (recipient, stream, ordered_at) WHERE state = 'due';

-- +goose Down
DROP TABLE payer_orders, payer_sets, payer_answers, payer_lanes;
