"""What can keep an event from being taken in, as a partner's program learns of it."""

from __future__ import annotations

from typing import Any

from services.submission import Receipt


class PartnerError(Exception):
    """The chain did not take it in; the message says why and what to do."""


class LoginRefusedError(PartnerError):
    """The server does not let these credentials in: they are wrong, were replaced, or were taken back."""


class RejectedError(PartnerError):
    """The event was read and refused; ``receipt.problem`` is the RFC 9457 problem. Publishing it again changes nothing.

    What was refused is kept for the operator, who may take it in later.
    """

    def __init__(self, receipt: Receipt, event: dict[str, Any]) -> None:
        said, pointer = receipt.all_reasons, (receipt.problem or {}).get("pointer")
        where = f" ({pointer})" if pointer and pointer not in said else ""
        super().__init__(f"'{event['id']}' was rejected: {said}{where}")
        self.receipt = receipt
        self.event = event


class NotShownError(PartnerError):
    """The question was not answered; ``problem`` is the RFC 9457 problem, ``status`` its status.

    404: there is no such order, or this partner has no part in it. 409: this means several. 429, 503: ask again later.
    """

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title")))
        self.problem = problem
        self.status = int(problem["status"])


class NoReceiptError(PartnerError):
    """No receipt came in time, so nobody knows; publish ``event`` again, which adds nothing twice: it has its id."""

    def __init__(self, event: dict[str, Any], seconds: float, trouble: str | None) -> None:
        because = f"; the last trouble was: {trouble}" if trouble else ""
        super().__init__(f"'{event['id']}' got no receipt within {seconds:g} s{because}. Publishing it again is safe")
        self.event = event
        self.trouble = trouble
