"""What the desk says, and the names it gives to what people send."""

import pytest

from offchain.explorer.desk.refusals import Faulty
from offchain.explorer.desk.uploads import plain_name
from offchain.explorer.desk.words import explain, field_of, in_fields


@pytest.mark.parametrize(
    ("error", "field", "words"),
    [
        (
            "--train-seconds 0: the protocol allows 2 to 9",
            "train_seconds",
            "train_seconds 0: the protocol allows 2 to 9",
        ),
        (
            "a.csv: no column 'x' (--label); the columns\nare a",
            "label",
            "a.csv: no column 'x' (label); the columns are a",
        ),
        ("a.csv: row 2 is missing", None, "a.csv: row 2 is missing"),
        ("a-b--c and -- and --Big: stay", None, "a-b--c and -- and --Big: stay"),
        (str(Faulty("oid", "no such order")), None, "oid: no such order"),
    ],
)
def test_errors_name_fields_in_the_place_of_flags(error: str, field: str | None, words: str) -> None:
    assert (field_of(error), in_fields(error)) == (field, words)


@pytest.mark.parametrize(
    ("key", "oid", "dispute", "word"),
    [
        ("release-test:7", 7, None, "test set of your order 7"),
        ("release-test:7#3", 7, None, "test set of your order 7"),
        ("seal:12", 12, None, "Order 12 is over"),
        ("put::ab12", None, None, "escrow"),
        ("approve::ab12#2", None, None, "no more"),
        ("challenge:3:0xAb:1:0:1:open", 3, None, "that 0xAb gave model 1 of order 3"),
        ("fill:3:0xAb:1:0:1:place", 3, None, "model 1 of order 3 in the emptied place of 0xAb"),
        ("answer:3:5:ffee", 3, None, "data of order 3"),
        ("pick-sum:3:9:00ff", 3, 9, "Your move in dispute 9: pick a sum that is false"),
        ("compute-part:3:9:00ff", 3, 9, "have the false part computed"),
        ("brand-new-move:3:9:00ff", 3, 9, "brand new move"),
        ("time-out:3:9", 3, 9, "you have won"),
        ("dismiss:3:9", 3, 9, "does not count any more"),
        ("mystery", None, None, "Calls doIt."),
    ],
)
def test_every_intent_says_what_it_is_for(key: str, oid: int | None, dispute: int | None, word: str) -> None:
    why = explain(key, "doIt")
    assert (why.oid, why.dispute) == (oid, dispute)
    assert word in why.text


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("points.csv", "points.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\my points.csv", "my points.csv"),
        ("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte.gz"),
        ("<b>\x1b[31m.csv", "_b__[31m.csv".replace("[", "_")),
        ("...", "data"),
        ("", "data"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_uploaded_files_keep_the_harmless_part_of_their_name(name: str, plain: str) -> None:
    assert plain_name(name) == plain
