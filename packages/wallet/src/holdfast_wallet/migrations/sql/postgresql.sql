-- The law of the ledger on PostgreSQL.
--
-- Inserting a transfer moves both balances; inserting a hold sets money aside; ending a hold gives the rest back. Nothing else
-- changes a balance, and no line of the history is changed or removed: not by the application, not by SQL typed by hand.
--
--   holdfast_wallet_transfer_post    BEFORE INSERT ON transfer    moves balances, fills running balances, versions, number, time
--   holdfast_wallet_batch_post       INSTEAD OF INSERT ON batch   the same for many transfers, set by set
--   holdfast_wallet_hold_place       BEFORE INSERT ON hold        sets money aside
--   holdfast_wallet_hold_end         AFTER UPDATE ON hold         gives the rest back, keeps the history
--   holdfast_wallet_*_guard          BEFORE anything else         refuses it
--
-- A refusal has an SQLSTATE of our own, and details as JSON:
--
--   WL001 insufficient funds      WL005 unknown account        WL010 hold is not open        WL020 not the reverse of its original
--   WL002 maximum balance         WL006 other currency         WL011 hold has expired        WL021 reverses more than there was
--   WL003 frozen                  WL007 kept in slots          WL012 more than the hold      WL022 reverses a reversal
--   WL004 closed                  WL008 beyond all integers (SQLite)                         WL030 something of the batch is refused
--                                                                                            WL900 against the law
--
-- READ COMMITTED suffices: every rule is checked in the WHERE clause of the UPDATE that takes the row's lock, or after it.
--
-- What moves money runs as the owner of the tables (SECURITY DEFINER), so that the application's role needs no right to write a balance;
-- wallet_harden takes it away. What refuses runs as who is refused. All functions look for tables in the ledger's schema only, and in
-- the temporary one last: a temporary table of the name of one of ours must not stand in for it (see the end of this file).

CREATE SEQUENCE holdfast_wallet_transfer_number_seq OWNED BY holdfast_wallet_transfer.number;

-- Each posting writes new versions of two accounts: half-empty pages keep them on their page, and out of the indexes (HOT).
ALTER TABLE holdfast_wallet_account SET (fillfactor = 50);
ALTER TABLE holdfast_wallet_hold SET (fillfactor = 80);

CREATE VIEW holdfast_wallet_entry AS
SELECT source_id AS account_id, source_version AS version, -amount_minor AS amount_minor, source_balance_minor AS balance_minor,
       currency, target_id AS counterparty_id, id AS transfer_id, number, kind, journal_id, effective_at, recorded_at
FROM holdfast_wallet_transfer
UNION ALL
SELECT target_id, target_version, amount_minor, target_balance_minor,
       currency, source_id, id, number, kind, journal_id, effective_at, recorded_at
FROM holdfast_wallet_transfer;


