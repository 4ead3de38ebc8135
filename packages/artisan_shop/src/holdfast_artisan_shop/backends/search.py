"""Finding products by words: full text in PostgreSQL, LIKE in SQLite, and the same help with typing errors in both.

PostgreSQL has made the words of each product (a generated column with a GIN index, see the migrations), so nothing has
to be indexed anew and nothing is found too late. Every word matches what begins with it. Where nothing is found, each
word that no product has is replaced by the most similar one that some product has: by trigrams, if the extension
``pg_trgm`` is there, and otherwise among those that begin with the same letter.
"""

import difflib
import logging
import re
from collections.abc import Sequence
from functools import reduce
from operator import add, and_
from typing import Any

from django.db import connections
from django.db.models import BooleanField, Case, F, Field, FloatField, Func, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Length

from holdfast_artisan_shop.models import Word
from holdfast_artisan_shop.models.search import WORD_LENGTH

logger = logging.getLogger("holdfast_artisan_shop")

WORDS_MAX = 8
CANDIDATES_MAX = 2_000
SIMILAR = 0.6
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str, limit: int | None = WORDS_MAX) -> list[str]:
    """Return the words of a text, in small letters: letters and digits, so that no word means anything to a parser."""
    return [word.lower()[:WORD_LENGTH] for word in _WORD.findall(text)][:limit]


class WordSearch:
    """Finds products by all of their words."""

    def __init__(self) -> None:
        self._with_trigrams: dict[str, bool] = {}

    def match(self, products: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Return the products that have all words, annotated with ``relevance``. It looks whether there are any."""
        words = words_of(text)
        if not words:
            nothing: QuerySet[Any] = products.annotate(relevance=Value(0.0)).none()
            return nothing
        found = _find(products, words)
        if found.exists():
            return found
        corrected = [self._corrected(word, products.db) for word in words]
        return found if corrected == words else _find(products, corrected)

    def _corrected(self, word: str, using: str) -> str:
        known = Word.objects.using(using)
        if known.filter(word=word).exists():
            return word
        close: list[str] = []
        if self._has_trigrams(using):
            similar = known.filter(_Similar("word", Value(word))).order_by(_Similarity("word", Value(word)).desc())
            close = _closest(word, similar.values_list("word", flat=True)[:20])
        if not close:
            length = len(word)
            others = known.annotate(length=Length("word")).filter(
                word__startswith=word[0], length__gte=length - 2, length__lte=length + 2
            )
            close = _closest(word, others.order_by("-products").values_list("word", flat=True)[:CANDIDATES_MAX])
        return close[0] if close else word

    def _has_trigrams(self, using: str) -> bool:
        connection = connections[using]
        if connection.vendor != "postgresql":
            return False
        if using not in self._with_trigrams:
            with connection.cursor() as cursor:
                cursor.execute("SELECT to_regproc('similarity') IS NOT NULL")
                self._with_trigrams[using] = bool(cursor.fetchone()[0])
            if not self._with_trigrams[using]:
                logger.warning(
                    "The database %r has no extension pg_trgm: typing errors in a word's first letter go unnoticed.",
                    using,
                )
        return self._with_trigrams[using]


def _closest(word: str, candidates: QuerySet[Any]) -> list[str]:
    return difflib.get_close_matches(word, list(candidates), n=1, cutoff=SIMILAR)


def _find(products: QuerySet[Any], words: Sequence[str]) -> QuerySet[Any]:
    if connections[products.db].vendor != "postgresql":
        return _find_like(products, words)
    query = Value(" & ".join(f"'{word}':*" for word in words))
    # Cast, because a cursor that a page was cut at is of double precision.
    relevance = Cast(_Rank(_Words("pk"), _Query(query)), FloatField())
    found: QuerySet[Any] = products.filter(_Matches(_Words("pk"), _Query(query))).annotate(relevance=relevance)
    return found


def _find_like(products: QuerySet[Any], words: Sequence[str]) -> QuerySet[Any]:
    anywhere = (Q(name__icontains=word) | Q(description__icontains=word) for word in words)
    ranks = [
        Case(
            When(name__istartswith=word, then=3.0),
            When(name__icontains=word, then=2.0),
            default=1.0,
            output_field=FloatField(),
        )
        for word in words
    ]
    found: QuerySet[Any] = products.filter(reduce(and_, anywhere)).annotate(relevance=reduce(add, ranks))
    return found


class _Words(Func):
    """The column that PostgreSQL makes of a product's texts, and that no model knows: beside the given column."""

    output_field = Field()  # of no type of its own

    def as_sql(self, compiler: Any, connection: Any, **_extra: Any) -> Any:  # type: ignore[override]  # names no kinds
        (beside,) = self.get_source_expressions()
        # As Django 6.1 calls it, and as all before it do.
        quote = getattr(compiler, "quote_name", None) or compiler.quote_name_unless_alias
        return f"{quote(beside.alias)}.words", []


class _Query(Func):
    template = "to_tsquery('simple', %(expressions)s)"
    output_field = Field()


class _Matches(Func):
    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()


class _Rank(Func):
    function = "ts_rank"
    output_field = FloatField()


class _Similar(Func):
    template = "%(expressions)s"
    arg_joiner = " %% "
    output_field = BooleanField()

    def __init__(self, column: str, word: Value) -> None:
        super().__init__(F(column), word)


class _Similarity(Func):
    function = "similarity"
    output_field = FloatField()
