-- The law of the ledger on SQLite: the same as in postgresql.sql, where the comments say what each rule is for.
--
-- Four things differ. A BEFORE trigger cannot fill the new row, so a transfer is completed once, right after it was inserted. There
-- is one writer at a time (BEGIN IMMEDIATE), so nothing has to be locked or numbered under a lock. A trigger does not know whether
-- another one called it, so the law notes in a table of one row that it is at work. And a column takes whatever it is given, so the
-- law asks each amount whether it is an integer: from a fraction or from an overflow on, sums would be floats.
--
-- INSERT OR REPLACE and UPDATE OR REPLACE delete the rows that are in the way (same id, rowid, role, default account), and no trigger
-- hears of it. So each table refuses a row that is in the way of another by itself, in the words that a constraint has for it. What is
-- asked of "rowid" is for those who write to that column: every table has it, under its id. And the clause of a statement (OR FAIL, OR
-- IGNORE) also governs what its triggers do, which would then stop or skip halfway: "holdfast_wallet_probe" finds out.

CREATE TABLE holdfast_wallet_law (
    id integer PRIMARY KEY CHECK (id = 1),
    at_work integer NOT NULL DEFAULT 0,
    unlocked text NOT NULL DEFAULT 'off'
);
INSERT INTO holdfast_wallet_law (id) VALUES (1);

-- INSERT OR REPLACE INTO this table replaces its row, unless the statement that fired the trigger has a clause of its own: under OR
-- ABORT, OR FAIL and OR ROLLBACK it fails, before anything has moved, and under OR IGNORE the row stays what it was.
CREATE TABLE holdfast_wallet_probe (id integer PRIMARY KEY CHECK (id = 1), for_row text);
INSERT INTO holdfast_wallet_probe (id) VALUES (1);

-- The CAST gives both halves the same column affinity. Without it SQLite does not look through the view: it sorts the whole history
-- of an account for each page (400 ms instead of 0.2 at 100,000 lines).
CREATE VIEW holdfast_wallet_entry AS
SELECT source_id AS account_id, source_version AS version, CAST(-amount_minor AS bigint) AS amount_minor, source_balance_minor AS balance_minor,
       currency, target_id AS counterparty_id, id AS transfer_id, number, kind, journal_id, effective_at, recorded_at
FROM holdfast_wallet_transfer
UNION ALL
SELECT target_id, target_version, amount_minor, target_balance_minor,
       currency, source_id, id, number, kind, journal_id, effective_at, recorded_at
FROM holdfast_wallet_transfer;


-- Transfers

