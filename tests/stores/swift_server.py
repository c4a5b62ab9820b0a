"""All of OpenStack Swift in one process, with its S3 API; run by the interpreter that has it.

swift_server.py FOLDER

One replica, objects in memory, accounts and containers below the folder. Prints its URL. The
access key is ``test:tester``, the secret ``testing``.
"""

import sys
from pathlib import Path

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.utils import get_logger  # noqa: E402

SERVERS = ("account", "container", "object")
PROXY = """
[DEFAULT]
swift_dir = {folder}

[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth bulk slo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
node_timeout = 60
conn_timeout = 10

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:cache]
paste.filter_factory = swift_server:cache_in_memory

[filter:listing_formats]
use = egg:swift#listing_formats

[filter:s3api]
use = egg:swift#s3api

[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin

[filter:bulk]
use = egg:swift#bulk

[filter:slo]
use = egg:swift#slo
"""
STORAGE = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}
mount_check = false

[app:main]
use = egg:swift#{app}
node_timeout = 60
conn_timeout = 10
"""


class Cache(dict):
    """What Swift asks of memcached: nothing is kept, so each request asks the servers."""

    def get(self, key, *_args, **_options):
        return None

    def set(self, key, value, *_args, **_options):
        pass

    def delete(self, key, *_args, **_options):
        pass


def cache_in_memory(_conf, **_options):
    def wrap(app):
        def serve(environ, start_response):
            environ["swift.cache"] = Cache()
            return app(environ, start_response)

        return serve

    return wrap


def main(folder: Path) -> None:
    sys.modules["swift_server"] = sys.modules["__main__"]
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\n")
    utils.set_swift_dir(str(folder))
    from swift.common.wsgi import loadapp

    listening = {name: eventlet.listen(("127.0.0.1", 0)) for name in SERVERS}
    for name, listener in listening.items():
        ring = RingBuilder(4, 1, 1)
        device = {"ip": "127.0.0.1", "port": listener.getsockname()[1], "device": "disk"}
        ring.add_dev({**device, "region": 1, "zone": 1, "weight": 1})
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{name}.ring.gz"))
    (folder / "disk").mkdir()
    listening["proxy"] = eventlet.listen(("127.0.0.1", 0))
    logger = get_logger({}, "swift")
    servers = []
    for name, listener in listening.items():
        app = {"object": "mem_object", "proxy": ""}.get(name, name)
        text = STORAGE.format(folder=folder, app=app) if app else PROXY.format(folder=folder)
        (folder / f"{name}.conf").write_text(text)
        served = loadapp(str(folder / f"{name}.conf"))
        servers.append(eventlet.spawn(wsgi.server, listener, served, log_output=False, log=logger))
    port = listening["proxy"].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    for server in servers:
        server.wait()


main(Path(sys.argv[1]))
