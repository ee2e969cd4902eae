"""How many threads torch should use for a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from offchain.model.spec import ModelSpec

_WORTH_SHARING = 1_000_000_000
"""Multiply-accumulates of one training step above which threads pay for their synchronisation."""


def training_threads(spec: ModelSpec, batch_size: int) -> int:
    """1 for small networks, torch's own number for others.

    A step of a small network takes about a millisecond; threads that meet at a barrier dozens of times in it, on cores
    that other processes want too, made it ten times slower here.
    """
    forward = sum(item.multiply_accumulates for item in spec.wired())
    return 1 if 3 * forward * batch_size < _WORTH_SHARING else torch.get_num_threads()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Sets torch's thread count (of the whole process) for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
