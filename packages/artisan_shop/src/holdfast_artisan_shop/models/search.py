"""The words of all products, to help with typing errors."""

from django.db import models

WORD_LENGTH = 64


class Word(models.Model):
    """A word that names of active products have, and how many. Made again from them by ``refresh_vocabulary``."""

    word = models.CharField(primary_key=True, max_length=WORD_LENGTH)
    products = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.word
