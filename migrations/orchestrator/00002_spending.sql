-- +goose Up
-- What transcoders were paid, by minute, stream and the process that paid: the budgets of every replica are read from here,
-- and a restart forgets nothing. What is older than any budget's time is added up in one row.
CREATE TABLE spending (
    minute timestamptz NOT NULL,
    writer bytea       NOT NULL,
    payer  bytea       NOT NULL, -- whose stream it is
    stream text        NOT NULL,
    cost   numeric     NOT NULL, -- wei
    PRIMARY KEY (minute, writer, payer, stream),
    CONSTRAINT spending_writer_is_32_bytes CHECK (octet_length(writer) = 32),
    CONSTRAINT spending_payer_is_an_address CHECK (octet_length(payer) = 20),
    CONSTRAINT spending_is_something CHECK (cost > 0)
);

CREATE TABLE spending_before (
    one  boolean PRIMARY KEY DEFAULT true CONSTRAINT spending_before_is_one_row CHECK (one),
    cost numeric NOT NULL DEFAULT 0
);
INSERT INTO spending_before DEFAULT VALUES;
INSERT INTO spending (minute, writer, payer, stream, cost)
    SELECT date_trunc('minute', created_at), decode(repeat('00', 32), 'hex'), payer, stream, sum(cost) FROM attempts
    WHERE state = 'verified' AND cost > 0 GROUP BY 1, payer, stream;

-- +goose Down
DROP TABLE spending_before;
DROP TABLE spending;
