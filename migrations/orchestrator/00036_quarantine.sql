-- +goose Up
-- Transcoders that an operator keeps leases from, whatever their outputs have earned them. One that has never been seen
-- can be among them, so this refers to no other table.
CREATE TABLE quarantines (
	address bytea       CONSTRAINT quarantines_pk PRIMARY KEY CONSTRAINT quarantines_address CHECK (octet_length(address) = 20),
	reason  text        NOT NULL,
	since   timestamptz NOT NULL DEFAULT now(),
	until   timestamptz NOT NULL CONSTRAINT quarantines_last CHECK (until > since)
);

-- +goose Down
DROP TABLE quarantines;
