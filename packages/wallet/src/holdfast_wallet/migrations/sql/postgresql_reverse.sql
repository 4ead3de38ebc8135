-- Takes the law away; the triggers go with their functions.
DROP RULE holdfast_wallet_hold_no_upsert ON holdfast_wallet_hold;
DROP RULE holdfast_wallet_transfer_no_upsert ON holdfast_wallet_transfer;
DROP FUNCTION holdfast_wallet_account_money_guard() CASCADE;
DROP FUNCTION holdfast_wallet_guard() CASCADE;
DROP FUNCTION holdfast_wallet_hold_end() CASCADE;
DROP FUNCTION holdfast_wallet_hold_end_guard() CASCADE;
DROP FUNCTION holdfast_wallet_switch() CASCADE;
DROP FUNCTION holdfast_wallet_hold_place() CASCADE;
DROP FUNCTION holdfast_wallet_batch_post() CASCADE;
DROP VIEW holdfast_wallet_batch;
DROP FUNCTION holdfast_wallet_transfer_post() CASCADE;
DROP FUNCTION holdfast_wallet_check_reversal(holdfast_wallet_transfer);
DROP FUNCTION holdfast_wallet_capture(holdfast_wallet_transfer);
DROP FUNCTION holdfast_wallet_explain(uuid, text, bigint, bigint, boolean);
DROP VIEW holdfast_wallet_entry;
ALTER TABLE holdfast_wallet_hold RESET (fillfactor);
ALTER TABLE holdfast_wallet_account RESET (fillfactor);
DROP SEQUENCE holdfast_wallet_transfer_number_seq;
