"""The desk over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from offchain.explorer.desk import schema, uploads
from offchain.explorer.desk.addresses import checksum
from offchain.explorer.desk.desk import Desk
from offchain.explorer.desk.guard import GuardedRoute
from offchain.types import Commitment

Wait = Annotated[float, Query(ge=0, le=30, description="seconds to wait for the end")]
AccountQuery = Annotated[str, Query(alias="account", pattern=r"^0x[0-9a-fA-F]{40}$")]
CommitmentPath = Annotated[str, Path(pattern=r"^0x[0-9a-fA-F]{64}$")]
JobPath = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]

REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": schema.Problem, "description": text}
    for code, text in {
        403: "Not of a page of this server on this machine.",
        404: "There is no such thing.",
        422: "A field is wrong; `field` says which.",
        503: "The node or the store is down, or the desk is busy; try again.",
    }.items()
}
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["request"],
                    "properties": {"request": {"type": "string", "description": "JSON, see OrderFields"}}
                    | {part: {"type": "string", "format": "binary"} for part in uploads.PARTS},
                }
            }
        },
    }
}


def desk_router(desk: Desk) -> APIRouter:
    """The routes below `/desk`, for a server that listens on a loopback address. `desk` stays the caller's."""
    router = APIRouter(prefix="/desk", tags=["desk"], route_class=GuardedRoute, responses=REFUSALS)
    _orders(router, desk)
    _outbox(router, desk)
    _challenges(router, desk)
    return router


def _orders(router: APIRouter, desk: Desk) -> None:
    @router.post("/orders", summary="Prepare an order with one's own data", openapi_extra=FORM)
    async def post_order(request: Request, wait: Wait = 10.0) -> schema.Preparation:
        """Quantises, stores, journals the opening of the test set. Nothing is spent."""
        uploaded = await uploads.receive(request, desk.uploads)
        return await run_in_threadpool(lambda: desk.orders.prepare(uploaded, wait))

    @router.get("/preparations/{number}", summary="How far a preparation is")
    def get_preparation(number: JobPath, wait: Wait = 0.0) -> schema.Preparation:
        """Asking keeps it going; who does not ask for a minute has lost interest."""
        return desk.orders.preparation(number, wait)

    @router.delete("/preparations/{number}", summary="Give a preparation up")
    def delete_preparation(number: JobPath) -> schema.Preparation:
        """What it has stored stays in the store."""
        return desk.orders.cancel_preparation(number)

    @router.get("/orders/{commitment}", summary="A prepared order, with a fresh permit")
    def get_order(commitment: CommitmentPath, account: AccountQuery) -> schema.PreparedOrder:
        """Also after a restart: the opening is in the journal."""
        return desk.orders.prepared(checksum(account), _commitment(commitment))

    @router.post("/orders/{commitment}/put", summary="The call that puts a prepared order")
    def post_put(commitment: CommitmentPath, signed: schema.PutSigned) -> schema.PutCall:
        """With the signed permit: escrow and order in one transaction. The call is in the outbox too."""
        return desk.orders.put(_commitment(commitment), signed)


def _outbox(router: APIRouter, desk: Desk) -> None:
    @router.get("/outbox", summary="What waits for an account's signature")
    def get_outbox(account: AccountQuery) -> schema.Outbox:
        """Asking keeps the account's workers going: they rest when nobody asks for some minutes."""
        return desk.outbox(checksum(account))

    @router.post("/outbox/{key}/sent", summary="Something was signed and sent")
    def post_sent(key: str, report: schema.Sent) -> schema.OutboxItem:
        """The transaction is looked at before it counts; one that never happens is offered again."""
        return desk.sent(key, report)


def _challenges(router: APIRouter, desk: Desk) -> None:
    @router.post("/examinations", summary="Score an order's models anew")
    def post_examination(wanted: schema.ExaminationWanted) -> schema.Examination:
        """In the background; one examination for all who ask about the order."""
        return desk.challenges.examine(wanted)

    @router.get("/examinations/{number}", summary="How far an examination is, and what it has found")
    def get_examination(number: JobPath, wait: Wait = 0.0) -> schema.Examination:
        """Asking keeps it going; who does not ask for a minute has lost interest."""
        return desk.challenges.examination(number, wait)

    @router.delete("/examinations/{number}", summary="Give an examination up")
    def delete_examination(number: JobPath) -> schema.Examination:
        """What it has found so far stays known."""
        return desk.challenges.cancel_examination(number)

    @router.post("/challenges", summary="Challenge a score that was found to be false")
    def post_challenge(wanted: schema.ChallengeWanted) -> schema.Challenged:
        """The call that opens the dispute is in the outbox then, and after it every move."""
        return desk.challenges.challenge(wanted)

    @router.get("/claims", summary="What an account can claim now")
    def get_claims(account: AccountQuery) -> schema.Claims:
        """With proofs against the roots of rewards. Anyone may send these calls."""
        return desk.rewards.claims(checksum(account))


def _commitment(text: str) -> Commitment:
    return Commitment(bytes.fromhex(text[2:]))
