import os
import signal

import pytest

from loanbook.interrupts import interruptible, interrupts_deferred


def test_sigterm_raises_with_its_name_and_the_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_told_twice_does_not_end_what_records_the_first():
    done = []
    with interruptible():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("recorded")
    assert done == ["recorded"]


@pytest.fixture
def sigint_as_in_a_terminal():
    """Take SIGINT as Python does: a shell lets what it begins in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("sigint_as_in_a_terminal")
def test_what_comes_while_it_is_deferred_takes_effect_at_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), interruptible(), interrupts_deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a library does
        done.append("the whole block")
    assert done == ["the whole block"]
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
