"""Every stream, bucket, durable and subject root by name.

Durable names are permanent: a renamed durable is a new one that starts from the beginning.
"""

from __future__ import annotations

from typing import Final

# Streams
REPAIRS: Final = "REPAIRS"  # the log: every fact, for ever
REJECTED: Final = "REJECTED"  # submissions that we could not take, with the reason
INTAKE_STREAMS: Final = {
    "retailer": "INTAKE_RETAILER",
    "importer": "INTAKE_IMPORTER",
    "repairer": "INTAKE_REPAIRER",
}

# Subject roots
LOG_ROOT: Final = "repairs"
INTAKE_ROOT: Final = "intake"
RECEIPTS_ROOT: Final = "receipts"
NOTICES_ROOT: Final = "notices"
REJECTED_ROOT: Final = "rejected"
QUERY_ROOT: Final = "chain.query"
DESK_ROOT: Final = "chain.desk"

# Key-value buckets
CUSTOMERS: Final = "CUSTOMERS"  # names and addresses
SENDING: Final = "SENDING"  # claims on messages that are on their way out

# Durable consumers
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
