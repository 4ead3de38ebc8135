"""Ours: ``services.record_views``, as a door calls it, and the doors themselves."""

import io
import time
from typing import Any

from benchmarks import django_host
from benchmarks.client import repeat

META = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"}
# Read late, so that a turn can say how it counts.
COUNTING: dict[str, Any] = {}


class Client:
    def __init__(self, url: str, *, durable: bool = False) -> None:
        COUNTING["VIEW_BUFFER"] = {
            "BACKEND": "holdfast_catalog_notify.backends.database.DatabaseBuffer",
            "OPTIONS": {"durable": durable},
        }
        django_host.configure(
            url,
            "rest_framework",
            "holdfast",
            "holdfast_catalog_notify",
            ROOT_URLCONF="benchmarks.catalog.urls",
            ALLOWED_HOSTS=["*"],
            HOLDFAST_CATALOG_NOTIFY=COUNTING,
        )
        from django.core.handlers.wsgi import WSGIHandler

        from holdfast_catalog_notify import services
        from holdfast_catalog_notify.models import DailyViews, Product
        from holdfast_catalog_notify.states import ViewKind

        self.services, self.Product, self.DailyViews, self.ViewKind = services, Product, DailyViews, ViewKind
        self.handler = WSGIHandler()
        self.product: Any = None

    def migrate(self) -> None:
        """Make the tables."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0)

    def prepare(self) -> None:
        """Make the tables and the hot product."""
        from holdfast_catalog_notify.testing import make_product

        self.migrate()
        make_product(sku="HOT")

    def fill(self, products: int) -> None:
        """Make so many products, of a hundred brands and ten categories."""
        from django.db import connection

        from holdfast_catalog_notify.testing import make_brand, make_category

        brands = [make_brand(name=f"Brand {number}").pk for number in range(100)]
        categories = [make_category(name=f"Category {number}").pk for number in range(10)]
        with connection.cursor() as cursor:
            cursor.execute(
                f"""INSERT INTO {self.Product._meta.db_table} (id, sku, name, description, price, price_currency,
                        brand_id, category_id, image_url, active, version, created_at, updated_at)
                    SELECT gen_random_uuid(), 'SKU-' || n, 'Lamp ' || n, repeat('Bright. ', 20), n %% 1000, 'EUR',
                        (%s::uuid[])[1 + n %% 100], (%s::uuid[])[1 + n %% 10], '', true, 1, now(), now()
                    FROM generate_series(1, %s) AS n""",
                [brands, categories, products],
            )
            cursor.execute("ANALYZE")

    def listing(self, times: int) -> list[float]:
        """List 20 products through the API; return the milliseconds of each time."""
        return [self._timed("/api/products/") for _time in range(times)]

    def statements_of_listing(self) -> int:
        """Return how many statements a page takes, counting included."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            self._get("/api/products/")
        return len(queries)

    def connect(self) -> None:
        """Load the product, as every client process does once."""
        self.product = self.Product.objects.get().pk

    def hit(self, start: float, seconds: float) -> dict[str, float]:
        """Count retrievals of always the same product."""
        kind, ids = self.ViewKind.RETRIEVED, [self.product]
        return repeat(
            lambda: self.services.record_views(kind=kind, product_ids=ids, meta=META), start=start, seconds=seconds
        )

    def requests(self, count: int) -> int:
        """Retrieve the product so often through the API; return how often it came."""
        return sum(self._get(self._path()) == "200 OK" for _time in range(count))

    def retrieve(self, times: int, *, counting: bool) -> list[float]:
        """Retrieve the product through the API; return the milliseconds of each time."""
        COUNTING["COUNT_VIEWS"] = counting
        found = [self._timed(self._path()) for _time in range(times)]
        COUNTING["COUNT_VIEWS"] = True
        return found

    def roll_up(self, seconds: float) -> dict[str, float]:
        """Count what is buffered, again and again for so long."""
        before = time.monotonic()
        counted = self.services.count_views(seconds=seconds, pause_seconds=0.1)
        return {"counted": counted, "seconds": time.monotonic() - before}

    def drain(self) -> dict[str, float]:
        """Count what is buffered, until nothing is."""
        before = time.monotonic()
        return {"counted": self.services.count_views(), "seconds": time.monotonic() - before}

    def counted(self) -> int:
        """Return the total."""
        return sum(self.DailyViews.objects.values_list("retrieved", flat=True))

    def _path(self) -> str:
        return f"/api/products/{self.product}/"

    def _timed(self, path: str) -> float:
        before = time.perf_counter()
        self._get(path)
        return (time.perf_counter() - before) * 1000

    def _get(self, path: str) -> str:
        """Send a request through the whole of Django and REST framework, but the socket; return its status."""
        answered = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "192.0.2.1",
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
            **META,
        }
        response = self.handler(environ, lambda status, _headers: answered.append(status))
        b"".join(response)
        response.close()
        return answered[0]
