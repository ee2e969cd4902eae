"""Revealed models: what validators say of them, and whether they agree. Pure."""

from collections.abc import Callable, Mapping, Sequence

from offchain.chain.enums import Outcome
from offchain.explorer.index import ModelRow, OrderPage, ScoreRow, SheetRow
from offchain.reports.document import Block, Cell, Note, Section, Table, Text, Value
from offchain.reports.people import People
from offchain.reports.words import hexed, plural, tokens
from offchain.storage.cid import Cid

Describe = Callable[[int], str]
"""What a sum over the test set means."""


def models_section(page: OrderPage, describe: Describe, people: People) -> Section:
    """Claims, models, and the agreement of validators about them."""
    blocks: list[Block] = [Text(_in_words(page)), _claims(page, people)]
    if page.models:
        blocks.append(_models(page, describe, people))
    if page.sheets:
        blocks += _agreement(page, describe, people)
    elif page.models:
        blocks.append(Note("No validator has committed to scores."))
    return Section("models", "Models and score agreement", blocks)


def _in_words(page: OrderPage) -> str:
    revealed = plural(len(page.models), "model")
    claims = plural(len(page.claims), "claim")
    void = sum(model.voided for model in page.models)
    eligible = sum(model.eligible for model in page.models)
    words = f"{claims}, {revealed} revealed, {eligible} eligible"
    return f"{words}, {void} void." if void else f"{words}."


def _claims(page: OrderPage, people: People) -> Table:
    fate: dict[str, str] = {model.provider: f"revealed model {model.index}" for model in page.models}
    rows: list[list[Value]] = []
    for claim in sorted(page.claims, key=lambda item: item.sequence):
        said = "bond slashed" if claim.slashed and not claim.revealed else fate.get(claim.provider, "not revealed")
        if claim.slashed and claim.revealed:
            said += ", bond slashed"
        rows.append([people.cell(claim.provider), hexed(claim.commitment), said, tokens(claim.locked)])
    return Table("Claims", ("provider", "commitment", "became", "bond locked"), rows, frozenset({3}))


def _models(page: OrderPage, describe: Describe, people: People) -> Table:
    rows: list[list[Value]] = []
    for model in page.models:
        winner = page.settlement is not None and page.settlement.model == model.index
        rows.append(
            [
                Cell(f"model {model.index}", strong=winner),
                people.cell(model.provider),
                _standing(page, model, winner),
                "" if model.score is None else f"{model.score.sum:,}",
                "" if model.score is None else describe(model.score.sum),
                hexed(model.root),
                Cell(str(Cid(model.cid)), code=True),
            ]
        )
    columns = ("model", "provider", "standing", "score (sum)", "mean", "root", "manifest")
    return Table("Revealed models", columns, rows, frozenset({3}))


def _standing(page: OrderPage, model: ModelRow, winner: bool) -> Value:
    if winner:
        return Cell("won", strong=True)
    if model.voided:
        return "void: its data could not be had"
    if page.settlement is not None and page.settlement.outcome is Outcome.SHARED:
        return "has a share"
    return "eligible" if model.eligible else "not eligible"


def _agreement(page: OrderPage, describe: Describe, people: People) -> list[Block]:
    common = {model.index: _most_said(page.sheets, model.index) for model in page.models}
    rows = []
    for sheet in page.sheets:
        cells: list[Value] = [people.cell(sheet.validator), tokens(sheet.v_stake)]
        cells += [_said(sheet, model.index, common, describe, people) for model in page.models]
        rows.append(cells)
    columns = ("validator", "vStake", *(f"model {model.index}" for model in page.models))
    caption = "What each validator says (≠: not what most say; ✗: proven false or removed)"
    differing = [index for index in common if _differ(page.sheets, index)]
    if not any(sheet.scores for sheet in page.sheets):
        words = "Scores are committed and not revealed yet."
    elif differing:
        words = "Validators disagreed about " + ", ".join(f"model {index}" for index in differing) + "."
    else:
        words = "All validators who revealed scores agree about every model."
    return [Text(words), Table(caption, columns, rows, frozenset({1}))]


def _said(sheet: SheetRow, index: int, common: Mapping[int, int | None], describe: Describe, people: People) -> Value:
    score = _score(sheet, index)
    if score is None:
        return "slashed: not revealed" if sheet.slashed else "committed"
    first = score.revealed
    if first is None:
        told = "abstained"
    else:
        told = f"{first:,} ({describe(first)})"
        if first != common[index]:
            told += " ≠"
    if score.holder != sheet.validator:
        now = "abstained" if score.score is None else f"{score.score:,} ({describe(score.score)})"
        return Cell(f"{told} ✗; now {now}, by {people.name(score.holder)}", strong=True)
    return told if score.live or first is None else Cell(f"{told} ✗", strong=True)


def _score(sheet: SheetRow, index: int) -> ScoreRow | None:
    return next((score for score in sheet.scores if score.model == index), None)


def _most_said(sheets: Sequence[SheetRow], index: int) -> int | None:
    """What most of the live scores of a model say, the highest on a tie; None where there are none."""
    counts: dict[int, int] = {}
    for sheet in sheets:
        score = _score(sheet, index)
        if score is not None and score.score is not None and score.live:
            counts[score.score] = counts.get(score.score, 0) + 1
    return max(counts, key=lambda value: (counts[value], value)) if counts else None


def _differ(sheets: Sequence[SheetRow], index: int) -> bool:
    said = {score.revealed for sheet in sheets if (score := _score(sheet, index)) is not None}
    return len(said - {None}) > 1
