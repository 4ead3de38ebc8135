"""How amounts, icons, names and refusals look."""

from decimal import Decimal
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from holdfast.errors import Refusal
from holdfast.money import Money, exponent

register = template.Library()

MINUS = "\N{MINUS SIGN}"


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon; it only accompanies words, so it is silent to who listens."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("storefront/icons.svg"), name
    )


@register.simple_tag
def money(amount: Money | None, look: str = "", *, signed: bool = False) -> SafeString:
    """Show an amount with its currency.

    ``signed`` is for what came and went: a plus or a minus, so that the color is never alone in saying so.
    """
    if amount is None:
        return format_html('<span class="amount {}">without limit</span>', look)
    whole, _, fraction = figure(abs(amount.amount), str(amount.currency)).partition(".")
    sign = MINUS if amount.amount < 0 else "+" if signed and amount.amount > 0 else ""
    if signed and amount.amount > 0:
        look = f"{look} credit"
    point = format_html('<span class="fraction">.{}</span>', fraction) if fraction else ""
    return format_html(
        '<span class="amount {}">{}{}{}<span class="unit">{}</span></span>', look, sign, whole, point, amount.currency
    )


def figure(amount: Decimal, currency: str) -> str:
    """Return the amount in figures, grouped, with all decimals of its currency."""
    return f"{amount:,.{exponent(currency)}f}"


@register.filter
def plain_money(amount: Money | None) -> str:
    """Return an amount as text, for sentences and labels."""
    if amount is None:
        return "without limit"
    sign = MINUS if amount.amount < 0 else ""
    return f"{sign}{figure(abs(amount.amount), str(amount.currency))} {amount.currency}"


@register.filter
def initials(person: Any) -> str:
    """Return one or two letters that stand for a person."""
    words = str(person).replace(".", " ").split()
    return "".join(word[0] for word in words[:2]).upper()


@register.simple_tag
def refusal_detail(refusal: Refusal) -> str:
    """Return what a refusal's context tells a person to do next, if it does."""
    values = {name: _readable(name, value, refusal) for name, value in refusal.context.items()}
    words = _NEXT.get(refusal.code, "")
    try:
        return words.format_map(values)
    except KeyError:
        return ""


@register.simple_tag
def refusal_words(refusal: Refusal) -> str:
    """Return a refusal's sentence for people: its own, unless that speaks to programmers."""
    return _WORDS.get(refusal.code, str(refusal.message))


def _readable(name: str, value: object, refusal: Refusal) -> str:
    currency = refusal.context.get("currency")
    if name in _AMOUNTS and currency:
        return figure(Decimal(str(value)), str(currency))
    return str(value)


_AMOUNTS = {"available", "remaining", "room", "reversible"}
_WORDS = {
    "holdfast_wallet.insufficient_funds": "There is not enough money on the account.",
    "holdfast_wallet.capture_exceeds_hold": "That is more than is set aside.",
    "holdfast_wallet.same_account": "That is the account that the money comes from. Choose somebody else.",
    "holdfast_wallet.key_reused": "This form was sent already, with other words in it.",
    "holdfast_wallet.amount_too_large": "The amount is too large.",
    "holdfast_wallet.amount_too_small": "The amount is too small to become anything in the other currency.",
    "holdfast_wallet.account_frozen": "This account is frozen.",
    "holdfast_defects.version_outdated": "Somebody has changed it meanwhile.",
}
_NEXT = {
    "holdfast_wallet.insufficient_funds": "You can spend {available} {currency} from it.",
    "holdfast_wallet.balance_limit_exceeded": "It can still receive {room} {currency}.",
    "holdfast_wallet.capture_exceeds_hold": "There are {remaining} {currency} left in it.",
    "holdfast_wallet.account_frozen": "Nothing can leave it until we unfreeze it. Write to us if you do not know why.",
    "holdfast_wallet.key_reused": "Open the form again to start anew.",
    "holdfast_wallet.rate_unavailable": "Try again in a minute.",
    "holdfast_defects.version_outdated": "Nothing of yours was saved: look at what is there now first.",
    "people.person_not_found": "Check the spelling, or ask for the username.",
    "storefront.quote_expired": "Ask for a new one below.",
}
