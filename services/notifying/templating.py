"""Where the words come from: our Jinja templates and, before them, those of a shop that has its own.

A shop's folder holds files of the same names as ours (``en/quote.body.j2``); what is missing comes from ours. They run
in a sandbox, and one that fails must never keep a message from her: ``first_of`` falls back to ours and logs it.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

import structlog
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: Names the folder of a shop's own templates, for every process of the chain.
VARIABLE: Final = "REPAIRCHAIN_TEMPLATES"

SUFFIX: Final = ".j2"
#: Some times as many as there are; each takes a few kilobytes.
_MOST_COMPILED: Final = 1_000
_HTML: Final = (".html.j2",)

_log = structlog.get_logger("wording")
_T = TypeVar("_T")


class TemplateFaultError(Exception):
    """A shop's template cannot be used: ``file`` is its path, ``line`` where in it (None: unknown), ``problem`` why."""

    def __init__(self, file: str, problem: str, line: int | None = None) -> None:
        super().__init__(f"{file}{f', line {line}' if line else ''}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem


def folder_of_the_shop() -> Path | None:
    """The folder that the environment names, if it does."""
    named = os.environ.get(VARIABLE, "").strip()
    return Path(named) if named else None


def first_of(attempt: Callable[[Path | None], _T], templates: Path | None) -> _T:
    """What ``attempt`` makes with a shop's ``templates`` (None: those that the environment names), else with ours."""
    folder = templates or folder_of_the_shop()
    if folder is not None:
        try:
            return attempt(folder)
        except TemplateFaultError as fault:
            _log.error(
                "a template cannot be used, ours takes its place",
                file=fault.file,
                line=fault.line,
                problem=fault.problem,
            )
    return attempt(None)


def render(name: str, values: dict[str, object], folder: Path | None) -> str:
    """The text of the template ``name``. Raises TemplateFaultError for whatever fails while a ``folder`` is given."""
    try:
        return _environment(folder).get_template(name).render(values)
    except Exception as error:
        if folder is None:
            raise  # ours have tests
        raise _fault(name, folder, error) from error


def our_templates() -> frozenset[str]:
    """The names of our templates, as a shop may use them for its own."""
    return frozenset(_environment(None).list_templates(extensions=[SUFFIX.lstrip(".")]))


def templates_in(folder: Path) -> tuple[str, ...]:
    """The names of the templates in ``folder``. Raises TemplateFaultError if it is none."""
    return tuple(_environment(folder).list_templates(filter_func=lambda name: (folder / name).is_file()))


def _environment(folder: Path | None) -> ImmutableSandboxedEnvironment:
    return _environment_of(folder, _stamp(folder) if folder is not None else ())


def _stamp(folder: Path) -> tuple[int, ...]:
    """Changes when a file is added to ``folder`` or taken out of it: Jinja looks again only at what it has read."""
    try:
        folders = [folder, *sorted(each for each in folder.iterdir() if each.is_dir())]
        return tuple(each.stat().st_mtime_ns for each in folders)
    except OSError:
        return ()


class _Compiled(BytecodeCache):
    """What Jinja has made of templates, by their text: when a shop changes one of its own, ours are not made anew."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        made = self._made.get((bucket.key, bucket.checksum))
        if made is not None:
            bucket.bytecode_from_string(made)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if len(self._made) >= _MOST_COMPILED:
            self._made.clear()
        self._made[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_compiled: Final = _Compiled()


@lru_cache(maxsize=4)
def _environment_of(folder: Path | None, stamp: tuple[int, ...]) -> ImmutableSandboxedEnvironment:
    del stamp
    loaders: list[BaseLoader] = [PackageLoader("services", "templates")]
    if folder is not None:
        if not folder.is_dir():
            raise TemplateFaultError(str(folder), "there is no such folder")
        loaders.insert(0, FileSystemLoader(folder))
    return ImmutableSandboxedEnvironment(
        loader=ChoiceLoader(loaders),
        undefined=StrictUndefined,
        # An e-mail's text is plain: an ampersand in it is an ampersand.
        autoescape=lambda name: name is not None and name.endswith(_HTML),
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_compiled,
    )


def _fault(name: str, folder: Path, error: Exception) -> TemplateFaultError:
    if isinstance(error, TemplateFaultError):
        return error
    # Jinja writes the places in templates into the traceback; the innermost one in the folder is the shop's own line.
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(folder)
    ]
    file, line = (frames[-1].filename, frames[-1].lineno) if frames else (str(folder / name), None)
    # What Jinja says is about the template; what anything else says may repeat what it was given.
    said = str(error).splitlines()[0] if isinstance(error, TemplateError) and str(error) else type(error).__name__
    return TemplateFaultError(file, said, line)
