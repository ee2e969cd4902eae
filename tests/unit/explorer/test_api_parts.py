"""The small pieces under the API: who may come in, JSON of values, the hub, answers that are computed once."""

import asyncio
import gzip
import json
import threading
from collections.abc import Hashable

import httpx
import pytest
from fastapi import Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from offchain.chain.client import BlockRef
from offchain.chain.enums import Outcome
from offchain.explorer.api import schema
from offchain.explorer.api.answers import Answers, takes_gzip
from offchain.explorer.api.guard import Door, Guard, is_loopback
from offchain.explorer.api.hub import MOST_WAITING, Full, Hub, Message
from offchain.explorer.api.live import Live
from offchain.explorer.api.plain import shown, terms_json
from offchain.explorer.content.book import ContentBook
from offchain.explorer.index.indexer import Step
from offchain.explorer.index.rows import EventRow, Standing
from offchain.ledger.api.buckets import Rate
from offchain.protocol.scores import ABSTAIN
from offchain.protocol.settlement import Payout
from offchain.storage.cid import Cid
from offchain.types import Seconds, Wei

HASH = bytes(range(32))


@pytest.mark.parametrize("host", ["127.0.0.1:7400", "localhost", "LOCALHOST:1", "[::1]:7400", "::1", "localhost."])
def test_loopback_names_are_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example:7400", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]:7400"]
)
def test_other_names_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_values_of_the_abi_are_numbers_only_where_they_are_always_small() -> None:
    assert shown({"type": "uint32"}, 7) == 7
    assert shown({"type": "int64"}, -7) == "-7"
    assert shown({"type": "uint256"}, 0) == "0"
    assert shown({"type": "uint8"}, Outcome.WON) == "won"
    assert shown({"type": "bytes32[]"}, (HASH,)) == ["0x" + HASH.hex()]
    parts = [{"type": "address", "name": "account"}, {"type": "uint256", "name": "amount"}]
    assert shown({"type": "tuple", "components": parts}, Payout("0xA", Wei(5))) == {"account": "0xA", "amount": "5"}
    assert shown({"type": "bytes"}, bytes(5_000)).endswith("…")
    assert terms_json(Payout("0xA", Wei(5))) == {"account": "0xA", "amount": "5"}


def test_answers_are_made_of_rows_with_the_same_names() -> None:
    score = schema.Score(sum=-(2**60), samples=3, text="x")
    assert json.loads(score.model_dump_json()) == {"sum": str(-(2**60)), "samples": 3, "text": "x"}
    told = schema.SheetScore.model_validate(
        {"model": 0, "holder": "0xA", "score": ABSTAIN, "revealed": None, "text": "abstained", "live": False}
    )
    assert (told.score, told.revealed) == (None, None)
    link = schema.FileLink.model_validate({"name": "graph", "cid": HASH, "size": 1})
    assert link.cid == str(Cid.of(HASH))
    assert (
        schema.TestSetOut.model_validate(
            {"released": False, "voided": False, "root": None, "cid": bytes(32), "samples": 0, "released_at": None}
        ).cid
        is None
    )
    money = schema.MoneyOut(what="reward", source="escrow", target="0xA", amount=2**70)
    assert json.loads(money.model_dump_json(by_alias=True)) == {
        "what": "reward", "from": "escrow", "to": "0xA", "amount": str(2**70)
    }  # fmt: skip


def messages(count: int, first: int = 1) -> list[Message]:
    return [Message.of("event", seq, {"n": seq}) for seq in range(first, first + count)]


def test_a_slow_reader_is_cut_off_and_the_others_go_on() -> None:
    async def play() -> None:
        hub = Hub(most=3, most_of_one=2)
        slow, quick = hub.join("here"), hub.join("here")
        with pytest.raises(Full):
            hub.join("here")
        hub.join("there")
        with pytest.raises(Full):
            hub.join("elsewhere")
        for first in range(1, MOST_WAITING + 2, 500):
            hub.publish(messages(500, first))
            assert [message.seq for message in await quick.take(1)] == list(range(first, first + 500))
        assert slow.lost
        assert await slow.take(1) == []
        hub.leave(slow)
        hub.join("here")
        waiting = asyncio.create_task(quick.take(60))
        await asyncio.sleep(0)
        hub.close()
        assert await waiting == []
        assert quick.lost

    asyncio.run(play())


