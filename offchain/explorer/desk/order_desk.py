"""The desk for those who order models: preparations, and the calls that put what is prepared."""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from eth_typing import ChecksumAddress

from offchain.chain.fees import suggest
from offchain.chain.reverts import call_fields
from offchain.chain.transactions import TxCall
from offchain.errors import Rejected, Retryable
from offchain.explorer.desk import orders, schema
from offchain.explorer.desk.account import DeskAccount
from offchain.explorer.desk.addresses import checksum
from offchain.explorer.desk.jobs import Job, Jobs
from offchain.explorer.desk.outbox_journal import State
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.refusals import Faulty
from offchain.explorer.desk.shown import show_call
from offchain.explorer.desk.uploads import Uploaded
from offchain.types import Commitment, Seconds

AT_ONCE = 2
"""Preparations that run at the same time; the others wait for their turn."""


MOST = 8
"""Preparations that run, wait, or are remembered; the files of those that wait lie on the disk."""


class OrderDesk:
    """See the module. Methods may be called from any thread."""

    def __init__(
        self,
        place: DeskPlace,
        account: Callable[[ChecksumAddress], DeskAccount],
        uploads: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`account` finds who is connected; `uploads`: the folder in which uploaded files lie."""
        self.place = place
        self.account = account
        folder = str(uploads)
        self._preparing: Jobs[orders.Prepared] = Jobs(
            AT_ONCE, most=MOST, scrub=lambda text: _without_folder(text, folder), clock=clock
        )
        self._samples: dict[Commitment, int] = {}

    def close(self) -> None:
        """Gives up what is being prepared."""
        self._preparing.close()

    def prepare(self, uploaded: Uploaded, wait: float) -> schema.Preparation:
        """Begins to prepare an order, and says how far it is after at most `wait` seconds.

        The uploaded files are removed when it ends. Raises Rejected, Retryable.
        """
        try:
            fields = orders.parse_fields(uploaded.request)
            account = checksum(fields.account)
            form = orders.form_of(fields, uploaded.files)
            work = partial(orders.prepare, self.place, account, form)
        except Rejected:
            uploaded.remove()
            raise
        try:
            job = self._preparing.start(work, on_end=uploaded.remove)
        except Retryable:
            uploaded.remove()
            raise
        return self.preparation(job.id, wait)

    def preparation(self, number: str, wait: float) -> schema.Preparation:
        """How far it is, after at most `wait` seconds. Raises NotKnown, Retryable."""
        return self.show_preparation(self._preparing.find(number, wait=wait))

    def cancel_preparation(self, number: str) -> schema.Preparation:
        """Gives it up. Raises NotKnown."""
        return self.show_preparation(self._preparing.stop(number))

    def show_preparation(self, job: Job[orders.Prepared]) -> schema.Preparation:
        """With the order, once it is done. Raises Retryable."""
        order, made = None, job.result
        if job.state == "done" and made is not None:
            self._samples[made.commitment] = made.training_samples
            order = self.prepared(made.account, made.commitment)
        return schema.Preparation(
            id=job.id, state=job.state, step=job.step, error=job.error, field=job.fault, order=order
        )

    def prepared(self, account: ChecksumAddress, commitment: Commitment) -> schema.PreparedOrder:
        """An order that was prepared on this machine, with a fresh permit. Raises NotKnown, Rejected, Retryable."""
        record = orders.find_record(self.place, account, commitment)
        return orders.show_prepared(self.place, account, record, self._samples.get(commitment))

    def put(self, commitment: Commitment, signed: schema.PutSigned) -> schema.PutCall:
        """The call that puts a prepared order; it is in the outbox then.

        Raises Rejected when the permit is wrong or the order was put already, ContractRejected when it would revert.
        """
        account = checksum(signed.account)
        record = orders.find_record(self.place, account, commitment)
        contracts, desk = self.place.contracts, self.account(account)
        oid = orders.find_order(contracts, account, commitment)
        if oid is not None:
            raise Faulty("commitment", f"that is order {oid} already; prepare it anew to put another like it")
        key = f"put::{commitment.hex()}"
        entry = desk.outbox.entry(key)
        if entry is not None and entry.state in (State.SENT, State.DONE):
            raise Faulty("commitment", "the order was sent already; wait for its transaction")
        deadline = Seconds(signed.deadline)
        signature = bytes.fromhex(signed.signature[2:])
        call = orders.put_call(contracts, account, record.terms, signature, deadline)
        desk.outbox.offer(key, call, until=deadline, renew=True)
        desk.look_soon()
        item = desk.item(key)
        if item is None:
            raise Retryable("the outbox has changed meanwhile; ask again")
        estimate = self._estimate(account, call)
        return schema.PutCall(key=key, call=show_call(contracts, call), estimate=estimate, deadline=deadline, item=item)

    def _estimate(self, account: ChecksumAddress, call: TxCall) -> schema.Estimate:
        client = self.place.client
        gas = int(client.request("eth_estimateGas", call_fields(account, call), "latest"), 16)
        block = client.request("eth_getBlockByNumber", "latest", False)
        price = int(client.request("eth_gasPrice"), 16)
        fees = suggest(client.network.fees, base_fee=int(block.get("baseFeePerGas") or "0x0", 16), gas_price=price)
        return schema.Estimate(gas=gas, cost=gas * fees.maximum)


def _without_folder(text: str, folder: str) -> str:
    """An error without where this machine keeps uploads for the moment."""
    return re.sub(re.escape(folder) + r"(/[^/\s]+){0,2}/", "", text)
