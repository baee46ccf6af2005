"""policy check, policy show: how long everything may take, and what happens when time runs out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import Problem, one_line
from cli.options import Json, place_of
from cli.output import moments_now, print_json, show
from cli.quick import QuickCommand, QuickGroup

if TYPE_CHECKING:
    from cli.place import Place
    from projections.policy import Policy

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="How long everything may take, and what then."
)


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="A policy; without it, the one that is set (policy.toml at home), or the built-in one.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say whether a policy can be used, and what it means."""
    from cli.place import settings_of
    from projections.policy import DEFAULT_POLICY

    place = place_of(ctx)
    settings = settings_of(place)
    path = file or settings.policy or (settings.policy_file if settings.policy_file.exists() else None)
    policy = DEFAULT_POLICY if path is None else _read(path)
    if as_json:
        document = {"digest": policy.digest, "policy": policy.canonical(), "notes": list(policy.notes())}
        print_json({"file": None if path is None else str(path)} | document)
        return
    from cli.render.policy import summary

    standing = _standing(place, policy, path) if file is None else None
    show(summary(policy, "the built-in policy" if path is None else str(path), standing))


@app.command("show", cls=QuickCommand)
def show_() -> None:
    """Print the built-in policy with its explanations, to start a file of your own from."""
    from projections.policy import BUILT_IN_TEXT

    print(BUILT_IN_TEXT, end="")


def _standing(place: Place, policy: Policy, path: Path | None) -> str | None:
    """Whether the chain goes by the policy that is set; None where there is no chain yet that could."""
    from cli.inforce import policy_in_force

    try:
        held = policy_in_force(place)
    except Problem:
        return None
    since = moments_now().text(held.adopted_at)
    if held.policy.digest == policy.digest:
        return f"In force since {since}." if since else "In force."
    if path is None:  # to remove its file changes nothing
        return f"Not in force: the chain goes by the one that it adopted on {since}."
    return "Not in force yet: a chain that runs adopts it within seconds."


def _read(path: Path) -> Policy:
    from projections.policy import Policy, PolicyError
    from services.home import read_written

    try:
        return Policy.parse(read_written(path))
    except PolicyError as error:
        raise Problem(f"{path}: {_ended(str(error))}") from None
    except UnicodeDecodeError:
        raise Problem(f"{path} is not UTF-8 text, so it is no policy.") from None
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise Problem(
            f"{path} cannot be read ({reason}): 'repairchain policy show' prints one to start from."
        ) from None


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."