CREATE TRIGGER holdfast_wallet_transfer_check BEFORE INSERT ON holdfast_wallet_transfer BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_transfer.id')
    WHERE EXISTS (SELECT 1 FROM holdfast_wallet_transfer WHERE id = NEW.id)
       OR EXISTS (SELECT 1 FROM holdfast_wallet_transfer WHERE rowid = NEW.rowid);
    INSERT OR REPLACE INTO holdfast_wallet_probe (id, for_row) VALUES (1, NEW.id);
    SELECT RAISE(ABORT, 'WL900: a transfer is inserted without a conflict clause')
    WHERE NEW.id IS NOT (SELECT for_row FROM holdfast_wallet_probe);
    -- A number or a version that is chosen could be in the way of a later line, or beyond which there is none.
    SELECT RAISE(ABORT, 'WL900: a transfer moves a positive amount between two accounts; number and versions are the law''s')
    WHERE typeof(NEW.amount_minor) <> 'integer' OR NEW.amount_minor NOT BETWEEN 1 AND 1000000000000000000
       OR NEW.source_id = NEW.target_id
       OR NEW.number IS NOT 0 OR NEW.source_version IS NOT 0 OR NEW.target_version IS NOT 0;
    SELECT RAISE(ABORT, 'WL900: a transfer counts from a moment on')
    WHERE NEW.effective_at NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] *' OR julianday(NEW.effective_at) IS NULL;
    SELECT RAISE(ABORT, 'WL005')
    WHERE NOT EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE id = NEW.source_id)
       OR NOT EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE id = NEW.target_id);
    -- The payer's own side first: what is wrong with the other is not told to whoever could not pay anyway.
    SELECT CASE
        WHEN source.slots > 1 THEN RAISE(ABORT, 'WL007')
        WHEN source.currency <> NEW.currency THEN RAISE(ABORT, 'WL006')
        WHEN source.state = 'closed' THEN RAISE(ABORT, 'WL004')
        WHEN source.state = 'frozen' THEN RAISE(ABORT, 'WL003')
        WHEN NEW.hold_id IS NULL
             AND source.balance_minor - NEW.amount_minor < source.held_minor - source.overdraft_limit_minor
            THEN RAISE(ABORT, 'WL001')
        WHEN target.slots > 1 THEN RAISE(ABORT, 'WL007')
        WHEN target.currency <> NEW.currency THEN RAISE(ABORT, 'WL006')
        WHEN target.state = 'closed' THEN RAISE(ABORT, 'WL004')
        WHEN target.state = 'frozen' AND target.credits_blocked THEN RAISE(ABORT, 'WL003')
        WHEN target.balance_minor + NEW.amount_minor > target.maximum_balance_minor THEN RAISE(ABORT, 'WL002')
        WHEN source.balance_minor - NEW.amount_minor < -2000000000000000000
             OR target.balance_minor + NEW.amount_minor > 2000000000000000000 THEN RAISE(ABORT, 'WL008')
    END
    FROM holdfast_wallet_account AS source JOIN holdfast_wallet_account AS target ON target.id = NEW.target_id
    WHERE source.id = NEW.source_id;
END;

CREATE TRIGGER holdfast_wallet_transfer_check_capture BEFORE INSERT ON holdfast_wallet_transfer
WHEN NEW.hold_id IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'WL010') WHERE NOT EXISTS (
        SELECT 1 FROM holdfast_wallet_hold
        WHERE id = NEW.hold_id AND account_id = NEW.source_id AND state = 'open');
    SELECT CASE
        WHEN expires_at <= strftime('%Y-%m-%d %H:%M:%f', 'now') THEN RAISE(ABORT, 'WL011')
        WHEN captured_minor + released_minor + NEW.amount_minor > amount_minor THEN RAISE(ABORT, 'WL012')
    END
    FROM holdfast_wallet_hold WHERE id = NEW.hold_id;
END;

CREATE TRIGGER holdfast_wallet_transfer_check_reversal BEFORE INSERT ON holdfast_wallet_transfer
WHEN NEW.reverses_id IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'WL020') WHERE NOT EXISTS (
        SELECT 1 FROM holdfast_wallet_transfer
        WHERE id = NEW.reverses_id AND source_id = NEW.target_id AND target_id = NEW.source_id);
    SELECT RAISE(ABORT, 'WL022') FROM holdfast_wallet_transfer WHERE id = NEW.reverses_id AND reverses_id IS NOT NULL;
    SELECT RAISE(ABORT, 'WL021') FROM holdfast_wallet_transfer AS original
    WHERE original.id = NEW.reverses_id AND NEW.amount_minor > original.amount_minor - (
        SELECT COALESCE(sum(amount_minor), 0) FROM holdfast_wallet_transfer WHERE reverses_id = original.id);
END;