-- Says why an account does not take a change of its balance or of what is held on it. Returns, with the row locked if that is
-- wanted, where it would take it after all: somebody else's commit came between the refused UPDATE and this look.
CREATE FUNCTION holdfast_wallet_explain(account uuid, money text, delta bigint, taken bigint, locked boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    found_row holdfast_wallet_account;
    available bigint;
BEGIN
    -- The conditions below are those of the UPDATEs that call this, turned round, one by one: what passes all of them fits.
    IF delta IS NULL OR taken IS NULL OR money IS NULL THEN
        RAISE EXCEPTION 'an amount and a currency are needed' USING ERRCODE = 'not_null_violation';
    END IF;
    IF locked THEN
        PERFORM FROM holdfast_wallet_account WHERE id = account FOR NO KEY UPDATE;
    END IF;
    SELECT * INTO found_row FROM holdfast_wallet_account WHERE id = account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown account' USING ERRCODE = 'WL005', DETAIL = json_build_object('account_id', account);
    ELSIF found_row.slots > 1 THEN
        RAISE EXCEPTION 'kept in slots' USING ERRCODE = 'WL007', DETAIL = json_build_object('account_id', account);
    ELSIF found_row.currency <> money THEN
        RAISE EXCEPTION 'other currency' USING ERRCODE = 'WL006',
            DETAIL = json_build_object('account_id', account, 'currency', found_row.currency);
    ELSIF found_row.state = 'closed' THEN
        RAISE EXCEPTION 'closed' USING ERRCODE = 'WL004', DETAIL = json_build_object('account_id', account);
    ELSIF found_row.state = 'frozen' AND (delta <= 0 OR found_row.credits_blocked) THEN
        RAISE EXCEPTION 'frozen' USING ERRCODE = 'WL003', DETAIL = json_build_object('account_id', account);
    ELSIF found_row.held_minor + taken < 0 THEN
        RAISE EXCEPTION 'more than is held' USING ERRCODE = 'WL012', DETAIL = json_build_object('remaining', found_row.held_minor, 'currency', money);
    END IF;
    available := found_row.balance_minor - found_row.held_minor + found_row.overdraft_limit_minor;
    IF delta <= 0 AND available + delta - taken < 0 THEN
        RAISE EXCEPTION 'insufficient funds' USING ERRCODE = 'WL001',
            DETAIL = json_build_object('account_id', account, 'available', available, 'currency', money);
    ELSIF delta >= 0 AND found_row.balance_minor + delta > found_row.maximum_balance_minor THEN
        RAISE EXCEPTION 'maximum balance' USING ERRCODE = 'WL002', DETAIL = json_build_object(
            'account_id', account, 'room', found_row.maximum_balance_minor - found_row.balance_minor, 'currency', money);
    END IF;
END $$;


-- Pays a capture out of its hold. The account is locked by now: accounts always come before holds.
CREATE FUNCTION holdfast_wallet_capture(capture holdfast_wallet_transfer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    reserve holdfast_wallet_hold;
BEGIN
    SELECT * INTO reserve FROM holdfast_wallet_hold
    WHERE id = capture.hold_id AND account_id = capture.source_id FOR NO KEY UPDATE;
    IF NOT FOUND OR reserve.state <> 'open' THEN
        RAISE EXCEPTION 'hold is not open' USING ERRCODE = 'WL010',
            DETAIL = json_build_object('hold_id', capture.hold_id, 'state', reserve.state);
    ELSIF reserve.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'hold has expired' USING ERRCODE = 'WL011', DETAIL = json_build_object('hold_id', capture.hold_id);
    ELSIF reserve.captured_minor + reserve.released_minor + capture.amount_minor > reserve.amount_minor THEN
        RAISE EXCEPTION 'more than the hold' USING ERRCODE = 'WL012', DETAIL = json_build_object(
            'hold_id', capture.hold_id, 'currency', reserve.currency,
            'remaining', reserve.amount_minor - reserve.captured_minor - reserve.released_minor);
    END IF;
    UPDATE holdfast_wallet_hold SET captured_minor = captured_minor + capture.amount_minor WHERE id = capture.hold_id;
    INSERT INTO holdfast_wallet_holdevent (hold_id, kind, amount_minor, transfer_id, recorded_at)
    VALUES (capture.hold_id, 'captured', capture.amount_minor, capture.id, capture.recorded_at);
END $$;


-- Checks a reversal against its original. Both accounts are locked by now, and they are the same for every reversal of one
-- transfer: reversals of it come one after the other.
CREATE FUNCTION holdfast_wallet_check_reversal(reversal holdfast_wallet_transfer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    original holdfast_wallet_transfer;
    reversible bigint;
BEGIN
    SELECT * INTO original FROM holdfast_wallet_transfer WHERE id = reversal.reverses_id;
    IF NOT FOUND OR original.source_id <> reversal.target_id OR original.target_id <> reversal.source_id THEN
        RAISE EXCEPTION 'not the reverse of its original' USING ERRCODE = 'WL020',
            DETAIL = json_build_object('transfer_id', reversal.reverses_id);
    ELSIF original.reverses_id IS NOT NULL THEN
        RAISE EXCEPTION 'reverses a reversal' USING ERRCODE = 'WL022', DETAIL = json_build_object('transfer_id', original.id);
    END IF;
    SELECT original.amount_minor - COALESCE(sum(amount_minor), 0) INTO reversible
    FROM holdfast_wallet_transfer WHERE reverses_id = original.id;
    IF reversal.amount_minor > reversible THEN
        RAISE EXCEPTION 'reverses more than there was' USING ERRCODE = 'WL021', DETAIL = json_build_object(
            'transfer_id', original.id, 'reversible', reversible, 'currency', original.currency);
    END IF;
END $$;


-- Posts a transfer. The account with the lower id is always locked first, so that opposite transfers cannot deadlock. An UPDATE that
-- finds no row is explained, which raises the refusal, or tried again. (Written out, not as a loop over both sides: that costs 7 %.)
--
-- "posted_at" keeps the lines of an account in the order of time although clocks are set back: a transfer is recorded now, or at the
-- last time that one of its accounts has seen if that is later.
CREATE FUNCTION holdfast_wallet_transfer_post() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    captured bigint := 0;
    first_seen timestamptz;
BEGIN
    IF NEW.number <> 0 THEN
        RAISE EXCEPTION 'holdfast_wallet: the number of a transfer is the law''s to give' USING ERRCODE = 'WL900';
    ELSIF NEW.amount_minor NOT BETWEEN 1 AND 1000000000000000000 OR NEW.source_id = NEW.target_id THEN
        RAISE EXCEPTION 'holdfast_wallet: a transfer moves a positive amount between two accounts' USING ERRCODE = 'WL900';
    ELSIF NOT isfinite(NEW.effective_at) THEN
        RAISE EXCEPTION 'holdfast_wallet: a transfer counts from a moment on' USING ERRCODE = 'WL900';
    END IF;
    IF NEW.hold_id IS NOT NULL THEN
        captured := NEW.amount_minor;
    END IF;

    IF NEW.source_id < NEW.target_id THEN
        LOOP
            UPDATE holdfast_wallet_account
            SET balance_minor = balance_minor - NEW.amount_minor, held_minor = held_minor - captured, version = version + 1,
                posted_at = GREATEST(clock_timestamp(), posted_at)
            WHERE id = NEW.source_id AND currency = NEW.currency AND slots = 1 AND state = 'active' AND held_minor >= captured
              AND (overdraft_limit_minor IS NULL
                   OR balance_minor - NEW.amount_minor >= held_minor - captured - overdraft_limit_minor)
            RETURNING balance_minor, version, posted_at INTO NEW.source_balance_minor, NEW.source_version, first_seen;
            EXIT WHEN FOUND;
            PERFORM holdfast_wallet_explain(NEW.source_id, NEW.currency, -NEW.amount_minor, -captured);
        END LOOP;
    END IF;
    LOOP
        UPDATE holdfast_wallet_account
        SET balance_minor = balance_minor + NEW.amount_minor, version = version + 1,
            posted_at = GREATEST(COALESCE(first_seen, clock_timestamp()), posted_at)
        WHERE id = NEW.target_id AND currency = NEW.currency AND slots = 1
          AND (state = 'active' OR state = 'frozen' AND NOT credits_blocked)
          AND (maximum_balance_minor IS NULL OR balance_minor + NEW.amount_minor <= maximum_balance_minor)
        RETURNING balance_minor, version, posted_at INTO NEW.target_balance_minor, NEW.target_version, NEW.recorded_at;
        EXIT WHEN FOUND;
        IF first_seen IS NULL THEN
            -- The payer's own side first, with a look only, because it is not its turn to be locked: what is wrong with the other
            -- is not told to whoever could not pay anyway.
            PERFORM holdfast_wallet_explain(NEW.source_id, NEW.currency, -NEW.amount_minor, -captured, locked => false);
        END IF;
        PERFORM holdfast_wallet_explain(NEW.target_id, NEW.currency, NEW.amount_minor, 0);
    END LOOP;
    IF NEW.source_id > NEW.target_id THEN
        first_seen := NEW.recorded_at;
        LOOP
            UPDATE holdfast_wallet_account
            SET balance_minor = balance_minor - NEW.amount_minor, held_minor = held_minor - captured, version = version + 1,
                posted_at = GREATEST(first_seen, posted_at)
            WHERE id = NEW.source_id AND currency = NEW.currency AND slots = 1 AND state = 'active' AND held_minor >= captured
              AND (overdraft_limit_minor IS NULL
                   OR balance_minor - NEW.amount_minor >= held_minor - captured - overdraft_limit_minor)
            RETURNING balance_minor, version, posted_at INTO NEW.source_balance_minor, NEW.source_version, NEW.recorded_at;
            EXIT WHEN FOUND;
            PERFORM holdfast_wallet_explain(NEW.source_id, NEW.currency, -NEW.amount_minor, -captured);
        END LOOP;
    END IF;

    -- Under both locks: neither the number nor the time runs back within an account.
    IF NEW.recorded_at > first_seen THEN
        -- The second account has seen a later time than the first one: rare, as who waits for a row gets it in the order of arrival.
        UPDATE holdfast_wallet_account SET posted_at = NEW.recorded_at WHERE id = LEAST(NEW.source_id, NEW.target_id);
    END IF;
    NEW.number := nextval('holdfast_wallet_transfer_number_seq');
    IF NEW.effective_at IS NULL THEN
        NEW.effective_at := NEW.recorded_at;
    END IF;
    IF NEW.hold_id IS NOT NULL THEN
        PERFORM holdfast_wallet_capture(NEW);
    END IF;
    IF NEW.reverses_id IS NOT NULL THEN
        PERFORM holdfast_wallet_check_reversal(NEW);
    END IF;
    RETURN NEW;
END $$;

-- A row with a number is one that was posted as part of a batch, inside the trigger below. Whoever else gives a number is refused, and
-- the columns that such a row fills are not among those that wallet_harden lets the application's role insert.
CREATE TRIGGER holdfast_wallet_transfer_post BEFORE INSERT ON holdfast_wallet_transfer
    FOR EACH ROW WHEN (COALESCE(NEW.number, 0) = 0 OR pg_trigger_depth() < 1) EXECUTE FUNCTION holdfast_wallet_transfer_post();


-- The door for many plain transfers at once: one row with all of them and their accounts, answered with what was posted.
CREATE VIEW holdfast_wallet_batch AS
SELECT NULL::jsonb AS transfers, NULL::uuid[] AS accounts, NULL::jsonb AS posted, NULL::timestamptz AS recorded_at WHERE false;

-- The rules of holdfast_wallet_transfer_post, set by set: all accounts are locked, in the order of their ids, before a balance is read;
-- running balances and versions come from window functions in the order of the batch; each account is written once. Whatever breaks a
-- rule refuses the whole batch, without a word: then the caller posts one by one, and hears which and why.
CREATE FUNCTION holdfast_wallet_batch_post() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    SELECT GREATEST(clock_timestamp(), max(posted_at)) INTO NEW.recorded_at
    FROM (SELECT posted_at FROM holdfast_wallet_account WHERE id = ANY (NEW.accounts) ORDER BY id FOR NO KEY UPDATE) AS locked;

    WITH asked AS MATERIALIZED (
        SELECT position, (item ->> 0)::uuid AS id, (item ->> 1)::uuid AS source_id, (item ->> 2)::uuid AS target_id,
               (item ->> 3)::bigint AS amount_minor, item ->> 4 AS currency, item ->> 5 AS kind, (item ->> 6)::uuid AS journal_id,
               COALESCE((item ->> 7)::timestamptz, NEW.recorded_at) AS effective_at, (item ->> 8)::jsonb AS metadata
        FROM jsonb_array_elements(NEW.transfers) WITH ORDINALITY AS element(item, position)
    ), side AS (
        SELECT position, source_id AS account_id, -amount_minor AS delta, currency FROM asked
        UNION ALL
        SELECT position, target_id, amount_minor, currency FROM asked
    ), line AS MATERIALIZED (
        SELECT account.id AS account_id, position, delta, account.version + row_number() OVER running AS version,
               (balance_minor + sum(delta) OVER running)::bigint AS balance_minor, held_minor, overdraft_limit_minor,
               maximum_balance_minor,
               account.currency = side.currency AND slots = 1
                   AND (state = 'active' OR delta > 0 AND state = 'frozen' AND NOT credits_blocked) AS is_open
        FROM side JOIN holdfast_wallet_account AS account ON account.id = account_id AND account.id = ANY (NEW.accounts)
        WINDOW running AS (PARTITION BY account.id ORDER BY position ROWS UNBOUNDED PRECEDING)
    ), posted AS (
        INSERT INTO holdfast_wallet_transfer (
            id, source_id, target_id, amount_minor, currency, kind, journal_id, effective_at, metadata, recorded_at, number,
            source_balance_minor, source_version, target_balance_minor, target_version)
        SELECT asked.id, source_id, target_id, amount_minor, currency, kind, journal_id, effective_at, metadata, NEW.recorded_at,
               nextval('holdfast_wallet_transfer_number_seq'),
               source.balance_minor, source.version, target.balance_minor, target.version
        FROM asked
        JOIN line AS source ON source.position = asked.position AND source.delta < 0
        JOIN line AS target ON target.position = asked.position AND target.delta > 0
        WHERE amount_minor BETWEEN 1 AND 1000000000000000000 AND source_id <> target_id AND isfinite(effective_at)
          AND source.is_open AND target.is_open
          AND (source.overdraft_limit_minor IS NULL
               OR source.balance_minor >= source.held_minor - source.overdraft_limit_minor)
          AND (target.maximum_balance_minor IS NULL OR target.balance_minor <= target.maximum_balance_minor)
        ORDER BY asked.position
        RETURNING number, source_balance_minor, target_balance_minor, source_version, target_version
    ), moved AS (
        UPDATE holdfast_wallet_account AS account
        SET balance_minor = account.balance_minor + total.delta, version = account.version + total.lines, posted_at = NEW.recorded_at
        FROM (SELECT account_id, sum(delta)::bigint AS delta, count(*) AS lines FROM line GROUP BY account_id) AS total
        WHERE account.id = total.account_id
    )
    SELECT jsonb_agg(jsonb_build_array(number, source_balance_minor, target_balance_minor, source_version, target_version)
                     ORDER BY number)
    INTO NEW.posted FROM posted;

    IF jsonb_array_length(NEW.posted) IS DISTINCT FROM jsonb_array_length(NEW.transfers) THEN
        RAISE EXCEPTION 'something of the batch is refused' USING ERRCODE = 'WL030';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER holdfast_wallet_batch_post INSTEAD OF INSERT ON holdfast_wallet_batch
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_batch_post();

-- INSERT ... ON CONFLICT, and so bulk_create(ignore_conflicts=True), would run the trigger, which moves the money, and then drop the
-- row: money without a line. PostgreSQL refuses ON CONFLICT, and MERGE, on a table that has a rule for UPDATE, even one that does
-- nothing. It costs nothing, and the primary key stays what foreign keys and GROUP BY need.
CREATE RULE holdfast_wallet_transfer_no_upsert AS ON UPDATE TO holdfast_wallet_transfer DO ALSO NOTHING;
CREATE RULE holdfast_wallet_hold_no_upsert AS ON UPDATE TO holdfast_wallet_hold DO ALSO NOTHING;


-- Sets the money of a new hold aside.
CREATE FUNCTION holdfast_wallet_hold_place() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT isfinite(NEW.expires_at) THEN
        RAISE EXCEPTION 'holdfast_wallet: a hold lasts until a moment, or until it is released' USING ERRCODE = 'WL900';
    END IF;
    LOOP
        UPDATE holdfast_wallet_account SET held_minor = held_minor + NEW.amount_minor
        WHERE id = NEW.account_id AND currency = NEW.currency AND slots = 1 AND state = 'active'
          AND (overdraft_limit_minor IS NULL OR balance_minor >= held_minor + NEW.amount_minor - overdraft_limit_minor);
        EXIT WHEN FOUND;
        PERFORM holdfast_wallet_explain(NEW.account_id, NEW.currency, 0, NEW.amount_minor);
    END LOOP;
    NEW.state := 'open';
    NEW.captured_minor := 0;
    NEW.released_minor := 0;
    INSERT INTO holdfast_wallet_holdevent (hold_id, kind, amount_minor, recorded_at)
    VALUES (NEW.id, 'placed', NEW.amount_minor, clock_timestamp());
    RETURN NEW;
END $$;

CREATE TRIGGER holdfast_wallet_hold_place BEFORE INSERT ON holdfast_wallet_hold
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_hold_place();


-- How the switch stands, for test suites, whose tables have to be emptied between tests: a setting of the session, which only counts
-- for the owner of the tables. 'flush' lets rows be removed, 'on' lets everything be done. Whoever else sets it has set nothing.
CREATE FUNCTION holdfast_wallet_switch() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    switch text := current_setting('holdfast_wallet.unlocked', true);
BEGIN
    IF switch IN ('on', 'flush') AND pg_has_role(
            (SELECT relowner FROM pg_class WHERE oid = 'holdfast_wallet_transfer'::regclass), 'MEMBER') THEN
        RETURN switch;
    END IF;
    RETURN 'off';
END $$;


-- Refuses all changes of a hold but the end of it, with all that is left.
CREATE FUNCTION holdfast_wallet_hold_end_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rest bigint := OLD.amount_minor - OLD.captured_minor - OLD.released_minor;
BEGIN
    IF ((NEW.id, NEW.account_id, NEW.currency, NEW.amount_minor, NEW.created_at)
            IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.currency, OLD.amount_minor, OLD.created_at)
        OR NEW.expires_at IS DISTINCT FROM OLD.expires_at OR NEW.owner_may_end <> OLD.owner_may_end
        -- Captures are made by posting a transfer: its trigger is one level above this one.
        OR NEW.captured_minor <> OLD.captured_minor AND pg_trigger_depth() < 2
        OR OLD.state <> 'open' AND (NEW.state, NEW.released_minor) IS DISTINCT FROM (OLD.state, OLD.released_minor)
        OR NEW.released_minor <> OLD.released_minor + (CASE WHEN NEW.state = OLD.state THEN 0 ELSE rest END)
        OR NEW.state = 'captured' AND OLD.state = 'open' AND OLD.captured_minor = 0
        OR NEW.state = 'expired' AND OLD.state = 'open' AND COALESCE(OLD.expires_at > clock_timestamp(), true))
       AND holdfast_wallet_switch() <> 'on' THEN
        RAISE EXCEPTION 'holdfast_wallet: a hold is only captured by a transfer, or ended once, with all that is left of it'
            USING ERRCODE = 'WL900';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER holdfast_wallet_hold_end_guard BEFORE UPDATE ON holdfast_wallet_hold
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_hold_end_guard();


-- Gives what was left of a hold that has ended back to its account, and writes its history.
CREATE FUNCTION holdfast_wallet_hold_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    rest bigint := NEW.released_minor - OLD.released_minor;
BEGIN
    IF rest > 0 THEN
        UPDATE holdfast_wallet_account SET held_minor = held_minor - rest WHERE id = NEW.account_id;
        INSERT INTO holdfast_wallet_holdevent (hold_id, kind, amount_minor, recorded_at)
        VALUES (NEW.id, CASE NEW.state WHEN 'expired' THEN 'expired' ELSE 'released' END, rest, clock_timestamp());
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER holdfast_wallet_hold_end AFTER UPDATE ON holdfast_wallet_hold
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND holdfast_wallet_switch() <> 'on') EXECUTE FUNCTION holdfast_wallet_hold_end();


-- Refuses what is against the law. Tables without rows may be emptied by anybody.
CREATE FUNCTION holdfast_wallet_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    switch text := holdfast_wallet_switch();
    allowed boolean := switch = 'on' OR switch = 'flush' AND TG_OP IN ('DELETE', 'TRUNCATE');
BEGIN
    IF NOT allowed AND TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO allowed;
    END IF;
    IF NOT allowed THEN
        RAISE EXCEPTION 'holdfast_wallet: % ON % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'WL900';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER holdfast_wallet_account_new_guard BEFORE INSERT ON holdfast_wallet_account
    FOR EACH ROW WHEN (NEW.balance_minor <> 0 OR NEW.held_minor <> 0 OR NEW.version <> 0 OR NEW.posted_at IS NOT NULL)
    EXECUTE FUNCTION holdfast_wallet_guard('an account is opened empty');

-- pg_trigger_depth() is 0 for a statement from outside, and more inside the triggers above. This is all that a posting is asked:
-- the columns are compared in the function, because PostgreSQL compiles a condition anew for each UPDATE.
CREATE FUNCTION holdfast_wallet_account_money_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.balance_minor, NEW.held_minor, NEW.version, NEW.posted_at)
            IS DISTINCT FROM (OLD.balance_minor, OLD.held_minor, OLD.version, OLD.posted_at)
       AND holdfast_wallet_switch() <> 'on' THEN
        RAISE EXCEPTION 'holdfast_wallet: balances change only through transfers, held money only through holds'
            USING ERRCODE = 'WL900';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER holdfast_wallet_account_money_guard BEFORE UPDATE ON holdfast_wallet_account
    FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION holdfast_wallet_account_money_guard();

