-- +goose Up
-- Who made the delivery: of a ladder that was shared, several, of whom attempt names the first. Empty in rows of before: its
-- attempt's transcoder.
ALTER TABLE segments ADD COLUMN makers bytea[] NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE segments DROP COLUMN makers;
