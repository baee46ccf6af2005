"""Fixtures of this folder: a log in memory with the read models over it, as the notifier's tests have it."""

from tests.services.notifying.conftest import chain

__all__ = ["chain"]
