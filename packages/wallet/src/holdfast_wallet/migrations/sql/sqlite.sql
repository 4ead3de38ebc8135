-- The law of the ledger on SQLite: the same as in postgresql.sql, where the comments say what each rule is for.
--
-- Three things differ. A BEFORE trigger cannot fill the new row, so a transfer is completed once, right after it was inserted. There
-- is one writer at a time (BEGIN IMMEDIATE), so nothing has to be locked or numbered under a lock. And a trigger does not know
-- whether another one called it, so the law notes in a table of one row that it is at work.

CREATE TABLE holdfast_wallet_law (
    id integer PRIMARY KEY CHECK (id = 1),
    at_work integer NOT NULL DEFAULT 0,
    unlocked text NOT NULL DEFAULT 'off'
);
INSERT INTO holdfast_wallet_law (id) VALUES (1);

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
    SELECT RAISE(ABORT, 'WL900: a transfer moves a positive amount between two accounts, and its versions are the law''s')
    WHERE typeof(NEW.amount_minor) <> 'integer' OR NEW.amount_minor NOT BETWEEN 1 AND 1000000000000000000
       OR NEW.source_id = NEW.target_id OR NEW.source_version <> 0 OR NEW.target_version <> 0;
    SELECT RAISE(ABORT, 'WL005')
    WHERE NOT EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE id = NEW.source_id)
       OR NOT EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE id = NEW.target_id);
    SELECT CASE
        WHEN source.slots > 1 OR target.slots > 1 THEN RAISE(ABORT, 'WL007')
        WHEN source.currency <> NEW.currency OR target.currency <> NEW.currency THEN RAISE(ABORT, 'WL006')
        WHEN source.state = 'closed' OR target.state = 'closed' THEN RAISE(ABORT, 'WL004')
        WHEN source.state = 'frozen' OR target.state = 'frozen' AND target.credits_blocked THEN RAISE(ABORT, 'WL003')
        WHEN NEW.hold_id IS NULL
             AND source.balance_minor - NEW.amount_minor < source.held_minor - source.overdraft_limit_minor
            THEN RAISE(ABORT, 'WL001')
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
    UPDATE holdfast_wallet_account
    SET balance_minor = balance_minor - NEW.amount_minor, version = version + 1,
        held_minor = held_minor - CASE WHEN NEW.hold_id IS NULL THEN 0 ELSE NEW.amount_minor END
    WHERE id = NEW.source_id;
    UPDATE holdfast_wallet_account SET balance_minor = balance_minor + NEW.amount_minor, version = version + 1
    WHERE id = NEW.target_id;
    UPDATE holdfast_wallet_hold SET captured_minor = captured_minor + NEW.amount_minor WHERE id = NEW.hold_id;
    INSERT INTO holdfast_wallet_holdevent (hold_id, kind, amount_minor, transfer_id, recorded_at)
    SELECT NEW.hold_id, 'captured', NEW.amount_minor, NEW.id, strftime('%Y-%m-%d %H:%M:%f000', 'now')
    WHERE NEW.hold_id IS NOT NULL;
    UPDATE holdfast_wallet_transfer SET
        number = (SELECT max(number) + 1 FROM holdfast_wallet_transfer),
        recorded_at = strftime('%Y-%m-%d %H:%M:%f000', 'now'),
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

CREATE TRIGGER holdfast_wallet_account_new_guard BEFORE INSERT ON holdfast_wallet_account
WHEN (NEW.balance_minor <> 0 OR NEW.held_minor <> 0 OR NEW.version <> 0)
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: an account is opened empty'); END;

CREATE TRIGGER holdfast_wallet_account_money_guard BEFORE UPDATE ON holdfast_wallet_account
WHEN (NEW.balance_minor <> OLD.balance_minor OR NEW.held_minor <> OLD.held_minor OR NEW.version <> OLD.version)
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE at_work = 1 OR unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: balances change only through transfers, held money only through holds'); END;

CREATE TRIGGER holdfast_wallet_account_identity_guard BEFORE UPDATE OF id, currency, role, slots, owner_id, slot_of_id, state
ON holdfast_wallet_account
WHEN (NEW.id <> OLD.id OR NEW.currency <> OLD.currency OR NEW.role <> OLD.role OR NEW.slots <> OLD.slots
        OR NEW.owner_id IS NOT OLD.owner_id OR NEW.slot_of_id IS NOT OLD.slot_of_id
        OR OLD.state = 'closed' AND NEW.state <> 'closed')
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: whose account it is and what it is for never changes, and closed is for good'); END;

CREATE TRIGGER holdfast_wallet_account_new_rules BEFORE INSERT ON holdfast_wallet_account
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on') AND (
        NEW.overdraft_limit_minor NOT BETWEEN 0 AND 2000000000000000000
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
        NEW.overdraft_limit_minor NOT BETWEEN 0 AND 2000000000000000000
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
    SELECT RAISE(ABORT, 'WL900: a hold begins open and whole')
    WHERE NEW.state <> 'open' OR NEW.captured_minor <> 0 OR NEW.released_minor <> 0;
    SELECT RAISE(ABORT, 'WL005') WHERE NOT EXISTS (SELECT 1 FROM holdfast_wallet_account WHERE id = NEW.account_id);
    SELECT CASE
        WHEN slots > 1 THEN RAISE(ABORT, 'WL007')
        WHEN currency <> NEW.currency THEN RAISE(ABORT, 'WL006')
        WHEN state = 'closed' THEN RAISE(ABORT, 'WL004')
        WHEN state = 'frozen' THEN RAISE(ABORT, 'WL003')
        WHEN balance_minor < held_minor + NEW.amount_minor - overdraft_limit_minor THEN RAISE(ABORT, 'WL001')
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
    NEW.id <> OLD.id OR NEW.account_id <> OLD.account_id OR NEW.currency <> OLD.currency
    OR NEW.amount_minor <> OLD.amount_minor OR NEW.created_at <> OLD.created_at OR NEW.expires_at IS NOT OLD.expires_at
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

CREATE TRIGGER holdfast_wallet_payment_guard BEFORE UPDATE ON holdfast_wallet_payment
WHEN (OLD.state <> 'pending' AND NEW.state <> OLD.state
        OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency OR NEW.account_id <> OLD.account_id)
    AND NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: a payment ends once, and its amount and account stay'); END;

CREATE TRIGGER holdfast_wallet_seal_final_guard BEFORE UPDATE ON holdfast_wallet_seal
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked = 'on')
BEGIN SELECT RAISE(ABORT, 'WL900: a seal is final'); END;

CREATE TRIGGER holdfast_wallet_seal_kept_guard BEFORE DELETE ON holdfast_wallet_seal
WHEN NOT EXISTS (SELECT 1 FROM holdfast_wallet_law WHERE unlocked IN ('on', 'flush'))
BEGIN SELECT RAISE(ABORT, 'WL900: a seal is final'); END;
