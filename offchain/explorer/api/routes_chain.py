"""Routes of what happened on the chain."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from offchain.explorer.api import parameters as given
from offchain.explorer.api import schema, views_network, views_orders
from offchain.explorer.api.parts import Parts
from offchain.explorer.api.problems import RESPONSES
from offchain.explorer.api.refusals import NotKnown
from offchain.explorer.index.rows_orders import OrderPage
from offchain.types import OrderId, Seconds, TaskId

OrderState = Literal["all", "open", "ended"]
DisputeState = Literal["all", "open", "closed"]
MOST_PARTS = 100
"""Entries of each list of an account."""


def chain_router(parts: Parts) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api", responses=RESPONSES)
    router.include_router(_orders(parts))
    router.include_router(_disputes(parts))
    router.include_router(_tasks(parts))
    router.include_router(_network(parts))
    router.include_router(_facts(parts))
    return router


def _now(parts: Parts) -> Seconds:
    """The chain's clock: the newest block's time."""
    return parts.live.standing.head_at


def _orders(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["orders"])
    index, reading = parts.index, parts.reading

    def page_of(oid: int) -> OrderPage:
        found = index.order(OrderId(oid), _now(parts))
        if found is None:
            raise NotKnown(f"order {oid}: there is none with this number yet")
        return found

    @router.get("/orders", response_model=schema.Orders, summary="Orders, the newest first")
    async def get_orders(
        request: Request,
        state: OrderState = "all",
        account: given.OfAccount = None,
        before: given.Before = None,
        limit: given.Limit = 50,
    ) -> Response:
        """`open`: neither sealed nor cancelled."""

        def compute() -> BaseModel:
            now = _now(parts)
            page = index.orders(now, state=state, account=account, before=before, limit=limit)
            return schema.Orders(orders=views_orders.order_rows(page.rows, reading), next=page.next, now=now)

        return await parts.answers.give(request, compute)

    @router.get("/orders/{oid}", response_model=schema.OrderPage, summary="Everything about an order")
    async def get_order(oid: given.Oid, request: Request) -> Response:
        """Terms, claims, models, scores, disputes, settlement, movements of money, timeline and gas."""
        return await parts.answers.give(request, lambda: views_orders.order_page(page_of(oid), reading, _now(parts)))

    @router.get("/orders/{oid}/curves", response_model=schema.Curves, summary="Learning curves")
    async def get_curves(oid: given.Oid, request: Request) -> Response:
        """Of the revealed models, as their providers report them: nobody can check them."""
        return await parts.answers.give(request, lambda: views_orders.curves(page_of(oid), reading))

    return router


def _disputes(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["disputes"])
    index = parts.index

    @router.get("/disputes", response_model=schema.Disputes, summary="Disputes, the newest first")
    async def get_disputes(
        request: Request,
        state: DisputeState = "all",
        oid: given.OfOrder = None,
        before: given.Before = None,
        limit: given.Limit = 50,
    ) -> Response:
        """Each about one score of one model."""

        def compute() -> BaseModel:
            order = None if oid is None else OrderId(oid)
            page = index.disputes(state=state, oid=order, before=before, limit=limit)
            return schema.Disputes.model_validate({"disputes": page.rows, "next": page.next, "now": _now(parts)})

        return await parts.answers.give(request, compute)

    @router.get("/disputes/{number}", response_model=schema.DisputePage, summary="A dispute, move by move")
    async def get_dispute(number: given.DisputeId, request: Request) -> Response:
        """Down to the step that the contract computed."""

        def compute() -> BaseModel:
            found = index.dispute(number)
            if found is None:
                raise NotKnown(f"dispute {number}: there is none with this number yet")
            return views_orders.dispute_page(found, parts.steps, _now(parts))

        return await parts.answers.give(request, compute)

    return router


def _tasks(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["tasks"])
    index = parts.index

    @router.get("/tasks", response_model=schema.Tasks, summary="Federated tasks, the newest first")
    async def get_tasks(request: Request, before: given.Before = None, limit: given.Limit = 50) -> Response:
        """Models that participants train together on data that stays with them."""

        def compute() -> BaseModel:
            page = index.tasks(before=before, limit=limit)
            titles = parts.reading.titles([row.manifest for row in page.rows])
            rows = [views_network.task_row(row, titles.get(row.manifest)) for row in page.rows]
            return schema.Tasks.model_validate({"tasks": rows, "next": page.next, "now": _now(parts)})

        return await parts.answers.give(request, compute)

    @router.get("/tasks/{number}", response_model=schema.TaskPage, summary="A federated task with its rounds")
    async def get_task(number: given.Task, request: Request) -> Response:
        """Its terms, participants, rounds, and games about posted aggregates."""

        def compute() -> BaseModel:
            found = index.task(TaskId(number))
            if found is None:
                raise NotKnown(f"task {number}: there is none with this number yet")
            titles = parts.reading.titles([found.row.manifest])
            return views_network.task_page(found, titles.get(found.row.manifest), _now(parts))

        return await parts.answers.give(request, compute)

    return router


def _network(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["network"])
    index = parts.index

    @router.get("/network", response_model=schema.Network, summary="Totals")
    async def get_network(request: Request) -> Response:
        """Orders, money, stakes, disputes, tasks, gas."""
        return await parts.answers.give(request, lambda: views_network.network(index.network(_now(parts)), index.gas()))

    @router.get("/accounts/{address}", response_model=schema.AccountPage, summary="Everything about an account")
    async def get_account(address: given.Account, request: Request) -> Response:
        """An account that nothing is known of has zeros. Lists have the newest first, at most 100."""

        def compute() -> BaseModel:
            now = _now(parts)
            orders = index.orders(now, account=address, limit=MOST_PARTS).rows
            return views_network.account(index.account(address, limit=MOST_PARTS), orders, parts.reading, now)

        return await parts.answers.give(request, compute)

    @router.get("/rewards", response_model=schema.Rewards, summary="Reward roots, claims, the committee")
    async def get_rewards(request: Request, before: given.Before = None, limit: given.Limit = 50) -> Response:
        """`before` and `limit` are about claims."""
        return await parts.answers.give(
            request, lambda: views_network.rewards(index.rewards(before=before, limit=limit), _now(parts))
        )

    @router.get("/slashes", response_model=schema.Slashes, summary="Stake that was taken, the newest first")
    async def get_slashes(request: Request, before: given.Before = None, limit: given.Limit = 50) -> Response:
        """From whom, for what, and where it went."""

        def compute() -> BaseModel:
            page = index.slashes(before=before, limit=limit)
            return schema.Slashes.model_validate({"slashes": page.rows, "next": page.next})

        return await parts.answers.give(request, compute)

    return router


def _facts(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["network"])
    index = parts.index

    @router.get("/parameters", response_model=schema.ParametersOut, summary="The parameters in force")
    async def get_parameters(request: Request) -> Response:
        """Orders keep those that held when they were put."""

        def compute() -> BaseModel:
            found = index.parameters()
            if found is None:
                raise NotKnown("the parameters are not indexed yet; ask again when /api/about says caught_up")
            return views_network.parameters(found, _now(parts))

        return await parts.answers.give(request, compute)

    @router.get("/events", response_model=schema.Events, summary="Raw events by seq")
    async def get_events(
        request: Request,
        after: given.After = None,
        before: given.Before = None,
        oid: given.OfOrder = None,
        dispute: given.OfDispute = None,
        task: given.OfTask = None,
        account: given.OfAccount = None,
        contract: given.Contract = None,
        name: given.EventName = None,
        limit: given.Limit = 50,
    ) -> Response:
        """Ascending with `after` (0: from the beginning), else the newest first."""
        wanted = views_network.Wanted(oid, dispute, task, account, contract, name)
        return await parts.answers.give(
            request, lambda: views_network.events(index, wanted, after=after, before=before, limit=limit)
        )

    return router
