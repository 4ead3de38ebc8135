"""The outbox's and the apps' figures for Prometheus, asked for at each scrape; nothing is counted between them."""

import logging
from collections.abc import Iterator, Mapping
from functools import cache

from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from holdfast.health.figures import told
from holdfast.outbox.metrics import Snapshot, snapshot

_logger = logging.getLogger("holdfast.health")


class OutboxCollector(Collector):
    """Lag, pending, failing and dead deliveries, in all and for each subscriber."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Return the names alone: at registration the database is not asked."""
        yield from _families(None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the figures of now, or none: a page without ours is still a page, and their absence is an alarm."""
        try:
            now = snapshot()
        except Exception:
            _logger.exception("The outbox could not be asked for its figures.")
            return
        yield from _families(now)


class FiguresCollector(Collector):
    """What each app tells of itself, under the app's name."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Return nothing: at registration no app is asked, and not all of them have registered."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the figures of now, of every app that can tell them."""
        for app, figures in told().items():
            for figure in figures:
                name = f"{app}_{figure.name}"
                if isinstance(figure.value, Mapping):
                    family = GaugeMetricFamily(name, figure.description, labels=[figure.label])
                    for value, number in figure.value.items():
                        family.add_metric([value], number)
                else:
                    family = GaugeMetricFamily(name, figure.description, value=figure.value)
                yield family


COLLECTORS = (OutboxCollector, FiguresCollector)


@cache
def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Register the collectors: once for each registry, which refuses the same names twice."""
    for collector in COLLECTORS:
        registry.register(collector())


def _families(now: Snapshot | None) -> Iterator[GaugeMetricFamily]:
    for name, description in (
        ("lag_seconds", "Age of the oldest event that a handler or broker could have had by now."),
        ("pending", "Deliveries that wait, failed ones included."),
        ("failing", "Deliveries that failed and are tried again."),
        ("dead", "Deliveries that were given up."),
        ("relays", "Relays that were heard of lately."),
    ):
        yield GaugeMetricFamily(f"holdfast_outbox_{name}", description, value=getattr(now, name) if now else None)
    for name, description in (
        ("lag_seconds", "Age of the oldest event that this subscriber could have had by now."),
        ("pending", "Deliveries to this subscriber that wait."),
        ("dead", "Deliveries to this subscriber that were given up."),
    ):
        family = GaugeMetricFamily(f"holdfast_outbox_subscriber_{name}", description, labels=["subscriber"])
        for subscriber in now.subscribers if now else ():
            family.add_metric([subscriber.name], getattr(subscriber, name))
        yield family
