-- +goose Up
-- Maintenance that was announced: it is kept over restarts, since orchestrators were told of it.
CREATE TABLE maintenance (
	id        TEXT    PRIMARY KEY,
	begins_ms INTEGER NOT NULL,
	ends_ms   INTEGER NOT NULL CHECK (ends_ms > begins_ms),
	reason    TEXT    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE maintenance;
