"""Questions about people."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from people.exceptions import PersonNotFound
from people.models import User


def find_person(text: str) -> User:
    """Return the active person with exactly this username or e-mail address.

    Raises ``PersonNotFound``. There is no search by part of a name: it would be a directory of everybody.
    """
    text = text.strip().removeprefix("@")
    person = (
        User.objects.filter(Q(username__iexact=text) | Q(email__iexact=text), is_active=True).first() if text else None
    )
    if person is None:
        raise PersonNotFound(person=text)
    return person


def get_person(user_id: int | str) -> User:
    """Return the person with this id. Raises ``PersonNotFound``."""
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise PersonNotFound(person=str(user_id))
    return person


def names_of(user_ids: Iterable[int]) -> dict[int, str]:
    """Return how to call each of these people, in one query."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in=set(user_ids))}


def is_active(user_id: Any) -> bool:
    """Tell whether the person that a token names may still sign in."""
    try:
        return User.objects.filter(pk=user_id, is_active=True).exists()
    except (TypeError, ValueError):
        return False
