"""The words of the people."""

from django.db import models


class Role(models.TextChoices):
    """What a person came for."""

    CUSTOMER = "customer", "Customer"
    ARTISAN = "artisan", "Artisan"
