"""The desk for those who have earned something: the calls that pay it out, with their proofs."""

import threading

from eth_typing import ChecksumAddress

from offchain.chain.rewards import Rewards
from offchain.chain.transactions import as_call
from offchain.explorer.desk import schema
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.shown import show_call
from offchain.roles.claiming import Claiming, claims_of, stalled_of, summarise_rewards


class RewardDesk:
    """Keeps the book of rewards up with the chain. Methods may be called from any thread."""

    def __init__(self, place: DeskPlace) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._rewards = Rewards(place.contracts)

    def claims(self, address: ChecksumAddress) -> schema.Claims:
        """What an account has earned, and the calls that pay it. Raises Retryable."""
        contracts, now = self.place.contracts, self.place.client.now()
        with self._lock:
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
