-- +goose Up

-- An fMP4 rendition is kept in two files: its init segment, which many segments share, and its media. bytes and sha256 are of
-- both together, as they were verified. Sound alone has no pictures.
ALTER TABLE live_renditions
    ADD COLUMN init_file  text   NOT NULL DEFAULT '',
    ADD COLUMN init_bytes bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT live_renditions_not_empty,
    ADD CONSTRAINT live_renditions_not_empty CHECK (bytes > init_bytes AND frames >= 0 AND duration_us > 0 AND (frames > 0) = (width > 0)),
    ADD CONSTRAINT live_renditions_init_has_bytes CHECK ((init_file = '') = (init_bytes = 0) AND init_bytes >= 0);

-- +goose Down
DELETE FROM live_renditions WHERE frames = 0 OR init_bytes > 0;
ALTER TABLE live_renditions
    DROP CONSTRAINT live_renditions_init_has_bytes,
    DROP CONSTRAINT live_renditions_not_empty,
    ADD CONSTRAINT live_renditions_not_empty CHECK (bytes > 0 AND frames > 0 AND duration_us > 0),
    DROP COLUMN init_file,
    DROP COLUMN init_bytes;
