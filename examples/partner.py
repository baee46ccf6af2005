"""A partner's own program: publishes that a parcel left, and waits for the receipt. Needs nats-py[nkeys] alone.

``python examples/partner.py SERVER CREDENTIALS ORDER``, for instance
``python examples/partner.py nats://127.0.0.1:4222 .repairchain/credentials/retailer.juno.nk J-1``.
Whose credentials they are, their file's name says.
"""

import asyncio
import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import nats


async def main(server: str, credentials: str, order: str) -> None:
    user = Path(credentials).stem  # retailer.juno, for the party retailer:juno
    connection = await nats.connect(server, nkeys_seed=credentials)
    event = {
        "specversion": "1.0",
        "type": "repairchain.item.handed_over.v1",
        "source": user.replace(".", ":", 1),
        "id": str(uuid.uuid4()),
        "subject": order,
        "time": datetime.now(UTC).isoformat(),
        "data": {"to": "importer:noord", "carrier": "parcel post"},
    }
    receipts = await connection.subscribe(f"receipts.{user}")
    # The acknowledgement means: it is safe. The receipt says what became of it.
    acknowledged = await connection.request(f"intake.{user}", json.dumps(event).encode(), timeout=10)
    print("safe:", acknowledged.data.decode())
    print("receipt:", (await receipts.next_msg(timeout=10)).data.decode())
    await connection.close()


if len(sys.argv) != 4:
    sys.exit(__doc__)
asyncio.run(main(*sys.argv[1:]))
