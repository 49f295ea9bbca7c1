-- +goose Up

-- How often an operator let an orchestrator begin anew: its record of since then outweighs any of before.
ALTER TABLE live_orchestrators ADD COLUMN restored bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE live_orchestrators DROP COLUMN restored;