CREATE TRIGGER holdfast_wallet_transfer_post AFTER INSERT ON holdfast_wallet_transfer BEGIN
    UPDATE holdfast_wallet_law SET at_work = 1;
    -- Now, or the last time that one of the two has seen: the clock may be set back, the lines of an account stay in order.
    UPDATE holdfast_wallet_account
    SET balance_minor = balance_minor - NEW.amount_minor, version = version + 1,
        held_minor = held_minor - CASE WHEN NEW.hold_id IS NULL THEN 0 ELSE NEW.amount_minor END,
        posted_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), COALESCE(posted_at, ''),
                        COALESCE((SELECT posted_at FROM holdfast_wallet_account WHERE id = NEW.target_id), ''))
    WHERE id = NEW.source_id;
    UPDATE holdfast_wallet_account
    SET balance_minor = balance_minor + NEW.amount_minor, version = version + 1,
        posted_at = (SELECT posted_at FROM holdfast_wallet_account WHERE id = NEW.source_id)
    WHERE id = NEW.target_id;
    UPDATE holdfast_wallet_hold SET captured_minor = captured_minor + NEW.amount_minor WHERE id = NEW.hold_id;
    INSERT INTO holdfast_wallet_holdevent (hold_id, kind, amount_minor, transfer_id, recorded_at)
    SELECT NEW.hold_id, 'captured', NEW.amount_minor, NEW.id, strftime('%Y-%m-%d %H:%M:%f000', 'now')
    WHERE NEW.hold_id IS NOT NULL;
    UPDATE holdfast_wallet_transfer SET
        number = (SELECT max(number) + 1 FROM holdfast_wallet_transfer),
        recorded_at = (SELECT posted_at FROM holdfast_wallet_account WHERE id = NEW.source_id),
        (source_balance_minor, source_version) = (
            SELECT balance_minor, version FROM holdfast_wallet_account WHERE id = NEW.source_id),
        (target_balance_minor, target_version) = (
            SELECT balance_minor, version FROM holdfast_wallet_account WHERE id = NEW.target_id)
    WHERE id = NEW.id;
    UPDATE holdfast_wallet_law SET at_work = 0;
END;

CREATE TRIGGER holdfast_wallet_transfer_final_guard BEFORE UPDATE ON holdfast_wallet_transfer
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE at_work = 1 OR unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: a transfer is final; reverse it with another one'); END;

CREATE TRIGGER holdfast_wallet_transfer_kept_guard BEFORE DELETE ON holdfast_wallet_transfer
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked IN ('on', 'flush'))
BEGIN SELECT RAISE(ABORT, 'WL900: a transfer is final; reverse it with another one'); END;


-- Accounts

CREATE TRIGGER holdfast_wallet_account_check BEFORE INSERT ON holdfast_wallet_account BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_account.id')
    WHERE EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE id = NEW.id)
       OR EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE rowid = NEW.rowid);
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_account.role') FROM holdfast_wallet_account
    WHERE NEW.owner_id IS NULL AND NEW.slot_of_id IS NULL
      AND owner_id IS NULL AND slot_of_id IS NULL AND role = NEW.role AND currency = NEW.currency;
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_account.is_default') FROM holdfast_wallet_account
    WHERE NEW.is_default AND is_default AND owner_id = NEW.owner_id AND currency = NEW.currency;
END;

CREATE TRIGGER holdfast_wallet_account_default_check BEFORE UPDATE OF is_default ON holdfast_wallet_account
WHEN NEW.is_default BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_account.is_default') FROM holdfast_wallet_account
    WHERE is_default AND owner_id = NEW.owner_id AND currency = NEW.currency AND id <> NEW.id;
END;

