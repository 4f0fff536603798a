#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An engine of another range of API versions: a proxy in front of a real one.

version_proxy.py LISTEN-HOST:PORT ENGINE-HOST:PORT MIN MAX

Requests in a version below MIN or above MAX are refused in an engine's words, those above what the engine behind can do
(1.41) are asked of it in that. /version and the headers tell of MIN and MAX. Every connection carries one request.
"""
import json
import re
import socket
import sys
import threading

BEHIND = (1, 41)


def version_of(text):
    return tuple(int(part) for part in text.split("."))


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None, b""
        data += piece
    head, rest = data.split(b"\r\n\r\n", 1)
    return head.decode("latin-1").split("\r\n"), rest


def copy(source, target):
    """Until the source ends, which is passed on."""
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def with_version(lines, body):
    """The answer of the engine behind, in this one's words."""
    head = [re.sub(r"(?i)^(api-version): .*", r"\1: " + high, line) for line in lines]
    if not body:
        return head, body
    told = json.loads(body)
    told["ApiVersion"], told["MinAPIVersion"] = high, low
    for component in told.get("Components", []):
        if component["Name"] == "Engine":
            component["Details"].update(ApiVersion=high, MinAPIVersion=low)
    body = json.dumps(told).encode()
    return [re.sub(r"(?i)^(content-length): .*", r"\1: %d" % len(body), line) for line in head], body


def refuse(client, text):
    body = json.dumps({"message": text}).encode() + b"\n"
    head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n"
    client.sendall((head + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body)


def wanted(client, path):
    """The path for the engine behind; None where it was refused."""
    match = re.match(r"/v(\d+\.\d+)(/.*)", path)
    if not match:
        return path
    version = version_of(match.group(1))
    if version < version_of(low):
        refuse(client, "client version %s is too old. Minimum supported API version is %s, please upgrade your client "
               "to a newer version" % (match.group(1), low))
        return None
    if version > version_of(high):
        refuse(client, "client version %s is too new. Maximum supported API version is %s" % (match.group(1), high))
        return None
    return "/v%d.%d%s" % (*min(version, BEHIND), match.group(2))


def serve(client):
    lines, rest = read_head(client)
    if lines is None:
        return
    method, path, protocol = lines[0].split(" ")
    print(method, path, flush=True)
    path = wanted(client, path)
    if path is None:
        return
    if not any(line.lower().startswith("upgrade:") for line in lines):
        lines = [line for line in lines if not line.lower().startswith("connection:")] + ["Connection: close"]
    lines[0] = " ".join((method, path, protocol))
    with socket.create_connection(behind) as engine:
        engine.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + rest)
        threading.Thread(target=copy, args=(client, engine), daemon=True).start()
        answer, rest = read_head(engine)
        if answer is None:
            return
        if path.endswith("/version"):
            while True:
                piece = engine.recv(65536)
                if not piece:
                    break
                rest += piece
            answer, rest = with_version(answer, rest)
        else:
            answer, _ = with_version(answer, b"")
        client.sendall("\r\n".join(answer).encode("latin-1") + b"\r\n\r\n" + rest)
        copy(engine, client)


def run(client):
    with client:
        try:
            serve(client)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def address(text):
    host, port = text.split(":")
    return host, int(port)


behind, low, high = address(sys.argv[2]), sys.argv[3], sys.argv[4]
listener = socket.create_server(address(sys.argv[1]), backlog=128)
while True:
    threading.Thread(target=run, args=(listener.accept()[0],), daemon=True).start()
