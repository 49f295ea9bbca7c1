-- +goose Up

-- What was counted since the beginning: rows are pruned by age, these numbers stay. Each is changed in the transaction
-- that changes the rows behind it.
CREATE TABLE live_totals (
    single      boolean PRIMARY KEY DEFAULT true,
    segments    bigint  NOT NULL, -- verified and failed
    published   bigint  NOT NULL, -- as media
    renditions  bigint  NOT NULL, -- of those
    late        bigint  NOT NULL,
    failed      bigint  NOT NULL, -- never were, or never will be, in a playlist as media
    passed      bigint  NOT NULL, -- attempts
    passed_deep bigint  NOT NULL, -- of those, with L1
    rejected    bigint  NOT NULL, -- attempts
    fees        numeric NOT NULL, -- wei
    CONSTRAINT live_totals_has_one_row CHECK (single),
    CONSTRAINT live_totals_fees_are_an_amount CHECK (fees >= 0 AND fees = trunc(fees))
);
INSERT INTO live_totals (segments, published, late, failed, renditions, passed, passed_deep, rejected, fees)
SELECT s.segments, s.published, s.late, s.failed, r.renditions, a.passed, a.passed_deep, a.rejected, a.fees
FROM (SELECT count(*) FILTER (WHERE state <> 'missing') AS segments, count(*) FILTER (WHERE msn IS NOT NULL AND NOT gap) AS published,
          count(*) FILTER (WHERE late) AS late, count(*) FILTER (WHERE state = 'failed' OR (state = 'verified' AND gap)) AS failed
      FROM live_segments) s,
     (SELECT count(*) AS renditions FROM live_renditions r JOIN live_segments s ON s.id = r.segment WHERE s.msn IS NOT NULL AND NOT s.gap) r,
     (SELECT count(*) FILTER (WHERE passed) AS passed, count(*) FILTER (WHERE passed AND layers = 'L0+L1') AS passed_deep,
          count(*) FILTER (WHERE NOT passed) AS rejected, coalesce(sum(fee), 0) AS fees
      FROM live_attempts) a;

-- Incarnations below this one may have been used by segments that are no longer on record.
ALTER TABLE live_streams ADD COLUMN next_incarnation bigint NOT NULL DEFAULT 0;

-- The transcoders whose work was judged here.
CREATE TABLE live_transcoders (
    address bytea       PRIMARY KEY,
    met_at  timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(), -- to the hour
    CONSTRAINT live_transcoders_address_is_an_address CHECK (octet_length(address) = 20)
);
INSERT INTO live_transcoders (address, met_at, seen_at) SELECT transcoder, min(created_at), max(created_at) FROM live_attempts GROUP BY transcoder;

ALTER TABLE live_orchestrators ADD COLUMN met_at timestamptz NOT NULL DEFAULT now();
UPDATE live_orchestrators o SET met_at = a.met_at
FROM (SELECT orchestrator, min(created_at) AS met_at FROM live_attempts GROUP BY orchestrator) a WHERE a.orchestrator = o.address;

CREATE INDEX live_segments_newest_verified ON live_segments (id DESC) WHERE state = 'verified';
CREATE INDEX live_segments_removed ON live_segments (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX live_segments_placeless ON live_segments (committed_at) WHERE state = 'failed' AND msn IS NULL;
CREATE INDEX live_attempts_by_age ON live_attempts (created_at);
DROP INDEX live_attempts_spent_at;

-- +goose Down
CREATE INDEX live_attempts_spent_at ON live_attempts (created_at) WHERE passed;
DROP INDEX live_attempts_by_age, live_segments_placeless, live_segments_removed, live_segments_newest_verified;
ALTER TABLE live_orchestrators DROP COLUMN met_at;
DROP TABLE live_transcoders;
ALTER TABLE live_streams DROP COLUMN next_incarnation;
DROP TABLE live_totals;
