"""A real server: sockets, signals, versions that come and go while it is asked."""

import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import toys
from process import Clients, Server


@pytest.fixture
def shelf(tmp_path):
    toys.write(tmp_path / "m" / "1" / "model.npz", by=2.0)
    return tmp_path


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server for tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("shelf")
    toys.write(folder / "m" / "1" / "model.npz", by=2.0)
    with Server(folder) as server:
        yield server


def factor(answer):
    """By how much the model that answered multiplies, and its version."""
    status, found = answer
    assert status == 200, answer
    [output] = found["outputs"]
    assert output["data"] == [output["data"][0] * k for k in (1, 2, 3, 4)]
    return output["data"][0], found["model_version"]


def test_versions_come_and_go_under_load(shelf):
    with Server(shelf, "--poll", "0.1", "--no-access-log") as server:
        with Clients(server, 4) as clients:
            time.sleep(0.3)
            toys.write(shelf / "m" / "2" / "model.npz", by=3.0)
            server.wait("loaded", version="2")
            time.sleep(0.3)
            toys.write(shelf / "m" / "2" / "model.npz", by=5.0)  # the same version, replaced
            until = time.monotonic() + 30
            while factor(clients.found[-1])[0] != 5.0 and time.monotonic() < until:
                time.sleep(0.05)
            (shelf / "m" / "3").mkdir()
            (shelf / "m" / "3" / "model.npz").write_bytes(b"broken")
            server.wait("load-failed", version="3")
            time.sleep(0.3)
        assert not clients.faults
        seen = list(dict.fromkeys(map(factor, clients.found)))
        assert seen[0] == (2.0, "1") and set(seen) == {(2.0, "1"), (3.0, "2"), (5.0, "2")}
        assert factor(clients.found[-1]) == (5.0, "2")  # the broken one changed nothing
        assert len(clients.found) > 50
        status, _, index = server.ask("POST", "/v2/repository/index", "")
        assert status == 200 and b'"UNAVAILABLE"' in index
        # The newest leaves, and the one before it answers again.
        (shelf / "m" / "2" / "model.npz").unlink()
        server.wait("unloaded", version="2")
        assert factor(server.infer()) == (2.0, "1")
        assert server.stop() == 0


def test_stopping_finishes_what_was_taken(tmp_path):
    toys.write(tmp_path / "model.npz", by=2.0, pause=0.4)
    with Server(f"m={tmp_path / 'model.npz'}", "--max-batch", "1") as server:
        found = []
        threads = [threading.Thread(target=lambda: found.append(server.infer())) for _ in range(5)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)  # one is computed, the others wait
        assert server.stop() == 0
        for thread in threads:
            thread.join(30)
        assert [factor(answer) for answer in found] == [(2.0, "1")] * 5
        with pytest.raises(OSError):
            server.infer()
        assert server.wait("stopped")["finished"] is True


@pytest.mark.slow
def test_stopping_has_a_bound(tmp_path):
    toys.write(tmp_path / "model.npz", pause=3.0)
    with Server(f"m={tmp_path / 'model.npz'}", "--grace", "1", "--max-batch", "1") as server:
        thread = threading.Thread(target=lambda: _ignoring(server.infer), daemon=True)
        thread.start()
        time.sleep(0.3)
        start = time.monotonic()
        assert server.stop(signal.SIGINT) in (0, 1)
        assert time.monotonic() - start < 20  # and not as long as all requests would take
        thread.join(30)


def _ignoring(call):
    try:
        call()
    except Exception:
        return


def test_overload_is_429_and_passes(tmp_path):
    toys.write(tmp_path / "model.npz", pause=0.05)
    with Server(
        f"m={tmp_path / 'model.npz'}", "--max-queue", "2", "--max-batch", "1", "--no-access-log"
    ) as server:
        with Clients(server, 12) as clients:
            time.sleep(1.5)
        assert not clients.faults
        statuses = {status for status, _ in clients.found}
        assert statuses == {200, 429}
        assert factor(server.infer()) == (2.0, "1")
        assert server.stop() == 0


def test_a_token(shelf, tmp_path_factory):
    file = tmp_path_factory.mktemp("secret") / "token"
    file.write_text("open sesame\n")
    with Server(shelf, "--token-file", file) as server:
        for path in ("/v2/health/live", "/v2/health/ready", "/"):
            assert server.ask("GET", path)[0] == 200
        wrong = ("", "open sesame", "Bearer", "Bearer open", "Basic open sesame", "Bearer \xff")
        for given in wrong:
            for path in ("/v2/models/m", "/metrics", "/v2"):
                status, headers, body = server.ask("GET", path, headers={"Authorization": given})
                assert status == 401, given
                assert headers["WWW-Authenticate"] == "Bearer"
                assert b"sesame" not in body
        right = {"Authorization": "Bearer open sesame"}
        assert server.ask("GET", "/v2/models/m", headers=right)[0] == 200
        connection = server.connection()  # one that is kept open does not keep the server
        assert server.infer(connection=connection)[0] == 401
        assert server.stop() == 0
        connection.close()
        assert "sesame" not in str(server.log)


