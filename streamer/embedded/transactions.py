"""Transactions that others see whole or not at all, in front of a broker that shows parts of them.

Tansu gives the records of open and of aborted transactions to readers of committed ones (isolation
level ``read_committed``, Kafka protocol, KIP-98), and applies their offsets. So what transactional
producers send is held here, acknowledged, until they commit; then it goes to the broker in one go.
What is aborted, or left by a producer that died, never gets there.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final

from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    EndTxnRequest,
    EndTxnResponse,
    InitProducerIdRequest,
    ProduceRequest,
    ProduceResponse,
    TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
)
from kafka.record.util import calc_crc32c

# Key, version and correlation id. A request that is sent again has all but the last in common.
FIXED_HEADER_BYTES: Final = 8
UNKNOWN_OFFSET: Final = -1
# Of a batch of records, version 2: where things stand, and a bit of the attributes.
CHECKSUM_AT, ATTRIBUTES_AT, PRODUCER_AT = 17, 21, 43
TRANSACTIONAL: Final = 1 << 4

log = logging.getLogger(__name__)


class Transactions:
    """What producers have sent in transactions that are open.

    Args:
        ask: passes a request on to the broker and returns its answer.
    """

    def __init__(self, ask: Callable[[bytes], Awaitable[bytes]]):
        self._ask = ask
        self._held: dict[str, list[bytes]] = {}
        self._ended: dict[str, asyncio.Task[int]] = {}
        self._handlers: dict[int, Callable[[bytes, Any], Awaitable[bytes | None]]] = {
            ProduceRequest.API_KEY: self._produce,
            TxnOffsetCommitRequest.API_KEY: self._commit_offsets,
            InitProducerIdRequest.API_KEY: self._begin,
            AddOffsetsToTxnRequest.API_KEY: self._begin_offsets,
            EndTxnRequest.API_KEY: self._end,
        }

    async def answer(self, request: bytes) -> bytes | None:
        """The answer to a request, if it is not for the broker to give now.

        Args:
            request: a frame of the protocol, without its length.
        """
        key, version = struct.unpack_from(">hh", request)
        if key not in self._handlers:
            return None
        kind = _REQUESTS[key]
        if not 0 <= version <= kind.max_version:
            return None  # No client here is newer than kafka-python.
        message = kind.decode(request, version=version, header=True)
        if message.transactional_id is None:
            return None
        return await self._handlers[key](request, message)

    async def _begin(self, _request: bytes, message: Any) -> None:
        self._held.pop(message.transactional_id, None)
        self._ended.pop(message.transactional_id, None)

    async def _begin_offsets(self, _request: bytes, message: Any) -> None:
        self._ended.pop(message.transactional_id, None)

    async def _produce(self, request: bytes, message: Any) -> bytes:
        self._hold(message.transactional_id, request)
        return _response(message, ProduceResponse(responses=_taken_records(message)))

    async def _commit_offsets(self, request: bytes, message: Any) -> bytes:
        self._hold(message.transactional_id, request)
        return _response(message, TxnOffsetCommitResponse(topics=_taken_offsets(message)))

    def _hold(self, transactional_id: str, request: bytes) -> None:
        self._ended.pop(transactional_id, None)
        held = self._held.setdefault(transactional_id, [])
        if not any(_same(request, other) for other in held):
            held.append(request)

    async def _end(self, request: bytes, message: Any) -> bytes | None:
        name = message.transactional_id
        held = self._held.pop(name, [])
        if not message.committed:
            return None
        if name not in self._ended:  # Otherwise it is asked again, after a connection was cut.
            self._ended[name] = asyncio.ensure_future(self._release([*held, request]))
        error = await asyncio.shield(self._ended[name])
        return _response(message, EndTxnResponse(error_code=error))

    async def _release(self, requests: list[bytes]) -> int:
        """Pass everything on; the error code of the first that the broker refuses, or 0."""
        for each in map(_plain, requests):
            error = _error_code(each, await self._ask(each))
            if error:
                log.error("the broker refuses part of a transaction that was committed: %d", error)
                return error
        return 0


def expects_answer(request: bytes) -> bool:
    """Whether the broker answers a request: not to what is produced without acknowledgement."""
    key, version = struct.unpack_from(">hh", request)
    if key != ProduceRequest.API_KEY or not 3 <= version <= ProduceRequest.max_version:
        return True
    message = ProduceRequest.decode(request, version=version, header=True)
    return bool(message.expect_response())


_REQUESTS: Final[dict[int, Any]] = {
    kind.API_KEY: kind
    for kind in (
        ProduceRequest,
        TxnOffsetCommitRequest,
        InitProducerIdRequest,
        AddOffsetsToTxnRequest,
        EndTxnRequest,
    )
}
_RESPONSES: Final[dict[int, Any]] = {
    ProduceRequest.API_KEY: ProduceResponse,
    TxnOffsetCommitRequest.API_KEY: TxnOffsetCommitResponse,
    EndTxnRequest.API_KEY: EndTxnResponse,
}


def _same(request: bytes, other: bytes) -> bool:
    return request[:4] == other[:4] and request[FIXED_HEADER_BYTES:] == other[FIXED_HEADER_BYTES:]


def _plain(request: bytes) -> bytes:
    """What is produced, as by a producer without transactions; other requests as they are.

    The broker has not seen the records of transactions that were aborted, so it would miss their
    numbers in the sequence of those that follow.
    """
    key, version = struct.unpack_from(">hh", request)
    if key != ProduceRequest.API_KEY:
        return request
    message = ProduceRequest.decode(request, version=version, header=True)
    message.transactional_id = None
    for topic in message.topic_data:
        for each in topic.partition_data:
            each.records = _without_producer(bytes(each.records))
    message.API_VERSION = version
    return bytes(message.encode(header=True))


def _without_producer(records: bytes) -> bytes:
    """Batches of records (version 2) without their producer's id, epoch and sequence number."""
    batches, position = bytearray(records), 0
    while position < len(batches):
        (length,) = struct.unpack_from(">i", batches, position + 8)
        end = position + 12 + length
        (attributes,) = struct.unpack_from(">h", batches, position + ATTRIBUTES_AT)
        struct.pack_into(">h", batches, position + ATTRIBUTES_AT, attributes & ~TRANSACTIONAL)
        struct.pack_into(">qhi", batches, position + PRODUCER_AT, -1, -1, -1)
        checksum = calc_crc32c(bytes(batches[position + ATTRIBUTES_AT : end]))
        struct.pack_into(">I", batches, position + CHECKSUM_AT, checksum)
        position = end
    return bytes(batches)


