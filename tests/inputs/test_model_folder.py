"""Models in a store, as folders: fetched once, whole, and the ones that were asked for."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from pathlib import Path

import pytest

from c2c_tasks.config import ModelOptions
from c2c_tasks.inputs import model_folder
from c2c_tasks.inputs.completions import Request
from c2c_tasks.inputs.errors import InputError
from c2c_tasks.inputs.in_process import InProcessEngine
from c2c_tasks.inputs.model_folder import TOKENIZER_FILES, local_model
from c2c_tasks.store import StoreUnavailable, store_for

FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "tokenizer.json": b"words",
    "checkpoints/old/config.json": b"another's",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is fetched."""
    monkeypatch.setenv("C2C_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def put(model: str, **files: bytes) -> str:
    for name, data in (FILES | files).items():
        store_for(model).write(f"{model}/{name}", data)
    return model


@pytest.fixture
def model(s3_bucket: str) -> str:
    """A model in a store, which tells the SHA-256 of its files."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
    told = json.dumps({"files": digests}).encode()
    return put(f"{s3_bucket}/models/small", **{"training.json": told})


def names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def test_a_model_is_fetched_once(model: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = local_model(model)
    assert Path(folder).is_relative_to(cache)
    assert names(folder) == {"config.json", "model.safetensors", "tokenizer.json", "training.json"}
    assert Path(folder, "model.safetensors").read_bytes() == b"weights"
    monkeypatch.setattr(model_folder, "_fetch", None)
    assert local_model(f"{model}/") == folder


def test_a_model_that_was_made_anew_is_another_folder(s3_bucket: str) -> None:
    model = put(f"{s3_bucket}/models/small")
    old = local_model(model)
    put(model, **{"model.safetensors": b"WEIGHTS"})
    new = local_model(model)
    assert Path(old, "model.safetensors").read_bytes() == b"weights"
    assert Path(new, "model.safetensors").read_bytes() == b"WEIGHTS"


def test_a_fetch_that_was_cut_goes_on(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(store_for(model))
    download = kind.download
    fetched = []

    def cut(store: object, uri: str, path: Path, **options: str) -> None:
        if uri.endswith("model.safetensors") and uri not in fetched:
            fetched.append(uri)
            raise StoreUnavailable(f"{uri}: no answer")
        fetched.append(uri)
        download(store, uri, path, **options)

    monkeypatch.setattr(kind, "download", cut)
    with pytest.raises(StoreUnavailable):
        local_model(model)
    folder = local_model(model)
    assert names(folder) >= {"config.json", "model.safetensors"}
    assert fetched.count(f"{model}/config.json") == 1, "what is there is not fetched again"


def test_other_bytes_than_the_checkpoint_tells_are_refused(model: str) -> None:
    store_for(model).write(f"{model}/model.safetensors", b"changed")
    with pytest.raises(StoreUnavailable, match=r"model\.safetensors.*SHA-256"):
        local_model(model)


def test_a_tokenizer_is_fetched_without_the_weights(model: str) -> None:
    assert names(local_model(model, TOKENIZER_FILES)) == {"tokenizer.json"}


def test_what_is_no_model_at_a_uri(s3_bucket: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"s3://.*/none: no model .* no config\.json"):
        local_model(f"{s3_bucket}/none")
    assert local_model("Qwen/Qwen2.5-Coder-0.5B") == "Qwen/Qwen2.5-Coder-0.5B"
    assert local_model(tmp_path.as_uri()) == local_model(str(tmp_path)) == str(tmp_path)


def test_the_engine_loads_the_folder_and_is_called_by_the_uri(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"open({str(tmp_path / 'given')!r}, 'w').write(sys.stdin.readline())\n"
        'print(\'{"failure": "a stand-in"}\')\n'
    )
    python.chmod(0o755)
    monkeypatch.setenv("C2C_VLLM_PYTHON", str(python))
    engine = InProcessEngine(ModelOptions(engine="in_process", model=model))
    with pytest.raises(InputError, match=rf"vllm: {model} cannot be loaded: a stand-in"):
        asyncio.run(engine.complete(Request("?", {})))
    given = json.loads((tmp_path / "given").read_text())
    assert given["model"] == local_model(model) != model
