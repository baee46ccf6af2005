"""Commands that start quickly: typer hands every value to pydantic, whose import takes as long as a query.

Texts, and defaults of any kind, need no conversion; only what does need it brings pydantic in.
"""

from __future__ import annotations

from typing import Any

from typer._coercion import RuntimeParam, build_runtime_param
from typer.core import TyperCommand, TyperGroup


class _AsItIs(RuntimeParam):
    """Takes texts, and values that are of the right type already, as they are."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        single = not param.multiple and param.nargs == 1
        if single and (value is None or type(value) is self.annotation):
            return value
        return build_runtime_param(param.type_descriptor).coerce(value, param=param, ctx=ctx)

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        return value


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
    """A group whose own options are taken as they are."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with those of typer's own, such as --help."""
        return _quickened(super().get_params(ctx))
