"""A partner's own program: publishes that a parcel left, and waits for the receipt. Needs nats-py[nkeys] alone.

``python examples/partner.py SERVER CREDENTIALS ORDER``, for instance
``python examples/partner.py nats://127.0.0.1:4222 .repairchain/credentials/retailer.juno.nk J-1``.
"""

import asyncio
import json
import sys
import uuid
from datetime import UTC, datetime

import nats


async def main(server: str, credentials: str, order: str) -> None:
    connection = await nats.connect(server, nkeys_seed=credentials)
    event = {
        "specversion": "1.0",
        "type": "repairchain.item.handed_over.v1",
        "source": "retailer:juno",
        "id": str(uuid.uuid4()),
        "subject": order,
        "time": datetime.now(UTC).isoformat(),
        "data": {"to": "importer:noord", "carrier": "parcel post"},
    }
    receipts = await connection.subscribe("receipts.retailer.juno")
    # The acknowledgement means: it is safe. The receipt says what became of it.
    acknowledged = await connection.request("intake.retailer.juno", json.dumps(event).encode(), timeout=10)
    print("safe:", acknowledged.data.decode())
    print("receipt:", (await receipts.next_msg(timeout=10)).data.decode())
    await connection.close()


asyncio.run(main(*sys.argv[1:]))
