"""The update cycle of one member: agrees with the others on reward roots, signs, posts, and watches what is posted.

A part of the aggregator's worker. Rules are in `treasurer_rules`; the ledger and the links are the caller's.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from eth_typing import ChecksumAddress

from offchain.chain.rewards import Rewards
from offchain.errors import Rejected
from offchain.protocol.hashing import keccak
from offchain.protocol.reward_book import Held, RewardBook
from offchain.protocol.reward_cycle import Cycle
from offchain.protocol.reward_root import RewardRoot, seats_of
from offchain.roles.context import RoleContext
from offchain.roles.records import RootSignatureRecord, root_place
from offchain.roles.reward_shares import Certificate, Equivocation, Share, Shares
from offchain.roles.reward_watch import RewardWatch
from offchain.roles.treasurer_rules import (
    Pace,
    RewardLedger,
    TreasurerOptions,
    is_confirmed,
    needs_multisig,
    next_proposal,
    proposing_slot,
    seat_turn,
)
from offchain.roles.worker import Hands
from offchain.types import OrderId, Seconds

Sign = Callable[[bytes], bytes]
"""Signs a 32-byte digest with the member's key: 64 bytes (EIP-2098), such as `signatures.sign_compact` makes."""


class Treasurer:
    """Call `look` whenever there is a new block, or something came in. Keeps nothing that a restart would miss."""

    def __init__(
        self,
        context: RoleContext,
        hands: Hands,
        ledger: RewardLedger,
        sign: Sign,
        options: TreasurerOptions | None = None,
        *,
        rewards: Rewards | None = None,
    ) -> None:
        """`sign` uses the key of `context.account`; `rewards`: to share one book with others."""
        self.rewards = rewards or Rewards(context.contracts)
        self._context = context
        self._hands = hands
        self._ledger = ledger
        self._sign = sign
        self._options = options or TreasurerOptions()
        self._watch = RewardWatch(context, hands, self.rewards, self._options)
        self._shares = Shares(self.rewards.domain)
        self._candidates: tuple[RewardRoot, ...] = ()
        self._heard = 0
        self._signed = {record.commitment: record for record in context.journal.all(RootSignatureRecord)}
        self._complete: dict[int, float] = {}
        self._certificates: dict[int, Certificate] = {}
        self._proposed: tuple[int, int] | None = None
        self._sent: dict[int, float] = {}
        self._caught: dict[tuple[ChecksumAddress, int], float] = {}

    @property
    def book(self) -> RewardBook:
        """The rewards as of the last `look`."""
        return self.rewards.book

    def look(self, now: Seconds, pace: Pace) -> None:
        """Does what is this member's to do at chain time `now`. Raises Retryable when the node is down."""
        self.rewards.look()
        self._take_proposals()
        self._take_shares()
        for statement in self._candidates:
            self._try(f"sign-root {statement.attempt}", partial(self._support, statement, now))
        self._try("post-root", self._post)
        self._guard(now)
        for caught in self._shares.equivocations:
            self._try(f"slash {caught.signer}", partial(self._slash, caught))
        self._try("propose-root", partial(self._propose, now, pace))

    def standing(self) -> dict[str, float]:
        """See `Loop.standing`: nothing of its own."""
        return {}

    def close(self) -> None:
        """Ends what runs beside it: nothing here."""

    def has_news(self) -> bool:
        """Whether there may be something to do although the chain stands where it stood."""
        latest = next((proposal.attempt for proposal in reversed(self._ledger.proposals())), self._heard)
        return bool(self._candidates) or latest != self._heard or self._watch.is_waiting

    def needs_multisig(self, oid: OrderId, now: Seconds, pace: Pace) -> bool:
        """Whether a sealed order waits for a root for so long that it is to be paid by propose, confirm and execute."""
        book, place = self.book, self.book.place_of(oid)
        held: Held | None = next((order for order in book.waiting() if order.sequence == place), None)
        members = len(book.epoch.members) if book.epoch is not None else 0
        return held is not None and needs_multisig(held, members, now, pace, self._options)

    def _guard(self, now: Seconds) -> None:
        self._watch.act(now)

    # What comes in

    def _take_proposals(self) -> None:
        """What can be signed and posted next; all else waits in the ledger, or is over."""
        tip, epoch = self.book.tip, self.book.epoch
        found: list[RewardRoot] = []
        for proposal in self._ledger.proposals():
            self._heard = proposal.attempt
            with suppress(Rejected):
                found.append(RewardRoot.from_body(proposal.body, proposal.attempt))
        self._candidates = tuple(
            statement
            for statement in found
            if tip is not None
            and epoch is not None
            and (statement.cycle, statement.parent, statement.epoch) == (tip.cycle + 1, tip.root, epoch.number)
        )
        present = {statement.attempt for statement in self._candidates}
        self._complete = {attempt: since for attempt, since in self._complete.items() if attempt in present}
        self._certificates = {attempt: one for attempt, one in self._certificates.items() if attempt in present}
        self._sent = {attempt: at for attempt, at in self._sent.items() if attempt in present}

    def _take_shares(self) -> None:
        for data in self._ledger.take_shares():
            with suppress(Rejected):
                share = Share.decode(data)
                self._shares.add(share, self._members(share.statement.epoch))

    # Signing

    def _support(self, statement: RewardRoot, now: Seconds) -> None:
        """Signs a statement that is right, and lets the others know until its root is on chain."""
        if self._context.account not in self._members(statement.epoch) or not self._is_right(statement):
            return
        record = self._signed.get(root_place(statement.epoch, statement.attempt))
        if record is None:
            if self._has_signed_like(statement, now):
                return
            record = self._put_signature(statement, now)
        if (record.body, record.attempt) == (statement.body, statement.attempt):
            self._let_know(Share(statement, record.signature))
        # Else the ledger was begun anew within the epoch, and its numbers with it: we sign no second statement.

    def _put_signature(self, statement: RewardRoot, now: Seconds) -> RootSignatureRecord:
        record = RootSignatureRecord(
            commitment=root_place(statement.epoch, statement.attempt),
            body=statement.body,
            attempt=statement.attempt,
            signature=self._sign(statement.digest(self.rewards.domain)),
            signed_at=now,
        )
        self._context.journal.write(record)  # on the disk before anybody sees the signature
        self._signed[record.commitment] = record
        self._hands.say(None, "sign-root", cycle=statement.cycle, attempt=statement.attempt, up_to=statement.up_to)
        self._hands.note_action()
        return record

    def _has_signed_like(self, statement: RewardRoot, now: Seconds) -> bool:
        """Whether the same was signed under another number so lately that its root may yet come.

        Else anybody who has the ledger order one proposal again and again would have the signatures scattered.
        """
        return any(
            record.body == statement.body and now < record.signed_at + self._options.patience // 2
            for record in self._signed.values()
        )

    def _let_know(self, share: Share) -> None:
        clock, attempt = self._context.clock(), share.statement.attempt
        self._shares.add(share, self._members(share.statement.epoch))
        if attempt not in self._sent or clock >= self._sent[attempt] + self._options.repeat:
            self._sent[attempt] = clock
            self._ledger.broadcast_share(share.encode())

    # Posting

    def _post(self) -> None:
        """Posts the furthest root that is right and has its signatures, in turn with the others."""
        ready = [statement for statement in self._candidates if self._is_ready(statement)]
        if not ready:
            return
        statement = max(ready, key=lambda each: (each.up_to, -each.attempt))
        members, attempt = self._members(statement.epoch), statement.attempt
        since = self._complete.setdefault(attempt, self._context.clock())
        turn = seat_turn(self._context.account, members, attempt)
        if self._context.clock() < since + turn * self._options.stagger:
            return
        epoch, cycle = self.book.committee(statement.epoch), self._cycle_of(statement)
        certificate = None if epoch is None else self._shares.certificate(statement, epoch.threshold)
        if cycle is not None and certificate is not None:
            # The same signers at every look, for a key of the sender stands for one call
            signatures = self._certificates.setdefault(attempt, certificate).signatures
            signers, _ = seats_of(members, signatures)
            call = self.rewards.post(cycle, attempt, members, signatures)
            self._hands.send(f"post-root::{statement.epoch}:{attempt}:{signers:x}", call)

    def _is_ready(self, statement: RewardRoot) -> bool:
        epoch = self.book.committee(statement.epoch)
        return epoch is not None and len(self._shares.of(statement)) >= epoch.threshold and self._is_right(statement)

    # Proposing

    def _propose(self, now: Seconds, pace: Pace) -> None:
        """Has the ledger order what should be signed next, when it is our turn and nothing good is under way."""
        slot = proposing_slot(self._context.account, self.book, now, pace, self._options)
        cycle = self._next_cycle() if slot is not None else None
        if slot is None or cycle is None or self._proposed == (cycle.statement.cycle, slot):
            return
        if self._is_under_way(now):
            return
        self._ledger.submit(cycle.statement.body)
        self._proposed = (cycle.statement.cycle, slot)
        self._hands.say(None, "propose-root", cycle=cycle.statement.cycle, up_to=cycle.statement.up_to)
        self._hands.note_action()

    def _is_under_way(self, now: Seconds) -> bool:
        """Whether we signed something lately that can still be posted."""
        for statement in self._candidates:
            record = self._signed.get(root_place(statement.epoch, statement.attempt))
            if record is not None and now < record.signed_at + self._options.patience and self._is_right(statement):
                return True
        return False

    # Slashing

    def _slash(self, caught: Equivocation) -> None:
        """Shows both signatures to the contract, in turn with the others."""
        epoch = caught.first.statement.epoch
        members = self._members(epoch)
        if self.book.is_slashed(caught.signer, epoch):
            return
        since = self._caught.setdefault((caught.signer, epoch), self._context.clock())
        turn = seat_turn(self._context.account, members, caught.first.statement.attempt)
        if self._context.clock() < since + turn * self._options.stagger:
            return
        first, second = caught.first, caught.second
        call = self.rewards.slash_equivocation(
            (first.statement, first.signature), (second.statement, second.signature), members
        )
        evidence = keccak(first.encode() + second.encode())[:8].hex()
        self._hands.send(f"slash-equivocation::{epoch}:{caught.signer}:{evidence}", call)

    def _try(self, topic: str, action: Callable[[], None]) -> None:
        """Never given up: what is refused now, for another was faster or the chain moved, may be right later."""
        self._hands.attempt(None, topic, action, obligation=True)

    def _next_cycle(self) -> Cycle | None:
        """What to propose."""
        return next_proposal(self.book)

    def _cycle_of(self, statement: RewardRoot) -> Cycle | None:
        """Our own computation of a statement that we stand behind."""
        return self.book.next_cycle(statement.up_to)

    def _is_right(self, statement: RewardRoot) -> bool:
        """Whether we stand behind it."""
        return is_confirmed(self.book, statement)

    def _members(self, epoch: int) -> Sequence[ChecksumAddress]:
        found = self.book.committee(epoch)
        return () if found is None else found.members
