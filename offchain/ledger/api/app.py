"""The HTTP API of one replica. `create_app` makes it, `server.py` serves it in the node's event loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from offchain.ledger.api import parameters as given
from offchain.ledger.api import schema
from offchain.ledger.api.admission import Open
from offchain.ledger.api.described import to_hex
from offchain.ledger.api.facade import Admission, LedgerBackend
from offchain.ledger.api.guard import ApiLimits, Guard, address_of
from offchain.ledger.api.intake import Intake, pending, shown
from offchain.ledger.api.problems import handle_problems
from offchain.ledger.api.receipts import ReceiptBook
from offchain.ledger.api.views import Views
from offchain.ledger.membership import Membership, checksum
from offchain.ledger.node_config import NodeStatus
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.records.application import RecordsApplication
from offchain.ledger.records.nonces import WINDOW
from offchain.ledger.records.request import MAX_REQUEST_BYTES, NAME, VERSION
from offchain.ledger.types import ReplicaId

DESCRIPTION = """
A replica of the aggregators' ledger: where participants of a decentralised training network broadcast orders, claims,
models, validations and challenges, and find each other's. All replicas execute the same requests in the same order.

**Believe no single replica.** A group of n bears f = floor((n - 1) / 3) faulty ones: what f + 1 of them say alike is
true; every record carries the request as its account signed it; and `/proofs` show records against a root.

Requests are signed: EIP-712 `LedgerMessage(address account,uint64 nonce,bytes body)`, domain `name`, `version`,
`chainId` and `verifyingContract` as `/about` says (the committee). A nonce is executed at most once; take the time in
microseconds. Sending a request again, to any replica, does no harm and returns what became of it.
"""
Answers = dict[int | str, dict[str, Any]]
READ: Answers = {
    code: {"model": schema.Problem, "description": text}
    for code, text in {
        404: "The ledger does not know it.",
        422: "A parameter is wrong.",
        429: "Too many requests; see Retry-After.",
    }.items()
}
WRITE: Answers = {
    code: {"model": schema.Problem, "description": text}
    for code, text in {
        400: "A message is malformed or not signed by its account for this ledger. None is ordered.",
        403: "An account may not write here. None is ordered.",
        413: "The body is too large.",
        422: "Not the JSON that is expected.",
        429: "Above a rate limit; see Retry-After. None is ordered.",
        503: "Too much waits to be ordered, or the replica stops; see Retry-After, or ask another.",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API stands on."""

    backend: LedgerBackend
    application: RecordsApplication
    membership: Membership
    admission: Admission
    limits: ApiLimits


