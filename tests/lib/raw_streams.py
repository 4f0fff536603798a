#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of connections that stop being HTTP/1.1, written out byte by byte. Each prints what it got to see.

raw_streams.py HOST:PORT grpc [FROM-ADDRESS]   POST /grpc, then HTTP/2: the engine's SETTINGS
raw_streams.py HOST:PORT h2                    HTTP/2 from the first byte on: the same
raw_streams.py HOST:PORT session ID [NODE]     POST /session: the preface of the engine, which is the client there
raw_streams.py HOST:PORT ws PATH TEXT          a websocket: TEXT comes back from what reads there
"""
import os
import socket
import struct
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"


def receive(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            sys.exit("the connection ended after %r" % data)
        data += piece
    return data


def dial(address, source=None):
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), 60, (source, 0) if source else None)


def switch(connection, method, path, protocol, *headers):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: x", "Connection: Upgrade", "Upgrade: " + protocol, *headers]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += receive(connection, 1)
    if not head.startswith(b"HTTP/1.1 101 "):
        sys.exit(head.decode())
    print("101")


def settings(connection):
    connection.sendall(PREFACE + EMPTY_SETTINGS)
    length, kind = struct.unpack(">xBHB", b"\0" + receive(connection, 9)[:4])[1:]
    print("settings" if kind == 4 else "a frame of kind %d, %d bytes" % (kind, length))


def grpc(connection):
    switch(connection, "POST", "/grpc", "h2c")
    settings(connection)


def session(connection, identity, *node):
    headers = ["X-Swarm-Node: " + name for name in node]
    switch(connection, "POST", "/session", "h2c", "X-Docker-Expose-Session-Uuid: " + identity, *headers)
    connection.sendall(EMPTY_SETTINGS)
    print("preface" if receive(connection, len(PREFACE)) == PREFACE else "something else")


def websocket(connection, path, text):
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    switch(connection, "GET", path, "websocket", key, "Sec-WebSocket-Version: 13", "Origin: http://x")
    data, mask = text.encode() + b"\n", os.urandom(4)
    connection.sendall(bytes([0x82, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
    got = b""
    while not got.endswith(b"\n"):
        length = receive(connection, 2)[1] & 0x7F
        got += receive(connection, struct.unpack(">H", receive(connection, 2))[0] if length == 126 else length)
    print(got.decode().strip())


def main(address, what, *rest):
    if what == "grpc":
        grpc(dial(address, *rest))
    elif what == "h2":
        settings(dial(address))
    elif what == "session":
        session(dial(address), *rest)
    elif what == "ws":
        websocket(dial(address), *rest)


main(*sys.argv[1:])
