"""Letters as files, when no mail server is set: a folder of .eml files that any mail program opens."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.notifying.letter import AddressError, Letter
from services.notifying.mime import build_email
from services.notifying.outcomes import Delivered, Failed, Outcome

SCHEME: Final = "outbox"


@dataclass(frozen=True)
class Outbox:
    """Writes each letter as ``<message id>.eml``: written twice, it is still one file."""

    folder: Path
    sender: str
    repeats_harmlessly: bool = True

    def send(self, letter: Letter) -> Outcome:
        """Write the letter; one that lies there already was written before a crash, and counts."""
        try:
            _write_once(self.folder / f"{letter.message}.eml", build_email(letter, self.sender, "8bit"))
        except AddressError:
            return Failed("bad_address", again=False)
        except OSError as error:
            return Failed(f"outbox_{type(error).__name__}")
        return Delivered()


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name of the file is kept in its folder
    finally:
        os.close(folder)
