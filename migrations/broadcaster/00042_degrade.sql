-- +goose Up

-- passed_through: nobody made anything of it for what there was; the source itself is its only rendition, and nobody was paid.
ALTER TABLE live_segments
    DROP CONSTRAINT live_segments_state_is_known,
    DROP CONSTRAINT live_segments_verified_has_evidence,
    DROP CONSTRAINT live_segments_only_verified_is_media,
    ADD CONSTRAINT live_segments_state_is_known CHECK (state IN ('verified', 'failed', 'missing', 'passed_through')),
    ADD CONSTRAINT live_segments_verified_has_evidence CHECK (state <> 'verified' OR (source IS NOT NULL AND attempt IS NOT NULL AND duration_us > 0)),
    ADD CONSTRAINT live_segments_passed_through_has_a_source CHECK (state <> 'passed_through' OR (source IS NOT NULL AND attempt IS NULL AND duration_us > 0)),
    ADD CONSTRAINT live_segments_only_outputs_are_media CHECK (msn IS NULL OR gap OR state IN ('verified', 'passed_through'));

-- What a stream puts up with before it stops, where that was said: else the broadcaster's settings count.
ALTER TABLE live_streams ADD COLUMN policy jsonb;

-- +goose Down
ALTER TABLE live_streams DROP COLUMN policy;
DELETE FROM live_segments WHERE state = 'passed_through';
ALTER TABLE live_segments
    DROP CONSTRAINT live_segments_only_outputs_are_media,
    DROP CONSTRAINT live_segments_passed_through_has_a_source,
    DROP CONSTRAINT live_segments_state_is_known,
    ADD CONSTRAINT live_segments_state_is_known CHECK (state IN ('verified', 'failed', 'missing')),
    ADD CONSTRAINT live_segments_only_verified_is_media CHECK (msn IS NULL OR gap OR state = 'verified');