CREATE TRIGGER holdfast_wallet_account_new_guard BEFORE INSERT ON holdfast_wallet_account
WHEN (NEW.balance_minor IS NOT 0 OR NEW.held_minor IS NOT 0 OR NEW.version IS NOT 0 OR NEW.posted_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: an account is opened empty'); END;

CREATE TRIGGER holdfast_wallet_account_money_guard BEFORE UPDATE ON holdfast_wallet_account
WHEN (NEW.balance_minor <> OLD.balance_minor OR NEW.held_minor <> OLD.held_minor OR NEW.version <> OLD.version
        -- Django writes a whole second without a fraction.
        OR strftime('%Y-%m-%d %H:%M:%f', NEW.posted_at) IS NOT strftime('%Y-%m-%d %H:%M:%f', OLD.posted_at))
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE at_work = 1 OR unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: balances change only through transfers, held money only through holds'); END;

CREATE TRIGGER holdfast_wallet_account_identity_guard BEFORE UPDATE ON holdfast_wallet_account
WHEN (NEW.rowid <> OLD.rowid OR NEW.id <> OLD.id OR NEW.currency <> OLD.currency OR NEW.role <> OLD.role OR NEW.slots <> OLD.slots
        OR NEW.owner_id IS NOT OLD.owner_id OR NEW.slot_of_id IS NOT OLD.slot_of_id
        OR OLD.state = 'closed' AND NEW.state <> 'closed')
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: whose account it is and what it is for never changes, and closed is for good'); END;

CREATE TRIGGER holdfast_wallet_account_new_rules BEFORE INSERT ON holdfast_wallet_account
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on') AND (
        typeof(NEW.overdraft_limit_minor) NOT IN ('integer', 'null') OR typeof(NEW.maximum_balance_minor) NOT IN ('integer', 'null')
        OR typeof(NEW.slots) <> 'integer'
        OR NEW.overdraft_limit_minor NOT BETWEEN 0 AND 2000000000000000000
        OR NEW.maximum_balance_minor NOT BETWEEN 0 AND 2000000000000000000
        OR NEW.state NOT IN ('active', 'frozen', 'closed')
        OR NEW.state = 'closed' AND (NEW.balance_minor <> 0 OR NEW.held_minor <> 0)
        OR (NEW.owner_id IS NULL) <> (NEW.role <> '')
        OR NEW.slots < 1
        OR (NEW.slots > 1 OR NEW.slot_of_id IS NOT NULL) AND (
            NEW.overdraft_limit_minor IS NOT NULL OR NEW.maximum_balance_minor IS NOT NULL OR NEW.state <> 'active'))
BEGIN SELECT RAISE(ABORT, 'WL900: an account has an owner or a role, sound limits, a known state, nothing when closed'); END;

CREATE TRIGGER holdfast_wallet_account_rules
BEFORE UPDATE OF overdraft_limit_minor, maximum_balance_minor, owner_id, role, state, slots, slot_of_id ON holdfast_wallet_account
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on') AND (
        typeof(NEW.overdraft_limit_minor) NOT IN ('integer', 'null') OR typeof(NEW.maximum_balance_minor) NOT IN ('integer', 'null')
        OR typeof(NEW.slots) <> 'integer'
        OR NEW.overdraft_limit_minor NOT BETWEEN 0 AND 2000000000000000000
        OR NEW.maximum_balance_minor NOT BETWEEN 0 AND 2000000000000000000
        OR NEW.state NOT IN ('active', 'frozen', 'closed')
        OR NEW.state = 'closed' AND (NEW.balance_minor <> 0 OR NEW.held_minor <> 0)
        OR (NEW.owner_id IS NULL) <> (NEW.role <> '')
        OR NEW.slots < 1
        OR (NEW.slots > 1 OR NEW.slot_of_id IS NOT NULL) AND (
            NEW.overdraft_limit_minor IS NOT NULL OR NEW.maximum_balance_minor IS NOT NULL OR NEW.state <> 'active'))
BEGIN SELECT RAISE(ABORT, 'WL900: an account has an owner or a role, sound limits, a known state, nothing when closed'); END;

CREATE TRIGGER holdfast_wallet_account_kept_guard BEFORE DELETE ON holdfast_wallet_account
WHEN (OLD.version <> 0 OR OLD.held_minor <> 0)
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked IN ('on', 'flush'))
BEGIN SELECT RAISE(ABORT, 'WL900: an account with a history is kept'); END;


-- Holds

