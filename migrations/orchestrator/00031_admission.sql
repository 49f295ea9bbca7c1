-- +goose Up
-- Who may take part as a transcoder, where the market is not open, and who may not, where it is. Replicas share it.
CREATE TABLE admissions (
    transcoder  bytea       PRIMARY KEY,
    admitted_at timestamptz NOT NULL DEFAULT now(),
    label       text        NOT NULL, -- of the token it came by; empty: the operator admitted it
    revoked_at  timestamptz,
    reason      text        NOT NULL DEFAULT '',
    CONSTRAINT admissions_transcoder_is_an_address CHECK (octet_length(transcoder) = 20)
);
CREATE INDEX admissions_revoked ON admissions (revoked_at) WHERE revoked_at IS NOT NULL;

-- Secrets that admit one transcoder each. They are long and random, so a plain hash keeps them.
CREATE TABLE join_tokens (
    hash       bytea       PRIMARY KEY, -- SHA-256
    label      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    used_at    timestamptz,
    used_by    bytea,
    CONSTRAINT join_tokens_hash_is_32_bytes CHECK (octet_length(hash) = 32),
    CONSTRAINT join_tokens_used_by_whom_and_when CHECK ((used_at IS NULL) = (used_by IS NULL)),
    CONSTRAINT join_tokens_user_is_an_address CHECK (octet_length(used_by) = 20),
    CONSTRAINT join_tokens_are_used_or_revoked CHECK (used_at IS NULL OR revoked_at IS NULL)
);

-- +goose Down
DROP TABLE join_tokens;
DROP TABLE admissions;
