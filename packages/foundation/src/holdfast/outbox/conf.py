"""The outbox's settings: one typed dict, ``HOLDFAST_OUTBOX``."""

from typing import Annotated, Literal

from holdfast.conf import AppSettings, BackendSpec


class OutboxSettings(AppSettings, setting="HOLDFAST_OUTBOX"):
    """How the relay delivers, how long rows are kept, where webhooks may go."""

    RETRY_SECONDS: Annotated[
        list[float],
        "How long to wait after each failed attempt, within 20 percent; after the last one the delivery is dead. "
        "The default is the schedule of Standard Webhooks, about three days.",
    ] = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    RETRY_AFTER_MAX_SECONDS: Annotated[float, "The longest wait that a receiver may ask for."] = 86400
    LEASE_SECONDS: Annotated[float, "How long a partition stays with a relay that is not heard of."] = 15
    POLL_SECONDS: Annotated[float, "How often a relay looks for work that nobody woke it for."] = 1
    ROUTE_BATCH: Annotated[int, "How many events are routed by one statement."] = 2000
    DELIVERY_BATCH: Annotated[int, "How many deliveries of a subscriber are read at once."] = 1000
    STOP_SECONDS: Annotated[float, "How long a relay that is told to stop waits for what it has begun."] = 10
    ATTEMPT_LOG: Annotated[Literal["failures", "all", "none"], "Which attempts are logged."] = "failures"
    EVENT_RETENTION_DAYS: Annotated[float, "How long delivered events are kept, for replays."] = 14
    ATTEMPT_RETENTION_DAYS: Annotated[float, "How long the log of attempts and resolved dead letters are kept."] = 30
    INBOX_RETENTION_DAYS: Annotated[float, "How long a handler remembers which events it applied."] = 90
    LAG_LIMIT_SECONDS: Annotated[float, "How old the oldest undelivered event may be while the outbox is healthy."] = 60
    WEBHOOK_ENDPOINT_CONCURRENCY: Annotated[
        int, "How many webhooks may be under way to one endpoint, from one relay."
    ] = 64
    WEBHOOK_CONNECT_SECONDS: Annotated[float, "How long a receiver may take to accept a connection."] = 5
    WEBHOOK_TOTAL_SECONDS: Annotated[float, "How long a webhook may take as a whole."] = 15
    WEBHOOK_RESPONSE_BYTES: Annotated[int, "How much of an answer is read."] = 65536
    WEBHOOK_ALLOW_HTTP: Annotated[bool, "Whether endpoints may be plain http."] = False
    WEBHOOK_ALLOWED_NETWORKS: Annotated[
        list[str], "Networks that webhooks may reach although they are not public, such as 10.1.0.0/16."
    ] = []
    WEBHOOK_DISABLE_AFTER_DAYS: Annotated[
        float, "After how many days of nothing but failure an endpoint is disabled."
    ] = 5
    BROKER: Annotated[BackendSpec | None, "The broker that events are published to."] = None
    BROKER_PATTERNS: Annotated[list[str], "The event types that are published to the broker."] = ["*"]


settings = OutboxSettings()