def create_app(
    backend: LedgerBackend,
    application: RecordsApplication,
    membership: Membership,
    *,
    admission: Admission | None = None,
    limits: ApiLimits | None = None,
) -> FastAPI:
    """The API of a replica that runs in the same event loop. `admission`: by default everybody may write."""
    parts = Parts(backend, application, membership, admission or Open(), limits or ApiLimits())
    app = FastAPI(
        title="Assay ledger",
        version="1",
        summary="The ledger of a decentralised training network, as one replica has it.",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    handle_problems(app)
    book = ReceiptBook(application.config.domain)
    backend.on_executed(book.executed)
    app.include_router(_writing(parts, book))
    app.include_router(_reading(parts))
    app.include_router(_proofs(parts))
    app.include_router(_about(parts))
    app.add_middleware(Guard, limits=parts.limits)
    return app


def _writing(parts: Parts, book: ReceiptBook) -> APIRouter:
    router = APIRouter(tags=["write"])
    intake = Intake(parts.backend, parts.application, book, parts.admission, parts.limits)

    @router.post("/messages", summary="Have signed requests ordered", responses=WRITE | _accepted(schema.Receipts))
    async def post_messages(
        body: schema.Messages, request: Request, response: Response, wait: given.Wait = 10.0
    ) -> schema.Receipts:
        """All or none. Answers when they are executed, or 202 with `pending` receipts when that takes longer than
        `wait`; what was executed before is not ordered again. A receipt is this replica's word: ask f others for
        theirs under `/receipts`."""
        receipts = await intake.submit(body.messages, address_of(request.scope), wait)
        if any(receipt.status == "pending" for receipt in receipts):
            response.status_code = 202
        return schema.Receipts(receipts=receipts)

    @router.get("/receipts/{digest}", summary="What became of a request", responses=READ | _accepted(schema.ReceiptOut))
    async def get_receipt(digest: given.Digest, response: Response, wait: given.Wait = 0.0) -> schema.ReceiptOut:
        """200 when this replica has executed it lately, else 202: not executed yet, or so long ago that it is
        forgotten; then send the request again. `wait` for it."""
        raw = given.from_hex(digest)
        entry = await book.wait_for(raw, wait)
        if entry is None:
            response.status_code = 202
            return pending(raw)
        return shown(entry)

    @router.post("/receipts", summary="What became of many requests", responses=READ)
    async def post_receipts(body: schema.Digests, wait: given.Wait = 0.0) -> schema.Receipts:
        """As `GET /receipts/{digest}` for each; waits until all are there, or for `wait` seconds."""
        entries = await book.wait_for_all([given.from_hex(digest) for digest in body.digests], wait)
        found = zip(body.digests, entries, strict=True)
        receipts = [pending(given.from_hex(digest)) if entry is None else shown(entry) for digest, entry in found]
        return schema.Receipts(receipts=receipts)

    return router


def _reading(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["read"])
    views = Views(parts.application)

    @router.get("/orders", summary="FetchOrders", responses=READ)
    async def get_orders(
        phase: given.PhaseQuery = None,
        client: given.ClientQuery = None,
        limit: given.Limit = 100,
        after: given.After = None,
    ) -> schema.Orders:
        """Orders by reward per second of training, the best paid first."""
        start = None if after is None else given.from_hex(after)
        found, last = views.orders(given.phase(phase), given.account_or_none(client), limit, start)
        return schema.Orders(orders=found, next=None if last is None else to_hex(last))

    @router.get("/orders/{oid}", summary="One row of the network record table", responses=READ)
    async def get_order(oid: given.Oid, client: given.ClientQuery = None) -> schema.Cycles:
        """The order with its claims, models, validations and challenges: one for each client that has put this number
        here."""
        entries = views.entries(oid, given.account_or_none(client))
        return schema.Cycles(cycles=[views.cycle(entry) for entry in entries])

    @router.get("/orders/{oid}/validations", summary="FetchValidations", responses=READ)
    async def get_validations(
        oid: given.Oid, client: given.ClientQuery = None, mid: given.MidQuery = None
    ) -> schema.Validations:
        """The validations of an order, each with its challenges."""
        model = None if mid is None else given.from_hex(mid)
        entries = views.entries(oid, given.account_or_none(client))
        return schema.Validations(validations=[item for entry in entries for item in views.validations(entry, model)])

    @router.get("/models/{mid}", summary="Get", responses=READ)
    async def get_model(mid: given.Mid) -> schema.Models:
        """Who has shown a model with this id, and where it is."""
        return schema.Models(models=views.models(given.from_hex(mid)))

    @router.get("/nodes", summary="What participants say of themselves", responses=READ)
    async def get_nodes(
        role: given.RoleQuery = None, limit: given.Limit = 100, after: given.After = None
    ) -> schema.Nodes:
        """By account and role."""
        start = None if after is None else given.from_hex(after)
        found, last = views.nodes(None if role is None else given.role(role), limit, start)
        return schema.Nodes(nodes=found, next=None if last is None else to_hex(last))

    @router.get("/rewards", summary="The latest reward proposal", responses=READ)
    async def get_rewards() -> schema.Rewards:
        """What the committee agreed on last; whether it is posted, the chain says."""
        return schema.Rewards(proposal=views.proposal())

    return router


def _proofs(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["read"])
    views = Views(parts.application)

    def sequence() -> int:
        return parts.backend.status().executed

    @router.get("/state", summary="Which state this replica is in", responses=READ)
    async def get_state() -> schema.StateOut:
        """Replicas at the same sequence have the same root."""
        return views.summary(sequence())

    @router.get("/proofs/orders/{oid}/{client}", summary="Prove a record of an order", responses=READ)
    async def get_proof(oid: given.Oid, client: given.ClientPath, record: given.RecordQuery) -> schema.ProofOut:
        """A Merkle proof of the order itself, or of a claim, model, validation or challenge, against the present
        root."""
        (entry,) = views.entries(oid, given.account(client))
        return views.prove_record(entry, given.from_hex(record), sequence())

    @router.get("/proofs/nodes/{account}/{role}", summary="Prove a node's record", responses=READ)
    async def get_node_proof(account: given.AccountPath, role: given.RolePath) -> schema.ProofOut:
        """A Merkle proof against the present root."""
        return views.prove_node(given.account(account), given.role(role), sequence())

    return router


def _about(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["replica"])
    status: Callable[[], NodeStatus] = parts.backend.status
    members = parts.membership.members
    domain = parts.application.config.domain

    @router.get("/about", summary="What to sign for", responses=READ)
    async def get_about() -> schema.About:
        """The EIP-712 domain, the members, and limits."""
        return schema.About(
            name=NAME,
            version=VERSION,
            chain_id=domain.chain_id,
            committee=checksum(domain.committee),
            replicas=len(members),
            faulty=(len(members) - 1) // 3,
            members=[checksum(member.account) for member in members],
            max_messages=schema.MAX_MESSAGES,
            max_request_bytes=MAX_REQUEST_BYTES,
            nonce_window=WINDOW,
        )

    @router.get("/status", summary="Where this replica stands", responses=READ)
    async def get_status() -> schema.StatusOut:
        """View, primary, progress, and the replicas that it is connected to."""
        now = status()
        return schema.StatusOut(
            replica=now.me,
            view=now.view,
            changing=now.changing,
            primary=now.primary,
            executed=now.executed,
            stable=now.stable,
            waiting=now.waiting,
            requests_executed=now.requests_executed,
            uptime=now.uptime,
            peers=[
                schema.PeerOut(
                    replica=index,
                    account=checksum(member.account),
                    connected=now.connected[index],
                    api=member.api,
                )
                for index, member in enumerate(members)
            ],
        )

    @router.get("/health", summary="Whether requests can be ordered now", responses=READ | _unhealthy())
    async def get_health(response: Response) -> schema.Health:
        """For load balancers: 503 while the replica is without a quorum, or between views."""
        now = status()
        reason = None
        if sum(now.connected) < GroupConfig(len(members), ReplicaId(now.me)).quorum:
            reason = f"connected to {sum(now.connected) - 1} of {len(members) - 1} others"
        elif now.changing:
            reason = f"on the way to view {now.view}"
        response.status_code = 200 if reason is None else 503
        return schema.Health(ok=reason is None, reason=reason)

    return router


def _accepted(model: type[schema.Json]) -> Answers:
    return {202: {"model": model, "description": "Not executed yet."}}


def _unhealthy() -> Answers:
    return {503: {"model": schema.Health, "description": "Not now."}}
