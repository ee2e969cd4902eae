"""NPZ archives, idx files and scikit-learn's sets."""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from offchain.data.source import load_source
from offchain.errors import Rejected


def write_idx(path: Path, array: npt.NDArray[np.uint8], *, zipped: bool = False) -> Path:
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if zipped else content)
    return path


@pytest.fixture
def images() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (12, 5, 4), dtype=np.uint8)


LABELS = np.array([0, 1, 2] * 4, dtype=np.uint8)


@pytest.mark.parametrize("names", [("x", "y"), ("inputs", "labels"), ("x_train", "y_train")])
def test_npz(tmp_path: Path, images: npt.NDArray[np.uint8], names: tuple[str, str]) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **{names[0]: images, names[1]: LABELS[:, np.newaxis]})
    raw = load_source(str(path))
    assert raw.shape == (5, 4, 1)
    assert raw.classes == ("0", "1", "2")
    np.testing.assert_array_equal(raw.inputs[..., 0], images)
    np.testing.assert_array_equal(raw.labels, LABELS)


def test_npz_of_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([{"a": 1}, None], dtype=object), y=np.array([0, 1]))
    with pytest.raises(Rejected, match=r"a\.npz: not a readable NPZ file of plain arrays"):
        load_source(str(path))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros(3)}, "needs arrays x and y, or inputs and labels; it has a"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(4)}, "one label a sample"),
        ({"x": np.zeros(3), "y": np.zeros(3)}, r"inputs of shape \[3\]"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "has 0 samples"),
        ({"x": np.zeros((3, 0)), "y": np.zeros(3)}, r"inputs of shape \[3, 0\]"),
        ({"x": np.array([["a"], ["b"]]), "y": np.zeros(2)}, "give numbers"),
        ({"x": np.zeros((2, 2), dtype=complex), "y": np.zeros(2)}, "give numbers"),
        ({"x": np.array([[0.0, np.nan], [1, 1]]), "y": np.array([0, 1])}, r"row 1, element \[1\]: value is missing"),
        ({"x": np.array([[0.0, 1e300], [1, 1]]), "y": np.array([0, 1])}, "infinite or too large"),
        ({"x": np.zeros((4, 2)), "y": np.ones(4)}, "every sample has the label 1"),
    ],
)
def test_npz_that_cannot_be_used(tmp_path: Path, arrays: dict[str, npt.NDArray[np.generic]], message: str) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(Rejected, match=message):
        load_source(str(path))


def test_npz_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros((50, 2)), y=np.arange(50))
    content = path.read_bytes()
    for damaged in (b"", b"PK\3\4nothing", content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(Rejected, match=r"a\.npz"):
            load_source(str(path))


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_finds_its_labels(tmp_path: Path, images: npt.NDArray[np.uint8], zipped: bool) -> None:
    ending = ".gz" if zipped else ""
    path = write_idx(tmp_path / f"train-images-idx3-ubyte{ending}", images, zipped=zipped)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{ending}", LABELS, zipped=zipped)
    raw = load_source(str(path))
    assert raw.shape == (5, 4, 1)
    np.testing.assert_array_equal(raw.inputs[..., 0], images)
    np.testing.assert_array_equal(raw.labels, LABELS)
    np.testing.assert_array_equal(load_source(str(tmp_path)).inputs, raw.inputs)


def test_idx_with_named_labels_file(tmp_path: Path, images: npt.NDArray[np.uint8]) -> None:
    path = write_idx(tmp_path / "pictures.idx", images)
    labels = write_idx(tmp_path / "truth.idx", LABELS)
    assert load_source(str(path), label=str(labels)).labels.tolist() == LABELS.tolist()
    with pytest.raises(Rejected, match="no labels file"):
        load_source(str(path))
    with pytest.raises(Rejected, match=r"--label .*no such file"):
        load_source(str(path), label=str(tmp_path / "none"))


def test_idx_with_lying_headers(tmp_path: Path, images: npt.NDArray[np.uint8]) -> None:
    path = write_idx(tmp_path / "t-images-idx3-ubyte", images)
    write_idx(tmp_path / "t-labels-idx1-ubyte", LABELS)
    content = path.read_bytes()
    cases = {
        content[:-1]: "another length",
        content + b"x": "another length",
        content[:9]: "truncated in its header",
        b"": "not an idx file",
        b"GIF89a": "not an idx file",
        content[:2] + b"\x0d" + content[3:]: "idx type 0x0d",
        content[:4] + struct.pack(">III", 2**31, 2**31, 2**31) + content[16:]: "between 1 and 2",
        content[:4] + struct.pack(">III", 2**28, 1, 1) + content[16:]: "another length",
        content[:4] + struct.pack(">III", 0, 5, 4) + content[16:]: "between 1 and 2",
        gzip.compress(content)[:-9]: "t-images",
    }
    for damaged, message in cases.items():
        path.write_bytes(damaged)
        with pytest.raises(Rejected, match=message):
            load_source(str(path))


@pytest.mark.parametrize(
    ("name", "count", "shape", "outputs"),
    [
        ("digits", 1797, (8, 8, 1), 10),
        ("breast_cancer", 569, (30,), 2),
        ("wine", 178, (13,), 3),
        ("iris", 150, (4,), 3),
        ("diabetes", 442, (10,), 1),
    ],
)
def test_sklearn_sets(name: str, count: int, shape: tuple[int, ...], outputs: int) -> None:
    raw = load_source(name)
    assert (len(raw), raw.shape, raw.outputs) == (count, shape, outputs)
    assert raw.task == ("regression" if name == "diabetes" else "classification")
    np.testing.assert_array_equal(load_source(f"sklearn:{name}").inputs, raw.inputs)


def test_unknown_sklearn_set() -> None:
    with pytest.raises(Rejected, match="scikit-learn set 'faces' is unknown; choose one of digits"):
        load_source("sklearn:faces")


def test_importing_the_room_is_light() -> None:
    """The command line imports these to parse its arguments; heavy libraries are loaded when they are needed."""
    import subprocess

    code = (
        "import sys, offchain.data.source, offchain.data.preprocessing, offchain.model.shorthand;"
        "import offchain.model.export, offchain.model.suitability;"
        "print([m for m in ('torch', 'sklearn', 'pandas', 'pyarrow', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
