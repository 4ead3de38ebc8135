"""The canary: a card number and a code in every answer of the provider are in no row and in no line of a log."""

import logging

import pytest
from django.apps import apps
from django.core import serializers
from django.test import Client

from holdfast_cards import services
from holdfast_cards.models import Card, Operation
from holdfast_cards.states import CardState
from holdfast_cards.testing import make_holder
from holdfast_cards.testing.sandbox import CANARY_CVV, CANARY_PAN, running_sandbox
from tests.cards.doubles import until_quiet

pytestmark = pytest.mark.django_db(transaction=True)

OPTIONS = {
    "bank": ("bank.BankProvider", {"reads": True}),
    "stripe": ("stripe.StripeProvider", {"designs": {"pink": "pd_pink", "black": "pd_black"}}),
    "lithic": ("lithic.LithicProvider", {"products": {"pink": "1", "black": "2"}}),
}
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
FAULTS = ["wrong_color", "unknown_status", "no_id", "not_json", "half", "garbage", "error_500_after"]


def dump():
    """Everything that the database holds, as text."""
    rows = [row for model in apps.get_models() for row in model._default_manager.all()]
    return serializers.serialize("json", rows)


@pytest.mark.parametrize("dialect", OPTIONS)
def test_neither_number_nor_code_is_kept_or_logged(dialect, clock, settings, caplog):
    backend, options = OPTIONS[dialect]
    with running_sandbox(dialect) as sandbox, caplog.at_level(logging.DEBUG):
        sandbox.choose(leaky=True)
        if dialect == "bank":
            sandbox.choose(reads=True)
        else:
            options = {**options, "api_key": sandbox.api_key}
        sandbox.webhooks.secret = SECRET
        settings.HOLDFAST_CARDS = {
            "PROVIDER": {
                "BACKEND": f"holdfast_cards.backends.{backend}",
                "OPTIONS": {"base_url": sandbox.base_url, "webhook_secrets": [SECRET], **options},
            },
            "HOLDER_REFERENCE": {"BACKEND": "tests.cards.hosts.Addresses"},
            "SECOND_TRY_SECONDS": 0,
        }
        for fault in ["", *FAULTS]:
            if fault:
                sandbox.arm(fault)
            services.request_card(holder_id=make_holder().pk, color="pink")
        until_quiet(clock)
        clock.turn(hours=2)
        services.work()
        for card in sandbox.cards:
            event = next(one for one in sandbox.events if one.card_id == card.id)
            body, headers = signed(sandbox, event)
            Client().generic("POST", f"/api/v1/cards/webhooks/{dialect}/", body, headers=headers)
        until_quiet(clock)
        held = str([CANARY_PAN in str(answers) for answers in (sandbox.dialect.card(card) for card in sandbox.cards)])

    assert "True" in held, "the sandbox did tell them"
    assert Card.objects.filter(state=CardState.ORDERED).count() >= len(FAULTS) - 1
    assert Operation.objects.exists()
    for secret in (CANARY_PAN, CANARY_CVV):
        assert secret not in dump()
        assert secret not in caplog.text


def signed(sandbox, event):
    """An event as the sandbox sends it."""
    import json
    import time

    body = json.dumps(event.payload).encode()
    return body, sandbox.dialect.sign(event, body, secret=SECRET, at=time.time())


def test_what_an_adapter_breaks_on_is_not_logged(use, holder, caplog, clock):
    provider = use(find_by_reference=True, get=True, SECOND_TRY_SECONDS=0)

    def breaks(*_args, **_kwargs):
        raise ValueError(f"cannot read {CANARY_PAN}")

    provider.create = provider.find_by_reference = breaks
    with caplog.at_level(logging.DEBUG):
        services.request_card(holder_id=holder.pk, color="pink")
        clock.turn(days=1)
        services.work()

    assert caplog.text.count("broke with ValueError") == 2
    assert "test_canary.py" in caplog.text, "where it broke"
    assert not [record for record in caplog.records if record.exc_info], "nor the values of its frames"
    assert CANARY_PAN not in caplog.text
    assert CANARY_PAN not in dump()
