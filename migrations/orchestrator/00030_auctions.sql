-- +goose Up
-- What auctions are held to. An epoch's commitment is public before its first auction, its secret and its journal after the last.
CREATE TABLE auction_epochs (
    commitment bytea       PRIMARY KEY,
    secret     bytea       NOT NULL,
    epoch      jsonb       NOT NULL, -- Signed[AuctionEpoch]
    close      jsonb, -- Signed[AuctionClose]; none where the process that held the auctions was killed
    length_ms  bigint      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CONSTRAINT auction_epochs_commitment_is_32_bytes CHECK (octet_length(commitment) = 32),
    CONSTRAINT auction_epochs_secret_is_32_bytes CHECK (octet_length(secret) = 32),
    CONSTRAINT auction_epochs_closed_is_over CHECK (close IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX auction_epochs_started ON auction_epochs (started_at);

-- The numbered roots over the figures of quality: each is here before an award uses it.
CREATE TABLE auction_figures (
    epoch  bytea  NOT NULL REFERENCES auction_epochs (commitment) ON DELETE CASCADE,
    serial bigint NOT NULL,
    root   jsonb  NOT NULL, -- Signed[FiguresRoot]
    PRIMARY KEY (epoch, serial),
    CONSTRAINT auction_figures_serial_positive CHECK (serial > 0)
);

-- Pages of journals by the hash of their text: what did not change from one epoch to the next is kept once.
CREATE TABLE auction_texts (
    hash    bytea       PRIMARY KEY,
    text    bytea       NOT NULL, -- JSON, gzip
    used_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT auction_texts_hash_is_32_bytes CHECK (octet_length(hash) = 32)
);
CREATE TABLE auction_pages (
    epoch  bytea   NOT NULL REFERENCES auction_epochs (commitment) ON DELETE CASCADE,
    number integer NOT NULL,
    hash   bytea   NOT NULL REFERENCES auction_texts (hash),
    PRIMARY KEY (epoch, number),
    CONSTRAINT auction_pages_number_not_negative CHECK (number >= 0)
);
CREATE INDEX auction_pages_hash ON auction_pages (hash);

-- +goose Down
DROP TABLE auction_pages, auction_texts, auction_figures, auction_epochs;