CREATE TRIGGER holdfast_wallet_hold_check BEFORE INSERT ON holdfast_wallet_hold BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_hold.id')
    WHERE EXISTS (SELECT 1 FROM holdfast_wallet_hold WHERE id = NEW.id)
       OR EXISTS (SELECT 1 FROM holdfast_wallet_hold WHERE rowid = NEW.rowid);
    INSERT OR REPLACE INTO holdfast_wallet_probe (id, for_row) VALUES (1, NEW.id);
    SELECT RAISE(ABORT, 'WL900: a hold is inserted without a conflict clause')
    WHERE NEW.id IS NOT (SELECT for_row FROM holdfast_wallet_probe);
    SELECT RAISE(ABORT, 'WL900: a hold begins open and whole, with a positive amount')
    WHERE NEW.state IS NOT 'open' OR NEW.captured_minor IS NOT 0 OR NEW.released_minor IS NOT 0
       OR typeof(NEW.amount_minor) <> 'integer' OR NEW.amount_minor NOT BETWEEN 1 AND 1000000000000000000;
    SELECT RAISE(ABORT, 'WL900: a hold lasts until a moment')
    WHERE NEW.expires_at NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] *'
       OR NEW.expires_at IS NOT NULL AND julianday(NEW.expires_at) IS NULL;
    SELECT RAISE(ABORT, 'WL005') WHERE NOT EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE id = NEW.account_id);
    SELECT CASE
        WHEN slots > 1 THEN RAISE(ABORT, 'WL007')
        WHEN currency <> NEW.currency THEN RAISE(ABORT, 'WL006')
        WHEN state = 'closed' THEN RAISE(ABORT, 'WL004')
        WHEN state = 'frozen' THEN RAISE(ABORT, 'WL003')
        WHEN balance_minor < held_minor + NEW.amount_minor - overdraft_limit_minor THEN RAISE(ABORT, 'WL001')
        WHEN held_minor + NEW.amount_minor > 2000000000000000000 THEN RAISE(ABORT, 'WL008')
    END
    FROM holdfast_wallet_account WHERE id = NEW.account_id;
END;

CREATE TRIGGER holdfast_wallet_hold_place AFTER INSERT ON holdfast_wallet_hold BEGIN
    UPDATE holdfast_wallet_law SET at_work = 1;
    UPDATE holdfast_wallet_account SET held_minor = held_minor + NEW.amount_minor WHERE id = NEW.account_id;
    INSERT INTO holdfast_wallet_holdevent (hold_id, kind, amount_minor, recorded_at)
    VALUES (NEW.id, 'placed', NEW.amount_minor, strftime('%Y-%m-%d %H:%M:%f000', 'now'));
    UPDATE holdfast_wallet_law SET at_work = 0;
END;

CREATE TRIGGER holdfast_wallet_hold_end_guard BEFORE UPDATE ON holdfast_wallet_hold
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on') AND (
    NEW.rowid <> OLD.rowid OR NEW.id <> OLD.id OR NEW.account_id <> OLD.account_id OR NEW.currency <> OLD.currency
    OR NEW.amount_minor <> OLD.amount_minor OR NEW.created_at <> OLD.created_at OR NEW.expires_at IS NOT OLD.expires_at
    OR NEW.owner_may_end <> OLD.owner_may_end
    OR NEW.captured_minor <> OLD.captured_minor AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE at_work = 1)
    OR OLD.state <> 'open' AND (NEW.state <> OLD.state OR NEW.released_minor <> OLD.released_minor)
    OR NEW.released_minor <> OLD.released_minor + CASE
        WHEN NEW.state = OLD.state THEN 0 ELSE OLD.amount_minor - OLD.captured_minor - OLD.released_minor END
    OR NEW.state = 'captured' AND OLD.state = 'open' AND OLD.captured_minor = 0
    OR NEW.state = 'expired' AND OLD.state = 'open'
        AND COALESCE(OLD.expires_at > strftime('%Y-%m-%d %H:%M:%f', 'now'), 1))
BEGIN
    SELECT RAISE(ABORT, 'WL900: a hold is only captured by a transfer, or ended once, with all that is left of it');
END;

CREATE TRIGGER holdfast_wallet_hold_end AFTER UPDATE ON holdfast_wallet_hold
WHEN NEW.state <> OLD.state AND NEW.released_minor > OLD.released_minor
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN
    UPDATE holdfast_wallet_law SET at_work = 1;
    UPDATE holdfast_wallet_account SET held_minor = held_minor - (NEW.released_minor - OLD.released_minor)
    WHERE id = NEW.account_id;
    INSERT INTO holdfast_wallet_holdevent (hold_id, kind, amount_minor, recorded_at)
    VALUES (NEW.id, CASE NEW.state WHEN 'expired' THEN 'expired' ELSE 'released' END,
            NEW.released_minor - OLD.released_minor, strftime('%Y-%m-%d %H:%M:%f000', 'now'));
    UPDATE holdfast_wallet_law SET at_work = 0;
