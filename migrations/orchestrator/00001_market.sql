-- +goose Up

-- What was promised to whom at what price; any replica serves it.
CREATE TABLE quotes (
    id           bytea       PRIMARY KEY,
    payer        bytea       NOT NULL,
    stream       text        NOT NULL,
    quote        jsonb       NOT NULL, -- Signed[Quote]
    request      jsonb       NOT NULL, -- QuoteRequest: ladder, frame rate, usual and longest duration
    valid_until  timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT quotes_id_is_32_bytes CHECK (octet_length(id) = 32),
    CONSTRAINT quotes_payer_is_an_address CHECK (octet_length(payer) = 20)
);
CREATE INDEX quotes_valid_until ON quotes (valid_until);

-- Every transcoder ever heard of, with what its outputs have earned it. A cut-off is for good until an operator lifts it.
CREATE TABLE transcoders (
    address     bytea       PRIMARY KEY,
    record      jsonb       NOT NULL, -- verify.Record
    bids        bigint      NOT NULL DEFAULT 0,
    cut_off_at  timestamptz,
    cut_off_for text,
    first_seen  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT transcoders_address_is_an_address CHECK (octet_length(address) = 20),
    CONSTRAINT transcoders_bids_not_negative CHECK (bids >= 0),
    CONSTRAINT transcoders_cut_off_has_a_reason CHECK ((cut_off_at IS NULL) = (cut_off_for IS NULL))
);

CREATE TABLE leases (
    id          bytea       PRIMARY KEY,
    transcoder  bytea       NOT NULL REFERENCES transcoders (address),
    payer       bytea       NOT NULL,
    stream      text        NOT NULL,
    incarnation bigint      NOT NULL,
    offer       jsonb       NOT NULL, -- AwardOffer
    max_prices  jsonb       NOT NULL, -- of the quote it serves
    probe       boolean     NOT NULL, -- duplicates of segments, never released: a suspect is being tested
    serial      bigint      NOT NULL DEFAULT 0, -- of the newest request about it
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    ended_for   text,
    CONSTRAINT leases_id_is_32_bytes CHECK (octet_length(id) = 32),
    CONSTRAINT leases_payer_is_an_address CHECK (octet_length(payer) = 20),
    CONSTRAINT leases_serial_not_negative CHECK (serial >= 0),
    CONSTRAINT leases_end_has_a_reason CHECK ((ended_at IS NULL) = (ended_for IS NULL))
);
CREATE INDEX leases_open ON leases (expires_at) WHERE ended_at IS NULL;
CREATE INDEX leases_stream ON leases (payer, stream) WHERE ended_at IS NULL;

-- How each try at a segment ended. The rows are evidence: assignment and receipt are signed.
CREATE TABLE attempts (
    id           bytea       PRIMARY KEY,
    payer        bytea       NOT NULL,
    stream       text        NOT NULL,
    incarnation  bigint      NOT NULL,
    seq          bigint      NOT NULL,
    source       bytea, -- SHA-256; null when the source never ended
    transcoder   bytea       NOT NULL REFERENCES transcoders (address),
    lease        bytea       NOT NULL REFERENCES leases (id),
    state        text        NOT NULL,
    probe        boolean     NOT NULL,
    code         text        NOT NULL DEFAULT '',
    detail       text        NOT NULL DEFAULT '',
    layers       text        NOT NULL DEFAULT '',
    millis       bigint      NOT NULL, -- from the last source byte to the receipt, or to the end of the try
    price        numeric     NOT NULL DEFAULT 0, -- owed by the payer, wei
    cost         numeric     NOT NULL DEFAULT 0, -- paid to the transcoder, wei
    pixels       bigint      NOT NULL DEFAULT 0,
    assignment   jsonb       NOT NULL, -- Signed[Assignment]
    receipt      jsonb, -- Signed[Receipt]
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attempts_id_is_32_bytes CHECK (octet_length(id) = 32),
    CONSTRAINT attempts_payer_is_an_address CHECK (octet_length(payer) = 20),
    CONSTRAINT attempts_state_is_known CHECK (state IN ('verified', 'rejected', 'abandoned')),
    CONSTRAINT attempts_only_verified_moves_money CHECK (state = 'verified' OR (price = 0 AND cost = 0)),
    CONSTRAINT attempts_verified_has_evidence CHECK (state <> 'verified' OR (receipt IS NOT NULL AND source IS NOT NULL)),
    CONSTRAINT attempts_probe_costs_the_payer_nothing CHECK (NOT probe OR price = 0),
    CONSTRAINT attempts_rest_has_a_code CHECK (state = 'verified' OR code <> '')
);
CREATE INDEX attempts_segment ON attempts (payer, stream, incarnation, seq);
CREATE INDEX attempts_transcoder ON attempts (transcoder, created_at);

-- The delivered segments: one row per identity, naming the attempt for which the payer is charged.
CREATE TABLE segments (
    payer       bytea       NOT NULL,
    stream      text        NOT NULL,
    incarnation bigint      NOT NULL,
    seq         bigint      NOT NULL,
    source      bytea       NOT NULL, -- SHA-256
    attempt     bytea       NOT NULL UNIQUE REFERENCES attempts (id) DEFERRABLE INITIALLY DEFERRED,
    deliveries  integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (payer, stream, incarnation, seq),
    CONSTRAINT segments_source_is_32_bytes CHECK (octet_length(source) = 32),
    CONSTRAINT segments_deliveries_positive CHECK (deliveries > 0)
);

-- Which attempts are checked more deeply is PRF(secret, attempt): the commitment was public before, the secret is after.
CREATE TABLE epochs (
    commitment bytea       PRIMARY KEY,
    secret     bytea       NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CONSTRAINT epochs_secret_is_32_bytes CHECK (octet_length(secret) = 32)
);

-- +goose Down
DROP TABLE epochs, segments, attempts, leases, transcoders, quotes;
