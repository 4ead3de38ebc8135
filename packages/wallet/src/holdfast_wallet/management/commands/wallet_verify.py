"""``wallet_verify``: recompute the whole ledger."""

import json
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from holdfast_wallet import services
from holdfast_wallet.management.progress import ProgressBar
from holdfast_wallet.services import Finding


class Command(BaseCommand):
    """Recompute sums, running balances, sequences, holds and the hash chain; exit 1 if anything is wrong."""

    help = "Recompute the whole ledger and say exactly what is wrong. Exits 1 if anything is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Let the output be read by a program."""
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS)
        parser.add_argument(
            "--expect-digest",
            default="",
            help="A digest of wallet_seal that was kept elsewhere; what it sealed must still be as it was.",
        )
        parser.add_argument(
            "--progress", action=BooleanOptionalAction, help="Draw a progress bar on stderr (default: on a terminal)."
        )

    def handle(self, *, database: str, expect_digest: str, progress: bool | None, **options: Any) -> None:
        """Verify, print each finding as it is found, and fail at the end."""
        bar = ProgressBar(options.get("stderr") or sys.stderr, shown=progress)
        findings: list[Finding] = []
        checks: dict[str, int] = {}
        for step in services.verify(expect_digest=expect_digest, using=database):
            if isinstance(step, Finding):
                findings.append(step)
                if not options["json"]:
                    bar.clear()
                    self.stdout.write(_sentence(step))
            else:
                checks[step.check] = step.total
                bar.show(step.check, step.done, step.total)
        bar.clear()
        if options["json"]:
            document = {"ok": not findings, "checks": checks, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(document, default=str, indent=2))
        if findings:
            raise CommandError(f"The ledger is wrong in {len(findings)} place(s).")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"The ledger is right: {len(checks)} checks passed."))


def _sentence(finding: Finding) -> str:
    where = [
        f"{name} {value}"
        for name, value in (("account", finding.account_id), ("transfer", finding.transfer_id))
        if value
    ]
    what = f"expected {finding.expected}, found {finding.found}" if finding.expected or finding.found else ""
    return "  ".join(part for part in (finding.check, finding.message, ", ".join(where), what) if part)
