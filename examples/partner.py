"""A partner's own program: publishes that a parcel left, and waits for the receipt. Needs nats-py[nkeys] alone.

``python examples/partner.py SERVER CREDENTIALS ORDER``, for instance
``python examples/partner.py nats://127.0.0.1:4222 .repairchain/credentials/retailer.juno.nk J-1``.
Whose credentials they are, their file's name says. The exit code is 1 if it was rejected, 2 if it got no receipt.
"""

import asyncio
import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import nats
import nats.errors
import nkeys


async def main(server: str, credentials: str, order: str) -> int:
    user = Path(credentials).stem  # retailer.juno, for the party retailer:juno
    once = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0}
    connection = await nats.connect(server, nkeys_seed=credentials, connect_timeout=5, error_cb=ignore, **once)
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
    acknowledged = (await connection.request(f"intake.{user}", json.dumps(event).encode(), timeout=10)).data.decode()
    if "error" in json.loads(acknowledged):
        raise nats.errors.Error(f"not taken, publish it again later: {acknowledged}")
    print("safe:", acknowledged)
    receipt = (await receipts.next_msg(timeout=10)).data.decode()
    print("receipt:", receipt)
    await connection.close()
    return int(any(each["outcome"] == "rejected" for each in json.loads(receipt)["receipts"]))


async def ignore(_: Exception) -> None:
    """What goes wrong is raised as well; nats-py would print it, too."""


def told(error: Exception, server: str, credentials: str) -> str:
    """What went wrong, and what to look at."""
    said = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.filename == credentials:
        return f"{credentials} cannot be read ({error.strerror}): it is the secret that the operator handed over"
    if isinstance(error, nkeys.NkeysError | ValueError):
        return f"{credentials} holds no secret: that is a line that begins with SU"
    if "authorization" in said.lower():
        return f"{server} refuses {credentials}: it was replaced, or this partner is kept out; the operator knows"
    if isinstance(error, TimeoutError):
        return f"{server} gave no answer in time (is the file named after you?); to publish the same again is safe"
    return f"{server} cannot be reached, or takes nothing ({said})"


if len(sys.argv) != 4:
    print(__doc__, file=sys.stderr)
    sys.exit(2)
try:
    sys.exit(asyncio.run(main(*sys.argv[1:])))
except (OSError, ValueError, nats.errors.Error, nkeys.NkeysError) as error:
    print(f"partner.py: {told(error, sys.argv[1], sys.argv[2])}.", file=sys.stderr)
    sys.exit(2)
