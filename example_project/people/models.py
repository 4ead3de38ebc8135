"""The user of this project.

``User`` is Django's own with three things more: an ``external_id`` by which other systems know the person, a ``role``,
and an e-mail address that belongs to one person only (money is sent to it).
"""

import os
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower

from people.states import Role


def new_external_id() -> str:
    return str(uuid.uuid4())


class PersonManager(UserManager["User"]):
    """Finds people by what they type, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Sign in as ``Ada`` or ``ada``: the constraint says that they are one."""
        return self.get(username__iexact=username)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        """Create a superuser, known to other systems by ``DJANGO_SUPERUSER_EXTERNAL_ID`` where that is set.

        It is no required field: ``createsuperuser --noinput`` would then refuse to run without it.
        """
        if external_id := os.environ.get("DJANGO_SUPERUSER_EXTERNAL_ID"):
            extra.setdefault("external_id", external_id)
        return super().create_superuser(username, email, password, **extra)


class User(AbstractUser):
    """A person who signs in."""

    external_id = models.CharField(max_length=64, unique=True, default=new_external_id)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.CUSTOMER)
    email = models.EmailField("e-mail address")

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("username"), name="people_user_username_any_case"),
            models.UniqueConstraint(Lower("email"), name="people_user_email_any_case", condition=~models.Q(email="")),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="people_user_role_known"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username
