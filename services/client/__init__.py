"""For a partner's own system: hand in what has happened, and know what became of it. Nothing of NATS shows.

    from services.client import Partner, RejectedError

    with Partner("nats://127.0.0.1:4222", ".repairchain/credentials/retailer.juno.nk") as juno:
        try:
            receipt = juno.publish("item.handed_over", {"to": "importer:noord"}, order="J-1", id="shipment-4711")
        except RejectedError as refused:
            print(refused.receipt.reason, refused.receipt.problem)
        else:
            print(receipt.outcome, receipt.position)
        for notice in juno.notices(timeout=60):
            print("somebody waits:", notice)

``AsyncPartner`` is the same for a program that runs on asyncio; ``Partner`` runs one in a thread of its own.
"""

from services.client.errors import LoginRefusedError, NoReceiptError, NotShownError, PartnerError, RejectedError
from services.client.partner import Partner
from services.client.partner_async import AsyncPartner
from services.notices import DailyList, Notice
from services.submission import Receipt

__all__ = [
    "AsyncPartner",
    "DailyList",
    "LoginRefusedError",
    "NoReceiptError",
    "NotShownError",
    "Notice",
    "Partner",
    "PartnerError",
    "Receipt",
    "RejectedError",
]
