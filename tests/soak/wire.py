# SPDX-License-Identifier: Apache-2.0
"""Requests of the soak's clients, whole ones and such that are left in the middle."""
import http.client
import json
import socket
import time

PATIENCE_S = 120  # no answer of a manager may take longer, whatever its engines do


class Gone(Exception):
    """The answer broke off: that is what the end of an engine looks like."""


class Stuck(Exception):
    """There was no answer, nor an end."""


def place(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def ask(address, method, path, body=None):
    """status, body"""
    connection = http.client.HTTPConnection(*place(address), timeout=PATIENCE_S)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except socket.timeout as error:
        raise Stuck("%s %s: nothing in %d s" % (method, path, PATIENCE_S)) from error
    except (OSError, http.client.HTTPException) as error:
        raise Gone(str(error)) from error
    finally:
        connection.close()


def ask_json(address, path):
    status, body = ask(address, "GET", path)
    if status != 200:
        raise Gone("GET %s: %d %s" % (path, status, body[:200]))
    return json.loads(body)


def send(address, method, path, body=None, upgrade=False):
    """A socket with the request on it, nothing of its answer read."""
    text = b"" if body is None else json.dumps(body).encode()
    head = "%s %s HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n" % (
        method, path, len(text), "Connection: Upgrade\r\nUpgrade: tcp\r\n" if upgrade else "")
    try:
        stream = socket.create_connection(place(address), timeout=PATIENCE_S)
        stream.sendall(head.encode() + text)
    except OSError as error:
        raise Gone(str(error)) from error
    return stream


def stay(stream, seconds):
    """Read for so long, or to its end; then leave. Returns the status."""
    end, first = time.monotonic() + seconds, b""
    try:
        while time.monotonic() < end:
            stream.settimeout(max(end - time.monotonic(), 0.01))
            data = stream.recv(65536)
            first = first or data
            if not data:
                break
    except socket.timeout:
        pass
    except OSError as error:
        raise Gone(str(error)) from error
    finally:
        stream.close()
    return int(first[9:12]) if first[9:12].isdigit() else 0
