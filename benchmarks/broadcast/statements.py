"""How many statements the verb sends, and how many of them are for the event: prints both as JSON.

``python -m benchmarks.broadcast.statements <user id>``, in the project.
"""

import json
import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402 - Django comes first
from django.test.utils import CaptureQueriesContext  # noqa: E402 - as above

from holdfast_defects import services  # noqa: E402 - as above

services.report_defect(user_id=int(sys.argv[1]), comment="The first one fills caches.")
time.sleep(0.05)  # the relay was woken a moment ago, and is not woken twice within it
with CaptureQueriesContext(
    connection,
) as captured:
    services.report_defect(user_id=int(sys.argv[1]), comment="The one that counts.")
statements = [query["sql"] for query in captured]
event = [statement for statement in statements if "holdfast_outbox" in statement]
print(json.dumps({"all": len(statements), "event": len(event), "sql": statements}))
