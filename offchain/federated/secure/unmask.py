"""The sum, which anyone computes from the public messages. Pure.

**The right sum**, mod 2**32 and read as int32, with V those who posted a vector and D those who dealt shares but posted
none (`Sets.masked`, `Sets.dropped`):

    Σ over i of V: y_i − stream(b_i) − Σ over i of V, j of D: sign(i, j) · stream(s_ij)

where sign(i, j) is 1 if i < j, else −1; b_i and s_ij are the 32-byte seeds whose keccak256 stand in places i and j of
`Shares.seeds` of i. Nothing else counts: this is a definition for whatever vectors were posted. If a seed cannot be had
(a dealer or a committer cheated, and is named; or fewer than the threshold answered), the group has no sum in this
attempt.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from offchain.errors import Rejected
from offchain.federated.secure.boxes import Route, in_field, is_as_committed, open_box
from offchain.federated.secure.faults import Charge, Fault
from offchain.federated.secure.masking import (
    AddStream,
    Words,
    add_stream,
    commitment_of,
    load_key,
    pair_seed,
    public_of,
    sign_of,
)
from offchain.federated.secure.messages import Answer, Secret
from offchain.federated.secure.shamir import SHARE_BYTES, reconstruct
from offchain.federated.secure.terms import Position, Seed, Stage
from offchain.federated.secure.transcript import Sets, Transcript, answers_of, keys_of, sets_of, shares_of, vector_of

Sum = npt.NDArray[np.int32]
"""(d,) of weighted updates."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the shares give. `self_seeds`: of V. `pair_seeds`: by (i of V, j of D). `missing`: about whom one lacks.

    These seeds, with `Shares.seeds_root`, are what a contract needs to compute one coordinate of the sum.
    """

    sets: Sets
    self_seeds: dict[Position, Seed]
    pair_seeds: dict[tuple[Position, Position], Seed]
    missing: tuple[Position, ...]
    faults: tuple[Fault, ...]

    @property
    def complete(self) -> bool:
        """Whether the sum can be computed."""
        return not self.missing


def recover(transcript: Transcript) -> Recovered:
    """All seeds of the right sum, and everybody who is to blame for what is wrong or lacking."""
    sets, faults = sets_of(transcript), list[Fault]()
    missing = {dealer for dealer in sets.shared if len(sets.answered) < transcript.session.threshold}
    secrets = {} if missing else _secrets(transcript, sets, missing, faults)
    self_seeds = {own: Seed(secrets[own]) for own in sets.masked if own in secrets}
    pair_seeds = dict[tuple[Position, Position], Seed]()
    for gone in sets.dropped:
        if gone not in secrets:
            continue
        key = load_key(secrets[gone])
        for own in sets.masked:
            seed = _pair_seed(transcript, own, gone, key, faults)
            if seed is None:
                missing.add(own)
            else:
                pair_seeds[own, gone] = seed
    return Recovered(sets, self_seeds, pair_seeds, tuple(sorted(missing)), (*sets.faults, *faults))


def unmask(transcript: Transcript, add: AddStream = add_stream) -> Sum:
    """The right sum, int32 (d,). Raises Rejected when it cannot be computed, and says whose fault that is."""
    recovered = recover(transcript)
    if not recovered.complete:
        raise Rejected(f"the sum of group {transcript.session.group} is lost: {why_lost(transcript, recovered)}")
    return sum_of(transcript, recovered, add)


def sum_of(transcript: Transcript, recovered: Recovered, add: AddStream = add_stream) -> Sum:
    """The right sum from seeds that are complete. Memory: one vector besides the transcript."""
    total = np.zeros(transcript.session.dimension, dtype=np.uint32)
    for own in recovered.sets.masked:
        np.add(total, vector_of(transcript, own), out=total)
        add(total, recovered.self_seeds[own], -1)
    for (own, gone), seed in recovered.pair_seeds.items():
        add(total, seed, -sign_of(own, gone))
    return _as_signed(total)


def why_lost(transcript: Transcript, recovered: Recovered) -> str:
    """One line."""
    answered, threshold = len(recovered.sets.answered), transcript.session.threshold
    if answered < threshold:
        return f"{answered} members answered, {threshold} are needed"
    blamed = sorted({str(fault) for fault in recovered.faults})
    return f"no seeds of members {', '.join(map(str, recovered.missing))}; {'; '.join(blamed) or 'nobody is to blame'}"


def _as_signed(total: Words) -> Sum:
    return total.view(np.int32)


def _secrets(transcript: Transcript, sets: Sets, missing: set[Position], faults: list[Fault]) -> dict[Position, bytes]:
    """Of every dealer the one secret that was asked for; those that cannot be had go to `missing`."""
    shown = _shown(transcript, sets, faults)
    secrets = dict[Position, bytes]()
    for dealer in sets.shared:
        secret = _reconstructed(transcript, sets, dealer, shown[dealer], faults)
        if secret is None:
            missing.add(dealer)
        else:
            secrets[dealer] = secret
    return secrets


def _shown(transcript: Transcript, sets: Sets, faults: list[Fault]) -> dict[Position, dict[int, int]]:
    """By dealer, the shares that it committed to, by who showed them."""
    shown: dict[Position, dict[int, int]] = defaultdict(dict)
    for witness in sets.answered:
        for dealer in sets.shared:
            share, fault = _judge(transcript, sets, witness, dealer)
            if fault is not None:
                faults.append(fault)
            if share is not None:
                shown[dealer][witness] = share
    return shown


def _judge(transcript: Transcript, sets: Sets, witness: Position, dealer: Position) -> tuple[int | None, Fault | None]:
    """What an entry of UNMASK gives: a share, or whom it proves guilty."""
    entry = answers_of(transcript, witness).entries[dealer]
    route = Route(transcript.session.digest, dealer, witness)
    dealt = shares_of(transcript, dealer)
    if entry.answer is Answer.COMPLAINT:
        key = entry.content[1:]
        is_theirs = entry.content[0] == 0 and public_of(key) == keys_of(transcript, witness).share_keys[dealer]
        if is_theirs and open_box(route, key, keys_of(transcript, dealer), dealt) is None:
            return None, Fault(Stage.SHARES, dealer, Charge.BAD_BOX, witness)
        return None, Fault(Stage.UNMASK, witness, Charge.FALSE_COMPLAINT, dealer)
    if not is_as_committed(route, _asked(sets, dealer), entry.content, dealt):
        return None, Fault(Stage.UNMASK, witness, Charge.WRONG_SHARE, dealer)
    if not in_field(entry.content):
        return None, Fault(Stage.SHARES, dealer, Charge.INCONSISTENT_SHARES, dealer)
    return int.from_bytes(entry.content, "big"), None


def _asked(sets: Sets, dealer: Position) -> Secret:
    return Secret.SELF_SEED if dealer in sets.masked else Secret.MASK_KEY


def _reconstructed(
    transcript: Transcript, sets: Sets, dealer: Position, shares: dict[int, int], faults: list[Fault]
) -> bytes | None:
    """A dealer's secret, if it is the one that it published a commitment to (or the public key of)."""
    if len(shares) < transcript.session.threshold:
        return None
    value, consistent = reconstruct(shares, transcript.session.threshold)
    if not consistent:
        faults.append(Fault(Stage.SHARES, dealer, Charge.INCONSISTENT_SHARES, dealer))
    secret = value.to_bytes(SHARE_BYTES, "big")
    keys, own = keys_of(transcript, dealer), Seed(secret[1:])
    fits = secret[0] == 0 and (
        commitment_of(own) == keys.commitment
        if _asked(sets, dealer) is Secret.SELF_SEED
        else public_of(own) == keys.mask_key
    )
    if not fits:
        if consistent:
            faults.append(Fault(Stage.SHARES, dealer, Charge.WRONG_SECRET, dealer))
        return None
    return own


def _pair_seed(
    transcript: Transcript, own: Position, gone: Position, gone_key: X25519PrivateKey, faults: list[Fault]
) -> Seed | None:
    """The seed that `own` committed to for `gone`; None, and `own` is named, when it is not what their keys give."""
    session = transcript.session
    seed = pair_seed(gone_key, keys_of(transcript, own).mask_key, session.digest, own, gone)
    commitment = commitment_of(seed)
    if shares_of(transcript, gone).seeds[own] != commitment:
        faults.append(Fault(Stage.SHARES, gone, Charge.WRONG_SEED, own))
    if shares_of(transcript, own).seeds[gone] != commitment:
        faults.append(Fault(Stage.SHARES, own, Charge.WRONG_SEED, gone))
        return None
    return seed
