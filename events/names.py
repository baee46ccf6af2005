"""Every stream, bucket, durable and subject root by name.

Durable names are permanent: a renamed durable is a new one that starts from the beginning.
"""

from __future__ import annotations

from typing import Final

# Streams
REPAIRS: Final = "REPAIRS"  # the log: every fact, for ever
REJECTED: Final = "REJECTED"  # submissions that we could not take, with the reason
#: What our own hand in for partners of a role: operators, imports. A partner has its own box (subjects.box_stream).
INTAKE_STREAMS: Final = {
    "retailer": "INTAKE_RETAILER",
    "importer": "INTAKE_IMPORTER",
    "repairer": "INTAKE_REPAIRER",
}

# Subject roots
LOG_ROOT: Final = "repairs"
INTAKE_ROOT: Final = "intake"
BOX_ROOT: Final = "box"  # what partners call intake.<role>.<name>: their accounts import it under that name
RECEIPTS_ROOT: Final = "receipts"
NOTICES_ROOT: Final = "notices"
ORDERS_ROOT: Final = "orders"  # where partners ask about the orders that they have a part in
REJECTED_ROOT: Final = "rejected"
QUERY_ROOT: Final = "chain.query"
DESK_ROOT: Final = "chain.desk"

# Key-value buckets
CUSTOMERS: Final = "CUSTOMERS"  # names and addresses
SENDING: Final = "SENDING"  # claims on messages under way, places of letters in a day, who is being forgotten

# Durable consumers; that of a role is on its intake stream and on the box of each of its partners
INTAKE_DURABLES: Final = {
    "retailer": "intake-retailer",
    "importer": "intake-importer",
    "repairer": "intake-repairer",
}
NOTIFIER_DURABLE: Final = "notifier"

# The micro service that answers queries
QUERY_SERVICE: Final = "repairchain-queries"

# Headers of our own
RETRY_OF: Final = "Repairchain-Retry-Of"  # sequence in REJECTED that this submission was taken from
FORGOTTEN: Final = "Repairchain-Forgotten"  # when the customer under this key of CUSTOMERS was forgotten

# Services, in the order in which they are started
SERVICES: Final = ("projector", "retailer", "importer", "repairer", "notifier", "watchdog")
#: Run only where the settings ask for it.
HTTP: Final = "http"
OPTIONAL_SERVICES: Final = (HTTP,)
ALL_SERVICES: Final = (*SERVICES, *OPTIONAL_SERVICES)
