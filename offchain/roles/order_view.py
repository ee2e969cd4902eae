"""What every role knows of an order at one moment."""

from dataclasses import dataclass

from offchain.chain.views import Facts, Order, OrderTerms
from offchain.model.limits import ModelLimits
from offchain.protocol.lifecycle import ENDED, Phase
from offchain.types import OrderId, Seconds

NO_COMMITMENT = bytes(32)
"""What the contracts return where nothing is committed."""


SEAL_PATIENCE = 300
"""Seconds for which providers and validators leave sealing to aggregators and clients."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as put, its facts, and its phase at `now`, the timestamp of the latest block."""

    oid: OrderId
    order: Order
    facts: Facts
    phase: Phase
    now: Seconds

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it in ProofOfTraining any more."""
        return self.phase in ENDED


def sealable_since(view: OrderView) -> Seconds:
    """When the order became sealable by the clock; the end of the window at which nothing could follow."""
    windows, facts = view.order.windows, view.facts
    if facts.claims == 0:
        return windows.train_end
    if facts.reveals == 0 or not facts.test_released:
        return windows.reveal_end
    if facts.score_commits == 0:
        return windows.score_commit_end
    if facts.score_reveals == 0:
        return windows.score_reveal_end
    return Seconds(max(windows.challenge_end, facts.challenge_until))


def left_lying(view: OrderView) -> bool:
    """Whether the order could have been sealed for so long that those whose business it is seem not to be there."""
    return view.phase == Phase.SEALABLE and view.now >= sealable_since(view) + SEAL_PATIENCE


def order_limits(view: OrderView) -> ModelLimits:
    """What a model of this order may weigh."""
    terms = view.order.terms
    return limits_of(terms)


def limits_of(terms: OrderTerms) -> ModelLimits:
    """All that the chain can hold against a model: its bytes, and the sizes of what goes in and comes out.

    A client's spec is a wish: whatever else a valid model is made of, it is scored.
    """
    return ModelLimits(
        max_model_bytes=terms.max_model_bytes,
        max_tensor_bytes=terms.max_tensor_bytes,
        input_size=terms.input_size,
        output_size=terms.output_size,
    )
