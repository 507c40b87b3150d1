"""``audit``: print how a report came about, and whether that can be rebuilt."""

import json
import sys

from app.adapters import open_database
from app.cli.listening import check_data_dir
from app.cli.process import ExitCode
from app.config import Settings
from app.services.analysis.audit import audit_report


async def audit(settings: Settings, report_id: int) -> int:
    """Print the audit as JSON. Return FAILED if something differs from what is stored."""
    check_data_dir(settings)
    async with open_database(settings) as database:
        found = await audit_report(database, report_id)
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    return ExitCode.FAILED if found["differences"] else ExitCode.DONE
