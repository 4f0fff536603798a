# SPDX-License-Identifier: Apache-2.0
"""Checks as tests/lib/checks.sh counts them: a line "ok   WHAT" or "FAIL WHAT (why)" for each."""
import threading
import time
import traceback

LOCK = threading.Lock()


def excerpt(value):
    text = value if isinstance(value, str) else repr(value)
    return text[:400].replace("\n", "|")


class Checks:
    """What a group of checks works with: the client, how it is called in messages, and names of its own."""

    def __init__(self, on, client, pool, prefix):
        self.on, self.client, self.pool, self.prefix = on, client, pool, prefix
        self.undo = []

    def name(self, word):
        return self.prefix + word

    def say(self, passed, what, why=""):
        with LOCK:
            if passed:
                print("ok   %s: %s" % (self.on, what), flush=True)
            else:
                print("FAIL %s: %s (%s)" % (self.on, what, excerpt(why)), flush=True)

    def ok(self, what, condition, why="it is not so"):
        self.say(bool(condition), what, why)

    def equal(self, what, got, wanted):
        self.say(got == wanted, what, "got %s, wanted %s" % (excerpt(got), excerpt(wanted)))

    def has(self, what, part, whole):
        self.say(part in whole, what, "no %s in %s" % (excerpt(part), excerpt(whole)))

    def raises(self, what, kind, call, status=None, text=""):
        try:
            got = call()
        except kind as error:
            code = getattr(getattr(error, "response", None), "status_code", None)
            said = str(error)
            self.say((status is None or code == status) and text in said, what, "status %s, %s" % (code, said))
            return
        except Exception as error:  # pylint: disable=broad-except
            self.say(False, what, "%s and not %s: %s" % (type(error).__name__, kind, error))
            return
        self.say(False, what, "no error but %s" % excerpt(got))

    def until(self, what, condition, seconds=60):
        """The seconds are a limit for what is broken, not a measure."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.say(False, what, "not within %d s" % seconds)
                return False
            time.sleep(0.1)
        self.say(True, what)
        return True

    def later(self, call):
        """Undone at the end of the group, whatever becomes of it."""
        self.undo.append(call)

    def run(self, group, seconds=300):
        """The seconds are a limit for what never ends."""
        try:
            Thread(lambda: group(self)).result(seconds)
        except Exception:  # pylint: disable=broad-except
            self.say(False, group.__name__, traceback.format_exc()[-390:])
        for call in reversed(self.undo):
            try:
                call()
            except Exception:  # pylint: disable=broad-except
                pass
        self.undo = []


class Thread(threading.Thread):
    """A call that goes on beside the others; result() waits for what it returns or raises."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.value, self.error = call, None, None
        self.start()

    def run(self):
        try:
            self.value = self.call()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def result(self, seconds=120):
        self.join(seconds)
        if self.is_alive():
            raise TimeoutError("not within %d s" % seconds)
        if self.error:
            raise self.error
        return self.value
