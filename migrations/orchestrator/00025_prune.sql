-- +goose Up
-- Leases that ended are forgotten after the attempts under them.
CREATE INDEX leases_ended ON leases (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX attempts_lease ON attempts (lease);

-- +goose Down
DROP INDEX attempts_lease, leases_ended;
