"""Amounts of the utility token as people write them."""

import typer

from offchain.amounts import parse_wei
from offchain.types import Wei


def parse_tokens(text: str, flag: str) -> Wei:
    """Tokens to wei, exactly. Raises typer.BadParameter naming `flag` for anything that is not a positive amount."""
    try:
        wei = parse_wei(text.replace(",", "").replace("_", ""))
    except ValueError as error:
        raise typer.BadParameter(f"{flag}: {error}; write a positive one, 100 or 0.5") from error
    if wei == 0:
        raise typer.BadParameter(f"{flag}: {text!r} must be positive")
    return wei
