-- +goose Up
-- Old orders are forgotten, rejects too.
DROP INDEX payer_orders_by_time;
CREATE INDEX payer_orders_by_time ON payer_orders (ordered_at);
CREATE INDEX payer_sets_by_expiry ON payer_sets (expiry);

-- +goose Down
DROP INDEX payer_sets_by_expiry;
DROP INDEX payer_orders_by_time;
CREATE INDEX payer_orders_by_time ON payer_orders (ordered_at) WHERE kind = 'ticket';
