"""A captioner that fails costs its candidate; the surest of the others wins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from streamer.models.fan_out import Ask, Candidate, NoCaption, ask_all, best

Answer = tuple[str, float] | Exception


def answering(answers: dict[str, Answer]) -> Ask:
    async def ask(captioner: str) -> tuple[str, float]:
        answer = answers[captioner]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def test_a_failure_costs_its_candidate_only() -> None:
    ask = answering({"a": ("It is a.", 0.3), "b": RuntimeError("out of\nmemory"), "c": ("C.", 0.9)})
    candidates = asyncio.run(ask_all(["a", "b", "c"], ask))
    assert candidates == (
        Candidate("a", "It is a.", 0.3, ""),
        Candidate("b", "", 0.0, "out of memory"),
        Candidate("c", "C.", 0.9, ""),
    )
    assert best(candidates).captioner == "c"


@pytest.mark.parametrize("answer", [("", 0.9), ("A.", float("nan")), ("A.", float("inf"))])
def test_unusable_answers_are_failures(answer: tuple[str, float]) -> None:
    candidates = asyncio.run(ask_all(["a", "b"], answering({"a": answer, "b": ("B.", 0.1)})))
    assert "unusable" in candidates[0].error
    assert best(candidates).captioner == "b"


def test_an_error_without_text_still_has_a_name() -> None:
    candidates = asyncio.run(ask_all(["a", "b"], answering({"a": ValueError(), "b": ("B.", 0.0)})))
    assert candidates[0].error == "ValueError"
    assert best(candidates).captioner == "b"


def test_a_deadline_says_so() -> None:
    candidates = asyncio.run(ask_all(["a", "b"], answering({"a": TimeoutError(), "b": ("B.", 1)})))
    assert candidates[0].error == "no answer within its deadline"


def test_no_caption_at_all_is_an_error_that_names_each() -> None:
    ask = answering({"a": RuntimeError("one"), "b": RuntimeError("two")})
    with pytest.raises(NoCaption, match="a: one; b: two"):
        asyncio.run(ask_all(["a", "b"], ask))


def test_the_first_of_equals_wins() -> None:
    candidates = asyncio.run(ask_all(["b", "a"], answering({"a": ("A.", 0.5), "b": ("B.", 0.5)})))
    assert best(candidates).captioner == "b"


def test_all_captioners_are_asked_at_once() -> None:
    """Each answers only when all have been asked: in turn, this would never end."""

    async def run() -> tuple[Candidate, ...]:
        return await ask_all(["a", "b", "c"], meeting(3))

    assert len(asyncio.run(asyncio.wait_for(run(), timeout=10))) == 3


def meeting(size: int) -> Callable[[str], Awaitable[tuple[str, float]]]:
    barrier = asyncio.Barrier(size)

    async def ask(captioner: str) -> tuple[str, float]:
        await barrier.wait()
        return captioner, 0.5

    return ask