END;

CREATE TRIGGER holdfast_wallet_hold_kept_guard BEFORE DELETE ON holdfast_wallet_hold
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked IN ('on', 'flush'))
BEGIN SELECT RAISE(ABORT, 'WL900: a hold is kept; release it'); END;

CREATE TRIGGER holdfast_wallet_holdevent_new_guard BEFORE INSERT ON holdfast_wallet_holdevent
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE at_work = 1 OR unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: the history of a hold writes itself'); END;

CREATE TRIGGER holdfast_wallet_holdevent_final_guard BEFORE UPDATE ON holdfast_wallet_holdevent
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: the history of a hold is final'); END;

CREATE TRIGGER holdfast_wallet_holdevent_kept_guard BEFORE DELETE ON holdfast_wallet_holdevent
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked IN ('on', 'flush'))
BEGIN SELECT RAISE(ABORT, 'WL900: the history of a hold is final'); END;


-- Payments and seals

CREATE TRIGGER holdfast_wallet_payment_check BEFORE INSERT ON holdfast_wallet_payment BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_payment.id')
    WHERE EXISTS (SELECT 1 FROM holdfast_wallet_payment WHERE id = NEW.id)
       OR EXISTS (SELECT 1 FROM holdfast_wallet_payment WHERE rowid = NEW.rowid)
       OR EXISTS (SELECT 1 FROM holdfast_wallet_payment WHERE hold_id = NEW.hold_id);
    SELECT RAISE(ABORT, 'WL900: a payment begins pending, with a positive amount')
    WHERE (NEW.state IS NOT 'pending' OR NEW.transfer_id IS NOT NULL
           OR typeof(NEW.amount_minor) <> 'integer' OR NEW.amount_minor NOT BETWEEN 1 AND 1000000000000000000)
      AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on');
END;

CREATE TRIGGER holdfast_wallet_payment_guard BEFORE UPDATE ON holdfast_wallet_payment
WHEN (NEW.rowid <> OLD.rowid OR NEW.id <> OLD.id OR NEW.direction <> OLD.direction OR NEW.account_id <> OLD.account_id
        OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency OR NEW.created_at <> OLD.created_at
        OR NEW.hold_id IS NOT OLD.hold_id AND (OLD.hold_id IS NOT NULL OR OLD.state <> 'pending')
        OR OLD.state <> 'pending' AND NEW.state <> OLD.state
        OR NEW.transfer_id IS NOT OLD.transfer_id AND NOT (OLD.state = 'pending' AND NEW.state = 'settled')
        OR EXISTS (SELECT 1 FROM holdfast_wallet_payment
                   WHERE id <> OLD.id AND (hold_id = NEW.hold_id OR transfer_id = NEW.transfer_id)))
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: a payment ends once, with its transfer, and stays what was asked for'); END;

CREATE TRIGGER holdfast_wallet_payment_kept_guard BEFORE DELETE ON holdfast_wallet_payment
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked IN ('on', 'flush'))
BEGIN SELECT RAISE(ABORT, 'WL900: a payment is kept; let it fail'); END;

CREATE TRIGGER holdfast_wallet_seal_check BEFORE INSERT ON holdfast_wallet_seal BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: holdfast_wallet_seal') FROM holdfast_wallet_seal
    WHERE id = NEW.id OR last_number = NEW.last_number OR previous_digest = NEW.previous_digest;
END;

CREATE TRIGGER holdfast_wallet_seal_final_guard BEFORE UPDATE ON holdfast_wallet_seal
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: a seal is final'); END;

CREATE TRIGGER holdfast_wallet_seal_kept_guard BEFORE DELETE ON holdfast_wallet_seal
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked IN ('on', 'flush'))
BEGIN SELECT RAISE(ABORT, 'WL900: a seal is final'); END;
