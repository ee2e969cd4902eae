"""What the Solidity test holds the contract's ChaCha20 to is what the library gives that masks are made with."""

from tests.contracts.federated.chacha_vectors import FILE, source


def test_the_vectors_are_what_the_library_gives() -> None:
    assert FILE.read_text(encoding="utf-8") == source()
