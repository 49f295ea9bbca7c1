-- +goose Up

-- A straggling segment is given to a second orchestrator; when both deliver, both are paid, each once.
DROP INDEX live_attempts_paid_once;
CREATE UNIQUE INDEX live_attempts_paid_once ON live_attempts (stream, incarnation, seq, part, orchestrator) WHERE passed;

-- +goose Down
DELETE FROM live_attempts a USING live_attempts b
WHERE a.passed AND b.passed AND (a.stream, a.incarnation, a.seq, a.part) = (b.stream, b.incarnation, b.seq, b.part) AND (a.created_at, a.id) > (b.created_at, b.id);
DROP INDEX live_attempts_paid_once;
CREATE UNIQUE INDEX live_attempts_paid_once ON live_attempts (stream, incarnation, seq, part) WHERE passed;
