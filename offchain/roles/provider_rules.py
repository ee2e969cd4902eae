"""What a service provider does next. Pure: the order, its claim and its own candidates in, actions out."""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.chain.views import Claim
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import reaches
from offchain.roles.order_view import NO_COMMITMENT, OrderView
from offchain.roles.records import CandidateRecord


@dataclass(frozen=True, slots=True)
class SubmitClaim:
    """Commit to a model, or replace the claim by a better one."""

    candidate: CandidateRecord


@dataclass(frozen=True, slots=True)
class RevealModel:
    """Open the claim."""

    candidate: CandidateRecord


@dataclass(frozen=True, slots=True)
class StopTraining:
    """Training for this order is over."""


@dataclass(frozen=True, slots=True)
class OpeningLost:
    """The claim on chain is not in the journal: it cannot be revealed and its bond will be slashed."""


ProviderAction = SubmitClaim | RevealModel | StopTraining | OpeningLost


LOSS_MARGIN = 0.1
"""The part of its loss that a model must save to be better than one with the same score. A hold-out has few samples, so
that a smaller loss does mean a better model; but a little less of it is not worth a new claim."""


def best_candidate(candidates: Sequence[CandidateRecord]) -> CandidateRecord | None:
    """The one with the highest score on the provider's hold-out, of these the least loss, the earliest on a tie."""
    return max(candidates, key=lambda candidate: (candidate.score, -candidate.loss), default=None)


def improves(score: int, loss: float, known: CandidateRecord | None) -> bool:
    """Whether a model is clearly better than a known one: by its score, or at the same score by its loss."""
    if known is None or score != known.score:
        return known is None or score > known.score
    return loss < (1 - LOSS_MARGIN) * known.loss


def claimed_candidate(claim: Claim, candidates: Sequence[CandidateRecord]) -> CandidateRecord | None:
    """The candidate that the claim on chain commits to, if the journal has it."""
    return next((item for item in candidates if item.commitment == claim.commitment), None)


def provider_actions(
    view: OrderView, claim: Claim, candidates: Sequence[CandidateRecord], *, training: bool, margin: int
) -> tuple[ProviderAction, ...]:
    """What the provider does about `view` now.

    `claim`: its own on chain; `training`: whether a training for the order is running; `margin`: seconds before the end
    of training after which it sends no claim any more, for it might arrive too late.
    """
    if view.phase == Phase.TRAINING:
        in_time = view.now + margin < view.order.windows.train_end
        return _claim_better(claim, [item for item in candidates if _can_win(view, item)]) if in_time else ()
    stop: tuple[ProviderAction, ...] = (StopTraining(),) if training else ()
    if view.phase == Phase.REVEAL and claim.commitment != NO_COMMITMENT and not claim.revealed:
        mine = claimed_candidate(claim, candidates)
        return (*stop, OpeningLost() if mine is None else RevealModel(mine))
    return stop


def _can_win(view: OrderView, candidate: CandidateRecord) -> bool:
    """A model below the order's minimum would only be given away: what is revealed is there for everyone."""
    return reaches(candidate.score, candidate.samples, view.order.terms.minimum_score_ppm)


def _claim_better(claim: Claim, candidates: Sequence[CandidateRecord]) -> tuple[ProviderAction, ...]:
    """A replacement moves to the end of the queue, so only a clearly better model is worth one."""
    best = best_candidate(candidates)
    if best is None or best.commitment == claim.commitment:
        return ()
    claimed = claimed_candidate(claim, candidates)
    if not improves(best.score, best.loss, claimed):
        return ()
    return (SubmitClaim(best),)
