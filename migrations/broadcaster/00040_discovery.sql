-- +goose Up

-- Who is in a service registry, as its events said up to the block of live_registries: a start reads on from there.
CREATE TABLE live_registries (
    chain_id   bigint NOT NULL,
    registry   bytea  NOT NULL,
    block      bigint NOT NULL, -- the last one that was read
    block_hash bytea  NOT NULL, -- another one at its height: the chain is not the one that was read
    PRIMARY KEY (chain_id, registry),
    CONSTRAINT live_registries_lengths CHECK (octet_length(registry) = 20 AND octet_length(block_hash) = 32 AND block >= 0)
);
CREATE TABLE live_registrations (
    chain_id bigint NOT NULL,
    registry bytea  NOT NULL,
    account  bytea  NOT NULL,
    url      text   NOT NULL,
    region   text   NOT NULL,
    block    bigint NOT NULL,
    PRIMARY KEY (chain_id, registry, account),
    FOREIGN KEY (chain_id, registry) REFERENCES live_registries ON DELETE CASCADE,
    CONSTRAINT live_registrations_account_is_an_address CHECK (octet_length(account) = 20)
);

-- The newest signed list that came from a URL: used on while the URL is away.
CREATE TABLE live_lists (
    url        text        PRIMARY KEY,
    list       jsonb       NOT NULL, -- protocol.Signed[protocol.List]
    etag       text        NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now()
);

-- Where each orchestrator that ever answered was reached, so that its tickets find it after a restart, and what it said.
CREATE TABLE live_met (
    account bytea       PRIMARY KEY,
    url     text        NOT NULL,
    region  text        NOT NULL,
    prices  jsonb       NOT NULL, -- protocol.Prices of its last quote
    rtt_us  bigint      NOT NULL,
    met_at  timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT live_met_account_is_an_address CHECK (octet_length(account) = 20)
);

-- +goose Down
DROP TABLE live_met, live_lists, live_registrations, live_registries;
