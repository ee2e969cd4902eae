"""What a validator does next. Pure: the order, the sheets on chain and its own record in, actions out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.views import Claim, ScoreSheet
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import PPM
from offchain.roles.order_view import NO_COMMITMENT, OrderView
from offchain.roles.records import ScoresRecord
from offchain.types import Wei


@dataclass(frozen=True, slots=True)
class CommitScores:
    """Commit to the scores of all models."""

    record: ScoresRecord


@dataclass(frozen=True, slots=True)
class RevealScores:
    """Open the scores."""

    record: ScoresRecord


@dataclass(frozen=True, slots=True)
class OpeningLost:
    """The sheet on chain is not in the journal: it cannot be revealed and its stake will be slashed."""


@dataclass(frozen=True, slots=True)
class SlashClaim:
    """Report a claim that was not revealed."""

    provider: ChecksumAddress


@dataclass(frozen=True, slots=True)
class SlashScores:
    """Report scores that were not revealed."""

    validator: ChecksumAddress


ScoringAction = CommitScores | RevealScores | OpeningLost
SlashAction = SlashClaim | SlashScores
ValidatorAction = ScoringAction | SlashAction


def scoring_actions(
    view: OrderView, sheet: ScoreSheet, records: Sequence[ScoresRecord], *, margin: int
) -> tuple[ScoringAction, ...]:
    """What the validator does about its own scores of `view` now.

    `sheet`: its own on chain; `records`: its journal's of this order, oldest first; `margin`: seconds before the end of
    the commit window after which it commits no more, for it might arrive too late.
    """
    committed = sheet.commitment != NO_COMMITMENT
    if view.phase == Phase.SCORE_COMMIT and not committed and records and records[-1].vstake:
        in_time = view.now + margin < view.order.windows.score_commit_end
        return (CommitScores(records[-1]),) if in_time else ()
    if view.phase == Phase.SCORE_REVEAL and committed and not sheet.revealed:
        mine = next((record for record in records if record.commitment == sheet.commitment), None)
        return (OpeningLost() if mine is None else RevealScores(mine),)
    return ()


def claims_can_be_slashed(phase: Phase) -> bool:
    """Whether an unrevealed claim is a fault by now."""
    return Phase.REVEAL < phase < Phase.SEALED


def scores_can_be_slashed(phase: Phase) -> bool:
    """Whether unrevealed scores are a fault by now."""
    return Phase.SCORE_REVEAL < phase < Phase.SEALED


def slash_actions(
    view: OrderView,
    claims: Mapping[ChecksumAddress, Claim],
    sheets: Mapping[ChecksumAddress, ScoreSheet],
    *,
    least_reward: Wei,
) -> tuple[SlashAction, ...]:
    """The faults of others that are worth reporting: whose reporter's share is at least `least_reward` wei.

    `claims` by provider and `sheets` by validator, without the reporter's own: slashing yourself never pays.
    """
    actions: list[SlashAction] = []
    if claims_can_be_slashed(view.phase) and _share(view, view.order.claim_bond) >= max(least_reward, 1):
        actions += [SlashClaim(who) for who, claim in claims.items() if not claim.revealed and not claim.slashed]
    if scores_can_be_slashed(view.phase):
        actions += [
            SlashScores(who)
            for who, sheet in sheets.items()
            if not sheet.revealed and not sheet.slashed and _share(view, sheet.locked) >= max(least_reward, 1)
        ]
    return tuple(actions)


def _share(view: OrderView, amount: Wei) -> int:
    return amount * view.order.reporter_share_ppm // PPM
