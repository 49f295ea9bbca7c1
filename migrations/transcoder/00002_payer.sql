-- +goose Up
-- Whose tickets pay for a lease: the orchestrator's, until one could run on a session key of somebody else.
ALTER TABLE lease ADD COLUMN payer TEXT NOT NULL DEFAULT '';
UPDATE lease SET payer = orchestrator;

-- +goose Down
ALTER TABLE lease DROP COLUMN payer;
