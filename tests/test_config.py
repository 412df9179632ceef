"""Settings: where they come from, and what is said of wrong ones."""

import os
import pickle
from pathlib import Path

import pytest

from streamer.config import Settings, as_environment, load_settings
from streamer.errors import UsageError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("STREAMER_"):
            monkeypatch.delenv(name)


def test_flags_over_variables_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "streamer.toml").write_text(
        '[kafka]\nbootstrap = "file:1"\ngroup = "file"\ntopic_prefix = "file."\n'
    )
    monkeypatch.setenv("STREAMER_KAFKA__GROUP", "variable")
    monkeypatch.setenv("STREAMER_KAFKA__TOPIC_PREFIX", "variable.")
    kafka = load_settings(None, {"kafka": {"topic_prefix": "flag.", "group": None}}).kafka
    assert (kafka.bootstrap, kafka.group, kafka.topic_prefix) == ("file:1", "variable", "flag.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[kafka]\nbotstrap = 'x'\n", "kafka.botstrap"),
        ("[worker]\nslots = 0\n", "worker.slots"),
        ("[split]\npreset = 'best'\n", "split.preset"),
        ("[kafka\n", "not TOML"),
        ("[nonsense]\n", "nonsense"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=says):
        load_settings(file)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no settings file"):
        load_settings(tmp_path / "absent.toml")


def test_a_child_process_loads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        None,
        {
            "kafka": {"sasl_password": "secret"},
            "acquire": {"allowed_networks": ["10.0.0.0/8"]},
            "telemetry": {"port": 9108},
        },
    )
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


def test_secrets_are_masked() -> None:
    settings = load_settings(None, {"kafka": {"sasl_password": "secret"}})
    assert "secret" not in settings.model_dump_json()
    assert "secret" not in repr(settings)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().kafka.group = "other"  # type: ignore[misc]
