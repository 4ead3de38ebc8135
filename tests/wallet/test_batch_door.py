"""The door of the ledger for many transfers at once, opened by hand: the rules of a single transfer, all or nothing."""

import json

import pytest
from django.db import DatabaseError, connection, transaction

from holdfast_wallet import services
from holdfast_wallet.models import Transfer
from holdfast_wallet.services import law, refusals, statements
from holdfast_wallet.testing import make_account, make_transfer
from tests.wallet.bank import assert_against_the_law, eur, findings, fresh, key

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def ada():
    return make_account(funds="100.00")


@pytest.fixture
def bob():
    return make_account()


def item(source, target, amount=100, /, **changes):
    values = {
        "id": str(key()),
        "source": str(source.id),
        "target": str(target.id),
        "amount": amount,
        "currency": "EUR",
        "kind": "transfer",
        "journal": str(key()),
        "effective_at": None,
        "metadata": "{}",
    }
    return list((values | changes).values())


def insert(*items, accounts=None):
    sides = {side for one in items for side in one[1:3]} if accounts is None else {str(one.id) for one in accounts}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO holdfast_wallet_batch (transfers, accounts) VALUES (%s, %s::uuid[]) RETURNING posted",
            [json.dumps(items), list(sides)],
        )
        return json.loads(cursor.fetchone()[0])


def test_a_batch_by_hand_moves_balances_in_its_order(ada, bob):
    posted = insert(item(ada, bob, 10_000), item(bob, ada, 400), item(ada, bob, 400))
    assert [line[1:] for line in posted] == [[0, 10_000, 2, 1], [9_600, 400, 2, 3], [0, 10_000, 4, 3]]
    assert fresh(ada).balance == eur(0)
    assert findings() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": -5},
        {"amount": 10**18 + 1},
        {"amount": 10_001},
        {"amount": 1.5},
        {"amount": None},
        {"currency": "USD"},
        {"currency": None},
        {"kind": None},
        {"target": "018f0000-0000-7000-8000-000000000000"},
        {"effective_at": "infinity"},
        {"effective_at": "yesteryear"},
        {"id": None},
    ],
    ids=str,
)
def test_what_breaks_a_rule_refuses_the_whole_batch(ada, bob, wrong):
    with pytest.raises(DatabaseError) as error:
        insert(item(ada, bob), item(ada, bob, **wrong))
    assert refusals.code_of(error.value)[:2] in {"WL", "22", "23"}
    assert fresh(ada).balance == eur(100)
    assert findings() == []


def test_an_account_that_was_not_named_to_be_locked_is_not_moved(ada, bob):
    for accounts in ([ada], [bob], []):
        with pytest.raises(DatabaseError):
            insert(item(ada, bob), accounts=accounts)
    assert findings() == []


def test_a_transfer_to_itself_and_one_that_is_there_already_are_refused(ada, bob):
    first = make_transfer(source=ada, target=bob, amount="1.00")
    for wrong in (item(ada, ada), item(ada, bob, id=str(first.id))):
        with pytest.raises(DatabaseError):
            insert(wrong)
    assert findings() == []


@pytest.mark.parametrize("frozen", ["source", "target"])
def test_a_frozen_account_takes_part_as_it_does_one_by_one(ada, bob, frozen):
    account = ada if frozen == "source" else bob
    services.freeze_account(account_id=account.id, owner_id=account.owner_id)
    if frozen == "source":
        with pytest.raises(DatabaseError):
            insert(item(ada, bob))
    else:
        assert len(insert(item(ada, bob))) == 1
    assert findings() == []


def test_a_limit_may_not_be_passed_on_the_way(ada):
    small = make_account(maximum_balance=eur(2))
    insert(item(ada, small, 200), item(small, ada, 150), item(ada, small, 150))
    with pytest.raises(DatabaseError):  # although it would fit in the end
        insert(item(ada, small, 1), item(small, ada, 100))
    assert fresh(small).balance == eur(2)


def test_a_line_that_says_it_was_posted_is_refused(ada, bob):
    first = make_transfer(source=ada, target=bob, amount="1.00")
    with law.unlocked(mode="off"):
        first.pk, first.number = key(), first.number + 1
        assert_against_the_law(lambda: first.save(force_insert=True))


def test_a_transfer_from_a_trigger_of_the_host_is_posted(ada, bob):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE order_paid (id uuid, payer uuid, payee uuid)")
        cursor.execute(
            """
            CREATE FUNCTION pg_temp.pay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO public.holdfast_wallet_transfer
                    (id, source_id, target_id, amount_minor, currency, kind, journal_id, metadata)
                VALUES (NEW.id, NEW.payer, NEW.payee, 500, 'EUR', 'order', NEW.id, '{}');
                RETURN NEW;
            END $$"""
        )
        cursor.execute("CREATE TRIGGER pay AFTER INSERT ON order_paid FOR EACH ROW EXECUTE FUNCTION pg_temp.pay()")
        cursor.execute("INSERT INTO order_paid VALUES (%s, %s, %s)", [key(), ada.id, bob.id])
    assert fresh(bob).balance == eur(5)
    assert Transfer.objects.get(kind="order").target_balance_minor == 500
    assert findings() == []


def test_a_batch_in_which_all_is_well_is_one_statement(ada, bob, django_assert_num_queries):
    asked = [
        services.TransferRequest(
            key=key(), source_id=source.id, target_id=target.id, amount=eur(1), owner_id=source.owner_id
        )
        for source, target in ((ada, bob), (bob, ada)) * 5
    ]
    with django_assert_num_queries(3):  # in a savepoint here, as the test has a transaction around it
        services.post_transfers(requests=asked)


def test_one_statement_and_one_by_one_answer_the_same(ada, bob, monkeypatch):
    def run():
        start = {account.id: fresh(account) for account in (ada, bob)}
        asked = [
            services.TransferRequest(
                key=key(),
                source_id=source.id,
                target_id=target.id,
                amount=eur(amount),
                owner_id=source.owner_id,
                metadata={"n": amount},
            )
            for source, target, amount in ((ada, bob, 3), (bob, ada, 1), (ada, bob, 2))
        ]
        posted = services.post_transfers(requests=asked)
        return [
            (
                one.source_balance_minor - start[one.source_id].balance_minor,
                one.target_balance_minor - start[one.target_id].balance_minor,
                one.source_version - start[one.source_id].version,
                one.target_version - start[one.target_id].version,
                one.metadata,
            )
            for one in posted
        ]

    at_once = run()
    monkeypatch.setattr(statements, "_BATCH", None)
    monkeypatch.setattr("holdfast_wallet.services.posting.insert_batch", lambda *_args, **_kwargs: None)
    assert run() == at_once
    assert findings() == []