-- "OF" these columns: postings set none of them.
CREATE TRIGGER holdfast_wallet_account_identity_guard
    BEFORE UPDATE OF id, currency, role, slots, owner_id, slot_of_id, state ON holdfast_wallet_account
    FOR EACH ROW WHEN (
        NEW.id <> OLD.id OR NEW.currency <> OLD.currency OR NEW.role <> OLD.role OR NEW.slots <> OLD.slots
        OR NEW.owner_id IS DISTINCT FROM OLD.owner_id OR NEW.slot_of_id IS DISTINCT FROM OLD.slot_of_id
        OR OLD.state = 'closed' AND NEW.state <> 'closed')
    EXECUTE FUNCTION holdfast_wallet_guard('whose account it is and what it is for never changes, and closed is for good');

CREATE TRIGGER holdfast_wallet_account_rules
    BEFORE INSERT OR UPDATE OF overdraft_limit_minor, maximum_balance_minor, owner_id, role, state, slots, slot_of_id
    ON holdfast_wallet_account
    FOR EACH ROW WHEN (
        NEW.overdraft_limit_minor NOT BETWEEN 0 AND 2000000000000000000
        OR NEW.maximum_balance_minor NOT BETWEEN 0 AND 2000000000000000000
        OR NEW.state NOT IN ('active', 'frozen', 'closed')
        OR NEW.state = 'closed' AND (NEW.balance_minor <> 0 OR NEW.held_minor <> 0)
        OR (NEW.owner_id IS NULL) <> (NEW.role <> '')
        -- Slots stand for one account only where nothing has to be checked on their sum.
        OR NEW.slots < 1
        OR (NEW.slots > 1 OR NEW.slot_of_id IS NOT NULL) AND (
            NEW.overdraft_limit_minor IS NOT NULL OR NEW.maximum_balance_minor IS NOT NULL OR NEW.state <> 'active'))
    EXECUTE FUNCTION holdfast_wallet_guard('an account has an owner or a role, sound limits, a known state, nothing when closed');

