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
from offchain.chain.rewards import Rewards
from offchain.chain.transactions import TxCall, as_call
from offchain.errors import Rejected, Retryable
from offchain.explorer.desk import examinations, orders, schema
from offchain.explorer.desk.account import DeskAccount
from offchain.explorer.desk.examinations import Findings
from offchain.explorer.desk.jobs import Job, Jobs
from offchain.explorer.desk.outbox import OutboxPolicy
from offchain.explorer.desk.outbox_journal import State
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.refusals import Faulty, NotKnown
from offchain.explorer.desk.shown import show_call
from offchain.explorer.desk.uploads import Uploaded, uploads_folder
from offchain.roles.challenge import prepare_challenge, view_order
from offchain.roles.claiming import Claiming, claims_of, stalled_of, summarise_rewards
from offchain.types import Commitment, OrderId, Seconds

MOST_ACCOUNTS = 16
IDLE_SECONDS = 300.0
RECENT = 30.0
"""Seconds after a question in which an account does not make room for another one."""
PREPARED_AT_ONCE = 2
EXAMINED_AT_ONCE = 1
KEPT = 64
"""Examinations whose findings are remembered."""


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
        self._examining: Jobs[Findings] = Jobs(EXAMINED_AT_ONCE, clock=clock)
        self._findings: dict[str, Findings] = {}
        self._rewards: Rewards | None = None
        self._rewards_lock = threading.Lock()

    def close(self) -> None:
        """Ends all threads and removes what was uploaded."""
        self._preparing.close()
        self._examining.close()
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

    # Challenges

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

    # Rewards

    def claims(self, address: ChecksumAddress) -> schema.Claims:
        """What an account has earned, and the calls that pay it. Raises Retryable."""
        contracts, now = self.place.contracts, self.place.client.now()
        with self._rewards_lock:
            self._rewards = self._rewards or Rewards(contracts)
            self._rewards.look()
            summary = summarise_rewards(contracts, self._rewards, address, now)
            due = claims_of(contracts, self._rewards, address, now)
            due += stalled_of(contracts, self._rewards, address, now)
        return schema.Claims(
            account=address,
            credited=summary.credited,
            claimable=summary.claimable,
            pending=summary.pending,
            pending_until=summary.pending_until,
            paid=summary.paid,
            calls=[self._claim_call(claim) for claim in due],
        )

    def _claim_call(self, claim: Claiming) -> schema.ClaimCall:
        call = show_call(self.place.contracts, as_call(claim.call))
        what = claim.what.replace("-", "_")
        return schema.ClaimCall.model_validate({"what": what, "amount": claim.amount, "oid": claim.oid, "call": call})


def checksum(address: str, field: str = "account") -> ChecksumAddress:
    """An account as it is written everywhere else. Raises Rejected when its letters' case says that it is mistyped."""
    plain = to_checksum_address(address)
    if address not in (address.lower(), "0x" + address[2:].upper()) and not is_checksum_address(address):
        raise Faulty(field, f"{address} is mistyped (its checksum is wrong)")
    return plain


def _without_folder(text: str, folder: str) -> str:
    """An error without where this machine keeps uploads for the moment."""
    return re.sub(re.escape(folder) + r"(/[^/\s]+){0,2}/", "", text)
