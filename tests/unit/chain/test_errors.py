"""Reverts in words."""

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.artifacts import ALL_CONTRACTS, load_artifact, load_error_decoder
from offchain.chain.client import RpcFailure, revert_bytes
from offchain.chain.errors import endpoint_name

EMPTY = {"string": "", "bytes32": bytes(32), "address": "0x" + "00" * 20, "bool": False}


def data(signature: str, *values: object) -> bytes:
    inner = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + encode(inner.split(",") if inner else [], list(values))


def test_custom_errors_name_contract_error_and_arguments() -> None:
    revert = load_error_decoder().decode(data("RewardTooSmall(uint256,uint256)", 10, 3))
    assert revert.text == "OrderBook.RewardTooSmall(expected=10, actual=3)"
    assert (revert.contract, revert.name, revert.arguments) == (
        "OrderBook",
        "RewardTooSmall",
        {"expected": 10, "actual": 3},
    )


def test_enums_are_shown_by_name() -> None:
    revert = load_error_decoder().decode(data("WrongPhase(uint256,uint8,uint8)", 3, 1, 7), "ProofOfTraining")
    assert revert.text == "ProofOfTraining.WrongPhase(oid=3, expected=TRAINING, actual=SEALED)"


def test_the_called_contract_decides_between_equal_errors() -> None:
    decoder = load_error_decoder()
    raw = data("WrongPhase(uint256,uint8,uint8)", 3, 1, 7)
    assert decoder.decode(raw, "OrderBook").contract == "OrderBook"
    assert decoder.decode(raw, "ProofOfTraining").contract == "ProofOfTraining"


def test_bytes_are_shown_as_hex() -> None:
    revert = load_error_decoder().decode(data("PayoutsMismatch(bytes32,bytes32)", b"\x01" * 32, b"\x02" * 32))
    assert revert.text == f"RewardTreasury.PayoutsMismatch(expected=0x{'01' * 32}, actual=0x{'02' * 32})"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "reverted without a reason (no such function, or out of gas)"),
        (data("Error(string)", "no"), "reverted: no"),
        (data("Panic(uint256)", 0x11), "panicked: arithmetic overflow"),
        (data("Panic(uint256)", 0x77), "panicked: code 0x77"),
        (b"\xde\xad\xbe\xef", "reverted with unknown error 0xdeadbeef"),
        (data("RewardTooSmall(uint256,uint256)", 1, 2)[:20], "reverted with malformed data 0x"),
    ],
)
def test_everything_else_is_said_too(raw: bytes, text: str) -> None:
    assert load_error_decoder().decode(raw).text.startswith(text)


def test_every_error_of_every_contract_is_known() -> None:
    decoder = load_error_decoder()
    for contract in ALL_CONTRACTS:
        for entry in load_artifact(contract).abi:
            if entry["type"] == "error":
                signature = f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})"
                empty = [EMPTY.get(item["type"], 0) for item in entry["inputs"]]
                revert = decoder.decode(data(signature, *empty), contract)
                assert revert.name == entry["name"], signature


@given(st.binary(max_size=200))
def test_no_data_breaks_the_decoder(raw: bytes) -> None:
    assert load_error_decoder().decode(raw).text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("https://user:pass@node.example/v3/key", "https://node.example/…"),
        ("https://node.example?apikey=key", "https://node.example/…"),
        ("embedded chain", "embedded chain"),
    ],
)
def test_endpoints_are_shown_without_secrets(url: str, shown: str) -> None:
    assert endpoint_name(url) == shown


@pytest.mark.parametrize(
    ("given_data", "expected"),
    [("0x0102", b"\x01\x02"), ({"data": "0x03"}, b"\x03"), (None, b""), ("Reverted", b""), ("0xzz", b""), (7, b"")],
)
def test_revert_data_comes_in_many_shapes(given_data: object, expected: bytes) -> None:
    assert revert_bytes(given_data) == expected


def test_failures_are_told_apart() -> None:
    assert RpcFailure(3, "execution reverted", b"\x01").is_revert
    assert RpcFailure(-32000, "VM Exception while processing transaction: revert", b"").is_revert
    assert not RpcFailure(-32000, "nonce too low", b"").is_revert
    assert RpcFailure(-32005, "limit exceeded", b"").is_busy
    assert RpcFailure(-32000, "Too Many Requests", b"").is_busy
    assert not RpcFailure(-32000, "nonce too low", b"").is_busy
