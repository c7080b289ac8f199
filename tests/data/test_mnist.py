import gzip
import hashlib
import socket
import struct
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from isthmus.data import mnist, open_source
from isthmus.errors import NoData, Offline

FILE = "train-images-idx3-ubyte.gz"
REAL_ORIGINALS = dict(mnist.ORIGINALS)
CONTENT = gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 2, 4, 4) + bytes(32), mtime=0)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No real MNIST: an empty cache, and a small file that takes its place."""
    for variable in ("ISTHMUS_MNIST", "ISTHMUS_DATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    original = mnist.Original(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(mnist.ORIGINALS, FILE, original)


@pytest.fixture
def mirrors(tmp_path):
    """Addresses: one has the file, others a spoilt one, a longer one or none; nobody answers at the last."""
    spoilt = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    for name, content in (("good", CONTENT), ("corrupt", spoilt), ("long", CONTENT + b"x"), ("empty", None)):
        (tmp_path / "www" / name).mkdir(parents=True)
        if content is not None:
            (tmp_path / "www" / name / FILE).write_bytes(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "www")))
    Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        yield {"dead": dead, **{name: f"{root}/{name}/" for name in ("good", "corrupt", "long", "empty")}}
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("bad", ["dead", "corrupt", "long", "empty"])
def test_a_bad_mirror_gives_way_to_the_next(mirrors, bad):
    path = mnist.find_file(FILE, mirrors=[mirrors[bad], mirrors["good"]])
    assert path.read_bytes() == CONTENT
    assert path.parent == mnist.cache_folder()


def test_what_was_downloaded_is_not_downloaded_again(mirrors):
    path = mnist.find_file(FILE, mirrors=[mirrors["good"]])
    assert mnist.find_file(FILE, mirrors=[]) == path


def test_a_damaged_cache_is_replaced(mirrors):
    path = mnist.find_file(FILE, mirrors=[mirrors["good"]])
    path.write_bytes(b"damaged")
    assert mnist.find_file(FILE, mirrors=[mirrors["good"]]).read_bytes() == CONTENT


@pytest.mark.parametrize("bad", ["dead", "corrupt"])
def test_offline_is_one_sentence_and_leaves_nothing(mirrors, bad):
    with pytest.raises(Offline, match="none of 1 mirrors gave it"):
        mnist.find_file(FILE, mirrors=[mirrors[bad]])
    assert not mnist.cache_folder().exists()


def test_a_folder_comes_first(tmp_path, monkeypatch):
    (tmp_path / FILE).write_bytes(CONTENT)
    assert mnist.find_file(FILE, folder=tmp_path, mirrors=[]) == tmp_path / FILE
    monkeypatch.setenv("ISTHMUS_MNIST", str(tmp_path))
    assert len(open_source("mnist")) == 2
    with pytest.raises(NoData, match="t10k-images"):
        open_source("mnist-test")


def test_an_unpacked_file_will_do(tmp_path):
    (tmp_path / FILE.removesuffix(".gz")).write_bytes(gzip.decompress(CONTENT))
    assert len(open_source(mnist.find_file(FILE, folder=tmp_path))) == 2


def test_the_data_root_is_looked_at_before_the_cache(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / FILE).write_bytes(CONTENT)
    monkeypatch.setenv("ISTHMUS_DATA", str(tmp_path))
    assert mnist.find_file(FILE, mirrors=[]) == tmp_path / "mnist" / FILE


@pytest.mark.needs_data
def test_the_checksums_are_those_of_the_real_files(data_root):
    for name, original in REAL_ORIGINALS.items():
        data = (data_root / "mnist" / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (original.size_bytes, original.sha256)
