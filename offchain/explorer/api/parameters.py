"""Path and query parameters that several routes share."""

from typing import Annotated

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from fastapi import Path, Query
from pydantic import AfterValidator

from offchain.explorer.api.fields import EXAMPLE_ADDRESS, EXAMPLE_CID
from offchain.explorer.api.schema import MAX_PAGE

ADDRESS = r"^0x[0-9a-fA-F]{40}$"
NAME = r"^[A-Za-z0-9]{1,64}$"
MOST = 1 << 53
"""Beyond any number of an order, dispute, task or event; JSON numbers end there."""


def _checksummed(text: str) -> ChecksumAddress:
    return to_checksum_address(text)


def _checksummed_if_any(text: str | None) -> ChecksumAddress | None:
    return None if text is None else to_checksum_address(text)


Oid = Annotated[int, Path(ge=0, lt=MOST, description="The order's number.", examples=[1])]
DisputeId = Annotated[int, Path(ge=0, lt=MOST, description="The dispute's number.", examples=[1])]
Task = Annotated[int, Path(ge=0, lt=MOST, description="The federated task's number.", examples=[1])]
Account = Annotated[
    ChecksumAddress,
    Path(pattern=ADDRESS, description="An address; capitals need not be its checksum.", examples=[EXAMPLE_ADDRESS]),
    AfterValidator(_checksummed),
]
CidPath = Annotated[str, Path(min_length=1, max_length=80, description="CIDv0 or CIDv1.", examples=[EXAMPLE_CID])]
OfAccount = Annotated[
    ChecksumAddress | None,
    Query(pattern=ADDRESS, description="Only what this account has a part in.", examples=[EXAMPLE_ADDRESS]),
    AfterValidator(_checksummed_if_any),
]
OfOrder = Annotated[int | None, Query(ge=0, lt=MOST, description="Only of this order.")]
OfDispute = Annotated[int | None, Query(ge=0, lt=MOST, description="Only of this dispute.")]
OfTask = Annotated[int | None, Query(ge=0, lt=MOST, description="Only of this federated task.")]
Contract = Annotated[str | None, Query(pattern=NAME, description="Only of this contract.", examples=["OrderBook"])]
EventName = Annotated[str | None, Query(pattern=NAME, description="Only events called so.", examples=["OrderPut"])]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="At most so many.")]
Before = Annotated[int | None, Query(ge=0, lt=MOST, description="Go on with what is older than this: a page's `next`.")]
After = Annotated[int | None, Query(ge=0, lt=MOST, description="Only what came after this `seq`, ascending.")]
