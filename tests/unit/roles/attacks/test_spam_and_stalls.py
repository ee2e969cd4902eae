"""Orders by the thousand, orders that give models away, rivals that push an aggregator out: workers hold on."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, cast

from offchain.chain.client import BlockRef
from offchain.chain.views import Order
from offchain.protocol.lifecycle import Facts
from offchain.roles.aggregator_rules import AdvanceEpoch, CommitteeView, Join, ReleaseStake, committee_actions
from offchain.roles.board import Board
from offchain.roles.order_view import SEAL_PATIENCE, OrderView, left_lying
from offchain.roles.provider_rules import SubmitClaim, provider_actions
from offchain.types import OrderId, Ppm, Seconds, Wei
from tests.unit.roles.views import ME, NO_CLAIM, ORDER, OTHER, START, candidate, view

HEAD = BlockRef(number=7, hash=b"h" * 32, parent=b"p" * 32, timestamp=Seconds(START + 1))


@dataclass
class Flooded:
    """What the board reads of a chain with `count` orders; remembers which were read."""

    count: int
    read: list[int] = field(default_factory=list)

    def order_count(self) -> int:
        return self.count

    def order(self, oid: int) -> Order:
        return ORDER

    def facts(self, oid: int) -> Facts:
        self.read.append(oid)
        return Facts(claims=1)


def board(chain: Flooded) -> Board:
    return Board(cast(Any, None), cast(Any, chain))


def numbers(views: Iterator[OrderView]) -> list[int]:
    return [item.oid for item in views]


def test_orders_with_stake_at_risk_are_looked_at_before_ten_thousand_others() -> None:
    chain = Flooded(10_000)
    mine = frozenset({OrderId(9_999), OrderId(17)})
    assert numbers(islice(board(chain).views(HEAD, mine), 2)) == [17, 9_999]
    assert chain.read == [17, 9_999]


def test_a_look_that_is_broken_off_goes_on_where_it_stopped_and_misses_no_order() -> None:
    flooded = board(Flooded(10))
    mine = frozenset({OrderId(4)})
    first = numbers(islice(flooded.views(HEAD, mine), 5))
    second = numbers(islice(flooded.views(HEAD, mine), 5))
    third = numbers(islice(flooded.views(HEAD, mine), 5))
    assert (first, second, third) == ([4, 1, 2, 3, 5], [4, 6, 7, 8, 9], [4, 10, 1, 2, 3])
    assert sorted(numbers(flooded.views(HEAD, mine))) == list(range(1, 11))


def test_what_is_over_is_never_read_again() -> None:
    chain = Flooded(3)
    flooded = board(chain)
    for oid in (OrderId(1), OrderId(3)):
        flooded.close(oid)
    assert numbers(flooded.views(HEAD, frozenset({OrderId(3)}))) == [2]


def test_a_model_below_an_exorbitant_minimum_is_not_given_away() -> None:
    terms = replace(ORDER.terms, minimum_score_ppm=Ppm(1_000_000))
    seen = view(START + 1, claims=0, reveals=0)
    greedy = replace(seen, order=replace(ORDER, terms=terms))
    good, perfect = candidate("good", 9), candidate("perfect", 10)
    assert provider_actions(greedy, NO_CLAIM, [good], training=True, margin=1) == ()
    assert provider_actions(greedy, NO_CLAIM, [good, perfect], training=True, margin=1) == (SubmitClaim(perfect),)
    assert provider_actions(seen, NO_CLAIM, [good], training=True, margin=1) == (SubmitClaim(good),)


def test_an_aggregator_that_was_outbid_takes_its_stake_back_and_stands_again() -> None:
    stake = Wei(500)
    outbid = CommitteeView(
        account=ME,
        epoch=3,
        epoch_ends_at=Seconds(START),
        members=(OTHER,),
        candidates=(OTHER,),
        threshold=1,
        locked_stake=stake,
        free_bond=Wei(0),
        now=Seconds(START - 1),
    )

    def actions(seen: CommitteeView) -> tuple[object, ...]:
        return committee_actions(seen, stake=stake, stagger=1, payment_waits=False)

    assert actions(replace(outbid, members=(OTHER, ME))) == ()
    assert actions(outbid) == (ReleaseStake(3),)
    assert actions(replace(outbid, locked_stake=Wei(0), free_bond=stake)) == (Join(stake),)
    standing = replace(outbid, candidates=(OTHER, ME), now=Seconds(START + 1))
    assert actions(standing) == (AdvanceEpoch(3),)


def test_an_order_that_nobody_seals_does_not_hold_its_providers_and_validators_for_ever() -> None:
    over = ORDER.windows.challenge_end
    assert not left_lying(view(over - 1, score_reveals=1))
    assert not left_lying(view(over + SEAL_PATIENCE - 1, score_reveals=1))
    assert left_lying(view(over + SEAL_PATIENCE, score_reveals=1))
    assert not left_lying(view(over + SEAL_PATIENCE, score_reveals=1, is_sealed=True))
    withheld = ORDER.windows.reveal_end + SEAL_PATIENCE
    assert left_lying(view(withheld, test_released=False))
