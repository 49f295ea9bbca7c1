-- +goose Up
-- Which transaction took which nonce of an account, written down before it is sent: replicas that share an account take them
-- one after another. Redemptions have their bytes in records of their own.
CREATE TABLE payer_transactions (
    account    bytea       NOT NULL CONSTRAINT payer_transactions_accounts_are_addresses CHECK (octet_length(account) = 20),
    tx_nonce   bigint      NOT NULL CONSTRAINT payer_transactions_nonces_begin_at_0 CHECK (tx_nonce >= 0),
    tx         bytea       NOT NULL CONSTRAINT payer_transactions_hashes_are_32_bytes CHECK (octet_length(tx) = 32),
    raw        bytea, -- the signed transaction
    taken_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, tx_nonce)
);

-- +goose Down
DROP TABLE payer_transactions;
