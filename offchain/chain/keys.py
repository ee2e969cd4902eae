"""Encrypted keystores (the Ethereum V3 format), one file per key. Secrets never appear in messages or logs."""

import json
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import is_hex_address, to_checksum_address

from offchain.errors import Rejected

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
SCRYPT_STRONG = 2**18
SCRYPT_LIGHT = 2**12  # for development keys: opens in some milliseconds instead of a second
MAX_KEYSTORE_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A keystore: its name, file and address (which is not secret)."""

    name: str
    path: Path
    address: ChecksumAddress


def create_key(folder: Path, name: str, password: str, *, light: bool = False) -> KeyFile:
    """Makes a new key in `folder` as `name`. `light`: cheap to open, for development.

    Raises Rejected when the name is taken or not of lower-case letters, digits, `-` and `_`, or the password is empty.
    """
    return store_key(folder, name, password, Account.create(secrets.token_hex(32)), light=light)


def store_key(folder: Path, name: str, password: str, account: LocalAccount, *, light: bool = False) -> KeyFile:
    """Stores an existing key; see `create_key`."""
    path = _path(folder, name)
    if not password:
        raise Rejected("the password is empty: give one")
    keystore = Account.encrypt(account.key, password, kdf="scrypt", iterations=SCRYPT_LIGHT if light else SCRYPT_STRONG)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        # Created readable by the owner only, and never over another key.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Rejected(f"{path}: there is a key with this name; choose another name") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(keystore))
        file.flush()
        os.fsync(file.fileno())
    return KeyFile(name, path, to_checksum_address(account.address))


def list_keys(folder: Path) -> list[KeyFile]:
    """All keystores in `folder` by name (dev2 before dev10); files that are none are skipped."""
    found = []
    for path in sorted(folder.glob("*.json"), key=_natural):
        address = _address_in(path)
        if address is not None and NAME.fullmatch(path.stem):
            found.append(KeyFile(path.stem, path, address))
    return found


def require_key(folder: Path, name: str) -> Path:
    """The file of a key. Raises Rejected, saying which keys there are, when there is none of that name."""
    path = _path(folder, name)
    if not path.exists():
        known = ", ".join(key.name for key in list_keys(folder)) or "none"
        raise Rejected(f"{path}: no key named {name} (there are: {known}); make one with `assay keys create {name}`")
    return path


def require_free(folder: Path, name: str) -> Path:
    """Where a key of that name will be. Raises Rejected when the name is taken or not one."""
    path = _path(folder, name)
    if path.exists():
        raise Rejected(f"{path}: there is a key with this name; choose another name")
    return path


def load_key(folder: Path, name: str, password: str) -> LocalAccount:
    """Opens a key. Raises Rejected when there is none, the file is damaged, or the password is wrong."""
    path = require_key(folder, name)
    address = _address_in(path)
    if address is None:
        raise Rejected(f"{path}: not a keystore")
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(path.read_text(encoding="utf-8"), password))
    except ValueError as error:
        raise Rejected(f"{path}: wrong password, or the file is damaged") from error
    except (KeyError, TypeError, NotImplementedError) as error:
        raise Rejected(f"{path}: not a keystore that we can read") from error
    if account.address != address:
        raise Rejected(f"{path}: holds another key than the address it states; restore it from a backup")
    return account


def read_password(file: Path | None, prompt: Callable[[], str]) -> str:
    """The first line of `file`, or what `prompt` returns when there is no file. Raises Rejected when it is empty."""
    if file is None:
        password = prompt()
    else:
        try:
            password = file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise Rejected(f"--password-file {file}: cannot be read") from error
    if not password:
        raise Rejected(
            "the password is empty: give one" if file is None else f"--password-file {file}: first line is empty"
        )
    return password


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts numbers in names as numbers."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path.stem)]


def _path(folder: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise Rejected(f"key name {name!r}: use lower-case letters, digits, - and _ only")
    return folder / f"{name}.json"


def _address_in(path: Path) -> ChecksumAddress | None:
    if not path.is_file() or path.stat().st_size > MAX_KEYSTORE_BYTES:
        return None
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        address = "0x" + str(fields["address"]).removeprefix("0x")
    except (ValueError, KeyError, TypeError):
        return None
    return to_checksum_address(address) if is_hex_address(address) else None
