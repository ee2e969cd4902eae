"""What a record says, as JSON fields: made of the signed request alone, so clients can check what they are told."""

from typing import Protocol

from offchain.errors import Bug
from offchain.ledger.membership import checksum
from offchain.ledger.records.bodies import (
    Account,
    Body,
    Challenge,
    Claim,
    Model,
    Node,
    Order,
    RewardProposal,
    Validation,
)
from offchain.protocol.reward_root import RewardRoot


class Signed(Protocol):
    """A request, parsed, or a record of it."""

    @property
    def raw(self) -> bytes:
        """Its encoding."""

    @property
    def digest(self) -> bytes:
        """Its name."""

    @property
    def account(self) -> Account:
        """Who signed it."""

    @property
    def body(self) -> Body:
        """What it says."""


def described(request: Signed) -> dict[str, object]:
    """The fields of its `RecordOut` by their Python names, without the time."""
    base: dict[str, object] = {
        "id": to_hex(request.digest),
        "account": checksum(request.account),
        "request": to_hex(request.raw),
    }
    return base | _fields(request.body)


def to_hex(data: bytes) -> str:
    """With 0x."""
    return "0x" + data.hex()


def _fields(body: Body) -> dict[str, object]:
    match body:
        case Order():
            times = {f"t{index}": time for index, time in enumerate((body.t0, body.t1, body.t2, body.t3, body.t4))}
            return {"oid": body.oid, "reward": str(body.reward), "type": body.type, "link": body.link} | times
        case Claim():
            return {"commitment": to_hex(body.commitment)}
        case Model(oid=oid, client=client, mid=mid, link=link):
            return {"oid": oid, "client": checksum(client), "mid": to_hex(mid), "link": link}
        case Validation(oid=oid, client=client, mid=mid):
            score = {"score": body.score, "v_stake": str(body.v_stake)}
            return {"oid": oid, "client": checksum(client), "mid": to_hex(mid)} | score
        case Challenge():
            return {"vid": to_hex(body.vid), "c_stake": str(body.c_stake)}
        case Node():
            return {"role": body.role.name.lower(), "resources": body.resources, "endpoint": body.endpoint}
        case RewardProposal():
            return _statement(RewardRoot.from_body(body.statement))
    raise Bug(f"no kind of body: {type(body).__name__}")


def _statement(root: RewardRoot) -> dict[str, object]:
    numbers: dict[str, object] = {"cycle": root.cycle, "epoch": root.epoch, "up_to": root.up_to}
    hashes = {"parent": to_hex(root.parent), "history": to_hex(root.history), "root": to_hex(root.root)}
    return numbers | {"settled_otherwise": root.settled_otherwise} | hashes
