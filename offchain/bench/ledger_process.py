"""A replica's process as it is measured: `python -m offchain.bench.ledger_process CONFIG.json`.

It is `offchain.ledger.process` with the ledger's own records, and two things more:

- A request that is longer than any of these is a *load*: bytes that one account signed once, as `LedgerMessage`,
  whatever is in them. So the paper's code takes the transactions of one measurement.
- When it stops it prints what it spent of the CPU, and what of that on checking requests.
"""

import json
import sys
import time
from collections.abc import Sequence
from hashlib import sha256

from offchain.errors import Bug, Rejected
from offchain.ledger.membership import Membership
from offchain.ledger.process import main
from offchain.ledger.records.application import RecordsApplication, RecordsConfig
from offchain.ledger.records.bodies import Account
from offchain.ledger.records.request import MAX_REQUEST_BYTES, Domain, recover
from offchain.ledger.types import Digest, Millis

HEAD_BYTES = 20 + 8 + 65
"""Account, nonce and signature, as in a request."""
SPENT = "spent: "
"""Begins the line of the log that `Spent` is in."""


class MeasuredApplication:
    """The records, and loads of which each nonce counts once. Not for snapshots: no measurement goes that far."""

    def __init__(self, config: RecordsConfig) -> None:
        self._domain = config.domain
        self._records = RecordsApplication(config)
        self._loads: set[tuple[bytes, bytes]] = set()
        self._chain = sha256()
        self.checks = 0
        self.check_seconds = 0.0
        self.started = time.process_time()

    def is_valid(self, request: bytes) -> bool:
        """Whether it is signed, and counts the CPU time that this takes."""
        began = time.thread_time()
        valid = self._is_signed(request) if is_load(request) else self._records.is_valid(request)
        self.check_seconds += time.thread_time() - began
        self.checks += 1
        return valid

    def is_settled(self, request: bytes) -> bool:
        """Whether it was executed."""
        return _name(request) in self._loads if is_load(request) else self._records.is_settled(request)

    def execute(self, time: Millis, requests: Sequence[bytes]) -> list[bytes]:
        """Results of the records, in their places; of a load whether it is new."""
        records = iter(self._records.execute(time, [request for request in requests if not is_load(request)]))
        return [self._take(request) if is_load(request) else next(records) for request in requests]

    def digest(self) -> Digest:
        """Of the records and of all loads."""
        return Digest(sha256(self._records.digest() + self._chain.digest()).digest())

    def snapshot(self) -> bytes:
        """Of the records."""
        return self._records.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Raises Bug when there were loads, which a snapshot leaves out."""
        if self._loads:
            raise Bug("a measurement of loads transferred state")
        self._records.restore(snapshot)

    def _is_signed(self, request: bytes) -> bool:
        account, nonce, signature = request[:20], int.from_bytes(request[20:28], "big"), request[28:HEAD_BYTES]
        digest = self._domain.digest(Account(account), nonce, request[HEAD_BYTES:])
        return recover(digest, signature) == account

    def _take(self, request: bytes) -> bytes:
        name = _name(request)
        is_new = name not in self._loads
        self._loads.add(name)
        self._chain.update(request)
        return bytes((is_new,))


def is_load(request: bytes) -> bool:
    """Whether it is too long for a record."""
    return len(request) > MAX_REQUEST_BYTES


def parse_spent(log: str) -> dict[str, float]:
    """What a process that was stopped says about itself: `cpu` and `check` in seconds, `checks`.

    Raises Rejected when it did not.
    """
    lines = [line for line in log.splitlines() if line.startswith(SPENT)]
    if not lines:
        raise Rejected(f"a replica ended without a word: {log[-500:]}")
    found: dict[str, float] = json.loads(lines[-1].removeprefix(SPENT))
    return found


def _name(request: bytes) -> tuple[bytes, bytes]:
    return request[:20], request[20:28]


def _run(arguments: list[str]) -> int:
    made: list[MeasuredApplication] = []

    def make(membership: Membership) -> MeasuredApplication:
        domain = Domain(membership.chain_id, membership.committee)
        members = frozenset(Account(account) for account in membership.accounts)
        made.append(MeasuredApplication(RecordsConfig(domain, members)))
        return made[0]

    code = main(arguments, make)
    for application in made:
        cpu = time.process_time() - application.started
        spent = {"cpu": cpu, "check": application.check_seconds, "checks": application.checks}
        print(SPENT + json.dumps(spent), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
