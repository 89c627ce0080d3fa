"""What all tests share: a data folder that is nobody's, a browser, a server of files."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.browser import NoChromiumError, open_chromium


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty data folder of the test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RESNET_VIZ_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def chromium():
    """A headless browser, or a skip; REQUIRE_BROWSER=1 makes a missing one an error."""
    try:
        with open_chromium() as browser:
            yield browser
    except NoChromiumError as error:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def server(monkeypatch):
    """Serves `server.files` over HTTP; `server.cut` bytes at most of each; counts requests."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            httpd.requests.append(self.path)
            body = httpd.files.get(self.path.lstrip("/"))
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: httpd.cut])

        def log_message(self, *args):
            """Keep the test's output clean."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.files, httpd.cut, httpd.requests = {}, None, []
    httpd.url = f"http://127.0.0.1:{httpd.server_address[1]}/"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()
