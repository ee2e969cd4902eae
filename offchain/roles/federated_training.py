"""One participant's training of one round, with the privacy that the manifest names; runs in the background."""

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset
from offchain.federated.fixed_point import Model, dequantise
from offchain.federated.local_training import LocalTrainer, LocalUpdate, local_update, to_tensors
from offchain.federated.manifest import ExamplePrivacy, FederatedManifest, GradientPrivacy, SumPrivacy
from offchain.federated.parameters import load_vector
from offchain.federated.terms import FederatedTerms

Update = npt.NDArray[np.int16]


def train_update(
    manifest: FederatedManifest,
    terms: FederatedTerms,
    model: Model,
    data: Dataset,
    seed: bytes,
    former: Update | None,
) -> LocalUpdate:
    """The round's update from the model int32 (d,); `seed`: 32 secret bytes, for batches and noise.

    `former`: the participant's update of the round before, for tasks whose settings have a memory. Raises Rejected.
    """
    number = int.from_bytes(seed, "big")
    made = local_update(
        manifest.model_spec,
        model,
        terms.scale_bits,
        data,
        manifest.settings,
        number,
        previous=former,
        trainer=_trainer(manifest),
    )
    if isinstance(manifest.privacy, SumPrivacy | GradientPrivacy):
        return LocalUpdate(_noisy(manifest.privacy, made.values, seed), made.samples, made.saturated)
    return made


def _trainer(manifest: FederatedManifest) -> LocalTrainer | None:
    from offchain.federated.privacy.dp_sgd import ClippedGradient, DpSgd

    match manifest.privacy:
        case ExamplePrivacy() as privacy:
            return DpSgd(privacy.sample_rate, privacy.noise_multiplier, privacy.clip_norm, privacy.steps)
        case GradientPrivacy(clip_norm=clip_norm, rate=rate):
            return ClippedGradient(clip_norm, rate)
        case _:
            return None


def _noisy(privacy: SumPrivacy | GradientPrivacy, update: Update, seed: bytes) -> Update:
    """Within its bounds, and with this participant's share of the noise."""
    from offchain.federated.privacy.distributed_noise import add_noise, clip_l2, make_room
    from offchain.federated.privacy.random_bytes import seeded_bytes

    if isinstance(privacy, SumPrivacy):
        bounded = clip_l2(update, privacy.clip_norm)
    else:
        bounded = make_room(update, privacy.variance)
    return add_noise(bounded, privacy.variance, seeded_bytes(b"share" + seed))


def model_accuracy(manifest: FederatedManifest, terms: FederatedTerms, model: Model, test: Dataset) -> float:
    """The part of the samples that a model int32 (d,) gets right. Raises Rejected when they don't fit."""
    import torch

    from offchain.model.module import SpecNetwork

    spec = manifest.model_spec
    network = SpecNetwork(spec, seed=0)
    load_vector(spec, network, dequantise(model, terms.scale_bits))
    network.eval()
    inputs, labels = to_tensors(test, manifest.settings)
    with torch.no_grad():
        return float((network(inputs).argmax(dim=1) == labels).float().mean())
