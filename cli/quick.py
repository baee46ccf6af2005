"""Commands that start quickly, where typer would import what takes longer than the work itself.

Values: typer hands each to pydantic. Texts, and defaults of any kind, need no conversion; only what does need it brings
pydantic in. Help: typer would draw it with rich and its Markdown; here it is plain text, the commands by their panel.
Arguments go by their names, without the types of Python.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from typer._coercion import RuntimeParam, build_runtime_param
from typer.core import TyperCommand, TyperGroup

#: Longer than any first sentence: it is wrapped, not cut.
_WHOLE: Final = 1_000

#: What commands were called before, and still listen to; help and reference name them by the new word alone.
_FORMERLY: Final = {"party": "partner", "drop": "discard"}


class _AsItIs(RuntimeParam):
    """Takes texts, and values that are of the right type already, as they are."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        single = not param.multiple and param.nargs == 1
        if single and (value is None or type(value) is self.annotation):
            return value
        return build_runtime_param(param.type_descriptor).coerce(value, param=param, ctx=ctx)

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        return value


def _named_plainly(command: Any) -> Any:
    """``command`` with arguments that help calls by their names alone: ``NAME...``, not ``{NAME}... <list[str]>``.

    The types are Python's; what may be written there, the words beside it say.
    """
    for param in command.params:
        if param.param_type_name == "argument":
            param.display_type_rich = _no_type
            param.get_usage_pieces = partial(_usage, param)
    return command


def _no_type(ctx: Any) -> None:
    del ctx


def _usage(param: Any, ctx: Any) -> list[str]:
    del ctx
    name = f"{param.display_name_raw}{'' if param.nargs == 1 else '...'}"
    return [name if param.required else f"[{name}]"]


def _quickened(params: list[Any]) -> list[Any]:
    for param in params:
        if param._runtime_param is None:
            param._runtime_param = _AsItIs(param.type_descriptor.parameter_info, param.type_descriptor.annotation)
    return params


class QuickCommand(TyperCommand):
    """A command whose texts are taken as they are."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with those of typer's own, such as --help."""
        return _quickened(super().get_params(ctx))


class QuickGroup(TyperGroup):
    """A group whose own options are taken as they are, and whose help lists its commands by panel."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, now or formerly."""
        found = super().get_command(ctx, cmd_name) or super().get_command(ctx, _FORMERLY.get(cmd_name, cmd_name))
        return found and _named_plainly(found)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A section for each panel, in the order in which the first command of each was added."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            panel = getattr(command, "rich_help_panel", None)
            told = command.get_short_help_str(limit=_WHOLE)
            panels.setdefault(panel if isinstance(panel, str) else "Commands", []).append((name, told))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with those of typer's own, such as --help."""
        return _quickened(super().get_params(ctx))