CREATE TRIGGER holdfast_wallet_account_kept_guard BEFORE DELETE ON holdfast_wallet_account
    FOR EACH ROW WHEN (OLD.version <> 0 OR OLD.held_minor <> 0)
    EXECUTE FUNCTION holdfast_wallet_guard('an account with a history is kept');

CREATE TRIGGER holdfast_wallet_transfer_guard BEFORE UPDATE OR DELETE ON holdfast_wallet_transfer
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_guard('a transfer is final; reverse it with another one');

CREATE TRIGGER holdfast_wallet_hold_guard BEFORE DELETE ON holdfast_wallet_hold
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_guard('a hold is kept; release it');

CREATE TRIGGER holdfast_wallet_holdevent_new_guard BEFORE INSERT ON holdfast_wallet_holdevent
    FOR EACH ROW WHEN (pg_trigger_depth() < 1)
    EXECUTE FUNCTION holdfast_wallet_guard('the history of a hold writes itself');

CREATE TRIGGER holdfast_wallet_holdevent_guard BEFORE UPDATE OR DELETE ON holdfast_wallet_holdevent
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_guard('the history of a hold is final');

CREATE TRIGGER holdfast_wallet_payment_new_guard BEFORE INSERT ON holdfast_wallet_payment
    FOR EACH ROW WHEN (NEW.state <> 'pending' OR NEW.transfer_id IS NOT NULL)
    EXECUTE FUNCTION holdfast_wallet_guard('a payment begins pending');

