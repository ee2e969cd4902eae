"""Scoring an order's revealed models anew, and holding what validators said beside the truth."""

from dataclasses import dataclass, field

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.errors import Rejected, Retryable
from offchain.explorer.desk import schema
from offchain.explorer.desk.deadlines import challenges_until
from offchain.explorer.desk.jobs import Job, Progress
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.refusals import Faulty
from offchain.explorer.desk.words import in_fields
from offchain.protocol.lifecycle import Phase
from offchain.protocol.manifest import MAX_MANIFEST_BYTES, OrderManifest, Preprocessing
from offchain.protocol.scores import ABSTAIN
from offchain.roles.challenge import Judgement, Scorer, view_order
from offchain.roles.order_view import OrderView
from offchain.roles.score_units import describe_score
from offchain.roles.validations import read_validations
from offchain.roles.verifier_rules import Validation
from offchain.storage.cid import Cid
from offchain.types import OrderId


@dataclass(slots=True)
class Findings:
    """What an examination has found so far: true sums by model, and what is wrong with the others."""

    oid: OrderId
    total: int
    scores: dict[int, int] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Models that are looked through."""
        return len(self.scores) + len(self.errors)

    @property
    def is_wanting(self) -> bool:
        """Whether all was looked through, and not all was there."""
        return self.done == self.total and bool(self.errors)


def begin(contracts: AssayContracts, oid: OrderId) -> tuple[OrderView, Findings]:
    """What there is to examine. Raises Rejected when nothing is."""
    count = contracts.order_count()
    if oid > count:
        raise Faulty("oid", f"no such order; there are {count}")
    view = view_order(contracts, oid)
    if not view.facts.test_released or not view.facts.reveals:
        what = "no model is revealed" if not view.facts.reveals else "the test set is not released"
        raise Faulty("oid", f"order {oid} is {view.phase.label}, and {what}: there is nothing to score yet")
    return view, Findings(oid, len(contracts.models(oid)))


def examine(place: DeskPlace, view: OrderView, findings: Findings, progress: Progress) -> Findings:
    """A job: scores all models. What is no good is written down; raises Retryable when the data cannot be had now."""
    progress.say("fetching the test set")
    scorer = Scorer(place.contracts, place.store, view, progress.should_stop)
    for index in range(findings.total):
        progress.say(f"scoring model {index}")
        try:
            findings.scores[index] = scorer.score(index)
        except Rejected as error:
            progress.say(f"scoring model {index}")  # it may have been told to stop
            findings.errors[index] = in_fields(str(error))
        except Retryable as error:
            findings.errors[index] = in_fields(str(error))
    progress.say("all models are scored")
    return findings


def judged(place: DeskPlace, findings: Findings, validator: ChecksumAddress, model: int) -> Judgement:
    """A validator's score beside the true one. Raises Rejected, naming the field, unless it can be challenged."""
    contracts, oid = place.contracts, findings.oid
    view = view_order(contracts, oid)
    if view.phase != Phase.CHALLENGE:
        raise Faulty("oid", f"order {oid} is {view.phase.label}; scores are challenged in its challenge window only")
    if model not in findings.scores:
        raise Faulty("model", f"the true score of model {model} of order {oid} is not known; examine the order again")
    places = [item for item in read_validations(contracts, oid) if item.validator == validator]
    said = next((item for item in places if item.model_index == model and item.live), None)
    if said is None:
        raise Faulty("validator", f"{validator} has no score of model {model} that counts in order {oid}")
    found = Judgement(said, findings.scores[model])
    if not found.is_false:
        raise Faulty("validator", f"its score of model {model} is true; a challenge would lose its stake")
    return found


def show(place: DeskPlace, job: Job[Findings], findings: Findings) -> schema.Examination:
    """The examination, with all that validators have said by now. Raises Retryable."""
    contracts, oid = place.contracts, findings.oid
    view = view_order(contracts, oid)
    words = _Words(place, view)
    return schema.Examination(
        id=job.id,
        oid=oid,
        state=job.state,
        step=job.step,
        error=job.error,
        done=findings.done,
        total=findings.total,
        models=[_model(index, findings, words) for index in range(findings.total)],
        scores=[_score(item, view, findings, words) for item in read_validations(contracts, oid)],
        stake=view.order.challenge_stake,
        until=challenges_until(contracts, oid),
    )


class _Words:
    """Scores in words, in the units of the order's own manifest where it can be had."""

    def __init__(self, place: DeskPlace, view: OrderView) -> None:
        self._function = view.order.terms.score_function
        self._samples = place.contracts.test_set(view.oid).sample_count
        self._preprocessing = _preprocessing(place, Cid(view.order.terms.manifest_cid))

    def __call__(self, score: int | None) -> str | None:
        if score is None:
            return None
        if score == ABSTAIN:
            return "abstained"
        return describe_score(self._function, score, self._samples, self._preprocessing)


def _preprocessing(place: DeskPlace, cid: Cid) -> Preprocessing | None:
    """Of the order's manifest, if it is here: who waits for words shall not wait for strangers."""
    try:
        if not place.store.has(cid):
            return None
        data = place.store.read(cid, max_bytes=MAX_MANIFEST_BYTES)
        return OrderManifest.parse(data, source=str(cid)).preprocessing
    except (Rejected, Retryable):
        return None


def _model(index: int, findings: Findings, words: _Words) -> schema.ExaminedModel:
    score = findings.scores.get(index)
    return schema.ExaminedModel(model=index, score=score, text=words(score), error=findings.errors.get(index))


def _score(item: Validation, view: OrderView, findings: Findings, words: _Words) -> schema.ExaminedScore:
    true = findings.scores.get(item.model_index)
    is_false = None if true is None or item.score == ABSTAIN else item.score != true
    return schema.ExaminedScore(
        validator=item.validator,
        holder=item.holder,
        model=item.model_index,
        said=item.score,
        said_text=words(item.score),
        true=true,
        true_text=words(true),
        is_false=is_false,
        live=item.live,
        challengeable=bool(is_false and item.live and view.phase == Phase.CHALLENGE),
    )
