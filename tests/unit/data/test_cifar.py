"""CIFAR-10 python batches: genuine ones are read, every other pickle is refused without being run."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.data.batch_pickle import read_batch
from offchain.data.source import load_source
from offchain.errors import Rejected


class BatchWriter:
    """Writes what Python 2's cPickle (protocol 2) wrote for CIFAR-10: strings as bytes, every value memoised."""

    def __init__(self) -> None:
        self.out = bytearray(b"\x80\x02")
        self._memo = 0

    def put(self) -> None:
        self.out += b"q" + bytes([self._memo]) if self._memo < 256 else b"r" + struct.pack("<I", self._memo)
        self._memo += 1

    def text(self, value: bytes) -> None:
        self.out += (
            b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value
        )
        self.put()

    def number(self, value: int) -> None:
        if 0 <= value < 256:
            self.out += b"K" + bytes([value])
        elif 0 <= value < 65536:
            self.out += b"M" + struct.pack("<H", value)
        else:
            self.out += b"J" + struct.pack("<i", value)

    def name(self, module: bytes, attribute: bytes) -> None:
        self.out += b"c" + module + b"\n" + attribute + b"\n"
        self.put()

    def array(self, values: npt.NDArray[np.uint8], *, fortran: bool = False) -> None:
        self.name(b"numpy.core.multiarray", b"_reconstruct")
        self.name(b"numpy", b"ndarray")
        self.number(0)
        self.out += b"\x85"
        self.put()
        self.text(b"b")
        self.out += b"\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"("
        self.number(1)
        for side in values.shape:
            self.number(side)
        self.out += b"\x86"
        self.put()
        self.name(b"numpy", b"dtype")
        self.text(b"u1")
        self.number(0)
        self.number(1)
        self.out += b"\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"("
        self.number(3)
        self.text(b"|")
        self.out += b"NNN"
        self.number(-1)
        self.number(-1)
        self.number(0)
        self.out += b"t"
        self.put()
        self.out += b"b" + (b"\x88" if fortran else b"\x89")
        self.text(values.tobytes(order="F" if fortran else "C"))
        self.out += b"t"
        self.put()
        self.out += b"b"

    def sequence(self, values: list[Any]) -> None:
        self.out += b"]"
        self.put()
        for start in range(0, len(values), 1000):
            self.out += b"("
            for value in values[start : start + 1000]:
                self.number(value) if isinstance(value, int) else self.text(value)
            self.out += b"e"

    def batch(self, data: npt.NDArray[np.uint8], labels: list[int], *, fortran: bool = False) -> bytes:
        self.out += b"}"
        self.put()
        self.out += b"("
        self.text(b"data")
        self.array(data, fortran=fortran)
        self.text(b"labels")
        self.sequence(labels)
        self.text(b"batch_label")
        self.text(b"training batch 1 of 5")
        self.text(b"filenames")
        self.sequence([b"leptodactylus_pentadactylus_s_%06d.png" % i for i in range(len(labels))])
        self.out += b"u."
        return bytes(self.out)


DATA = np.random.default_rng(3).integers(0, 256, (300, 3072), dtype=np.uint8)
LABELS = [i % 10 for i in range(300)]


@pytest.mark.parametrize("fortran", [False, True])
def test_genuine_batch(tmp_path: Path, fortran: bool) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(BatchWriter().batch(DATA, LABELS, fortran=fortran))
    raw = load_source(str(path))
    assert raw.shape == (32, 32, 3)
    assert raw.classes is not None
    assert (raw.classes[0], raw.classes[9]) == ("airplane", "truck")
    assert raw.labels.tolist() == LABELS
    # A row holds the red plane, then green, then blue, each row by row.
    assert raw.inputs[7, 2, 5].tolist() == [DATA[7, 2 * 32 + 5], DATA[7, 1024 + 69], DATA[7, 2048 + 69]]


def test_directory_of_batches(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"data_batch_{number}").write_bytes(BatchWriter().batch(DATA[number::2], LABELS[number::2]))
    raw = load_source(str(tmp_path))
    assert raw.labels.tolist() == LABELS[1::2] + LABELS[2::2]


def test_batch_that_python_3_wrote_again() -> None:
    """Protocol 2 of Python 3 spells bytes as `_codecs.encode(text, 'latin1')`."""
    content = bytes([0, 200, 255, 7]).decode("latin-1").encode()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\nX\x01\x00\x00\x00b"
        b"X\x06\x00\x00\x00latin1\x86R\x87R(K\x01K\x02K\x02\x86cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R"
        b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89c_codecs\nencode\n"
        b"X" + struct.pack("<I", len(content)) + content + b"X\x06\x00\x00\x00latin1\x86Rtb"
    )
    batch = read_batch(b"\x80\x02}X\x01\x00\x00\x00a" + array + b"s.", name="again")
    assert batch["a"].tolist() == [[0, 200], [255, 7]]


HOSTILE = {
    "runs a command": b"cos\nsystem\nU\x07echo hi\x85R.",
    "runs a command by stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x07echo hi\x85R.",
    "builtins": b"c__builtin__\neval\nU\x011\x85R.",
    "asks numpy for more": b"cnumpy\nload\nU\x01a\x85R.",
    "instance": b"(ios\nsystem\n.",
    "object": b"(cos\nsystem\no.",
    "new object": b"\x80\x02cnumpy\nndarray\n)\x81.",
    "persistent id": b"Pname\n.",
    "extension": b"\x80\x02\x82\x01.",
    "no dict": b"\x80\x02]q\x00.",
    "a name as a value": b"\x80\x02}(U\x04datacnumpy\nndarray\nu.",
    "unfinished array": b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\n"
    b"cnumpy\nndarray\nK\x00\x85U\x01b\x87Ru.",
    "list of itself": b"\x80\x02}(U\x04data]q\x00h\x00au.",
    "billion laughs": b"\x80\x02}(U\x04data]q\x00"
    + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(40))
    + b"u.",
    "no stop": b"\x80\x02}",
    "underflow": b"\x80\x02R.",
    "unknown memo": b"\x80\x02h\x07.",
    "left over": b"\x80\x02]}.",
    "lying length": b"\x80\x02}(U\x04dataT\xff\xff\xff\x7fab",
    "text": b"hello, world",
    "empty": b"",
    "called with nothing": b"\x80\x02cnumpy\ndtype\n)R.",
    "dict as key": b"\x80\x02}(}K\x01u.",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_other_pickles_are_refused(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(content)
    with pytest.raises(Rejected, match="data_batch_1"):
        load_source(str(path))
    assert capfd.readouterr().out == ""


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_batches_never_do_more_than_be_refused(data: st.DataObject) -> None:
    content = bytearray(BatchWriter().batch(DATA[:2, :12].copy(), [1, 2]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        batch = read_batch(bytes(content), name="damaged")
    except Rejected as error:
        assert str(error).startswith("damaged")  # noqa: PT017 (both outcomes are right)
    else:
        assert isinstance(batch, dict)


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [
        (DATA[:3, :12].copy(), [1, 2, 3], "no array data of"),
        (DATA[:3], [1, 2], "no list labels of 3 numbers"),
        (DATA[:3], [1, 2, 10], "from 0 to 9"),
        (DATA[:3], [1, 2, -1], "from 0 to 9"),
        (DATA[:3], [1, 1, 1], "every sample has the label 1"),
        (DATA[:3], [1, 2, b"x"], "no list labels"),
    ],
)
def test_batch_with_wrong_content(tmp_path: Path, data: npt.NDArray[np.uint8], labels: list[Any], message: str) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(BatchWriter().batch(data, labels))
    with pytest.raises(Rejected, match=message):
        load_source(str(path))
