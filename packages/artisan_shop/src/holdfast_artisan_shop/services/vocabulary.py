"""The words that products are called by."""

from collections import Counter

from holdfast.transactions import atomic_for
from holdfast_artisan_shop.backends.search import words_of
from holdfast_artisan_shop.models import Product, Word
from holdfast_artisan_shop.services.rows import using

CHUNK = 5_000
WORDS_MAX = 200_000


def refresh_vocabulary() -> int:
    """Count the words of all active products' names anew, for the help with typing errors; return how many."""
    counted: Counter[str] = Counter()
    names = Product.objects.using(using()).filter(active=True).order_by().values_list("name", flat=True)
    for name in names.iterator(CHUNK):
        counted.update(set(words_of(name, limit=None)))
    wanted = dict(counted.most_common(WORDS_MAX))
    with atomic_for(Word):
        words = Word.objects.using(using())
        known = dict(words.select_for_update().order_by("pk").values_list("word", "products"))
        gone = sorted(known.keys() - wanted.keys())
        for start in range(0, len(gone), CHUNK):
            words.filter(pk__in=gone[start : start + CHUNK]).delete()
        words.bulk_create(
            [Word(word=word, products=count) for word, count in sorted(wanted.items()) if known.get(word) != count],
            update_conflicts=True,
            unique_fields=["word"],
            update_fields=["products"],
            batch_size=CHUNK,
        )
    return len(wanted)
