"""Orders and disputes as JSON: what the index tells, joined with content that was verified."""

from collections.abc import Sequence

from offchain.chain.enums import ScoreFunction
from offchain.chain.views import Order
from offchain.dispute.state import Side
from offchain.explorer.api import schema
from offchain.explorer.api.plain import arguments_json
from offchain.explorer.api.steps import Steps
from offchain.explorer.content.reading import Reading
from offchain.explorer.index.rows_orders import (
    DisputePage,
    DisputeRow,
    ModelRow,
    MoveRow,
    OrderPage,
    OrderRow,
    Score,
    SettlementRow,
    SheetRow,
)
from offchain.protocol.manifest import ModelManifest, OrderManifest, Preprocessing
from offchain.roles.score_units import describe_score
from offchain.types import Seconds

PENDING = "not here yet: whoever made it may not have shared it with this server's store"


class Scores:
    """Scores of one order in words. Without its manifest a regression's errors stay in the labels' integer steps."""

    def __init__(self, function: ScoreFunction, preprocessing: Preprocessing | None) -> None:
        self._function = function
        self._preprocessing = preprocessing

    def text(self, total: int, samples: int) -> str:
        """A sum over so many samples."""
        return describe_score(self._function, total, samples, self._preprocessing)

    def out(self, score: Score | None) -> schema.Score | None:
        """With its text."""
        if score is None:
            return None
        return schema.Score(sum=score.sum, samples=score.samples, text=self.text(score.sum, score.samples))


def order_rows(rows: Sequence[OrderRow], reading: Reading) -> list[schema.OrderRow]:
    """With titles; a winning score needs the whole manifest only where it is an error of a regression."""
    titles = reading.titles([row.manifest for row in rows])
    return [_row(row, titles.get(row.manifest), reading) for row in rows]


def order_page(page: OrderPage, reading: Reading, now: Seconds) -> schema.OrderPage:
    """Everything about one order."""
    found = reading.order(page.row.manifest)
    scores = Scores(page.row.score_function, None if found.value is None else found.value.preprocessing)
    samples = 0 if page.test is None else page.test.samples
    row = _row(page.row, None if found.value is None else found.value.title, reading)
    order = page.order
    return schema.OrderPage.model_validate(
        {
            **{name: getattr(row, name) for name in schema.OrderRow.model_fields},
            "now": now,
            "terms": {name: _term(order, name) for name in schema.Terms.model_fields},
            "windows": {
                **{name: getattr(page.windows, name) for name in WINDOWS},
                "challenge_until": page.challenge_until,
            },
            "cancelled": page.cancelled,
            "manifest": _manifest(page, found.value, found.problem),
            "test": _test(page),
            "claims": page.claims,
            "models": [_model(model, scores, reading) for model in page.models],
            "sheets": [_sheet(sheet, scores, samples) for sheet in page.sheets],
            "displaced": list(page.displaced),
            "disputes": page.disputes,
            "requests": [_request(page, index) for index in range(len(page.requests))],
            "settlement": None if page.settlement is None else _settlement(page.settlement, scores),
            "money": page.money,
            "timeline": page.timeline,
            "gas": page.gas,
        }
    )


WINDOWS = ("train_end", "reveal_end", "score_commit_end", "score_reveal_end", "challenge_end")


def dispute_page(page: DisputePage, steps: Steps, now: Seconds) -> schema.DisputePage:
    """A dispute with its moves; the computed step with its operands, if the node has the transaction."""
    row = page.row
    fields = {name: getattr(row, name) for name in schema.DisputeRow.model_fields}
    return schema.DisputePage.model_validate(
        fields | {"now": now, "moves": [_move(row, move, steps) for move in page.moves]}
    )


def curves(page: OrderPage, reading: Reading) -> schema.Curves:
    """What providers say of their trainings."""
    found = [_curve(model, reading) for model in page.models]
    return schema.Curves(oid=page.row.oid, score_function=page.row.score_function.name.lower(), curves=found)


def model_manifest(model: ModelRow, reading: Reading) -> tuple[ModelManifest | None, str | None]:
    """The manifest of a revealed model, or why there is none: it must be of the root that was revealed."""
    found = reading.model(model.cid)
    if found.value is None:
        return None, found.problem or PENDING
    if found.value.model_root != model.root:
        return None, f"its manifest is of another model, 0x{found.value.model_root.hex()}"
    return found.value, None


def _row(row: OrderRow, title: str | None, reading: Reading) -> schema.OrderRow:
    preprocessing = None
    if row.winning_score is not None and row.score_function.is_regression:
        manifest = reading.order(row.manifest).value
        preprocessing = None if manifest is None else manifest.preprocessing
    won = Scores(row.score_function, preprocessing).out(row.winning_score)
    same = set(schema.OrderRow.model_fields) - {"title", "winning_score"}
    fields = {name: getattr(row, name) for name in same}
    return schema.OrderRow.model_validate(fields | {"title": title, "winning_score": won})


