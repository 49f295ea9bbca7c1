-- +goose Up
-- Recipients that an allocation is kept for, and when it was last wanted: one that nobody wants is taken back.
CREATE TABLE payer_allocations (
    recipient  bytea  PRIMARY KEY CONSTRAINT payer_allocations_recipients_are_addresses CHECK (octet_length(recipient) = 20),
    wanted_at  bigint NOT NULL
);

-- What was spent lately is asked for every minute.
CREATE INDEX payer_orders_by_time ON payer_orders (ordered_at) WHERE kind = 'ticket';

-- +goose Down
DROP INDEX payer_orders_by_time;
DROP TABLE payer_allocations;
