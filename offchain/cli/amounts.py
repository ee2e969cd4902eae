"""Amounts of the utility token as people write them."""

from decimal import Decimal, InvalidOperation

import typer

from offchain.types import TOKEN, Wei


def parse_tokens(text: str, flag: str) -> Wei:
    """Tokens to wei, exactly. Raises typer.BadParameter naming `flag` for anything that is not a positive amount."""
    try:
        wei = Decimal(text.replace(",", "").replace("_", "")) * TOKEN
    except InvalidOperation as error:
        raise typer.BadParameter(f"{flag}: {text!r} is not an amount of tokens; write 100 or 0.5") from error
    if not wei.is_finite() or wei <= 0 or wei != wei.to_integral_value():
        raise typer.BadParameter(f"{flag}: {text!r} must be positive with at most 18 decimals")
    return Wei(int(wei))
