"""How models were trained, as their providers say, and how the winner does on the test set. Pure."""

from collections.abc import Mapping

from offchain.explorer.index import ModelRow, OrderPage
from offchain.model.curves import Run, TrainingAccount
from offchain.protocol.scores import ScoreFunction
from offchain.reports.charts.bars import histogram_chart
from offchain.reports.charts.lines import Line, line_chart
from offchain.reports.charts.matrix import MOST, matrix_chart
from offchain.reports.checking import most_confused
from offchain.reports.document import Block, Facts, Figure, Note, Section, Table, Text
from offchain.reports.order_models import Describe
from offchain.reports.people import People
from offchain.reports.story import Check, Confusion, Missing, Residuals
from offchain.reports.words import plural

MISTAKES = 20


def curves_section(page: OrderPage, curves: Mapping[int, TrainingAccount | Missing | None], people: People) -> Section:
    """A part for each revealed model."""
    blocks: list[Block] = []
    if not page.models:
        blocks.append(Note("No model is revealed, so nobody has told of a training yet."))
    else:
        blocks.append(
            Text(
                "Self-reported: what providers say they saw while training, on samples that they kept back. It is "
                "fixed with the claim and decides nothing. Scores are means per sample; higher is better."
            )
        )
    parts = [_of_model(model, curves.get(model.index), people) for model in page.models]
    return Section("curves", "Learning curves", blocks, parts)


def _of_model(model: ModelRow, account: TrainingAccount | Missing | None, people: People) -> Section:
    title = f"Model {model.index}, by {people.name(model.provider)}"
    anchor = f"curves-{model.index}"
    if account is None:
        return Section(anchor, title, [Note("The provider has published no account of the training.")])
    if isinstance(account, Missing):
        return Section(anchor, title, [Note(account.reason)])
    runs = account.runs
    chosen = runs[account.chosen]
    words = (
        f"{plural(len(runs), 'configuration')} tried; the model is of {_named(chosen)}. Judged on "
        f"{plural(account.holdout_samples, 'sample')} kept back from the training data."
    )
    blocks: list[Block] = [Text(words)]
    blocks += _scores(account, title)
    blocks += _losses(account, title)
    return Section(anchor, title, blocks)


def _scores(account: TrainingAccount, title: str) -> list[Block]:
    lines = []
    for place, run in enumerate(account.runs):
        lines.append(Line(f"{_named(run)}: float", run.score, dots=True, colour=place))
        lines.append(Line(f"{_named(run)}: integer network", run.integer, dots=True, dashed=True, colour=place))
    return _chart([line for line in lines if line.points], "hold-out score", f"Hold-out score by epoch, {title}")


def _losses(account: TrainingAccount, title: str) -> list[Block]:
    lines = [Line(_named(run), run.loss, colour=place) for place, run in enumerate(account.runs) if run.loss]
    return _chart(lines, "loss", f"Training loss by epoch, {title}")


def _chart(lines: list[Line], y_label: str, caption: str) -> list[Block]:
    if not lines:
        return []
    label = f"{caption}: {plural(len(lines), 'curve')}; " + "; ".join(
        f"{line.name} ends at {line.points[-1][1]:.4g}" for line in lines
    )
    rows = [[line.name, f"{epoch:g}", f"{value:.6g}"] for line in lines for epoch, value in line.points]
    table = Table(caption, ("curve", "epoch", y_label), rows, frozenset({1, 2}))
    return [Figure(caption, line_chart(lines, x_label="epoch", y_label=y_label, label=label), label, table)]


def _named(run: Run) -> str:
    return f"{run.optimiser}, rate {run.learning_rate:g}"


def check_section(
    page: OrderPage,
    check: Check | Missing,
    classes: tuple[str, ...] | None,
    function: ScoreFunction,
    describe: Describe,
) -> Section:
    """The winner on the test set."""
    regression = function.is_regression
    title = "Errors of the winner" if regression else "Confusion matrix of the winner"
    if isinstance(check, Missing):
        return Section("check", title, [Note(check.reason)])
    settled = None if page.settlement is None else page.settlement.score
    blocks: list[Block] = [Text(_compared(check, None if settled is None else settled.sum, describe))]
    if isinstance(check, Confusion):
        blocks += _confusion(check, classes)
    else:
        blocks += _residuals(check)
    return Section("check", title, blocks)


def _compared(check: Check, settled: int | None, describe: Describe) -> str:
    words = (
        f"Computed for this report: the network in the store, verified against the root on chain, on the released test "
        f"set, verified likewise. Its score is {check.score:,} ({describe(check.score)}) over "
        f"{plural(check.samples, 'sample')}"
    )
    if settled is None:
        return words + "."
    same = (
        "the one that the order was settled by" if check.score == settled else f"NOT the {settled:,} it was settled by"
    )
    return f"{words}: {same}."


def _confusion(check: Confusion, classes: tuple[str, ...] | None) -> list[Block]:
    size = len(check.counts)
    names = tuple(classes) if classes is not None and len(classes) == size else tuple(map(str, range(size)))
    right = sum(check.counts[place][place] for place in range(size))
    blocks: list[Block] = []
    if check.outside:
        blocks.append(Note(f"{plural(check.outside, 'sample')} with labels that are no class of the model."))
    if size <= MOST:
        label = f"{right:,} of {check.samples:,} samples are on the diagonal, where what is said is what is"
        rows = [[name, *(str(count) for count in row)] for name, row in zip(names, check.counts, strict=True)]
        table = Table(
            "Counts: rows are labels, columns what the model says",
            ("is \\ said", *names),
            rows,
            frozenset(range(1, size + 1)),
        )
        blocks.append(
            Figure("Labels against what the model says", matrix_chart(names, check.counts, label=label), label, table)
        )
    else:
        blocks.append(Text(f"{size:,} classes: too many to draw. {right:,} of {check.samples:,} samples are right."))
    mistakes = most_confused(check.counts, MISTAKES)
    if mistakes:
        rows = [[names[label], names[said], f"{count:,}"] for count, label, said in mistakes]
        blocks.append(
            Table(
                f"The {plural(len(mistakes), 'most frequent mistake')}", ("is", "said", "samples"), rows, frozenset({2})
            )
        )
    return blocks


def _residuals(check: Residuals) -> list[Block]:
    label = (
        f"Histogram of what the model says less what is, in {check.unit}: mean {check.mean:.4g}, standard deviation "
        f"{check.spread:.4g}"
    )
    facts = Facts(
        [
            ("mean error", f"{check.mean:.4g} {check.unit}"),
            ("standard deviation", f"{check.spread:.4g} {check.unit}"),
            ("mean absolute error", f"{check.mean_absolute:.4g} {check.unit}"),
            ("largest error", f"{check.largest:.4g} {check.unit}"),
        ]
    )
    bins = zip(check.edges, check.edges[1:], check.counts, strict=False)
    rows = [[f"{low:.4g}", f"{high:.4g}", f"{count:,}"] for low, high, count in bins]
    table = Table("Errors", ("from", "to", "samples"), rows, frozenset({0, 1, 2}))
    chart = histogram_chart(check.edges, check.counts, x_label=f"said less is, in {check.unit}", label=label)
    return [facts, Figure("Errors on the test set", chart, label, table)]
