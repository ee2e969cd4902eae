"""Print the gas of every action; compare it with the snapshot in the repository or renew that.

python scripts/gas_snapshot.py                     # print the table
python scripts/gas_snapshot.py --json FILE         # and write the rows
python scripts/gas_snapshot.py --check             # exit 1 when an action moved by more than 2 %
python scripts/gas_snapshot.py --renew "reason"    # keep the figures, with the reason
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from offchain.bench.gas import ROOT, SNAPSHOT, compare, differences, measure, read_snapshot, table, write_snapshot
from offchain.errors import AssayError


def main() -> int:
    """Entry point; the exit code is 0, 1 when `--check` finds a difference, 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write setting, sizes and rows to FILE")
    parser.add_argument("--check", action="store_true", help="exit 1 when an action moved by more than 2 %%")
    parser.add_argument("--renew", metavar="REASON", help="keep the figures as the snapshot, with this reason")
    arguments = parser.parse_args()
    try:
        return _run(arguments.json, arguments.check, arguments.renew)
    except AssayError as error:
        print(error, file=sys.stderr)
        return 2


def _run(json_file: Path | None, check: bool, reason: str | None) -> int:
    measured = measure()
    snapshot = read_snapshot(ROOT / SNAPSHOT)
    rows = compare(measured, snapshot)
    Console(width=120).print(table(measured, rows))
    if json_file is not None:
        fields = {**asdict(measured.setting), "sizes": dict(measured.sizes), "rows": [asdict(row) for row in rows]}
        json_file.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    if reason is not None:
        write_snapshot(ROOT / SNAPSHOT, measured, reason)
    lines = differences(measured, snapshot) if check else []
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
