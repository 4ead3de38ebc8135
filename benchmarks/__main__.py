"""``python -m benchmarks wallet``, ``... outbox``, ``... broadcast``, ``... defects``, ``... cards``,
``... catalog``, ``... market``: see README.md."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from benchmarks import machine, servers
from benchmarks.report import Report
from benchmarks.servers import Postgres


def main() -> None:
    # What a run has started ends with it, also when it is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ours and the peers, side by side.")
    parser.add_argument("suite", choices=["wallet", "outbox", "broadcast", "defects", "cards", "catalog", "market"])
    parser.add_argument("--full", action="store_true", help="many cycles (half an hour); the default is a quick look")
    parser.add_argument("--cycles", type=int, help="turns of each system in each workload")
    parser.add_argument("--seconds", type=float, default=2.0, help="the length of a turn")
    parser.add_argument("--million", action="store_true", help="also with a million rows, which takes minutes to fill")
    parser.add_argument(
        "--part",
        action="append",
        metavar="PART",
        help="of the wallet: transfers, race, bytes, reads; of the catalog: hits, latency, listing, exact; "
        "of the market: orders, sqlite, geo, listing, dashboard; all without one",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measurement there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, for the documents")
    arguments = parser.parse_args()

    postgres = Postgres(_required("DATABASE_URL"))
    postgres.require_durable()
    facts = {**machine.facts(), **postgres.facts()}
    result = Report(arguments.suite, f"nox -s bench -- {' '.join(_repeatable(sys.argv[1:]))}", facts)
    began = time.monotonic()
    if arguments.suite == "wallet":
        _wallet(postgres, arguments, result)
    elif arguments.suite == "broadcast":
        _broadcast(postgres, arguments, result)
    elif arguments.suite == "defects":
        _defects(postgres, arguments, result)
    elif arguments.suite == "cards":
        _cards(postgres, arguments, result)
    elif arguments.suite == "catalog":
        _catalog(postgres, arguments, result)
    elif arguments.suite == "market":
        _market(postgres, arguments, result)
    else:
        _outbox(postgres, arguments, result)
    result.facts["took"] = f"{(time.monotonic() - began) / 60:.0f} minutes"

    if arguments.json:
        result.write_json(arguments.json)
    if arguments.markdown:
        result.write_markdown(arguments.markdown)
    print(result.text())


def _wallet(postgres: Postgres, arguments: argparse.Namespace, result: Report) -> None:
    from benchmarks.wallet import suite

    options = suite.Options(
        cycles=arguments.cycles or (12 if arguments.full else 3),
        seconds=arguments.seconds,
        accounts=1000,
        rounds=30,
        entries=(1_000, 10_000, 100_000, *([1_000_000] if arguments.million else [])),
        transfers=10_000 if arguments.full else 2_000,
        full=arguments.full,
        parts=frozenset(arguments.part or suite.PARTS),
    )
    suite.run(postgres, machine.Watch(postgres.pids()), options, result, _say)


def _outbox(postgres: Postgres, arguments: argparse.Namespace, result: Report) -> None:
    from benchmarks.outbox import suite

    options = suite.Options(
        cycles=arguments.cycles or (12 if arguments.full else 3),
        seconds=arguments.seconds,
        million=arguments.million,
    )
    redis = _required("REDIS_URL")
    suite.run(postgres, redis, machine.Watch([*postgres.pids(), *servers.redis_pids(redis)]), options, result, _say)


def _broadcast(postgres: Postgres, arguments: argparse.Namespace, result: Report) -> None:
    from benchmarks.broadcast import suite

    options = suite.Options(cycles=arguments.cycles or (12 if arguments.full else 4))
    suite.run(postgres.url, machine.Watch(postgres.pids()), options, result, _say)


def _defects(postgres: Postgres, arguments: argparse.Namespace, result: Report) -> None:
    from benchmarks.defects import suite

    options = suite.Options(defects=1_000_000 if arguments.million else 100_000, times=50 if arguments.full else 10)
    suite.run(postgres, options, result, _say)


def _cards(postgres: Postgres, arguments: argparse.Namespace, result: Report) -> None:
    from benchmarks.cards import suite

    options = suite.Options(cycles=arguments.cycles or (12 if arguments.full else 3), seconds=arguments.seconds)
    suite.run(postgres, options, result, _say)


def _catalog(postgres: Postgres, arguments: argparse.Namespace, result: Report) -> None:
    from benchmarks.catalog import suite

    options = suite.Options(
        cycles=arguments.cycles or (12 if arguments.full else 3),
        seconds=arguments.seconds,
        requests=100_000 if arguments.full else 10_000,
        blocks=60 if arguments.full else 20,
        parts=frozenset(arguments.part or suite.PARTS),
    )
    suite.run(postgres, machine.Watch(postgres.pids()), options, result, _say)


def _market(postgres: Postgres, arguments: argparse.Namespace, result: Report) -> None:
    from benchmarks.market import suite

    options = suite.Options(
        products=1_000_000 if arguments.full or arguments.million else 100_000,
        lines=430_000 if arguments.full or arguments.million else 43_000,
        times=300 if arguments.full else 100,
        cycles=arguments.cycles or (12 if arguments.full else 3),
        seconds=arguments.seconds,
        parts=frozenset(arguments.part or suite.PARTS),
    )
    suite.run(postgres, machine.Watch(postgres.pids()), options, result, _say)


def _required(name: str) -> str:
    if name not in os.environ:
        sys.exit(f"{name} is not set: call this through `nox -s bench`, which starts durable servers of its own.")
    return os.environ[name]


def _repeatable(arguments: list[str]) -> list[str]:
    """Leave out where the result goes: it does not change what is measured."""
    kept, skip = [], False
    for argument in arguments:
        if not skip and argument not in {"--json", "--markdown"}:
            kept.append(argument)
        skip = argument in {"--json", "--markdown"}
    return kept


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
