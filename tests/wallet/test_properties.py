"""All verbs in any order against a ledger on paper: after each step both say the same, and the audit finds nothing.

The model knows amounts and no more; it is what anybody would write on paper. A refusal must be foreseen by it and
change nothing. ``LIVES=200`` leads a ledger through so many lives; without it a few.
"""

import datetime as dt
import os
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from holdfast.money import from_minor, quantize
from holdfast_wallet import exceptions, selectors, services
from holdfast_wallet.models import Account, Hold, Transfer
from holdfast_wallet.states import AccountState, HoldState
from holdfast_wallet.testing import make_owner, unlocked_ledger
from tests.wallet.bank import findings, key

CURRENCIES = ("EUR", "JPY")
AMOUNTS = st.integers(1, 5_000)
LIVES = int(os.environ.get("LIVES", "10"))


@dataclass
class Paper:
    """One account, on paper."""

    currency: str
    overdraft: int
    maximum: int | None
    balance: int = 0
    held: int = 0
    state: str = AccountState.ACTIVE
    lines: list[int] = field(default_factory=list)

    def refuses_debit(self, amount, *, captured=0):
        if self.state == AccountState.CLOSED:
            return exceptions.AccountIsClosed
        if self.state == AccountState.FROZEN:
            return exceptions.AccountIsFrozen
        if self.balance - amount < self.held - captured - self.overdraft:
            return exceptions.InsufficientFunds
        return None

    def refuses_credit(self, amount):
        if self.state == AccountState.CLOSED:
            return exceptions.AccountIsClosed
        if self.maximum is not None and self.balance + amount > self.maximum:
            return exceptions.BalanceLimitExceeded
        return None

    def move(self, amount):
        self.balance += amount
        self.lines.append(self.balance)


@dataclass
class PaperHold:
    """One hold, on paper."""

    account: object
    left: int
    amount: int
    state: str = HoldState.OPEN
    due: bool = False