-- A withdrawal turned into a deposit before it is settled would make money; one with another hold, or none, would lock it for ever.
CREATE TRIGGER holdfast_wallet_payment_guard BEFORE UPDATE ON holdfast_wallet_payment
    FOR EACH ROW WHEN (
        NEW.id <> OLD.id OR NEW.direction <> OLD.direction OR NEW.account_id <> OLD.account_id
        OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency OR NEW.created_at <> OLD.created_at
        OR NEW.hold_id IS DISTINCT FROM OLD.hold_id AND (OLD.hold_id IS NOT NULL OR OLD.state <> 'pending')
        OR OLD.state <> 'pending' AND NEW.state <> OLD.state
        OR NEW.transfer_id IS DISTINCT FROM OLD.transfer_id AND NOT (OLD.state = 'pending' AND NEW.state = 'settled'))
    EXECUTE FUNCTION holdfast_wallet_guard('a payment ends once, with its transfer, and stays what was asked for');

CREATE TRIGGER holdfast_wallet_payment_kept_guard BEFORE DELETE ON holdfast_wallet_payment
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_guard('a payment is kept; let it fail');

CREATE TRIGGER holdfast_wallet_seal_guard BEFORE UPDATE OR DELETE ON holdfast_wallet_seal
    FOR EACH ROW EXECUTE FUNCTION holdfast_wallet_guard('a seal is final');

