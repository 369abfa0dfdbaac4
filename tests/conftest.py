"""What all tests share: Ctrl-C, which a program that was started in the background ignores."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # for the tests that press it
