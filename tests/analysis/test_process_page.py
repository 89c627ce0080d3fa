"""The analysis process under a real Streamlit server, whose script it must not run again."""

from pathlib import Path

import psutil
import pytest

from benchmarks.browser import TIMEOUT_SECONDS, Server

PAGE = Path(__file__).with_name("page.py")


@pytest.mark.browser
def test_two_sessions_are_answered_and_the_script_runs_in_the_server_alone(chromium, tmp_path):
    log = tmp_path / "log"
    server = Server(PAGE, RESNET_VIZ_HOME=str(tmp_path), PAGE_LOG=str(log))
    server.start()
    try:
        pages = [chromium.new_page() for _ in range(2)]
        for page in pages:
            page.goto(server.url)
        for page in pages:
            page.get_by_text("[(8, 20)] None False").wait_for(timeout=1000 * TIMEOUT_SECONDS)
            page.close()
        assert log.read_text() == f"{server.process.pid} run\n" * 2
        children = psutil.Process(server.process.pid).children(recursive=True)
        assert children
    finally:
        server.kill()
    assert psutil.wait_procs(children, timeout=TIMEOUT_SECONDS)[1] == []
