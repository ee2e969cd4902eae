"""More questions at once than a worker likes: the order in which they are dealt with."""

from eth_utils.address import to_checksum_address

from offchain.chain.availability import BUNCH, Asked, answerable
from offchain.dispute.requests import Item, Request, RequestStatus, Target
from offchain.types import OrderId, Seconds, Wei

NOW = 10 * BUNCH
ASKER = to_checksum_address("0x" + "11" * 20)


def asked(number: int, model: int, deadline: int, item: Item = Item.HEADER) -> Asked:
    target = Target(OrderId(1), item, model_index=model)
    return Asked(number, Request(ASKER, Seconds(deadline), RequestStatus.OPEN, Wei(1), target))


def test_questions_about_two_models_in_turn_are_answered_one_model_after_the_other() -> None:
    flood = [asked(number, number % 2, NOW + 1 + number % 5) for number in range(1, 41)]
    models = [one.request.target.model_index for one in answerable(flood, Seconds(NOW))]
    assert models == [0] * 20 + [1] * 20


def test_what_is_much_more_urgent_comes_first_all_the_same() -> None:
    late, soon = asked(1, 0, NOW + 2 * BUNCH), asked(2, 1, NOW + 1)
    sample, over = asked(3, 0, NOW + 2, Item.SAMPLE), asked(4, 0, NOW)
    assert answerable([late, sample, soon, over], Seconds(NOW)) == (soon, sample, late)
