import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.ledger.identity import Address, InstanceId
from offchain.ledger.membership import (
    Endpoint,
    Member,
    Membership,
    checksum,
    from_announcements,
    instance_id,
    parse_address,
    read_membership,
)

ACCOUNTS = tuple(Address(bytes([number]) * 20) for number in range(1, 6))
COMMITTEE = Address(bytes(19) + b"\xcc")


def endpoint(number: int) -> Endpoint:
    return Endpoint("10.0.0.1", 7000 + number, f"http://10.0.0.1:{8000 + number}")


MEMBERSHIP = Membership(56, COMMITTEE, tuple(Member(account, endpoint(i)) for i, account in enumerate(ACCOUNTS[:4])))


def write(folder: Path, change: dict[str, Any]) -> Path:
    """The membership file with fields changed by paths such as `members.1.account`; None removes."""
    fields = json.loads(MEMBERSHIP.to_json())
    for where, value in change.items():
        *path, last = (int(step) if step.isdigit() else step for step in where.split("."))
        inner = fields
        for step in path:
            inner = inner[step]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    file = folder / "members.json"
    file.write_text(json.dumps(fields))
    return file


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    assert read_membership(write(tmp_path, {})) == MEMBERSHIP


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"chainId": "56"}, "chainId: expected a positive whole number"),
        ({"chainId": True}, "chainId: expected"),
        ({"chainId": None}, "chainId is missing"),
        ({"extra": 1}, "extra is unknown; expected chainId, committee, members"),
        ({"committee": "0x12"}, "committee: '0x12' is no address"),
        ({"members": {}}, "members: expected a list"),
        ({"members": []}, "0 members; a ledger has 4 to 100"),
        ({"members.1": 7}, "members[1]: expected an object"),
        ({"members.1.port": 7}, "members[1]: port is unknown"),
        ({"members.2.account": None}, "members[2]: account is missing"),
        ({"members.2.account": "0x" + "zz" * 20}, "members[2].account: '0xzz"),
        ({"members.2.endpoint": 5}, "members[2].endpoint: expected text"),
        ({"members.2.endpoint": "host http://host"}, "members[2].endpoint: endpoint 'host http://host'"),
        ({"members.2.account": checksum(ACCOUNTS[0])}, "members 0 and 2 have the same account"),
        ({"members.3.endpoint": "10.0.0.1:7001 http://other"}, "members 1 and 3 have the same endpoint"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    file = write(tmp_path, change)
    with pytest.raises(Rejected) as caught:
        read_membership(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"chainId": 1, "chainId": 2}', "[" * 5000])
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "members.json"
    file.write_text(text)
    with pytest.raises(Rejected, match=str(file)):
        read_membership(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="cannot be read"):
        read_membership(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("replica.example:7400 https://replica.example", Endpoint("replica.example", 7400, "https://replica.example")),
        ("[::1]:7400 http://[::1]:8000/", Endpoint("::1", 7400, "http://[::1]:8000")),
        ("10.0.0.1:1 http://10.0.0.1/assay/", Endpoint("10.0.0.1", 1, "http://10.0.0.1/assay")),
    ],
)
def test_endpoints(text: str, expected: Endpoint) -> None:
    assert Endpoint.parse(text) == expected
    assert Endpoint.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host:7400",
        "host:7400 ",
        "host:0 http://host",
        "host:65536 http://host",
        "host:99999999999999 http://host",
        "host:٣ http://host",
        ":7400 http://host",
        "host:7400 ftp://host",
        "host:7400 http://",
        "host:7400 http://user@host",
        "host:7400 http://host?x=1",
        "host:7400 http://host#x",
        "host:7400 http://host:99999",
        "host:7400 http://ho st",
        "host:7400 http://host\nX-Evil: 1",
        "host:7400 http://[::1",
        "host:7400 http://" + "h" * 250,
    ],
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(Rejected):
        Endpoint.parse(text)


@given(st.text(max_size=60))
def test_announcements_are_strangers_words(text: str) -> None:
    try:
        found = Endpoint.parse(text)
    except Rejected:
        return
    assert Endpoint.parse(str(found)) == found


def test_from_what_was_announced() -> None:
    announced = {account: str(endpoint(i)) for i, account in enumerate(ACCOUNTS)}
    assert from_announcements(56, COMMITTEE, ACCOUNTS[:4], announced) == MEMBERSHIP
    for heard in (
        None,
        "nonsense",
        "x" * 10_000,
        "127.0.0.1:0 http://127.0.0.1",
        "127.0.0.1:00000999999 http://127.0.0.1",
    ):
        others = {account: text for account, text in announced.items() if account != ACCOUNTS[1]}
        told = others if heard is None else others | {ACCOUNTS[1]: heard}
        found = from_announcements(56, COMMITTEE, ACCOUNTS[:4], told)
        assert found.instance == MEMBERSHIP.instance, "one member's silence keeps nobody from forming a group"
        assert [member.port != 0 for member in found.members] == [True, False, True, True]
    thief = announced | {ACCOUNTS[1]: announced[ACCOUNTS[2]]}
    assert from_announcements(56, COMMITTEE, ACCOUNTS[:4], thief).instance == MEMBERSHIP.instance


def test_the_instance_binds_chain_committee_members_and_order() -> None:
    swapped = (ACCOUNTS[1], ACCOUNTS[0], *ACCOUNTS[2:4])
    found = {
        MEMBERSHIP.instance,
        instance_id(57, COMMITTEE, ACCOUNTS[:4]),
        instance_id(56, ACCOUNTS[4], ACCOUNTS[:4]),
        instance_id(56, COMMITTEE, ACCOUNTS),
        instance_id(56, COMMITTEE, swapped),
    }
    assert len(found) == 5
    moved = Membership(
        56, COMMITTEE, tuple(Member(m.account, endpoint(10 + i)) for i, m in enumerate(MEMBERSHIP.members))
    )
    assert moved.instance == MEMBERSHIP.instance == InstanceId(instance_id(56, COMMITTEE, ACCOUNTS[:4]))


def test_who_is_who() -> None:
    assert [MEMBERSHIP.index_of(account) for account in ACCOUNTS[:4]] == [0, 1, 2, 3]
    with pytest.raises(Rejected, match="is no member"):
        MEMBERSHIP.index_of(ACCOUNTS[4])


def test_addresses() -> None:
    """The examples of EIP-55."""
    for text in ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"):
        assert checksum(parse_address(text)) == text
        assert parse_address(text.lower()) == parse_address(text)
        with pytest.raises(Rejected, match="checksum"):
            parse_address(
                text[:-1] + text[-1].swapcase() if text[-1].isalpha() else text.swapcase().replace("0X", "0x")
            )