CREATE TRIGGER holdfast_wallet_account_truncate_guard BEFORE TRUNCATE ON holdfast_wallet_account
    FOR EACH STATEMENT EXECUTE FUNCTION holdfast_wallet_guard('accounts are kept');
CREATE TRIGGER holdfast_wallet_transfer_truncate_guard BEFORE TRUNCATE ON holdfast_wallet_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION holdfast_wallet_guard('transfers are kept');
CREATE TRIGGER holdfast_wallet_hold_truncate_guard BEFORE TRUNCATE ON holdfast_wallet_hold
    FOR EACH STATEMENT EXECUTE FUNCTION holdfast_wallet_guard('holds are kept');
CREATE TRIGGER holdfast_wallet_holdevent_truncate_guard BEFORE TRUNCATE ON holdfast_wallet_holdevent
    FOR EACH STATEMENT EXECUTE FUNCTION holdfast_wallet_guard('the history of holds is kept');
CREATE TRIGGER holdfast_wallet_payment_truncate_guard BEFORE TRUNCATE ON holdfast_wallet_payment
    FOR EACH STATEMENT EXECUTE FUNCTION holdfast_wallet_guard('payments are kept');
CREATE TRIGGER holdfast_wallet_seal_truncate_guard BEFORE TRUNCATE ON holdfast_wallet_seal
    FOR EACH STATEMENT EXECUTE FUNCTION holdfast_wallet_guard('seals are kept');


-- Where the functions look: in PostgreSQL's own schema, in that of the ledger, and in the temporary one last. And who may call them:
-- nobody but their triggers. On a trigger of his own, on a temporary table of the same columns, somebody could move money with those
-- that run as the owner. (Triggers need no right to their functions; the switch is asked in the name of whoever writes.)
DO $$
DECLARE
    named regprocedure;
    home regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = 'holdfast_wallet_transfer'::regclass);
BEGIN
    FOR named IN SELECT oid FROM pg_proc WHERE pronamespace = home AND proname LIKE 'holdfast\_wallet\_%' LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %s, pg_temp', named, home);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', named);
    END LOOP;
    GRANT EXECUTE ON FUNCTION holdfast_wallet_switch() TO PUBLIC;
END $$;