class Ledger(RuleBasedStateMachine):
    accounts = Bundle("accounts")
    transfers = Bundle("transfers")
    holds = Bundle("holds")

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.owner = make_owner().pk
        self.paper: dict[object, Paper] = {}
        self.paper_holds: dict[object, PaperHold] = {}
        self.reversed: dict[object, int] = defaultdict(int)
        self.moved: dict[object, int] = {}
        self.house: dict[str, int] = defaultdict(int)

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def verb(self, expected, verb, **arguments):
        """Call a verb that must be refused as the paper says, or succeed; return its result, or None."""
        allowed = {kind for kind in expected if kind}
        rows = (Account, Transfer, Hold)
        before = [list(model.objects.order_by("pk").values()) for model in rows] if allowed else None
        try:
            result = verb(**arguments)
        except tuple(allowed):
            assert [list(model.objects.order_by("pk").values()) for model in rows] == before
            return None
        assert not allowed, f"{verb.__name__} should have been refused: {allowed}"
        return result

    @initialize(target=accounts)
    def two_of_each(self):
        for role in ("cash_in", "cash_out", "fx"):
            for currency in CURRENCIES:
                services.open_system_account(role=role, currency=currency)
        return multiple(*[self.open(currency, 0, None) for currency in CURRENCIES for _ in range(2)])

    @rule(
        target=accounts,
        currency=st.sampled_from(CURRENCIES),
        overdraft=st.sampled_from((0, 1_000)),
        maximum=st.sampled_from((None, 8_000)),
    )
    def open_account(self, currency, overdraft, maximum):
        return self.open(currency, overdraft, maximum)

    def open(self, currency, overdraft, maximum):
        account = services.open_account(
            owner_id=self.owner,
            currency=currency,
            overdraft_limit=from_minor(overdraft, currency),
            maximum_balance=None if maximum is None else from_minor(maximum, currency),
        )
        self.paper[account.id] = Paper(currency, overdraft, maximum)
        return account.id

    def money(self, account, minor):
        return from_minor(minor, self.paper[account].currency)

    @rule(target=transfers, account=accounts, minor=AMOUNTS)
    def deposit(self, account, minor):
        paper = self.paper[account]
        done = self.verb(
            {paper.refuses_credit(minor)},
            services.deposit,
            key=key(),
            account_id=account,
            amount=self.money(account, minor),
            owner_id=self.owner,
        )
        if done is None:
            return multiple()
        paper.move(minor)
        self.house[paper.currency] -= minor
        self.moved[done.id] = minor
        return done.id

    @rule(account=accounts, minor=AMOUNTS)
    def withdraw(self, account, minor):
        paper = self.paper[account]
        self.lazily(account, minor)
        done = self.verb(
            {paper.refuses_debit(minor)},
            services.withdraw,
            key=key(),
            account_id=account,
            amount=self.money(account, minor),
            owner_id=self.owner,
        )
        if done is not None:
            paper.move(-minor)
            self.house[paper.currency] += minor

    @rule(target=transfers, source=accounts, other=accounts, minor=AMOUNTS, twice=st.booleans())
    def transfer(self, source, other, minor, twice):
        paper, receiver = self.paper[source], self.paper[other]
        expected = {paper.refuses_debit(minor), receiver.refuses_credit(minor)}
        if source == other:
            expected = {exceptions.SameAccount}
        elif paper.currency != receiver.currency:
            expected |= {exceptions.CurrencyMismatch}
        else:
            self.lazily(source, minor, otherwise=receiver.refuses_credit(minor))
            expected = {paper.refuses_debit(minor), receiver.refuses_credit(minor)}
        arguments = {
            "key": key(),
            "source_id": source,
            "target_id": other,
            "amount": self.money(source, minor),
            "owner_id": self.owner,
        }
        done = self.verb(expected, services.transfer, **arguments)
        if done is None:
            return multiple()
        paper.move(-minor)
        receiver.move(minor)
        if twice:
            assert services.transfer(**arguments) == done
        self.moved[done.id] = minor
        return done.id

    @rule(pairs=st.lists(st.tuples(accounts, accounts, AMOUNTS), min_size=1, max_size=5))
    def batch(self, pairs):
        usable = [
            (source, other, minor)
            for source, other, minor in pairs
            if source != other and self.paper[source].currency == self.paper[other].currency
        ]
        if not usable or self.due():
            return
        results = services.post_transfers(
            requests=[
                services.TransferRequest(
                    key=key(),
                    source_id=source,
                    target_id=other,
                    amount=self.money(source, minor),
                    owner_id=self.owner,
                )
                for source, other, minor in usable
            ]
        )
        for (source, other, minor), result in zip(usable, results, strict=True):
            expected = {self.paper[source].refuses_debit(minor), self.paper[other].refuses_credit(minor)} - {None}
            if expected:
                assert type(result) in expected
            else:
                assert isinstance(result, Transfer)
                self.paper[source].move(-minor)
                self.paper[other].move(minor)

    @rule(target=holds, account=accounts, minor=AMOUNTS)
    def place_hold(self, account, minor):
        paper = self.paper[account]
        self.lazily(account, minor)
        hold = self.verb(
            {paper.refuses_debit(minor)},
            services.place_hold,
            key=key(),
            account_id=account,
            amount=self.money(account, minor),
            owner_id=self.owner,
        )
        if hold is None:
            return multiple()
        paper.held += minor
        self.paper_holds[hold.id] = PaperHold(account, minor, minor)
        return hold.id

    @rule(hold=holds, shop=accounts, part=st.one_of(st.none(), AMOUNTS), final=st.booleans())
    def capture(self, hold, shop, part, final):
        slip = self.paper_holds[hold]
        paper, receiver = self.paper[slip.account], self.paper[shop]
        minor = slip.left if part is None else part
        if slip.state != HoldState.OPEN:
            expected = {exceptions.HoldNotOpen}
        elif slip.account == shop:
            expected = {exceptions.SameAccount, exceptions.CaptureExceedsHold if minor > slip.left else None}
        else:
            expected = {
                exceptions.CaptureExceedsHold if minor > slip.left else None,
                exceptions.HoldLapsed if slip.due else None,
                exceptions.CurrencyMismatch if paper.currency != receiver.currency else None,
                paper.refuses_debit(minor, captured=minor),
                receiver.refuses_credit(minor),
            }
        done = self.verb(
            expected,
            services.capture_hold,
            key=key(),
            hold_id=hold,
            target_id=shop,
            owner_id=self.owner,
            amount=None if part is None else self.money(slip.account, part),
            final=final,
        )
        if done is None:
            return
        paper.move(-minor)
        receiver.move(minor)
        slip.left -= minor
        paper.held -= minor
        if final or not slip.left:
            self.end(slip, HoldState.CAPTURED)

    @rule(hold=holds)
    def release(self, hold):
        slip = self.paper_holds[hold]
        expected = set() if slip.state == HoldState.OPEN else {exceptions.HoldNotOpen}
        if self.verb(expected, services.release_hold, hold_id=hold, owner_id=self.owner) is not None:
            self.end(slip, HoldState.RELEASED)

    @rule(hold=holds)
    def time_passes(self, hold):
        with unlocked_ledger():
            Hold.objects.filter(id=hold).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
        self.paper_holds[hold].due = True

    @rule()
    def sweep(self):
        due = self.due()
        assert services.expire_holds() == len(due)
        for slip in due:
            self.end(slip, HoldState.EXPIRED)

    def end(self, slip, state):
        self.paper[slip.account].held -= slip.left
        slip.left, slip.state = 0, state

    def due(self, account=None):
        return [
            slip
            for slip in self.paper_holds.values()
            if slip.due and slip.state == HoldState.OPEN and account in (None, slip.account)
        ]

    def lazily(self, account, minor, otherwise=None):
        """Money that only due holds keep back is there; where even that is too little, sweep before the refusal."""
        paper, due = self.paper[account], self.due(account)
        if not due or paper.refuses_debit(minor) is not exceptions.InsufficientFunds:
            return
        if paper.balance - minor >= paper.held - sum(slip.left for slip in due) - paper.overdraft and not otherwise:
            for slip in due:
                self.end(slip, HoldState.EXPIRED)
        else:
            self.sweep()

    @rule(original=transfers, part=st.one_of(st.none(), AMOUNTS))
    def reverse(self, original, part):
        row = Transfer.objects.get(id=original)
        giver, receiver = self.paper.get(row.target_id), self.paper.get(row.source_id)
        left = self.moved[original] - self.reversed[original]
        minor = left if part is None else part
        if self.due():
            self.sweep()
        expected = {
            exceptions.ReversalExceedsOriginal if not left or minor > left else None,
            giver.refuses_debit(minor),
            receiver.refuses_credit(minor) if receiver else None,
        }
        done = self.verb(
            expected,
            services.reverse,
            key=key(),
            transfer_id=original,
            owner_id=self.owner,
            amount=None if part is None else from_minor(part, row.currency),
        )
        if done is None:
            return
        self.reversed[original] += minor
        giver.move(-minor)
        if receiver:
            receiver.move(minor)
        else:
            self.house[row.currency] += minor

    @rule(source=accounts, other=accounts, minor=AMOUNTS, rate=st.sampled_from(("0.013", "1", "160.5")))
    def exchange(self, source, other, minor, rate):
        paper, receiver = self.paper[source], self.paper[other]
        amount = self.money(source, minor)
        bought = quantize(amount.amount * Decimal(rate), receiver.currency, ROUND_DOWN)
        got = int(bought.amount.scaleb(2 if receiver.currency == "EUR" else 0))
        if self.due():
            self.sweep()
        expected = {exceptions.CurrencyMismatch}
        if paper.currency != receiver.currency:
            expected = {
                exceptions.AmountTooSmall if not got else None,
                paper.refuses_debit(minor),
                receiver.refuses_credit(got),
            }
        done = self.verb(
            expected,
            services.exchange,
            key=key(),
            source_id=source,
            target_id=other,
            amount=amount,
            owner_id=self.owner,
            rate=Decimal(rate),
        )
        if done is not None:
            paper.move(-minor)
            receiver.move(got)
            self.house[paper.currency] += minor
            self.house[receiver.currency] -= got

    @rule(account=accounts)
    def freeze_or_unfreeze(self, account):
        paper = self.paper[account]
        scope = {"account_id": account, "owner_id": self.owner}
        if paper.state == AccountState.FROZEN:
            services.unfreeze_account(**scope)
            paper.state = AccountState.ACTIVE
        elif self.verb(
            {exceptions.AccountIsClosed} if paper.state == AccountState.CLOSED else set(),
            services.freeze_account,
            **scope,
        ):
            paper.state = AccountState.FROZEN

    @rule(account=consumes(accounts))
    def close(self, account):
        paper = self.paper[account]
        expected = {
            AccountState.CLOSED: {exceptions.AccountIsClosed},
            AccountState.FROZEN: {exceptions.AccountIsFrozen},
            AccountState.ACTIVE: {exceptions.AccountNotEmpty} if paper.balance or paper.held else set(),
        }[paper.state]
        if self.verb(expected, services.close_account, account_id=account, owner_id=self.owner):
            paper.state = AccountState.CLOSED

    @rule()
    def seal(self):
        services.seal()

    @invariant()
    def the_ledger_says_what_the_paper_says(self):
        for account in Account.objects.filter(owner=self.owner):
            paper = self.paper[account.id]
            assert (account.balance_minor, account.held_minor, account.state, account.version) == (
                paper.balance,
                paper.held,
                paper.state,
                len(paper.lines),
            )
            assert account.available.amount >= 0
        house = defaultdict(int)
        for account in selectors.accounts_of(owner_id=None):
            house[account.currency] += account.balance_minor
        assert {currency: minor for currency, minor in house.items() if minor} == {
            currency: minor for currency, minor in self.house.items() if minor
        }

    @invariant()
    def every_line_is_still_what_it_was(self):
        for account, paper in self.paper.items():
            lines = selectors.entries(account_id=account, owner_id=self.owner).order_by("version")
            assert [line.balance_minor for line in lines] == paper.lines

    @invariant()
    def the_audit_finds_nothing(self):
        assert findings() == []


@pytest.mark.slow
@pytest.mark.django_db
def test_all_verbs_in_any_order_do_what_they_do_on_paper():
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=LIVES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
