"""Builds the sandbox's image in the engine of the environment (``DOCKER_HOST``), once it answers.

The base image is ``SANDBOX_BASE_IMAGE``. Where an archive of it (`docker save`) is mounted, it is
loaded first: the engine may reach no registry.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

IMAGE = "case2code-sandbox:latest"
ARCHIVE = Path("/base-image.tar")
SOURCES = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 180
"""For an engine that makes its certificates and starts."""
BUILD_SECONDS = 600


def provide(base_image: str, archive: Path, patience: float = PATIENCE_SECONDS) -> str:
    """Build the image from this project's sources; return its ID. Raises DockerException."""
    client = _connect(patience)
    if archive.is_file() and archive.stat().st_size:
        with archive.open("rb") as content:
            client.images.load(content)
    image, _ = client.images.build(
        path=str(SOURCES),
        dockerfile="docker/sandbox/Dockerfile",
        buildargs={"BASE_IMAGE": base_image},
        tag=IMAGE,
        rm=True,
    )
    identity: str = image.id
    return identity


def _connect(patience: float) -> Any:
    import docker
    from docker.errors import DockerException

    deadline = time.monotonic() + patience
    while True:
        try:
            client = docker.from_env(timeout=BUILD_SECONDS)
            client.ping()
            return client
        except (DockerException, OSError):  # its certificates may not be there yet
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def main() -> None:
    """Build it, or end with one line that says why not, and status 1."""
    from docker.errors import DockerException

    try:
        identity = provide(os.environ["SANDBOX_BASE_IMAGE"], ARCHIVE)
    except (DockerException, OSError) as error:
        sys.exit(f"error: {os.environ.get('DOCKER_HOST', 'the Docker engine')}: {error}")
    print(f"{IMAGE} is {identity}")


if __name__ == "__main__":
    main()
