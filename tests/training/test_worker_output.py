import io
import queue
import socket
import threading
from codecs import getreader

import pytest

from loanbook.training.fit.worker_failure import WorkerOutput, pass_on


class Told(io.StringIO):
    """What is written, as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: queue.Queue[str] = queue.Queue()

    def write(self, text: str) -> int:
        self.lines.put(text)
        return len(text)


def test_a_line_of_a_worker_is_passed_on_while_it_goes_on_working() -> None:
    here, there = socket.socketpair()
    told, reader = Told(), getreader("utf-8")(there.makefile("rb"))
    thread = threading.Thread(target=pass_on, args=(reader, WorkerOutput(told)))
    thread.start()
    here.sendall("epoch 1, größer\n".encode())
    assert told.lines.get(timeout=10) == "epoch 1, größer\n"
    here.sendall(b"epoch 2\nand no end")
    assert told.lines.get(timeout=10) == "epoch 2\n"
    with pytest.raises(queue.Empty):
        told.lines.get_nowait()
    here.close()
    thread.join(timeout=10)
    assert told.lines.get_nowait() == "and no end"
    there.close()


def test_what_is_no_socket_is_copied() -> None:
    target = io.StringIO()
    pass_on(io.StringIO("all of it"), target)
    assert target.getvalue() == "all of it"
