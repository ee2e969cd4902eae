"""Keystores."""

import json
import logging
import stat
from pathlib import Path

import pytest
from eth_account import Account

from offchain.chain.keys import create_key, list_keys, load_key, read_password, store_key
from offchain.errors import Rejected


def test_a_key_comes_back_with_its_password(tmp_path: Path) -> None:
    created = create_key(tmp_path / "keys", "provider-1", "secret", light=True)
    loaded = load_key(tmp_path / "keys", "provider-1", "secret")
    assert loaded.address == created.address
    assert list_keys(tmp_path / "keys") == [created]
    assert stat.S_IMODE(created.path.stat().st_mode) == 0o600


def test_every_key_is_another(tmp_path: Path) -> None:
    addresses = {create_key(tmp_path, f"k{n}", "x", light=True).address for n in range(5)}
    assert len(addresses) == 5


def test_the_file_is_an_ordinary_keystore(tmp_path: Path) -> None:
    account = Account.create()
    key = store_key(tmp_path, "mine", "secret", account, light=True)
    fields = json.loads(key.path.read_text())
    assert fields["version"] == 3
    assert fields["crypto"]["kdf"] == "scrypt"
    assert bytes(Account.decrypt(fields, "secret")) == bytes(account.key)
    assert account.key.hex() not in key.path.read_text()


def test_strong_keys_cost_more_to_open(tmp_path: Path) -> None:
    key = create_key(tmp_path, "strong", "secret")
    assert json.loads(key.path.read_text())["crypto"]["kdfparams"]["n"] == 2**18


def test_a_wrong_password_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    create_key(tmp_path, "mine", "secret", light=True)
    with pytest.raises(Rejected, match=r"mine\.json: wrong password, or the file is damaged"):
        load_key(tmp_path, "mine", "hunter2")
    assert "hunter2" not in caplog.text


def test_an_unknown_key_lists_those_there_are(tmp_path: Path) -> None:
    create_key(tmp_path, "mine", "secret", light=True)
    with pytest.raises(
        Rejected, match=r"no key named yours \(there are: mine\); make one with `assay keys create yours`"
    ):
        load_key(tmp_path, "yours", "secret")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    first = create_key(tmp_path, "mine", "secret", light=True)
    with pytest.raises(Rejected, match="there is a key with this name"):
        create_key(tmp_path, "mine", "secret", light=True)
    assert load_key(tmp_path, "mine", "secret").address == first.address


@pytest.mark.parametrize("name", ["", "../up", "A", "a/b", "a b", "x" * 64, ".hidden"])
def test_names_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejected, match="use lower-case letters"):
        create_key(tmp_path, name, "secret", light=True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"address": "zz"}', "\x00" * 100, "x" * 20_000])
def test_other_files_are_no_keystores(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.json").write_text(text)
    assert list_keys(tmp_path) == []
    with pytest.raises(Rejected, match=r"mine\.json: not a keystore"):
        load_key(tmp_path, "mine", "secret")


def test_a_keystore_that_lies_about_its_address_is_rejected(tmp_path: Path) -> None:
    key = create_key(tmp_path, "mine", "secret", light=True)
    fields = json.loads(key.path.read_text())
    fields["address"] = "11" * 20
    key.path.write_text(json.dumps(fields))
    with pytest.raises(Rejected, match="another key than the address it states"):
        load_key(tmp_path, "mine", "secret")


def test_passwords_come_from_a_file_or_a_prompt(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret word\r\nmore\n")
    assert read_password(file, lambda: "prompted") == "secret word"
    assert read_password(None, lambda: "prompted") == "prompted"
    file.write_text("\n")
    with pytest.raises(Rejected, match="first line is empty"):
        read_password(file, lambda: "prompted")
    with pytest.raises(Rejected, match="cannot be read"):
        read_password(tmp_path / "none", lambda: "prompted")
    with pytest.raises(Rejected, match="the password is empty"):
        read_password(None, lambda: "")


def test_an_empty_password_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="the password is empty"):
        create_key(tmp_path, "mine", "", light=True)
    assert list_keys(tmp_path) == []
