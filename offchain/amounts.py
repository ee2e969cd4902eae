"""Amounts of tokens as text, exactly."""

from decimal import Decimal, InvalidOperation, localcontext

from offchain.types import TOKEN, Wei

MAX_DIGITS = 100


def format_wei(wei: int, *, decimals: int = 18) -> str:
    """An amount in tokens, with as many decimals as it needs and at most `decimals` (1 to 18; the rest is cut off)."""
    whole, rest = divmod(abs(wei), TOKEN)
    fraction = f".{rest:018d}"[: decimals + 1].rstrip("0").rstrip(".")
    return f"{'-' if wei < 0 else ''}{whole:,}{fraction}"


def parse_wei(text: str) -> Wei:
    """Wei of an amount of tokens such as "100" or "0.5". Raises ValueError for what is none, negative or too exact."""
    with localcontext(prec=MAX_DIGITS):  # by default a product is rounded to 28 digits
        try:
            wei = Decimal(text) * TOKEN
        except InvalidOperation as error:
            raise ValueError(f"{text!r} is not an amount of tokens") from error
        if not wei.is_finite() or not 0 <= wei < 2**256 or wei != wei.to_integral_value() or len(text) > MAX_DIGITS:
            raise ValueError(f"{text!r} is not an amount of tokens with at most 18 decimals")
        return Wei(int(wei))
