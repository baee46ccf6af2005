"""The streams and buckets: how they are declared, and that what exists is what we declared."""

from __future__ import annotations

import json
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, BadRequestError, NotFoundError, ServerError

from events import names
from events.envelope import MAX_BYTES
from events.party import role_of
from events.subjects import box_stream, box_subject

#: JetStream tells a repeated append apart for this long (seconds). Older repeats are told apart by intake's own index.
DUPLICATE_WINDOW = 120.0

#: A rejected submission waits this long to be looked at (seconds). Then the customer desk erases it; the server, which
#: would leave its bytes on the disk, removes it only if nobody has done so for two weeks.
REJECTED_KEPT = 90 * 24 * 3600.0
_REJECTED_MAX_AGE = REJECTED_KEPT + 14 * 24 * 3600.0

#: Room for the stamp that intake adds, and for headers.
_MESSAGE_ROOM = 2 * MAX_BYTES

#: Larger submissions are refused at once by the server. What lies between this and 64 KiB still gets a receipt that
#: says what is wrong.
MAX_SUBMISSION = 256 * 1024

#: A claim on a message outlives any retry by far (seconds).
_CLAIM_AGE = 30 * 24 * 3600.0

#: So many submissions of one partner may wait before its publishes are refused (it keeps them and tries again).
WAITING_PER_PARTNER = 50_000

#: The same of what our own hand in for one partner: an import brings years at once.
_WAITING_OF_OURS = 200_000

#: What waits in a box for so long (seconds) was forgotten: no outage lasts a month, and it may hold names.
_WAITING_MAX_AGE = 30 * 24 * 3600.0

#: Where the sequences of a role's own intake stream begin. Those of boxes begin at 1 and never come so far, so that the
#: sequence in a receipt of a party is of one submission only, whoever handed it in.
OURS_FROM: Final = 1 << 40

#: Intake gives a submission back if it has no outcome after so long (seconds); appending gives up sooner.
_ACK_WAIT: Final = 10.0
#: Handed to intake and without an outcome yet, at most.
_IN_HAND: Final = 5_000

#: Under which a box says how its consumer was made.
_CONSUMER_MARK: Final = "repairchain.consumer"

#: What is kept as rejected of one partner about one order, and of all that names no order; older ones go.
REJECTED_PER_SUBJECT = 10_000

#: Versions of one customer that may lie beside each other. Whoever writes one erases the one before; the server would
#: take it off the list and leave its bytes on the disk.
_VERSIONS = 64

#: The server's word for a bound that the disk has no room for.
_ERR_NO_ROOM = 10047


@dataclass(frozen=True)
class Limits:
    """How much the streams that partners fill may hold, in bytes. The server reserves that room on the disk.

    What waits to be taken in is never dropped: when it is full, a publish is refused and the partner tries again. Of
    what was rejected the oldest goes.
    """

    intake: int = 256 * 1024 * 1024  # what our own hand in, of each role
    partner: int = 16 * 1024 * 1024  # what a partner hands in, of each partner
    rejected: int = 256 * 1024 * 1024


DEFAULT_LIMITS: Final = Limits()

#: The streams whose bounds may change.
UPDATED: Final = (names.REJECTED, *names.INTAKE_STREAMS.values())

NO_ROOM_ADVICE: Final = "make room on its disk, or lower partner_max_bytes, intake_max_bytes and rejected_max_bytes"


class NoRoomError(RuntimeError):
    """The server has no room for what a stream may come to hold."""


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


