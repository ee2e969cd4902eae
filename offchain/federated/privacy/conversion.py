"""Rényi differential privacy to (ε, δ) and back: plain formulas, nothing imported but math."""

from __future__ import annotations

import math

from offchain.errors import Rejected


def epsilon_at(rdp: float, order: float, delta: float) -> float:
    """The ε (nats, at least 0) that RDP of `rdp` nats at `order` > 1 gives with `delta`.

    Balle, Barthe, Gaboardi, Hsu, Sato 2020 (arXiv 1905.09982), theorem 21; Canonne, Kamath, Steinke 2020
    (arXiv 2004.00010), proposition 12. Raises Rejected for other orders or deltas.
    """
    return max(rdp - _gain(order, delta), 0.0)


def rdp_limit(epsilon: float, order: float, delta: float) -> float:
    """The RDP (nats) at `order` at which (epsilon, delta) is reached; negative where this order can never show it."""
    return epsilon + _gain(order, delta)


def _gain(order: float, delta: float) -> float:
    if not (1 < order < math.inf):
        raise Rejected(f"RDP order {order}: give a finite number above 1")
    if not (0 < delta < 1):
        raise Rejected(f"delta {delta}: give a probability strictly between 0 and 1")
    return (math.log(delta) + math.log(order)) / (order - 1) - math.log1p(-1 / order)
