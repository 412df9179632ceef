"""Captions and references are read in every form, mistakes are named, and pairs are right."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.cli.display import json_line
from streamer.errors import UsageError
from streamer.evaluate.caption_pairs import pair_up
from streamer.evaluate.caption_references import Reference, load_references
from streamer.evaluate.captions import Prediction, load_predictions
from streamer_client.records import ClipBoundary, VideoDone
from tests.evaluate.caption_records import clip_caption

Spans = list[tuple[float, float]]


def _written(folder: Path, text: str, name: str = "captions.json") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def _panda(folder: Path, *rows: tuple[str, str, str, str]) -> Path:
    with (folder / "panda.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["videoID", "url", "timestamp", "caption", "matching_score"])
        writer.writerows([*row, "[0.5]"] for row in rows)
    return folder / "panda.csv"


def test_records_of_a_run_are_read_among_all_others(tmp_path: Path) -> None:
    record = clip_caption("talk", (0, 4), "A dog\u2028runs.")
    boundary = ClipBoundary.model_validate(record.model_dump())
    done = VideoDone(video_id="talk", url="talk.mp4", status="done")
    text = "\n".join(json_line(each) for each in (boundary, record, done)) + "\n"
    (read,) = load_predictions(_written(tmp_path, text)).captions
    assert read.record == record
    assert (read.caption, read.span) == ("A dog\u2028runs.", (0.0, 4.0))
    assert read.names == (
        record.clip_id, "talk", "https://example.org/talk"
    )  # fmt: skip


def test_records_as_they_stand_on_the_topics_are_read(tmp_path: Path) -> None:
    record = clip_caption("talk", (0, 4), "A dog runs.")
    boundary = ClipBoundary.model_validate(record.model_dump())
    done = VideoDone(video_id="talk", url="talk.mp4", status="done")
    text = b"\n".join(each.to_bytes() for each in (done, boundary, record)).decode()
    assert [each.id for each in load_predictions(_written(tmp_path, text)).captions] == [
        record.clip_id
    ]
    alone = _written(tmp_path, record.to_bytes().decode())
    assert [each.id for each in load_predictions(alone).captions] == [record.clip_id]


def test_a_record_delivered_twice_counts_once(tmp_path: Path) -> None:
    record = clip_caption("talk", (0, 4), "A dog runs.")
    read = load_predictions(_written(tmp_path, f"{json_line(record)}\n{json_line(record)}\n"))
    assert (len(read.captions), read.repeats) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        '{"video1.mp4": "A dog.", "video2": "A cat."}',
        '[{"image_id": "video1", "caption": "A dog."}, {"id": "video2", "caption": "A cat."}]',
        '{"clip_id": "video1", "caption": "A dog."}\n\n{"video": "video2.mp4", "caption":"A cat."}',
    ],
)
def test_captions_from_elsewhere_are_read(tmp_path: Path, text: str) -> None:
    read = load_predictions(_written(tmp_path, text))
    assert [(each.id, each.caption) for each in read.captions] == [
        ("video1", "A dog."), ("video2", "A cat."),
    ]  # fmt: skip
    assert read.records == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a dog", r"captions\.json: is neither JSON nor JSON lines"),
        ("", "is neither JSON nor JSON lines"),
        ("3", "is neither a JSON list nor a map"),
        ("[]", "holds no captions"),
        ("{}", "holds no captions"),
        ('{"a": "x", "a": "y"}', "key 'a' is there twice"),
        ('{"a": ""}', "key 'a': the caption is empty"),
        ('{"a": null}', "key 'a': has no caption"),
        ('{"id": "a", "caption": "x"}\n{"id": ', "line 2: is not JSON"),
        ('{"id": "a", "caption": "x"}\n{"id": "b", "id": "c"}', "line 2: key 'id' is there twice"),
        ('[{"caption": "x"}]', "entry 0: has no id; name it by one of clip_id"),
        ('[{"video_id": true, "caption": "x"}]', "entry 0: has no id"),
        ('[{"id": "a", "caption": " "}]', "entry 0: the caption is empty"),
        ('[{"id": "a", "caption": "x"}, {"id": "a.mp4", "caption": "x"}]',
         "entry 1: id 'a' is there twice, first: entry 0"),
        ('["x"]', "entry 0: is no object"),
        ('[{"id": "a", "caption": NaN}]', "NaN is no JSON number"),
        ('{"type": "clip.caption", "clip_id": "a"}', "line 1: video_id: Field required"),
    ],
)  # fmt: skip
def test_wrong_predictions_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        load_predictions(_written(tmp_path, text))
    assert "\n" not in raised.value.message


def test_two_captions_of_one_clip_are_refused(tmp_path: Path) -> None:
    records = [clip_caption("talk", (0, 4), text) for text in ("A dog.", "A cat.")]
    text = "\n".join(json_line(record) for record in records)
    with pytest.raises(UsageError, match=r"line 2: clip_id .* another caption than on line 1"):
        load_predictions(_written(tmp_path, text))


def test_msrvtt_groups_its_sentences_by_video(tmp_path: Path) -> None:
    sentences = [
        {"video_id": "video9", "caption": "a dog", "sen_id": 0},
        {"video_id": "video8", "caption": "a cat", "sen_id": 1},
        {"video_id": "video9", "caption": "a dog runs", "sen_id": 2},
    ]
    path = _written(tmp_path, json.dumps({"info": {}, "videos": [], "sentences": sentences}))
    assert load_references(path) == (
        Reference("video9", ("a dog", "a dog runs")), Reference("video8", ("a cat",)),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        '[{"video": "video1.mp4", "caption": ["a dog", "dogs"]}]',
        '{"video1.mp4": ["a dog", "dogs"]}',
        '{"video_id": "video1", "caption": ["a dog", "dogs"]}',
    ],
)
def test_lists_and_maps_of_references_are_read(tmp_path: Path, text: str) -> None:
    expected = (Reference("video1", ("a dog", "dogs")),)
    assert load_references(_written(tmp_path, text)) == expected


def test_panda_gives_a_reference_per_clip(tmp_path: Path) -> None:
    url = "https://www.youtube.com/watch?v=abc"
    path = _panda(
        tmp_path,
        ("abc", url, "[['0:00:04.004', '0:00:13.113'], ['1:02:03.5', '1:02:05.000']]",
         "[\"A dog's day, out.\", 'A cat']"),
        ("xyz", "u", "['0:00:01.000', '0:00:02.000']", "['A hen']"),
    )  # fmt: skip
    names = ("abc", url)
    assert load_references(path) == (
        Reference("abc.0", ("A dog's day, out.",), names, (4.004, 13.113)),
        Reference("abc.1", ("A cat",), names, (3723.5, 3725.0)),
        Reference("xyz.0", ("A hen",), ("xyz", "u"), (1.0, 2.0)),
    )


def test_cells_of_panda_are_never_evaluated(tmp_path: Path) -> None:
    cell = f"__import__('pathlib').Path({str(tmp_path / 'run')!r}).touch()"
    with pytest.raises(UsageError, match="line 2: timestamp: is no Python list"):
        load_references(_panda(tmp_path, ("abc", "u", cell, "['x']")))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("timestamp", "caption", "message"),
    [
        ("[['0:00:01', '0:00:02']]", "['a', 'b']", "line 2: 1 timestamps for 2 captions"),
        ("[['1', '2']]", "['a']", "line 2: timestamp: is no list of pairs"),
        ("[4]", "['a']", "line 2: timestamp: is no list of pairs"),
        ("[['0:00:01', '0:00:02']]", "['']", "line 2: the caption is empty"),
        ("[['0:00:01', '0:00:02']]", "[7]", "line 2: has no caption"),
        ("[['0:00:01', '0:00:02']]", "['a'", "line 2: caption: is no Python list"),
    ],
)
def test_wrong_rows_of_panda_are_one_line(
    tmp_path: Path, timestamp: str, caption: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load_references(_panda(tmp_path, ("abc", "u", timestamp, caption)))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "videoID,url\nx,y\n", "there is no column 'timestamp'"),
        ("a.csv", "videoID,url,timestamp,caption\nx,y\n", "line 2: is short of cells"),
        ("a.csv", "", "there is no column 'videoID'"),
        ("a.json", '{"sentences": [{"caption": "x"}]}', r"sentences\.0: has no id"),
        ("a.json", '{"sentences": []}', "holds no captions"),
        ("a.json", '{"a": []}', "key 'a': has no captions"),
        ("a.json", '{"a": "x", "a.mp4": "y"}', r"key 'a\.mp4': id 'a' is there twice"),
        ("a.json", '["x"]', "entry 0: is no object"),
    ],
)
def test_wrong_references_are_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_references(_written(tmp_path, text, name))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json: cannot be read"):
        load_predictions(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b'{"a": "caf\xe9"}')
    with pytest.raises(UsageError, match=r"latin\.json: is not UTF-8"):
        load_predictions(tmp_path / "latin.json")


def _predicted(video: str, spans: Spans, url: str, folder: Path) -> tuple[Prediction, ...]:
    records = [clip_caption(video, span, f"clip at {span[0]}", url=url) for span in spans]
    text = "\n".join(json_line(record) for record in records)
    return load_predictions(_written(folder, text, "clips.jsonl")).captions


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/media/video7010.mp4?signed=1", "video7010"),
        ("https://www.youtube.com/watch?v=abc&t=5", "abc"),
        ("https://youtu.be/abc", "abc"),
    ],
)
def test_a_record_is_known_by_what_its_url_calls_the_video(
    tmp_path: Path, url: str, name: str
) -> None:
    found = pair_up(_predicted("u-u-i-d", [(0, 9)], url, tmp_path), [Reference(name, ("x",))])
    assert len(found.pairs) == 1


def test_clips_of_a_video_go_to_the_spans_they_overlap_most(tmp_path: Path) -> None:
    predicted = _predicted(
        "u-u-i-d", [(0, 10), (10, 21), (21, 30)], "https://youtu.be/abc", tmp_path
    )
    spans: Spans = [(11, 20), (1, 9), (26, 40)]
    references = [
        Reference(f"abc.{index}", ("x",), ("abc",), span) for index, span in enumerate(spans)
    ]
    found = pair_up(predicted, references)
    assert [(each.prediction.span, each.reference.span) for each in found.pairs] == [
        ((0, 10), (1, 9)), ((10, 21), (11, 20)),
    ]  # fmt: skip
    assert found.only_predicted == (predicted[2].id,)
    assert found.only_referenced == ("abc.2",)


def test_references_of_a_whole_video_go_to_its_longest_clip(tmp_path: Path) -> None:
    predicted = _predicted("video1", [(0, 3), (3, 10), (10, 12)], "", tmp_path)
    found = pair_up(predicted, [Reference("video1", ("x",))])
    assert [each.prediction.span for each in found.pairs] == [(3, 10)]
    assert found.only_predicted == (predicted[0].id, predicted[2].id)


def test_a_clip_id_is_meant_before_its_video(tmp_path: Path) -> None:
    predicted = _predicted("video1", [(0, 3), (3, 10)], "", tmp_path)
    references = [Reference("video1", ("whole",)), Reference(predicted[1].id, ("clip",))]
    found = pair_up(predicted, references)
    assert [each.reference.captions for each in found.pairs] == [("whole",), ("clip",)]


_SPAN = st.tuples(st.integers(0, 20), st.integers(1, 9)).map(
    lambda drawn: (float(drawn[0]), float(sum(drawn)))
)


@given(st.lists(_SPAN, max_size=8), st.lists(_SPAN, max_size=8))
def test_nothing_is_lost_and_nothing_is_used_twice(ours: Spans, theirs: Spans) -> None:
    predictions = [
        Prediction(f"p{index}", (f"p{index}", "v"), "x", span) for index, span in enumerate(ours)
    ]
    references = [Reference(f"r{index}", ("x",), ("v",), span) for index, span in enumerate(theirs)]
    found = pair_up(predictions, references)
    ours_found = [each.prediction.id for each in found.pairs]
    theirs_found = [each.reference.id for each in found.pairs]
    assert sorted([*ours_found, *found.only_predicted]) == [each.id for each in predictions]
    assert sorted([*theirs_found, *found.only_referenced]) == [each.id for each in references]
