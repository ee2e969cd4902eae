"""Bodies and requests have one encoding; only what an account signed for this ledger is one."""

from dataclasses import replace

import pytest
from coincurve import PrivateKey
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.ledger.records.bodies import STATEMENT_BYTES, Account, Body, Node, Order, Role
from offchain.ledger.records.encoding import MAX_LINK, decode_body, encode_body
from offchain.ledger.records.request import MAX_REQUEST_BYTES, Domain, Request, check_request, recover, sign
from offchain.protocol.reward_root import BODY_BYTES
from tests.unit.ledger.records.samples import ACCOUNTS, BODIES, DOMAIN, KEYS, REQUESTS, application, order

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@given(BODIES)
def test_a_body_comes_back(body: Body) -> None:
    assert decode_body(encode_body(body)) == body


@given(BODIES, st.data())
def test_a_body_has_one_encoding(body: Body, data: st.DataObject) -> None:
    encoded = encode_body(body)
    for end in range(len(encoded)):
        with pytest.raises(Rejected):
            decode_body(encoded[:end])
    with pytest.raises(Rejected):
        decode_body(encoded + b"\0")
    changed = bytearray(encoded)
    changed[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = decode_body(bytes(changed))
    except Rejected:
        return
    assert other != body
    assert encode_body(other) == changed


@given(st.binary(max_size=300))
def test_what_decodes_is_canonical(data: bytes) -> None:
    try:
        body = decode_body(data)
    except Rejected:
        return
    assert encode_body(body) == data


@pytest.mark.parametrize(
    "body",
    [
        replace(order(), oid=2**64),
        replace(order(), reward=-1),
        replace(order(), link="x" * (MAX_LINK + 1)),
        replace(order(), link="\x1b[2J"),
        replace(order(), type="Prüfung"),
        Node(Role.CLIENT, "\ud800", ""),
    ],
    ids=["oid", "reward", "long link", "escape", "umlaut", "surrogate"],
)
def test_a_field_out_of_bounds_is_one_line(body: Body) -> None:
    with pytest.raises(Rejected) as raised:
        encode_body(body)
    assert "\n" not in str(raised.value)


@given(REQUESTS)
def test_a_request_comes_back(request: Request) -> None:
    assert Request.decode(request.encode()) == request


@given(
    st.integers(1, 2**64),
    st.binary(min_size=20, max_size=20).map(Account),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=300),
)
@settings(max_examples=25)
def test_the_digest_is_that_of_eip_712(chain_id: int, committee: Account, nonce: int, body: bytes) -> None:
    account = ACCOUNTS[0]
    fields = {
        "EIP712Domain": ["name:string", "version:string", "chainId:uint256", "verifyingContract:address"],
        "LedgerMessage": ["account:address", "nonce:uint64", "body:bytes"],
    }
    typed = {
        "types": {
            name: [dict(zip(("name", "type"), pair.split(":"), strict=True)) for pair in pairs]
            for name, pairs in fields.items()
        },
        "primaryType": "LedgerMessage",
        "domain": {
            "name": "Assay ledger",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": to_checksum_address(committee),
        },
        "message": {"account": to_checksum_address(account), "nonce": nonce, "body": body},
    }
    signable = encode_typed_data(full_message=typed)
    signed = EthAccount.sign_message(signable, KEYS[0].secret)
    assert signed.message_hash == Domain(chain_id, committee).digest(account, nonce, body)
    assert recover(signed.message_hash, bytes(signed.signature)) == account


@given(BODIES, st.integers(0, 7), st.integers(0, 2**64 - 1))
@settings(max_examples=25)
def test_what_an_account_signs_is_valid(body: Body, who: int, nonce: int) -> None:
    encoded = sign(DOMAIN, KEYS[who], nonce, body).encode()
    assert application().is_valid(encoded)
    assert check_request(DOMAIN, encoded).account == ACCOUNTS[who]


@given(st.data())
def test_a_changed_bit_is_not_valid(data: st.DataObject) -> None:
    encoded = bytearray(sign(DOMAIN, KEYS[0], 1, order()).encode())
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not application().is_valid(bytes(encoded))


def test_only_one_form_of_a_signature_is_taken() -> None:
    request = sign(DOMAIN, KEYS[0], 1, order())
    s, v = int.from_bytes(request.signature[32:64], "big"), request.signature[64]
    mirrored = request.signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes((55 - v,))
    digest = request.digest(DOMAIN)
    assert recover(digest, request.signature) == ACCOUNTS[0]
    for signature in (mirrored, request.signature[:64] + bytes((v - 27,)), request.signature[:64], bytes(65)):
        assert recover(digest, signature) is None


@pytest.mark.parametrize("other", [Domain(31_338, DOMAIN.committee), Domain(31_337, Account(bytes(20)))])
def test_a_request_is_for_one_ledger(other: Domain) -> None:
    encoded = sign(other, KEYS[0], 1, order()).encode()
    with pytest.raises(Rejected, match="chain id and committee"):
        check_request(DOMAIN, encoded)


def test_sizes_are_bounded() -> None:
    largest = Order(1, 1, "t" * 64, 0, 0, 0, 0, 0, "l" * MAX_LINK)
    assert len(sign(DOMAIN, KEYS[0], 1, largest).encode()) <= MAX_REQUEST_BYTES
    for size in (0, 93, MAX_REQUEST_BYTES + 1):
        assert not application().is_valid(bytes(size))


def test_a_statement_is_as_long_as_a_reward_root() -> None:
    assert STATEMENT_BYTES == BODY_BYTES


def test_an_account_is_that_of_ethereum() -> None:
    key = PrivateKey.from_int(12_345)
    request = sign(DOMAIN, key, 1, order())
    assert request.account == Account(bytes.fromhex(EthAccount.from_key(key.secret).address[2:]))
