"""The smallest application that shows a lost or doubled request, as a replica process."""

import hashlib
import sys
from collections.abc import Sequence

from offchain.errors import Rejected
from offchain.ledger.process import main
from offchain.ledger.types import Digest, Millis


class Counter:
    """Numbers requests in the order of execution. A request is valid if it starts with `ok`."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}

    def is_valid(self, request: bytes) -> bool:
        return request.startswith(b"ok")

    def is_settled(self, request: bytes) -> bool:
        return hashlib.sha256(request).digest() in self.numbers

    def execute(self, time: Millis, requests: Sequence[bytes]) -> list[bytes]:
        """The request's number, the same again for one that was executed before."""
        results = []
        for request in requests:
            name = hashlib.sha256(request).digest()
            fresh = name not in self.numbers
            number = self.numbers.setdefault(name, len(self.numbers) + 1)
            results.append((b"new" if fresh else b"old") + number.to_bytes(8, "big"))
        return results

    def digest(self) -> Digest:
        return Digest(hashlib.sha256(self.snapshot()).digest())

    def snapshot(self) -> bytes:
        return b"".join(self.numbers)

    def restore(self, snapshot: bytes) -> None:
        if len(snapshot) % 32:
            raise Rejected("no snapshot")
        names = [snapshot[start : start + 32] for start in range(0, len(snapshot), 32)]
        self.numbers = {name: number for number, name in enumerate(names, start=1)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], lambda membership: Counter()))