def test_other_peoples_pages_may_not_ask(shared):
    server = shared
    foreign = {"Origin": "http://elsewhere.example"}
    assert server.ask("POST", "/v2/repository/models/m/unload", "", foreign)[0] == 403
    assert server.ask("GET", "/v2", headers={"Host": "rebound.example"})[0] == 403
    own = {"Origin": f"http://127.0.0.1:{server.port}"}
    assert server.ask("GET", "/v2", headers=own)[0] == 200
    assert server.infer()[0] == 200


def test_names_that_a_server_is_known_by():
    from rushlight.cli.serve import _parser, _settings

    def hosts(*words):
        return set(_settings(_parser().parse_args(["m", *words])).hosts)

    own = {"127.0.0.1", "localhost", "[::1]"}
    assert hosts() == own
    assert hosts("--host", "127.0.0.2", "--allow-host", "Models.example") == {
        *own, "127.0.0.2", "models.example",
    }  # fmt: skip
    assert hosts("--host", "0.0.0.0") == set()
    assert hosts("--host", "0.0.0.0", "--allow-host", "a", "--allow-host", "b") == {"a", "b"}


def raw(server, data, wait=5.0, hang_up=True):
    """What comes back for bytes that need not be HTTP."""
    with socket.create_connection((server.host, server.port), timeout=wait) as stream:
        stream.sendall(data)
        if hang_up:
            stream.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while piece := stream.recv(65536):
                found += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return found


def test_what_is_not_http_does_not_bring_it_down(shared):
    post = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\n"
    server = shared
    for data in (
        b"", b"\0" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        post + b"Content-Length: -5\r\n\r\n", post + b"Content-Length: abc\r\n\r\n",
        post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        post + b"Content-Length: 100\r\n\r\n{}",  # and hangs up
        post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"A" * 200_000,
        post + b"X: " + b"y" * 200_000 + b"\r\n\r\n", post + b"X: y\r\n" * 20_000,
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):  # fmt: skip
        status = raw(server, data)[9:12]
        assert not status.startswith((b"2", b"5")), (data[:80], status)
    assert factor(server.infer()) == (2.0, "1")
    assert not [told for told in server.log if "traceback" in told]


def test_a_request_without_length_is_read_to_its_end(shared):
    body = b'{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}'
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[k:][:10]), body[k:][:10])
                      for k in range(0, len(body), 10))  # fmt: skip
    head = (
        b"POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n"
    )
    server = shared
    assert b'"data":[2.0,4.0,6.0,8.0]' in raw(server, head + chunks + b"0\r\n\r\n", hang_up=False)


@pytest.mark.slow
def test_a_killed_server_leaves_nothing_behind(shelf):
    with Server(shelf) as server, Clients(server, 2) as clients:
        time.sleep(0.2)
        server.process.kill()
        server.process.wait()
    assert clients.faults  # the clients are told by their connections
    with Server(shelf) as server:
        assert factor(server.infer()) == (2.0, "1")


def test_a_model_that_was_named_and_cannot_be_loaded_ends_the_server(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"nothing of ours")
    server = Server(tmp_path / "broken.npz")
    assert server.process.wait(60) == 1
    server.wait("load-failed", model="broken")
    server.__exit__()


@pytest.mark.parametrize(
    "words, said",
    [
        (["nowhere.npz"], "there is no 'nowhere.npz'"),
        (["{file}", "{file}"], "two models are called 'model'"),
        (["a b={file}"], "cannot be a model's name"),
        (["{file}", "--max-batch", "0"], "max_batch must be at least 1"),
    ],
)
def test_a_wrong_command_line_is_told(tmp_path, words, said, capsys):
    from rushlight.cli.serve import main

    toys.write(tmp_path / "model.npz")
    with pytest.raises(SystemExit) as stopped:
        main([word.format(file=tmp_path / "model.npz") for word in words])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_the_log_has_lines_and_no_bodies(shared):
    server = shared
    server.infer(data=(0.123456, 2, 3, 4))
    server.ask("GET", "/v2/health/live?token=secret")
    line = server.wait("request", path="/v2/models/m/infer")
    assert line["status"] == 200 and line["model"] == "m" and line["batch"] == 1
    assert line["ms"] > 0 and line["client"] == "127.0.0.1"
    server.wait("request", path="/v2/health/live")
    assert "0.123456" not in str(server.log) and "secret" not in str(server.log)


def test_headers_without_end_are_refused(shared):
    head = b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nX: "
    found = raw(shared, head + b"y" * 2_000_000, hang_up=False)
    assert b"400" in found[:12] and found.endswith(
        b'{"error": "The head of the request is too large."}'
    )


def test_a_missing_library_is_one_sentence():
    code = (
        "import sys; sys.modules['pydantic'] = None\n"
        "from rushlight.cli import main\n"
        "sys.exit(main(['serve', 'model.pt2']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("rushlight serve: the server needs pydantic")
    assert 'pip install "rushlight[serve]"' in done.stderr
