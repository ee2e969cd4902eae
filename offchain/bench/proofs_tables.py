"""The rows of `assay bench proofs` as tables, beside their bars and the papers' figures."""

from typing import Any

from offchain.bench.proofs import Row

BARS: dict[tuple[str, str], dict[str, float]] = {
    ("MLP 64-32-10", "ultrahonk"): {"total_s": 2.0, "submit_gas": 950_000},
    ("CNN 3x3x8, pool, 72-10", "ultrahonk"): {"total_s": 6.0, "submit_gas": 950_000},
    ("MLP 64-32-10", "groth16"): {"submit_gas": 250_000, "proof_bytes": 256, "verify_ms": 64},
    ("CNN 3x3x8, pool, 72-10", "groth16"): {"submit_gas": 250_000, "proof_bytes": 256, "verify_ms": 64},
}
"""Most that a row with 64 samples may need (issue 7); seconds on two quiet cores."""

PAPERS: tuple[dict[str, Any], ...] = (
    {
        "who": "001 (zk-SNARK of a score)",
        "what": "accuracy",
        "proof_s": "0.89-1.9",
        "verify_ms": "64-178",
        "bytes": "256",
    },
    {"who": "Kaizen", "what": "one iteration of VGG-11", "proof_s": "900", "verify_ms": "130", "bytes": "1,630,000"},
    {"who": "zkCNN", "what": "VGG16, one image", "proof_s": "88", "verify_ms": "", "bytes": ""},
    {"who": "EZKL", "what": "SGD step, 138 parameters", "proof_s": "3.06", "verify_ms": "", "bytes": ""},
    {"who": "EZKL, run here", "what": "MLP 64-32-10, 4 samples", "proof_s": "45", "verify_ms": "", "bytes": "7,200"},
)
"""As the papers and ../shared/ZK.md give them: other machines, other statements."""


def line(row: Row) -> str:
    """A row as soon as it is there."""
    seconds = f"{row.total_s:.2f} s ({row.witness_s:.2f} + {row.proof_s:.2f})"
    cost = f"{row.submit_gas:,} gas, {row.proof_bytes:,} bytes"
    return f"{row.system}: {row.model}, {row.samples} samples: {seconds}, {cost}"


def proving(row: Row) -> dict[str, Any]:
    """What a row says of its prover, for people."""
    return {
        "model": f"{row.model}, {row.samples} samples",
        "system": row.system,
        "size": row.size,
        "once s": "" if row.once_s is None else f"{row.once_s:.1f}",
        "witness s": f"{row.witness_s:.2f}",
        "proof s": f"{row.proof_s:.2f}",
        "MiB": f"{row.memory_mib:.0f}",
    }


def verifying(row: Row) -> dict[str, Any]:
    """What a row says of the proof and its verifier, for people."""
    return {
        "system": row.system,
        "weights": row.parameters,
        "right": f"{row.correct}/{row.samples}",
        "bytes": row.proof_bytes,
        "check ms": f"{row.verify_ms:.1f}",
        "verify gas": row.verify_gas,
        "submit gas": row.submit_gas,
        "bars": "; ".join(missed(row)) or ("held" if (row.model, row.system) in BARS and row.samples == 64 else ""),
    }


def missed(row: Row) -> list[str]:
    """The bars that a row of 64 samples does not hold."""
    bars = BARS.get((row.model, row.system), {}) if row.samples == 64 else {}
    over = {name: float(getattr(row, name)) for name, most in bars.items() if getattr(row, name) > most}
    return [f"{name} {value:,.{0 if value >= 1000 else 2}f} > {bars[name]:,}" for name, value in over.items()]
