"""The desk: who is connected, what is being prepared, and what they are to sign."""

import re
import shutil
import threading
import time
from collections.abc import Callable
from functools import partial

from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, to_checksum_address

from offchain.chain.fees import suggest
from offchain.chain.reverts import call_fields
from offchain.chain.transactions import TxCall
from offchain.errors import Rejected, Retryable
from offchain.explorer.desk import orders, schema
from offchain.explorer.desk.account import DeskAccount
from offchain.explorer.desk.jobs import Job, Jobs
from offchain.explorer.desk.outbox import OutboxPolicy
from offchain.explorer.desk.outbox_journal import State
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.refusals import Faulty, NotKnown
from offchain.explorer.desk.shown import show_call
from offchain.explorer.desk.uploads import Uploaded, uploads_folder
from offchain.types import Commitment, Seconds

MOST_ACCOUNTS = 16
IDLE_SECONDS = 300.0
RECENT = 30.0
"""Seconds after a question in which an account does not make room for another one."""
PREPARED_AT_ONCE = 2


class Desk:
    """See the module. All methods may be called from any thread; none waits for a person."""

    def __init__(
        self,
        place: DeskPlace,
        *,
        policy: OutboxPolicy | None = None,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`policy`: of the outboxes; `idle_seconds`: after which an account that nobody asks for rests."""
        self.place = place
        self._policy = policy
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[ChecksumAddress, DeskAccount] = {}
        self.uploads = uploads_folder(place.journals.parent)
        scrub = str(self.uploads)
        self._preparing: Jobs[orders.Prepared] = Jobs(
            PREPARED_AT_ONCE, scrub=lambda text: _without_folder(text, scrub), clock=clock
        )
        self._samples: dict[Commitment, int] = {}

    def close(self) -> None:
        """Ends all threads and removes what was uploaded."""
        self._preparing.close()
        with self._lock:
            accounts = list(self._accounts.values())
            self._accounts.clear()
        for account in accounts:
            account.close()
        shutil.rmtree(self.uploads, ignore_errors=True)

    def account(self, address: ChecksumAddress) -> DeskAccount:
        """The account's workers and outbox, opened if need be.

        Raises Retryable when too many are connected or the node is down, Rejected when its journals cannot be used.
        """
        with self._lock:
            found = self._accounts.get(address)
            if found is None:
                self._make_room()
                found = DeskAccount(
                    self.place, address, idle_seconds=self._idle_seconds, policy=self._policy, clock=self._clock
                )
                self._accounts[address] = found
        found.touch()
        return found

    def _make_room(self) -> None:
        if len(self._accounts) < MOST_ACCOUNTS:
            return
        stalest = max(self._accounts.values(), key=lambda account: account.idle_for)
        if stalest.idle_for < RECENT:
            raise Retryable(f"{MOST_ACCOUNTS} accounts are connected; disconnect one and try again in a minute")
        del self._accounts[stalest.address]
        stalest.close()

    # Orders

    def prepare(self, uploaded: Uploaded) -> Job[orders.Prepared]:
        """Begins to prepare an order; the uploaded files are removed when that ends. Raises Rejected, Retryable."""
        try:
            fields = orders.parse_fields(uploaded.request)
            account = checksum(fields.account)
            form = orders.form_of(fields, uploaded.files)
            work = partial(orders.prepare, self.place, account, form)
        except Rejected:
            uploaded.remove()
            raise
        try:
            return self._preparing.start(work, on_end=uploaded.remove)
        except Retryable:
            uploaded.remove()
            raise

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
            raise Rejected(f"commitment: that is order {oid} already; prepare it anew to put another like it")
        key = f"put::{commitment.hex()}"
        entry = desk.outbox.entry(key)
        if entry is not None and entry.state in (State.SENT, State.DONE):
            raise Rejected("commitment: the order was sent already; wait for its transaction")
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

    # The outbox

    def outbox(self, address: ChecksumAddress) -> schema.Outbox:
        """What waits for an account. Raises Retryable, Rejected."""
        return self.account(address).show()

    def sent(self, key: str, report: schema.Sent) -> schema.OutboxItem:
        """The wallet says that it has sent something. Raises NotKnown, Rejected when it was something else."""
        account = self.account(checksum(report.account))
        try:
            account.outbox.report(key, bytes.fromhex(report.tx_hash[2:]))
        except KeyError:
            raise NotKnown(f"{key[:100]}: nothing of that name is in the outbox of {account.address}") from None
        account.look_soon()
        item = account.item(key)
        if item is None:
            raise Retryable("the outbox has changed meanwhile; ask again")
        return item


def checksum(address: str) -> ChecksumAddress:
    """An account as it is written everywhere else. Raises Rejected when its letters' case says that it is mistyped."""
    plain = to_checksum_address(address)
    if address not in (address.lower(), "0x" + address[2:].upper()) and not is_checksum_address(address):
        raise Faulty("account", f"{address} is mistyped (its checksum is wrong)")
    return plain


def _without_folder(text: str, folder: str) -> str:
    """An error without where this machine keeps uploads for the moment."""
    return re.sub(re.escape(folder) + r"(/[^/\s]+){0,2}/", "", text)
