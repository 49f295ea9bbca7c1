-- +goose Up

-- Of a segment whose ladder several transcoders shared, each makes a part; the first is paid for all.
ALTER TABLE live_attempts ADD COLUMN part integer NOT NULL DEFAULT 0;
ALTER TABLE live_attempts ADD CONSTRAINT live_attempts_first_part_is_paid CHECK (part = 0 OR passed AND fee = 0);
DROP INDEX live_attempts_paid_once;
CREATE UNIQUE INDEX live_attempts_paid_once ON live_attempts (stream, incarnation, seq, part) WHERE passed;

-- +goose Down
DROP INDEX live_attempts_paid_once;
DELETE FROM live_attempts WHERE part > 0;
CREATE UNIQUE INDEX live_attempts_paid_once ON live_attempts (stream, incarnation, seq) WHERE passed;
ALTER TABLE live_attempts DROP CONSTRAINT live_attempts_first_part_is_paid;
ALTER TABLE live_attempts DROP COLUMN part;
