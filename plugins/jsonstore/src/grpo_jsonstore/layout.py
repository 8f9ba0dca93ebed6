"""Where the files of a directory store lie, and how JSON is read from and written to them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from attrs import frozen

from grpo_framework.errors import StoreError, remedy_of
from grpo_framework.experience import id_prefix
from grpo_framework.records import Owner
from grpo_framework.validation import json_reason

_RECORD = re.compile(r"([0-9]{6,12})\.json")
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?[0-9]{19}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEAD, _SUFFIX = "head.json", "_experiences.json"


@frozen
class Places:
    """The paths of one owner's files.

    Attributes:
        directory: The store's directory.
        owner: A known owner, so that no other file can be meant.
    """

    directory: Path
    owner: Owner

    @property
    def file(self) -> Path:
        """The experience file in the guide's format: the newest version, and the truth."""
        return self.directory / f"{self.owner}{_SUFFIX}"

    @property
    def history(self) -> Path:
        """The directory of the owner's versions."""
        return self.directory / ".history" / self.owner

    @property
    def head(self) -> Path:
        """What is remembered of the newest version beyond the experience file."""
        return self.history / _HEAD

    @property
    def lock(self) -> Path:
        """The file that writers lock."""
        return self.history / "lock"

    def record(self, version: int) -> Path:
        """The history file of a version."""
        return self.history / f"{version:06d}.json"

    def versions(self) -> tuple[int, ...]:
        """The versions that have a history file, oldest first."""
        if not self.history.is_dir():
            return ()
        matches = (_RECORD.fullmatch(path.name) for path in self.history.iterdir())
        return tuple(sorted(int(match[1]) for match in matches if match))


def places_of(directory: Path, owner: Owner) -> Places:
    """The paths of an owner's files.

    Raises:
        StoreError: The owner is unknown.
    """
    try:
        id_prefix(owner)
    except ValueError as error:
        raise StoreError(str(error), path=directory) from error
    return Places(directory, owner)


@contextmanager
def files_named(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into a StoreError that names the file."""
    try:
        yield
    except OSError as error:
        culprit = Path(error.filename) if isinstance(error.filename, str) else path
        reason = error.strerror or str(error)
        hint = f"{remedy_of(error) or 'choose another directory'}; what was there is unharmed"
        raise StoreError(f"cannot be used: {reason}", path=culprit, hint=hint) from error


def read_bytes(path: Path) -> bytes | None:
    """A file's content, None if there is no such file.

    Raises:
        StoreError: It cannot be read.
    """
    with files_named(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def parse(data: bytes, path: Path) -> Any:
    """Read JSON; a byte order mark and any line ends are fine.

    Raises:
        StoreError: It is no JSON in UTF-8; with file and line.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if _LONG_NUMBER.search(data):  # orjson would round it
        return _parse_slowly(data, path)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        # orjson is stricter than RFC 8259 (lone surrogates) and terse: the
        # standard library decides, and says on which line.
        return _parse_slowly(data, path)


def _parse_slowly(data: bytes, path: Path) -> Any:
    try:
        return json.loads(data.decode("utf-8"))
    except json.JSONDecodeError as error:
        reason = f"damaged: no valid JSON, {json_reason(error)}"
        raise StoreError(reason, path=path, line=error.lineno, hint=_remedy(path)) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"damaged: no valid UTF-8 at byte {error.start}"
        raise StoreError(reason, path=path, line=line, hint=_remedy(path)) from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"damaged: {error}", path=path, hint=_remedy(path)) from error


def _remedy(path: Path) -> str:
    """How to mend a damaged file of the store: by hand, or by what takes its place."""
    if path.name == _HEAD:
        way = "take it away: the records beside it say the same"
    elif _RECORD.fullmatch(path.name):
        way = "mend it by hand, or restore it from a backup"
    else:
        owner = path.name.removesuffix(_SUFFIX)
        way = (
            "mend it by hand; or take it away and go back to a version of "
            f"'grpo-cli experiences history': grpo-cli experiences revert {owner}=VERSION"
        )
    return f"{way}; nothing was written"


def damaged(reason: str, path: Path, *, pointer: str = "") -> StoreError:
    """The error for a file that is JSON but not what it should be."""
    where = f" at {pointer}" if pointer else ""
    return StoreError(f"damaged{where}: {reason}", path=path, pointer=pointer, hint=_remedy(path))


def render(document: Any) -> bytes:
    """Write JSON as the guide's files are: indented by two, UTF-8 not escaped, a last line end."""
    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # Lone surrogates (models produce them) have no UTF-8; they alone are escaped.
        text = json.dumps(document, indent=2, ensure_ascii=False)
        escaped = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
        return f"{escaped}\n".encode()


def digest(data: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()
