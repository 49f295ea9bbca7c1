-- +goose Up

-- The secrets that decide which attempts are checked deeply: stored before their first use, shown once they are over.
CREATE TABLE live_epochs (
    commitment bytea       PRIMARY KEY,
    secret     bytea       NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CONSTRAINT live_epochs_are_32_bytes CHECK (octet_length(commitment) = 32 AND octet_length(secret) = 32)
);

-- +goose Down
DROP TABLE live_epochs;