def _term(order: Order, name: str) -> object:
    return getattr(order.terms if hasattr(order.terms, name) else order, name)


def _manifest(page: OrderPage, manifest: OrderManifest | None, problem: str | None) -> schema.OrderManifestOut:
    cid = page.row.manifest
    if manifest is None:
        return schema.OrderManifestOut.model_validate({"cid": cid, "verified": False, "problem": problem or PENDING})
    return schema.OrderManifestOut.model_validate(
        {
            "cid": cid,
            "verified": True,
            "task": manifest.task,
            "classes": manifest.classes and list(manifest.classes),
            "spec": manifest.spec,
            "train": {"name": "train", "cid": manifest.train.cid, "size": manifest.train.size},
        }
    )


def _test(page: OrderPage) -> schema.TestSetOut:
    test = page.test
    if test is None:
        return schema.TestSetOut(released=False, voided=False, root=None, cid=None, samples=0, released_at=None)
    return schema.TestSetOut.model_validate(
        {
            "released": True,
            "voided": test.voided,
            "root": test.root,
            "cid": test.cid,
            "samples": test.samples,
            "released_at": test.released_at,
        }
    )


def _model(model: ModelRow, scores: Scores, reading: Reading) -> schema.ModelOut:
    manifest, problem = model_manifest(model, reading)
    files = []
    if manifest is not None:
        named = {
            "graph.json": manifest.graph,
            "weights.safetensors": manifest.weights,
            "float_weights.safetensors": manifest.float_weights,
            "training.json": manifest.training,
        }
        files = [{"name": name, "cid": file.cid, "size": file.size} for name, file in named.items() if file is not None]
    fields = ("index", "provider", "root", "cid", "revealed_at", "eligible", "voided")
    return schema.ModelOut.model_validate(
        {name: getattr(model, name) for name in fields}
        | {"score": scores.out(model.score), "files": files, "problem": problem}
    )


def _sheet(sheet: SheetRow, scores: Scores, samples: int) -> schema.SheetOut:
    shown = [
        {
            "model": item.model,
            "holder": item.holder,
            "score": item.score,
            "revealed": item.revealed,
            "text": "abstained" if item.score is None else scores.text(item.score, samples),
            "live": item.live,
        }
        for item in sheet.scores
    ]
    fields = ("validator", "v_stake", "commitment", "committed_at", "revealed_at", "slashed")
    return schema.SheetOut.model_validate({name: getattr(sheet, name) for name in fields} | {"scores": shown})


def _request(page: OrderPage, index: int) -> dict[str, object]:
    request = page.requests[index]
    names = ("id", "oid", "asker", "text", "bond", "asked_at", "deadline", "status", "answered_by", "paid", "ended_at")
    target = request.target
    of_model = target.item.name != "SAMPLE"
    return {name: getattr(request, name) for name in names} | {
        "item": target.item,
        "model": target.model_index if of_model else None,
    }


def _settlement(settlement: SettlementRow, scores: Scores) -> schema.SettlementOut:
    names = ("outcome", "model", "winner", "tax", "sealed_at", "sequence", "paid", "paid_how", "root_cycle")
    payouts = [
        {"account": payout.account, "role": role.name.lower(), "amount": payout.amount}
        for payout, role in zip(settlement.payouts, settlement.roles, strict=True)
    ]
    return schema.SettlementOut.model_validate(
        {name: getattr(settlement, name) for name in names}
        | {"effective_at": settlement.effective_at, "score": scores.out(settlement.score), "payouts": payouts}
    )


def _move(row: DisputeRow, move: MoveRow, steps: Steps) -> dict[str, object]:
    detail = arguments_json("DisputeCourt", move.name, move.detail)
    if move.name == "Computed":
        detail["step"] = steps.read(move.tx)
    players = {Side.DEFENDANT: row.defendant, Side.CHALLENGER: row.challenger, None: None}
    return {
        "seq": move.seq,
        "at": move.at,
        "tx": move.tx,
        "by": players[move.by],
        "side": move.by,
        "kind": move.name,
        "text": move.text,
        "gas": move.gas,
        "detail": detail,
    }


def _curve(model: ModelRow, reading: Reading) -> schema.Curve:
    base: dict[str, object] = {"model": model.index, "provider": model.provider, "cid": None}
    manifest, problem = model_manifest(model, reading)
    if manifest is None:
        pending = reading.model(model.cid).state == "pending"
        return schema.Curve.model_validate(base | {"state": "pending" if pending else "unusable", "problem": problem})
    if manifest.training is None:
        return schema.Curve.model_validate(base | {"state": "none"})
    base["cid"] = manifest.training.cid
    found = reading.account(manifest.training.cid.digest)
    if found.value is None:
        return schema.Curve.model_validate(base | {"state": found.state, "problem": found.problem or PENDING})
    account = found.value
    told = {"holdout_samples": account.holdout_samples, "chosen": account.chosen, "runs": account.runs}
    return schema.Curve.model_validate(base | {"state": "here"} | told)
