"""What is there before the traffic: people who may sign in, and a catalog. Run in the project; prints JSON."""

import json
import sys

import django

django.setup()

from rest_framework.authtoken.models import Token  # noqa: E402 - now that Django is set up

from holdfast_catalog_notify.testing import make_product  # noqa: E402 - as above
from people.models import User  # noqa: E402 - as above
from people.services import register_person  # noqa: E402 - as above

PASSWORD = "correct-horse-battery"


def person(name: str, **fields: bool) -> dict[str, object]:
    """Register somebody, and return how to sign in."""
    user = register_person(username=name, email=f"{name}@example.org", password=PASSWORD)
    User.objects.filter(pk=user.pk).update(**fields) if fields else None
    return {"id": user.pk, "token": Token.objects.create(user=user).key}


if __name__ == "__main__":
    users, admins, products = map(int, sys.argv[1:])
    print(
        json.dumps(
            {
                "users": [person(f"user-{number}") for number in range(users)],
                "admins": [person(f"admin-{number}", is_staff=True, is_superuser=True) for number in range(admins)],
                "products": [str(make_product().pk) for _ in range(products)],
            }
        )
    )
