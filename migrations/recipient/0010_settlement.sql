-- +goose Up
-- Redemptions are followed until no reorganisation can take them back: won → submitted → mined → final. Which winners a
-- transaction held is kept for ever, since any of those sent for a winner may turn out to be the one that paid it.

ALTER TABLE recipient_winners
    DROP CONSTRAINT recipient_winners_state_is_known,
    DROP CONSTRAINT recipient_winners_sent_name_their_transaction,
    DROP CONSTRAINT recipient_winners_settled_have_a_time,
    ADD COLUMN tries bigint NOT NULL DEFAULT 0; -- how often it was put back: what the next wait goes by
UPDATE recipient_winners SET state = 'final' WHERE state = 'redeemed';
ALTER TABLE recipient_winners
    ADD CONSTRAINT recipient_winners_state_is_known CHECK (state IN ('won', 'submitted', 'mined', 'final', 'expired', 'unpayable')),
    ADD CONSTRAINT recipient_winners_sent_name_their_transaction CHECK (state NOT IN ('submitted', 'mined', 'final') OR tx IS NOT NULL),
    ADD CONSTRAINT recipient_winners_settled_have_a_time CHECK ((state IN ('final', 'expired', 'unpayable')) = (settled_at IS NOT NULL));
CREATE INDEX recipient_winners_by_tx ON recipient_winners (tx) WHERE state IN ('submitted', 'mined');

ALTER TABLE recipient_redemptions
    DROP CONSTRAINT recipient_redemptions_state_is_known,
    ADD COLUMN block      bigint, -- where it was mined
    ADD COLUMN block_hash bytea;
UPDATE recipient_redemptions SET state = 'final' WHERE state = 'mined';
ALTER TABLE recipient_redemptions
    ADD CONSTRAINT recipient_redemptions_state_is_known CHECK (state IN ('sent', 'replaced', 'mined', 'final', 'dropped')),
    ADD CONSTRAINT recipient_redemptions_mined_name_their_block CHECK (state <> 'mined' OR (block IS NOT NULL AND block_hash IS NOT NULL));
DROP INDEX recipient_redemptions_sent;
CREATE UNIQUE INDEX recipient_redemptions_one_per_tx_nonce ON recipient_redemptions (tx_nonce) WHERE state = 'sent';
CREATE INDEX recipient_redemptions_unsettled ON recipient_redemptions (tx_nonce) WHERE state IN ('sent', 'replaced', 'mined');

CREATE TABLE recipient_redemption_winners (
    payer      bytea   NOT NULL,
    lane       integer NOT NULL,
    nonce      bigint  NOT NULL,
    tx         bytea   NOT NULL CONSTRAINT recipient_redemption_winners_belong_to_a_redemption REFERENCES recipient_redemptions (tx),
    PRIMARY KEY (payer, lane, nonce, tx),
    CONSTRAINT recipient_redemption_winners_are_winners FOREIGN KEY (payer, lane, nonce) REFERENCES recipient_winners (payer, lane, nonce)
);
CREATE INDEX recipient_redemption_winners_by_tx ON recipient_redemption_winners (tx);
INSERT INTO recipient_redemption_winners (payer, lane, nonce, tx)
    SELECT w.payer, w.lane, w.nonce, w.tx FROM recipient_winners w JOIN recipient_redemptions r ON r.tx = w.tx;

-- +goose Down
DROP TABLE recipient_redemption_winners;
DROP INDEX recipient_redemptions_unsettled, recipient_redemptions_one_per_tx_nonce, recipient_winners_by_tx;
ALTER TABLE recipient_redemptions
    DROP CONSTRAINT recipient_redemptions_mined_name_their_block,
    DROP CONSTRAINT recipient_redemptions_state_is_known,
    DROP COLUMN block, DROP COLUMN block_hash;
UPDATE recipient_redemptions SET state = 'sent' WHERE state = 'mined';
UPDATE recipient_redemptions SET state = 'mined' WHERE state = 'final';
ALTER TABLE recipient_redemptions ADD CONSTRAINT recipient_redemptions_state_is_known CHECK (state IN ('sent', 'replaced', 'mined', 'dropped'));
CREATE INDEX recipient_redemptions_sent ON recipient_redemptions (submitted_at) WHERE state = 'sent';
ALTER TABLE recipient_winners
    DROP CONSTRAINT recipient_winners_settled_have_a_time,
    DROP CONSTRAINT recipient_winners_sent_name_their_transaction,
    DROP CONSTRAINT recipient_winners_state_is_known,
    DROP COLUMN tries;
UPDATE recipient_winners SET state = 'submitted' WHERE state = 'mined';
UPDATE recipient_winners SET state = 'redeemed' WHERE state = 'final';
ALTER TABLE recipient_winners
    ADD CONSTRAINT recipient_winners_state_is_known CHECK (state IN ('won', 'submitted', 'redeemed', 'expired', 'unpayable')),
    ADD CONSTRAINT recipient_winners_sent_name_their_transaction CHECK (state NOT IN ('submitted', 'redeemed') OR tx IS NOT NULL),
    ADD CONSTRAINT recipient_winners_settled_have_a_time CHECK ((state IN ('redeemed', 'expired', 'unpayable')) = (settled_at IS NOT NULL));
