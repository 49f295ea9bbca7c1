-- +goose Up
-- Orders that this side took to the chain for others, by the recipient's number: two transactions for one would cost the gas
-- of the second.
CREATE TABLE payer_relays (
    recipient   bytea  NOT NULL CONSTRAINT payer_relays_recipients_are_addresses CHECK (octet_length(recipient) = 20),
    order_nonce numeric(20, 0) NOT NULL,
    deadline    bigint NOT NULL, -- Unix seconds, chain time: later it cannot be carried out any more
    PRIMARY KEY (recipient, order_nonce)
);
CREATE INDEX payer_relays_by_deadline ON payer_relays (deadline);

-- +goose Down
DROP TABLE payer_relays;
