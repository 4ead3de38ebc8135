"""The broker sink: events published to what the host has (RabbitMQ, Redis, SQS ...), through kombu.

This is the way to grow past one database: consumers of other services read the broker, and the outbox still guarantees
that what was committed is published. Set it up with::

    HOLDFAST_OUTBOX = {
        "BROKER": {
            "BACKEND": "holdfast.outbox.broker.KombuBroker",
            "OPTIONS": {"url": "amqp://...", "queues": {"billing": "holdfast_wallet.#"}},
        },
    }
"""

from collections.abc import Mapping
from typing import Any

from kombu import Connection, Exchange, Producer, Queue

from holdfast.events import Envelope
from holdfast.outbox.circuit import Circuit

CONNECT_SECONDS = 5
PERSISTENT = 2


class KombuBroker:
    """Publishes to a topic exchange; the routing key is the event's type, the message id the event's id.

    ``queues`` are declared and bound, each with its pattern: a broker drops what no queue is bound for. Success means
    that the broker has the message: publisher confirms are asked for where the transport has them.
    """

    concurrency = 1

    def __init__(
        self,
        url: str,
        *,
        exchange: str = "holdfast",
        queues: Mapping[str, str] | None = None,
        transport_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._url = url
        self._exchange = Exchange(exchange, type="topic", durable=True)
        self._queues = [
            Queue(name, self._exchange, routing_key=pattern, durable=True)
            for name, pattern in ({"holdfast": "#"} if queues is None else queues).items()
        ]
        self._transport_options = {"confirm_publish": True, **(transport_options or {})}
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._circuit = Circuit()

    def ready(self) -> bool:
        """Whether the broker has not just refused everything."""
        return self._circuit.ready()

    def admit(self) -> bool:
        """Whether this one may be published."""
        return self._circuit.admit()

    def deliver(self, envelope: Envelope[Any]) -> None:
        """Publish an event. Raises whatever the transport raises."""
        try:
            self._connected().publish(
                message_of(envelope),
                exchange=self._exchange,
                routing_key=envelope.type,
                serializer="json",
                message_id=str(envelope.id),
                headers=dict(envelope.headers),
                delivery_mode=PERSISTENT,
                declare=[],
                retry=False,
            )
        except Exception:
            self._circuit.failed()
            self.close()
            raise
        self._circuit.succeeded()

    def close(self) -> None:
        """Close the connection; the next event opens one."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.release()

    def _connected(self) -> Producer:
        if self._producer is None:
            self._connection = Connection(
                self._url, connect_timeout=CONNECT_SECONDS, transport_options=self._transport_options
            )
            channel = self._connection.channel()
            for queue in self._queues:
                queue.bind(channel).declare()
            self._producer = Producer(channel)
        return self._producer


def message_of(envelope: Envelope[Any]) -> dict[str, Any]:
    """Return the message: the envelope as JSON."""
    return {
        "id": str(envelope.id),
        "type": envelope.type,
        "key": envelope.key,
        "sequence": envelope.sequence,
        "timestamp": envelope.occurred_at.isoformat(),
        "data": dict(envelope.payload),
    }
