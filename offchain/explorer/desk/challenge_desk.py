"""The desk for those who doubt a score: examinations, and the challenges that come of them."""

import threading
import time
from collections.abc import Callable
from functools import partial

from eth_typing import ChecksumAddress

from offchain.explorer.desk import examinations, schema
from offchain.explorer.desk.account import DeskAccount
from offchain.explorer.desk.addresses import checksum
from offchain.explorer.desk.examinations import Findings
from offchain.explorer.desk.jobs import Jobs
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.refusals import Faulty, NotKnown
from offchain.roles.challenge import prepare_challenge, view_order
from offchain.types import OrderId

AT_ONCE = 1
"""Examinations that run at the same time."""
KEPT = 64
"""Examinations whose findings are remembered."""


class ChallengeDesk:
    """See the module. Methods may be called from any thread."""

    def __init__(
        self,
        place: DeskPlace,
        account: Callable[[ChecksumAddress], DeskAccount],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`account` finds who is connected."""
        self.place = place
        self.account = account
        self._lock = threading.Lock()
        self._examining: Jobs[Findings] = Jobs(AT_ONCE, clock=clock)
        self._findings: dict[str, Findings] = {}

    def close(self) -> None:
        """Gives up what is being examined."""
        self._examining.close()

    def examine(self, wanted: schema.ExaminationWanted) -> schema.Examination:
        """Begins to score an order's models anew; one examination for all who ask. Raises Rejected, Retryable."""
        checksum(wanted.account)
        oid = OrderId(wanted.oid)
        view, findings = examinations.begin(self.place.contracts, oid)
        with self._lock:
            former = [each for each in self._findings.values() if each.oid == oid and each.is_wanting]
        name = f"{oid}:{len(former)}"  # what could not be had then may be there now
        job = self._examining.start(partial(examinations.examine, self.place, view, findings), name=name)
        with self._lock:
            findings = self._findings.setdefault(job.id, findings)
            while len(self._findings) > KEPT:
                del self._findings[next(iter(self._findings))]
        return examinations.show(self.place, job, findings)

    def examination(self, number: str, wait: float) -> schema.Examination:
        """How far it is, after at most `wait` seconds. Raises NotKnown, Retryable."""
        job = self._examining.find(number, wait=wait)
        with self._lock:
            findings = self._findings.get(number)
        if findings is None:
            raise NotKnown(f"{number}: that examination is forgotten; start it again")
        return examinations.show(self.place, job, findings)

    def cancel_examination(self, number: str) -> schema.Examination:
        """Gives it up. Raises NotKnown, Retryable."""
        self._examining.stop(number)
        return self.examination(number, 0.0)

    def challenge(self, wanted: schema.ChallengeWanted) -> schema.Challenged:
        """Offers the call that opens a dispute about a score that an examination has found to be false.

        Raises Rejected when it cannot be challenged or the bond does not suffice, ContractRejected, Retryable.
        """
        address = checksum(wanted.account)
        with self._lock:
            known = [findings for findings in self._findings.values() if findings.oid == wanted.oid]
        if not known:
            raise Faulty("oid", f"order {wanted.oid} was not examined; examine it first")
        contracts, account = self.place.contracts, self.account(address)
        validator = checksum(wanted.validator, "validator")
        judged = examinations.judged(self.place, known[-1], validator, wanted.model)
        view = view_order(contracts, OrderId(wanted.oid))
        opening = prepare_challenge(contracts, view, address, judged, take_place=wanted.take_place)
        if isinstance(opening, int):
            return schema.Challenged(item=None, dispute=opening)
        account.outbox.submit(opening.key, opening.call)
        account.look_soon()
        return schema.Challenged(item=account.item(opening.key), dispute=None)
