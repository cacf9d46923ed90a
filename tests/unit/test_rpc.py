"""No number of a node's is taken for what it is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ledger.chain.rpc import Node, RpcError, quantity


@contextmanager
def node_that_answers(result: object) -> Iterator[Node]:
    """Return a node that answers whatever it is asked with one result."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": result}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Node(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "ask",
    [
        Node.chain_id,
        lambda node: node.nonce("0x" + "11" * 20),
        lambda node: node.balance("0x" + "11" * 20),
        lambda node: node.estimate_gas({}),
    ],
    ids=["chain id", "nonce", "balance", "gas"],
)
@pytest.mark.parametrize("result", ["-0x5208", "0x", "5208", " 0x5208", None, 21_000, "0x" + "f" * 65])
def test_what_is_no_number_is_an_error(ask: Callable[[Node], int], result: object) -> None:
    """A negative number, none at all, digits without `0x`, or more than 256 bits."""
    with node_that_answers(result) as node, pytest.raises(RpcError, match="where a number belongs"):
        ask(node)


def test_a_number_is_read() -> None:
    """Leading zeros and capitals do not matter."""
    assert [quantity(text) for text in ("0x0", "0x05208", "0xAb")] == [0, 21_000, 171]
