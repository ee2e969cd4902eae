"""How a game goes down a tree: the twin of what `FederatedCourt.sol` says of heights and nodes."""

from __future__ import annotations

from offchain.federated.game.state import Game

LEVELS = 6
"""Most levels of a tree that one move goes down."""


def width(leaves: int, height: int) -> int:
    """How many nodes a tree of so many leaves has at this height."""
    return ((leaves - 1) >> height) + 1


def height_of(leaves: int) -> int:
    """The height of the root."""
    return (leaves - 1).bit_length()


def step_of(height: int) -> int:
    """Levels that a move goes down from `height`, at least 1: as few moves as can be, and those alike."""
    return -(-height // -(-height // LEVELS))


def below(game: Game) -> tuple[int, int, int]:
    """The nodes that the leader is to show: their height, the index of the first of them, and how many."""
    levels = step_of(game.height)
    height, first = game.height - levels, game.index << levels
    return height, first, min(width(game.leaves, height) - first, 1 << levels)
