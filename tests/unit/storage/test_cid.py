"""CIDs as text: every accepted form names the same digest, everything else is refused in one line."""

import base58
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.storage.cid import Cid

digests = st.binary(min_size=32, max_size=32)


@given(digests)
def test_every_text_form_reads_back(digest: bytes) -> None:
    cid = Cid.of(digest)
    base58_v1 = "z" + base58.b58encode(b"\x01\x70" + cid.multihash).decode()
    for text in (str(cid), cid.v1, base58_v1, cid.hex()):
        assert Cid.parse(text) == cid
    assert str(cid).startswith("Qm")
    assert len(str(cid)) == 46
    assert cid.v1.startswith("bafybei")


def test_known_names_of_the_empty_file() -> None:
    # The empty UnixFS file; both names are known to everyone who has used IPFS.
    empty = Cid.parse("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH")
    assert empty.v1 == "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Qm",
        "Qm" + "1" * 44,
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQ",  # too short
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQHH",  # too long
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQ0",  # 0 is not base58
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",  # raw codec
        "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4",
        "BAFYBEIF7ZTNHQ65LUMVVTR4EKCWD2IFWGM3AWQ4ZFR3SRH462RWYINLB4Y",
        "b" + "a" * 70,
        "z" + "2" * 20,
        "0x" + "00" * 31,
        "0x" + "00" * 33,
        "0x" + "zz" * 32,
        "00" * 32,
        "f01701220" + "00" * 32,
        "/ipfs/QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
        "Q" * 1_000_000,
        "Qm\x1b[31m",
        "bé",
    ],
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(Rejected) as caught:
        Cid.parse(text, source="--cid")
    line = str(caught.value)
    assert line.startswith("--cid: ")
    assert len(line) < 300
    assert line.isprintable()


@given(st.text(max_size=90))
def test_no_text_does_anything_but_parse_or_be_rejected(text: str) -> None:
    try:
        cid = Cid.parse(text)
    except Rejected:
        return
    assert len(cid.digest) == 32


@given(digests, st.integers(0, 255))
def test_a_multihash_of_another_function_is_refused(digest: bytes, function: int) -> None:
    text = base58.b58encode(bytes([0x01, 0x70, function, 32]) + digest).decode()
    if function == 0x12:
        assert Cid.parse("z" + text).digest == digest
    else:
        with pytest.raises(Rejected):
            Cid.parse("z" + text)


def test_a_digest_of_another_length_is_our_own_bug() -> None:
    with pytest.raises(Bug):
        Cid.of(b"short")
