"""What can be done to people."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from holdfast.outbox import emit
from people import exceptions
from people.events import PersonRegistered
from people.models import User
from people.states import Role


@transaction.atomic
def register_person(
    *,
    username: str,
    email: str,
    password: str,
    role: str = Role.CUSTOMER,
    first_name: str = "",
    last_name: str = "",
) -> User:
    """Give a person an account.

    Raises ``UsernameTaken``, ``EmailTaken``, ``PasswordTooWeak``. Emits ``PersonRegistered``.
    """
    user = User(
        username=User.normalize_username(username),
        email=User.objects.normalize_email(email),
        role=role,
        first_name=first_name,
        last_name=last_name,
    )
    try:
        validate_password(password, user)
    except ValidationError as weakness:
        raise exceptions.PasswordTooWeak(" ".join(weakness.messages)) from weakness
    user.set_password(password)
    _save_unless_taken(user)
    emit(PersonRegistered(user_id=user.pk, role=user.role))
    return user


@transaction.atomic
def change_profile(*, user_id: int, email: str, first_name: str, last_name: str) -> User:
    """Change what a person may change of themselves.

    Raises ``EmailTaken``.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    user.email = User.objects.normalize_email(email)
    user.first_name = first_name
    user.last_name = last_name
    _save_unless_taken(user)
    return user


def _save_unless_taken(user: User) -> None:
    # The constraints decide, so that of two who register one name at the same moment one gets a refusal; we only find
    # the words for it.
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        others = User.objects.exclude(pk=user.pk)
        if others.filter(username__iexact=user.username).exists():
            raise exceptions.UsernameTaken(username=user.username) from None
        if others.filter(email__iexact=user.email).exists():
            raise exceptions.EmailTaken(email=user.email) from None
        raise
