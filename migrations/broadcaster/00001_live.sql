-- +goose Up

-- A live stream and the numbers its playlists continue from.
CREATE TABLE live_streams (
    name            text        PRIMARY KEY,
    target_seconds  integer     NOT NULL,           -- EXT-X-TARGETDURATION
    next_msn        bigint      NOT NULL DEFAULT 0, -- the next media sequence number
    discontinuities bigint      NOT NULL DEFAULT 0, -- published so far
    created_at      timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    CONSTRAINT live_streams_target_positive CHECK (target_seconds > 0),
    CONSTRAINT live_streams_counts_not_negative CHECK (next_msn >= 0 AND discontinuities >= 0 AND discontinuities <= next_msn)
);

-- One row per identity (stream, incarnation, seq). verified: its verdict, ticket and renditions were committed together.
-- failed: nothing of it passed. missing: the number was never pushed, or lost, and only marks a gap.
-- A row with msn has its place in the playlists, as media or as a gap.
CREATE TABLE live_segments (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream         text        NOT NULL REFERENCES live_streams (name),
    incarnation    bigint      NOT NULL,
    seq            bigint      NOT NULL,
    state          text        NOT NULL,
    source         bytea,                          -- SHA-256 of the pushed bytes
    attempt        bytea,                          -- the one that was paid
    code           text        NOT NULL DEFAULT '',
    arrived_at     timestamptz NOT NULL,           -- of its first byte
    duration_us    bigint      NOT NULL DEFAULT 0, -- of its video
    first_pts      bigint      NOT NULL DEFAULT 0, -- 1/90000 s
    latency_ms     bigint      NOT NULL DEFAULT 0, -- last source byte to commit
    late           boolean     NOT NULL DEFAULT false,
    committed_at   timestamptz NOT NULL DEFAULT now(),
    msn            bigint,
    gap            boolean     NOT NULL DEFAULT false,
    discontinuity  boolean     NOT NULL DEFAULT false,
    discontinuity_sequence bigint NOT NULL DEFAULT 0,
    program_at     timestamptz,
    published_at   timestamptz,
    removed_at     timestamptz,                    -- its files are gone
    CONSTRAINT live_segments_identity UNIQUE (stream, incarnation, seq),
    CONSTRAINT live_segments_one_per_place UNIQUE (stream, msn),
    CONSTRAINT live_segments_state_is_known CHECK (state IN ('verified', 'failed', 'missing')),
    CONSTRAINT live_segments_source_is_32_bytes CHECK (source IS NULL OR octet_length(source) = 32),
    CONSTRAINT live_segments_verified_has_evidence CHECK (state <> 'verified' OR (source IS NOT NULL AND attempt IS NOT NULL AND duration_us > 0)),
    CONSTRAINT live_segments_failed_has_a_code CHECK (state <> 'failed' OR code <> ''),
    CONSTRAINT live_segments_place_is_whole CHECK ((msn IS NULL) = (published_at IS NULL) AND (msn IS NULL) = (program_at IS NULL)),
    CONSTRAINT live_segments_only_verified_is_media CHECK (msn IS NULL OR gap OR state = 'verified'),
    CONSTRAINT live_segments_gap_has_a_place CHECK (NOT gap OR msn IS NOT NULL)
);
CREATE INDEX live_segments_kept ON live_segments (stream, msn) WHERE removed_at IS NULL;

CREATE TABLE live_renditions (
    segment     bigint  NOT NULL REFERENCES live_segments (id) ON DELETE CASCADE,
    position    integer NOT NULL, -- in the ladder
    name        text    NOT NULL, -- of the profile; in URLs
    label       text    NOT NULL, -- as the pusher named it
    file        text    NOT NULL,
    bytes       bigint  NOT NULL,
    sha256      bytea   NOT NULL,
    width       integer NOT NULL,
    height      integer NOT NULL,
    frames      integer NOT NULL,
    fps         double precision NOT NULL,
    codecs      text    NOT NULL, -- RFC 6381
    duration_us bigint  NOT NULL,
    PRIMARY KEY (segment, name),
    CONSTRAINT live_renditions_one_per_position UNIQUE (segment, position),
    CONSTRAINT live_renditions_not_empty CHECK (bytes > 0 AND frames > 0 AND duration_us > 0),
    CONSTRAINT live_renditions_sha256_is_32_bytes CHECK (octet_length(sha256) = 32)
);

-- Every attempt this side judged. The rows are evidence: assignment and receipt are signed.
CREATE TABLE live_attempts (
    id           bytea       PRIMARY KEY,
    stream       text        NOT NULL,
    incarnation  bigint      NOT NULL,
    seq          bigint      NOT NULL,
    source       bytea       NOT NULL,
    orchestrator bytea       NOT NULL,
    transcoder   bytea       NOT NULL,
    passed       boolean     NOT NULL,
    layers       text        NOT NULL,
    code         text        NOT NULL DEFAULT '',
    detail       text        NOT NULL DEFAULT '',
    fee          numeric     NOT NULL DEFAULT 0, -- wei
    assignment   jsonb       NOT NULL,
    receipt      jsonb       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT live_attempts_id_is_32_bytes CHECK (octet_length(id) = 32),
    CONSTRAINT live_attempts_accounts_are_addresses CHECK (octet_length(orchestrator) = 20 AND octet_length(transcoder) = 20),
    CONSTRAINT live_attempts_only_passed_is_paid CHECK (passed OR fee = 0),
    CONSTRAINT live_attempts_fee_is_an_amount CHECK (fee >= 0 AND fee = trunc(fee)),
    CONSTRAINT live_attempts_rejected_has_a_code CHECK (passed OR code <> '')
);
CREATE UNIQUE INDEX live_attempts_paid_once ON live_attempts (stream, incarnation, seq) WHERE passed;
CREATE INDEX live_attempts_spent_at ON live_attempts (created_at) WHERE passed;

-- What each orchestrator's work has earned it.
CREATE TABLE live_orchestrators (
    address bytea PRIMARY KEY,
    record  jsonb NOT NULL, -- verify.Record
    CONSTRAINT live_orchestrators_address_is_an_address CHECK (octet_length(address) = 20)
);

-- +goose Down
DROP TABLE live_orchestrators, live_attempts, live_renditions, live_segments, live_streams;
