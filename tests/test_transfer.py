"""Why a file does not come, in words."""

import socket

import pytest

from resnet_viz.transfer import Remote, TransferError, fetch


def refusal(url, tmp_path):
    with pytest.raises(TransferError) as caught:
        list(fetch(Remote(url, tmp_path / "file", "md5", "00")))
    return str(caught.value)


def test_without_a_network_or_name_server_it_says_so(tmp_path):
    told = refusal("http://nothing.invalid/file", tmp_path)  # a name that no server may have
    assert "http://nothing.invalid/file cannot be reached: no network" in told
    assert "Errno" not in told


def test_a_port_where_nobody_listens_refuses(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        told = refusal(f"http://127.0.0.1:{taken.getsockname()[1]}/file", tmp_path)
    assert told.endswith("it refuses the connection")
