"""The wallet to look at: overview, account, transfer, statement."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone

from holdfast_wallet import selectors, services
from holdfast_wallet.states import AccountState, HoldState
from people.selectors import names_of
from storefront import history
from storefront.charts import balance_chart
from storefront.forms.wallet import OpenAccountForm, PeriodForm, name_of
from storefront.pages import FormPage, Page

CHART_DAYS = 90
RECENT_LINES = 6
PAGE_LINES = 25
STATEMENT_LINES = 1000


def _months_back(account: Any, owner_id: int) -> Any:
    since = timezone.now() - dt.timedelta(days=CHART_DAYS)
    return balance_chart(history.recent_points(account=account, owner_id=owner_id, since=since))


class WalletView(Page):
    """All my accounts, what is set aside, what happened last."""

    template_name = "storefront/wallet/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather the overview."""
        accounts = list(
            selectors.accounts_of(owner_id=self.owner_id)
            .exclude(state=AccountState.CLOSED)
            .order_by("-is_default", "created_at")
        )
        first = accounts[0] if accounts else None
        values: dict[str, Any] = {"first": first, "others": accounts[1:], "accounts": accounts}
        if first:
            recent = history.readable(selectors.entries(account_id=first.id, owner_id=self.owner_id))[:RECENT_LINES]
            holds = selectors.holds_of(owner_id=self.owner_id).filter(state=HoldState.OPEN)
            values |= {
                "chart": _months_back(first, self.owner_id),
                "lines": history.lines(recent),
                "holds": holds.order_by("expires_at")[:RECENT_LINES],
            }
        return super().get_context_data(**values, **kwargs)


class AccountView(Page):
    """One account, with all of its history."""

    template_name = "storefront/wallet/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page of the history, found by the version at its edge: page 1,000 is as quick as page 1."""
        account = selectors.get_account(account_id=kwargs["account_id"], owner_id=self.owner_id)
        entries = history.readable(selectors.entries(account_id=account.id, owner_id=self.owner_id))
        before = self.request.GET.get("before", "")
        if before.isdecimal() and len(before) < 19:  # what a bigint holds
            entries = entries.filter(version__lt=int(before))
        rows = list(entries[: PAGE_LINES + 1])
        lines = history.lines(rows[:PAGE_LINES])
        return super().get_context_data(
            account=account,
            lines=lines,
            chart=None if before else _months_back(account, self.owner_id),
            older=lines[-1].version if len(rows) > PAGE_LINES else None,
            paging=bool(before),
            **kwargs,
        )


class OpenAccountView(FormPage):
    """A new account in a currency."""

    template_name = "storefront/wallet/open_account.html"
    form_class = OpenAccountForm
    done = "Your account is open."

    def run(self, form: Any) -> Any:
        """Open it."""
        return services.open_account(owner_id=self.owner_id, **form.cleaned_data)

    def where_to(self, result: Any) -> str:
        """Go to the new account."""
        return reverse("storefront:account", args=[result.id])


class TransferView(Page):
    """One transfer: the receipt."""

    template_name = "storefront/wallet/transfer.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show my side of it, never the other's balance."""
        transfer = selectors.get_transfer(transfer_id=kwargs["transfer_id"], owner_id=self.owner_id)
        sides = {"source": transfer.source, "target": transfer.target}
        names = names_of(side.owner_id for side in sides.values() if side.owner_id)
        words = {side: self._words(account, names) for side, account in sides.items()}
        mine = transfer.target if transfer.target.owner_id == self.owner_id else transfer.source
        entry = history.readable(selectors.entries(account_id=mine.id, owner_id=self.owner_id)).get(
            transfer_id=transfer.id
        )
        return super().get_context_data(
            transfer=transfer,
            account=mine,
            line=history.lines([entry])[0],
            from_=words["source"],
            to=words["target"],
            **kwargs,
        )

    def _words(self, account: Any, names: dict[int, str]) -> str:
        if account.owner_id == self.owner_id:
            return f"You, {name_of(account)}"
        if account.owner_id:
            return names.get(account.owner_id, "Somebody")
        return _HOUSE.get(account.role, "Holdfast")


_HOUSE = {"cash_in": "Your bank", "cash_out": "Your bank", "fx": "Currency exchange", "fees": "Fees"}


class StatementView(Page):
    """What an account did in a period: to read, to print, to take along."""

    template_name = "storefront/wallet/statement.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the statement, or stream it as CSV."""
        account = selectors.get_account(account_id=kwargs["account_id"], owner_id=self.owner_id)
        form = PeriodForm(request.GET if "start" in request.GET else this_month())
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(account=account, form=form), status=422)
        statement = self._statement(account.id, form.cleaned_data["start"], form.cleaned_data["end"])
        if kwargs.get("as_csv"):
            return self._csv(statement, form.cleaned_data)
        return self.render_to_response(self._shown(statement, form, account))

    def _statement(self, account_id: UUID, first: dt.date, last: dt.date) -> Any:
        start = timezone.make_aware(dt.datetime.combine(first, dt.time.min))
        end = timezone.make_aware(dt.datetime.combine(last, dt.time.min)) + dt.timedelta(days=1)
        return selectors.statement(account_id=account_id, owner_id=self.owner_id, start=start, end=end)

    def _shown(self, statement: Any, form: PeriodForm, account: Any) -> dict[str, Any]:
        rows = []
        for entry in statement.lines():
            rows.append(entry)
            if len(rows) == STATEMENT_LINES:
                break
        lines = history.lines(rows)
        return self.get_context_data(
            account=account,
            form=form,
            statement=statement,
            lines=lines,
            period=form.cleaned_data,
            cut=statement.line_count - len(lines),
            money_in=sum((line.amount for line in lines if line.amount.amount > 0), statement.opening * 0),
            money_out=sum((line.amount for line in lines if line.amount.amount < 0), statement.opening * 0),
            query=self.request.GET.urlencode(),
            made_at=timezone.now(),
        )

    def _csv(self, statement: Any, period: dict[str, dt.date]) -> HttpResponseBase:
        name = f"statement-{statement.account.currency}-{period['start']}-{period['end']}.csv"
        response = StreamingHttpResponse(history.statement_csv(statement), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def this_month() -> dict[str, dt.date]:
    """Return the period that people ask for most: this month so far."""
    today = timezone.localdate()
    return {"start": today.replace(day=1), "end": today}
