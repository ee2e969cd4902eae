"""Text as tokens: the bytes of its UTF-8, as many for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DEFAULT_LENGTH = 32
PADDING = 0
"""The token before a text that is shorter; no text has it, for it is no printable character."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """The column of a table that holds the text, and the tokens that each sample gets."""

    column: str
    length: int = DEFAULT_LENGTH


def encode(texts: Sequence[str], length: int) -> npt.NDArray[np.uint8]:
    """Tokens uint8 (n, length): the first `length` bytes of each text, padded in front.

    So all end together, and the last state of a recurrent network has just seen the end.
    """
    tokens = np.full((len(texts), length), PADDING, dtype=np.uint8)
    for row, text in enumerate(texts):
        found = text.encode("utf-8", errors="replace")[:length]
        if found:
            tokens[row, length - len(found) :] = np.frombuffer(found, dtype=np.uint8)
    return tokens
