"""Follows a partner's orders: what has changed since the last time, and where each stands. It needs repairchain itself.

    python examples/follow.py nats://127.0.0.1:4222 .repairchain/credentials/retailer.juno.nk followed.json

The file keeps the position up to which it has looked. Run it every minute: it can be stopped, or be late, at any time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from services.client import Partner


def main(url: str, credentials: str, file: str) -> None:
    kept = Path(file)
    cursor = json.loads(kept.read_text())["cursor"] if kept.exists() else 0
    with Partner(url, credentials) as partner:
        more = True
        while more:
            told = partner.changed(cursor)
            for row in told["orders"]:
                order = partner.timeline(row["order_id"])["order"]
                step = f", {order['next_owner']} is to {order['next_step']}" if order["next_step"] else ""
                print(f"{row['order_id']}: {order['status']}{step}")
            cursor, more = told["cursor"], told["more"]
            kept.write_text(json.dumps({"cursor": cursor}))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