def _response(request: Any, response: Any) -> bytes:
    response.throttle_time_ms = 0
    response.API_VERSION = request.header.request_api_version
    response.with_header(correlation_id=request.header.correlation_id)
    return bytes(response.encode(header=True))


def _taken_records(request: Any) -> list[Any]:
    """Of each partition, that its records are taken; nobody knows yet at which offset."""
    kind = ProduceResponse.TopicProduceResponse
    row = kind.PartitionProduceResponse
    return [
        kind(
            name=topic.name,
            partition_responses=[
                row(index=each.index, error_code=0, base_offset=UNKNOWN_OFFSET)
                for each in topic.partition_data
            ],
        )
        for topic in request.topic_data
    ]


def _taken_offsets(request: Any) -> list[Any]:
    kind = TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
    row = kind.TxnOffsetCommitResponsePartition
    return [
        kind(
            name=topic.name,
            partitions=[
                row(partition_index=each.partition_index, error_code=0) for each in topic.partitions
            ],
        )
        for topic in request.topics
    ]


def _error_code(request: bytes, answer: bytes) -> int:
    """The first error in the broker's answer to a request that was held, or 0."""
    key, version = struct.unpack_from(">hh", request)
    response = _RESPONSES[key].decode(answer, version=version, header=True)
    if key == EndTxnRequest.API_KEY:
        return int(response.error_code)
    if key == ProduceRequest.API_KEY:
        rows = (row for topic in response.responses for row in topic.partition_responses)
    else:
        rows = (row for topic in response.topics for row in topic.partitions)
    return next((int(row.error_code) for row in rows if row.error_code), 0)