def request(path: str = "/api/orders", headers: dict[str, str] | None = None) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw})


class Word(BaseModel):
    text: str


def test_an_answer_is_computed_once_for_each_state_however_many_ask() -> None:
    state: list[Hashable] = [1]
    made: list[int] = []
    go_on = threading.Event()

    def compute() -> Word:
        made.append(1)
        assert go_on.wait(30)
        return Word(text="x" * 2_000)

    async def play() -> None:
        answers = Answers(lambda: state[0])
        asked = [asyncio.create_task(answers.give(request(), compute)) for _ in range(20)]
        await asyncio.sleep(0.01)
        go_on.set()
        found = await asyncio.gather(*asked)
        assert len(made) == 1
        assert len({item.headers["etag"] for item in found}) == 1
        etag = found[0].headers["etag"]
        again = await answers.give(request(headers={"if-none-match": f'"other", {etag}'}), compute)
        assert (again.status_code, len(made)) == (304, 1)
        state[0] = 2
        zipped = await answers.give(request(headers={"accept-encoding": "gzip, br"}), compute)
        assert (zipped.status_code, len(made)) == (200, 2)
        assert json.loads(gzip.decompress(zipped.body)) == {"text": "x" * 2_000}
        answers.close()

    asyncio.run(play())


def test_memory_for_answers_is_bounded() -> None:
    async def play() -> None:
        answers = Answers(lambda: 0, most_bytes=20_000)
        for number in range(50):
            await answers.give(request(f"/{number}"), lambda: Word(text="y" * 500))
        assert sum(answer.size for answer in answers._kept.values()) <= 20_000
        assert len(answers._kept) > 5
        answers.close()

    asyncio.run(play())


def test_gzip_only_for_those_who_take_it() -> None:
    assert takes_gzip(request(headers={"accept-encoding": "gzip, deflate"}))
    assert not takes_gzip(request(headers={"accept-encoding": "gzip;q=0, identity"}))
    assert not takes_gzip(request())


def test_whoever_asks_too_often_from_elsewhere_is_asked_to_slow_down() -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("fine")(scope, receive, send)

    answered: list[int] = []
    guard = Guard(inner, Door(local=False, rate=Rate(1.0, 3.0)), answered.append, clock=lambda: 0.0)

    async def play() -> None:
        for port, address in enumerate(["1.2.3.4"] * 5 + ["1.2.3.5"]):
            async with httpx.AsyncClient(transport=httpx.ASGITransport(guard, client=(address, port))) as client:
                await client.get("http://any.example/api/about")

    asyncio.run(play())
    assert answered == [200, 200, 200, 429, 429, 200]


class Index:
    """Only stands somewhere."""

    seq = 0

    def standing(self) -> Standing:
        return Standing(1, self.seq, self.seq, True, self.seq, 1, HASH, Seconds(1), 1)


def step(index: Index, events: int, *, caught_up: bool = False, rolled_back: int | None = None) -> Step:
    """So many events are taken in."""
    rows = tuple(
        EventRow(index.seq + place, "OrderBook", "OrderPut", {}, 1, HASH, Seconds(1), HASH, place, None, None, None, ())
        for place in range(1, events + 1)
    )
    index.seq += events
    return Step(rows, rolled_back, caught_up, BlockRef(1, HASH, HASH, Seconds(1)), 1)


def test_readers_are_not_flooded_while_the_index_catches_up_and_told_in_the_end() -> None:
    async def play() -> list[tuple[str, int]]:
        index, hub, seconds = Index(), Hub(), [0.0]
        live = Live(index, ContentBook(None), hub, clock=lambda: seconds[0])
        live.attach(asyncio.get_running_loop())
        reader = hub.join("here")
        for _ in range(10):
            live.stepped(step(index, 1_000))
            seconds[0] += 0.5
        live.stepped(step(index, 3, caught_up=True))
        live.stepped(step(index, 2, caught_up=True, rolled_back=1))
        await asyncio.sleep(0)
        return [(message.kind, message.seq) for message in await reader.take(1)]

    assert asyncio.run(play()) == [
        ("reset", 1_000),
        ("head", 1_000),
        ("reset", 5_000),
        ("reset", 9_000),
        ("reset", 10_003),
        ("rollback", 10_005),
        ("event", 10_004),
        ("event", 10_005),
    ]
