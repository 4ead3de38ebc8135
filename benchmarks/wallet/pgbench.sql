-- The bare shape of a posting with no rule at all: two balances updated, three rows inserted.
CREATE TABLE account (id bigint PRIMARY KEY, balance bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);
CREATE TABLE journal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal_id bigint NOT NULL,
    account_id bigint NOT NULL,
    amount bigint NOT NULL
);
CREATE INDEX entry_of_account ON entry (account_id);

INSERT INTO account (id) SELECT generate_series(1, 1000);

-- All of it in one round trip and one commit: what no system that commits each transfer can pass.
CREATE FUNCTION post(first bigint, second bigint, moved bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    posted bigint;
BEGIN
    UPDATE account SET balance = balance - moved WHERE id = first;
    UPDATE account SET balance = balance + moved WHERE id = second;
    INSERT INTO journal DEFAULT VALUES RETURNING id INTO posted;
    INSERT INTO entry (journal_id, account_id, amount) VALUES (posted, first, -moved);
    INSERT INTO entry (journal_id, account_id, amount) VALUES (posted, second, moved);
    RETURN posted;
END $$;
