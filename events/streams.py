"""The streams and buckets: how they are declared, and that what exists is what we declared."""

from __future__ import annotations

from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError, NotFoundError, ServerError

from events import names
from events.envelope import MAX_BYTES

#: JetStream tells a repeated append apart for this long (seconds). Older repeats are told apart by intake's own index.
DUPLICATE_WINDOW = 120.0

#: A rejected submission waits this long to be looked at (seconds).
REJECTED_MAX_AGE = 90 * 24 * 3600.0

#: Room for the stamp that intake adds, and for headers.
_MESSAGE_ROOM = 2 * MAX_BYTES

#: Larger submissions are refused at once by the server. What lies between this and 64 KiB still gets a receipt that
#: says what is wrong.
MAX_SUBMISSION = 256 * 1024

#: A claim on a message outlives any retry by far (seconds).
_CLAIM_AGE = 30 * 24 * 3600.0

#: What one partner may have waiting before its publishes are refused (it keeps them and tries again).
WAITING_PER_PARTNER = 200_000


class StreamMismatchError(RuntimeError):
    """A stream exists with settings that would lose or bend facts."""


def repairs_config() -> StreamConfig:
    """The log: every fact, on file, never deleted, never purged; atomic batches."""
    return StreamConfig(
        name=names.REPAIRS,
        description="Every fact of the chain, in the order in which it was taken in",
        subjects=[f"{names.LOG_ROOT}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_msg_size=_MESSAGE_ROOM,
        duplicate_window=DUPLICATE_WINDOW,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        allow_atomic=True,
    )


def rejected_config() -> StreamConfig:
    """Submissions that could not be taken, with the reason; one can be removed when it was retried."""
    return StreamConfig(
        name=names.REJECTED,
        description="Submissions that could not be taken, with the reason",
        subjects=[f"{names.REJECTED_ROOT}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=REJECTED_MAX_AGE,
        allow_direct=True,
    )


def intake_config(role: str) -> StreamConfig:
    """Store and forward for the partners of one role: an acknowledged submission is safe until it has its receipt.

    JetStream's own deduplication is as good as switched off here (its minimum is 0.1 s): its keys are chosen by the
    sender, and one partner could silence another by using its ids first.
    """
    return StreamConfig(
        name=names.INTAKE_STREAMS[role],
        description=f"What {role}s hand in, until it is taken in or rejected",
        subjects=[f"{names.INTAKE_ROOT}.{role}.*"],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        discard_new_per_subject=True,
        max_msgs_per_subject=WAITING_PER_PARTNER,
        max_msg_size=MAX_SUBMISSION,
        duplicate_window=0.1,
    )


#: Bounds that would make a stream forget.
_BOUNDS = ("max_age", "max_msgs", "max_bytes")


def _setting(config: StreamConfig, name: str) -> object:
    value = getattr(config, name)
    if name in _BOUNDS:  # the server writes "no bound" as 0 or -1
        return value if value is not None and value > 0 else None
    return value or False


async def _declare(js: JetStreamContext, config: StreamConfig) -> None:
    name = config.name or ""
    try:
        info = await js.stream_info(name)
    except NotFoundError:
        try:
            await js.add_stream(config)
            return
        except BadRequestError:  # another service declared it in the meantime
            info = await js.stream_info(name)
    found = info.config
    for setting in ("storage", "retention", "deny_delete", "deny_purge", "allow_atomic", "subjects", *_BOUNDS):
        wanted, has = _setting(config, setting), _setting(found, setting)
        if wanted != has:
            raise StreamMismatchError(
                f"stream {name} has {setting}={has} where repairchain needs {wanted}; "
                "it was not made by repairchain: point it at a server of its own"
            )
    if found.max_msgs_per_subject != config.max_msgs_per_subject or found.duplicate_window != config.duplicate_window:
        await js.update_stream(config)


async def _declare_bucket(js: JetStreamContext, config: KeyValueConfig) -> None:
    try:
        await js.key_value(config.bucket)
    except NotFoundError:
        try:
            await js.create_key_value(config)
        except (BadRequestError, ServerError):
            await js.key_value(config.bucket)


async def declare_streams(js: JetStreamContext) -> None:
    """Declare every stream and bucket; harmless when they exist. Raises StreamMismatchError if one is not ours."""
    for config in (
        repairs_config(),
        rejected_config(),
        *(intake_config(role) for role in names.INTAKE_STREAMS),
    ):
        await _declare(js, config)
    await _declare_bucket(js, KeyValueConfig(bucket=names.CUSTOMERS, history=1, storage=StorageType.FILE))
    await _declare_bucket(js, KeyValueConfig(bucket=names.SENDING, history=1, ttl=_CLAIM_AGE, storage=StorageType.FILE))