def rejected_config(limits: Limits = DEFAULT_LIMITS) -> StreamConfig:
    """Submissions that could not be taken, with the reason; one can be removed when it was retried."""
    return StreamConfig(
        name=names.REJECTED,
        description="Submissions that could not be taken, with the reason",
        subjects=[f"{names.REJECTED_ROOT}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=_REJECTED_MAX_AGE,
        discard=DiscardPolicy.OLD,
        max_bytes=limits.rejected,
        max_msgs_per_subject=REJECTED_PER_SUBJECT,
        allow_direct=True,
        allow_atomic=True,
    )


def intake_config(role: str, limits: Limits = DEFAULT_LIMITS) -> StreamConfig:
    """What our own hand in for partners of one role: an acknowledged submission is safe until it has its receipt.

    JetStream's own deduplication is as good as switched off here (its minimum is 0.1 s): its keys are chosen by the
    sender, and one partner could silence another by using its ids first.
    """
    return StreamConfig(
        name=names.INTAKE_STREAMS[role],
        description=f"What is handed in for {role}s, until it is taken in or rejected",
        subjects=[f"{names.INTAKE_ROOT}.{role}.*"],
        retention=RetentionPolicy.LIMITS,  # intake removes what is settled, many at a time
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        discard_new_per_subject=True,
        max_bytes=limits.intake,
        max_msgs_per_subject=_WAITING_OF_OURS,
        max_msg_size=MAX_SUBMISSION,
        duplicate_window=0.1,
        first_seq=OURS_FROM,
    )


def box_config(party: str, limits: Limits = DEFAULT_LIMITS) -> StreamConfig:
    """What one partner hands in: the same for it alone, so that none fills what another needs, or stands before it.

    It bears a mark of how its consumer is to be, since the consumers of many boxes cannot be looked at in one question.
    """
    return StreamConfig(
        name=box_stream(party),
        description=f"What {party} hands in, until it is taken in or rejected",
        subjects=[box_subject(party)],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=limits.partner,
        max_msgs=WAITING_PER_PARTNER,
        max_age=_WAITING_MAX_AGE,
        max_msg_size=MAX_SUBMISSION,
        duplicate_window=0.1,
        metadata={_CONSUMER_MARK: _mark(intake_consumer(role_of(party)))},
    )


def _mark(config: ConsumerConfig) -> str:
    """Some figures that are others where anything is set otherwise."""
    return blake2b(json.dumps(config.as_dict(), sort_keys=True).encode(), digest_size=8).hexdigest()


def intake_consumer(role: str, filter_subject: str | None = None) -> ConsumerConfig:
    """By which a role's intake reads the box of each of its partners, and its intake stream (``ours_consumer``)."""
    return ConsumerConfig(
        durable_name=names.INTAKE_DURABLES[role],
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_ACK_WAIT,
        max_deliver=-1,
        max_ack_pending=_IN_HAND,
        filter_subject=filter_subject,
    )


def ours_consumer(role: str) -> ConsumerConfig:
    """The same of the intake stream. Its filter says nothing, but always was: where a consumer loses one, requests that
    wait are told of nothing new (seen with nats-server 2.15.1)."""
    return intake_consumer(role, f"{names.INTAKE_ROOT}.{role}.*")


def customers_config() -> StreamConfig:
    """The bucket of names and addresses, as a stream: unlike in a bucket of the client's, a message can be erased."""
    return StreamConfig(
        name=f"KV_{names.CUSTOMERS}",
        description="Customers' names and addresses, by the party that opened the order and its number for them",
        subjects=[f"$KV.{names.CUSTOMERS}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=_VERSIONS,
        allow_direct=True,
    )


#: Bounds that would make a stream forget.
_BOUNDS = ("max_age", "max_msgs")

#: What may change from start to start: the limits are settings. The log has none of these bounds.
_TUNABLE = ("max_bytes", "max_msgs_per_subject", "duplicate_window", "allow_atomic")


#: Of a box also how much may wait in it, and for how long: another version may find another measure right.
_TUNABLE_OF_BOXES = (*_TUNABLE, *_BOUNDS, "max_msg_size", _CONSUMER_MARK)


def _setting(config: StreamConfig, name: str) -> object:
    if name == _CONSUMER_MARK:
        return (config.metadata or {}).get(name)
    value = getattr(config, name)
    if name in (*_BOUNDS, *_TUNABLE):  # the server writes "no bound" as 0 or -1
        return value if value is not None and value > 0 else None
    return value or False


async def _declare(
    js: JetStreamContext, config: StreamConfig, *, update: bool, tunable: tuple[str, ...] = _TUNABLE
) -> None:
    try:
        await _declare_as(js, config, update=update, tunable=tunable)
    except APIError as error:
        if error.err_code == _ERR_NO_ROOM:
            raise NoRoomError(
                f"the server has no room for stream {config.name} ({(config.max_bytes or 0) / 1e6:,.0f} MB): "
                f"{NO_ROOM_ADVICE}"
            ) from None
        raise


async def _declare_as(js: JetStreamContext, config: StreamConfig, *, update: bool, tunable: tuple[str, ...]) -> None:
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
    for setting in (
        "storage",
        "retention",
        "deny_delete",
        "deny_purge",
        "allow_atomic",
        "subjects",
        "discard",
        "discard_new_per_subject",
        *_BOUNDS,
    ):
        wanted, has = _setting(config, setting), _setting(found, setting)
        if wanted != has and not (setting in tunable and (name in UPDATED or tunable is _TUNABLE_OF_BOXES)):
            raise StreamMismatchError(
                f"stream {name} has {setting}={getattr(has, 'value', has)} "
                f"where repairchain needs {getattr(wanted, 'value', wanted)}; "
                "it was made by an older repairchain, or by somebody else: point this one at a server of its own"
            )
    if config.name == names.REPAIRS and _setting(found, "max_bytes") is not None:
        raise StreamMismatchError(f"stream {name} is bounded and would forget facts: it was not made by repairchain")
    if update and any(_setting(found, each) != _setting(config, each) for each in tunable if _setting(config, each)):
        await js.update_stream(config)


async def declare_box(js: JetStreamContext, party: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Declare the box of ``party`` with its consumer, and bring it to ``limits``; harmless when it exists.

    Raises StreamMismatchError if it is not ours, NoRoomError if the disk is too small for it.
    """
    config, consumer = box_config(party, limits), intake_consumer(role_of(party))
    # Before the box says that it has it; a consumer that is there is changed by this, too.
    with suppress(NotFoundError):
        await js.add_consumer(config.name or "", consumer)
    await _declare(js, config, update=True, tunable=_TUNABLE_OF_BOXES)
    await js.add_consumer(config.name or "", consumer)


def box_is_as_declared(found: StreamConfig, party: str, limits: Limits) -> bool:
    """Whether nothing is left to do for a box that is there."""
    wanted = box_config(party, limits)
    return all(_setting(found, each) == _setting(wanted, each) for each in (*_TUNABLE_OF_BOXES, "subjects"))


async def _declare_bucket(js: JetStreamContext, config: KeyValueConfig) -> None:
    try:
        await js.key_value(config.bucket)
    except NotFoundError:
        try:
            await js.create_key_value(config)
        except (BadRequestError, ServerError):
            await js.key_value(config.bucket)


async def declare_streams(
    js: JetStreamContext, limits: Limits = DEFAULT_LIMITS, *, updating: Container[str] = UPDATED
) -> None:
    """Declare every stream and bucket; harmless when they exist.

    Those of ``updating`` are brought to ``limits``, should they have been made with others: a service may update its
    own streams only. Raises StreamMismatchError if one is not ours, NoRoomError if the disk is too small for them.
    """
    for config in (
        repairs_config(),
        rejected_config(limits),
        *(intake_config(role, limits) for role in names.INTAKE_STREAMS),
        customers_config(),
    ):
        await _declare(js, config, update=config.name in updating)
    await _declare_bucket(js, KeyValueConfig(bucket=names.SENDING, history=1, ttl=_CLAIM_AGE, storage=StorageType.FILE))
