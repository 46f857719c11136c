"""An interruption waits for the end of a step, and for nothing else."""

from __future__ import annotations

import os
import signal

import pytest

from dapflow.local.processes.interrupts import Interrupted, interruptible, shielded


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_become_one_exception(number: signal.Signals) -> None:
    with pytest.raises(Interrupted) as caught, interruptible():
        os.kill(os.getpid(), number)
    assert caught.value.number == number


def test_a_shielded_step_is_ended_first() -> None:
    steps = []
    with pytest.raises(Interrupted), interruptible():
        with shielded():
            with shielded():
                os.kill(os.getpid(), signal.SIGINT)
                steps.append("inner")
            steps.append("outer")
        steps.append("never")
    assert steps == ["inner", "outer"]


def test_signals_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_shielded_step_that_fails_with_the_signal_is_interrupted() -> None:
    with interruptible(), pytest.raises(Interrupted), shielded():
        signal.raise_signal(signal.SIGINT)
        message = "a process of the step ended"
        raise RuntimeError(message)
