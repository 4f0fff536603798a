#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Consul, which Debian 12 has no package of: the KV and session endpoints that discovery and leadership
use, as Consul documents them: blocking queries with X-Consul-Index, recursive lists, acquire, release and check-and-set,
sessions with a TTL (which end after twice that time), behaviours and lock delays, tokens. State is kept in a file, where
one is named, so that a server that is killed comes back with it.

consul.py --listen HOST:PORT [--state FILE] [--token TOKEN] [--session-ttl-min SECONDS] [--leaderless FILE] [--cert FILE --key FILE --ca FILE]
"""
import argparse
import base64
import json
import os
import socket
import ssl
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def seconds(text, default):
    """ "15s", "500ms", "2m" or a bare number of seconds, as Go's durations in Consul's API."""
    if not text:
        return default
    for unit, factor in (("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    return float(text)


class Store:
    def __init__(self, path, ttl_min):
        self.path, self.ttl_min = path, ttl_min
        self.changed = threading.Condition()
        self.index = 1
        self.keys = {}  # key: entry as the API shows it, Value in base64
        self.gone = {}  # prefix queries see removals: key: index of its removal
        self.sessions = {}  # id: {"Name", "Behavior", "TTL", "LockDelay", "ends"}
        self.delays = {}  # key: time until which it cannot be acquired
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.index, self.keys, self.sessions = json.load(file)
            for session in self.sessions.values():  # as a new leader does: timers begin anew
                self.prolong(session)

    def bump(self):
        self.index += 1
        if self.path:
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump([self.index, self.keys, self.sessions], file)
            os.replace(self.path + ".new", self.path)
        self.changed.notify_all()
        return self.index

    def prolong(self, session):
        session["ends"] = time.time() + 2 * session["TTL"] if session["TTL"] else None

    def put(self, key, value, flags, session):
        old = self.keys.get(key)
        index = self.index + 1
        entry = {
            "LockIndex": old["LockIndex"] if old else 0,
            "Key": key,
            "Flags": flags,
            "Value": base64.b64encode(value).decode() if value else None,
            "CreateIndex": old["CreateIndex"] if old else index,
            "ModifyIndex": index,
        }
        if session:
            entry["Session"] = session
            if not old or old.get("Session") != session:
                entry["LockIndex"] += 1
        self.keys[key] = entry
        self.bump()

    def change(self, operations):
        """Those of a transaction, at one index; what the API answers to each that sets something."""
        index, results = self.index + 1, []
        for one in operations:
            key = one["Key"]
            old = self.keys.get(key)
            if one["Verb"] == "set":
                entry = dict(old or {"LockIndex": 0, "Key": key, "CreateIndex": index})
                entry.update(Flags=one.get("Flags", 0), Value=one.get("Value"), ModifyIndex=index)
                self.keys[key] = entry
                results.append({"KV": dict(entry, Value=None)})
            elif one["Verb"] == "delete" and old is not None:
                del self.keys[key]
                self.gone[key] = index
        self.bump()
        return results

    def remove(self, keys):
        for key in keys:
            del self.keys[key]
            self.gone[key] = self.index + 1
        if keys:
            self.bump()

    def end_session(self, session_id):
        session = self.sessions.pop(session_id, None)
        if session is None:
            return
        held = [key for key, entry in self.keys.items() if entry.get("Session") == session_id]
        for key in held:
            self.delays[key] = time.time() + session["LockDelay"]
        if session["Behavior"] == "delete":
            self.remove(held)
        else:
            for key in held:
                entry = dict(self.keys[key], ModifyIndex=self.index + 1)
                entry.pop("Session")
                self.keys[key] = entry
            if held:
                self.bump()

    def reap(self):
        while True:
            time.sleep(0.1)
            with self.changed:
                now = time.time()
                for session_id in [i for i, s in self.sessions.items() if s["ends"] and s["ends"] < now]:
                    self.end_session(session_id)

    def select(self, key, recurse):
        """The entries, and the index of the last change to them."""
        inside = (lambda name: name.startswith(key)) if recurse else (lambda name: name == key)
        entries = [self.keys[name] for name in sorted(self.keys) if inside(name)]
        indexes = [entry["ModifyIndex"] for entry in entries]
        indexes += [index for name, index in self.gone.items() if inside(name)]
        return entries, max(indexes, default=1 if not entries and not indexes else self.index)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = token = leaderless = None

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, index=None, kind="application/json"):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if index is not None:
            self.send_header("X-Consul-Index", str(index))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, text):
        self.answer(status, text, kind="text/plain; charset=utf-8")

    def handle_one(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        path = urllib.parse.unquote(url.path)
        if self.token and self.headers.get("X-Consul-Token") != self.token:
            self.refuse(403, "Permission denied: anonymous token lacks permission")
        elif self.leaderless and os.path.exists(self.leaderless):
            self.refuse(500, "No cluster leader")
        elif path.startswith("/v1/kv/"):
            self.kv(path[len("/v1/kv/") :])
        elif path.startswith("/v1/session/"):
            self.session(*path[len("/v1/session/") :].partition("/")[::2])
        elif path == "/v1/txn":
            self.transaction()
        elif path == "/v1/status/leader":
            self.answer(200, '"127.0.0.1:8300"')
        else:
            self.refuse(404, "Invalid URL path: not a recognized HTTP API endpoint")

    do_GET = do_PUT = do_DELETE = handle_one

    def kv(self, key):
        {"GET": self.kv_get, "PUT": self.kv_put, "DELETE": self.kv_delete}[self.command](key)

    def transaction(self):
        """All or nothing, under Consul's limits; the verbs that we know."""
        operations = [one["KV"] for one in json.loads(self.body)]
        if len(operations) > 64 or len(self.body) > 512 * 1024:
            self.refuse(413, "Transaction contains too many operations or bytes")
            return
        with self.store.changed:
            errors = []
            for at, one in enumerate(operations):
                entry = self.store.keys.get(one["Key"])
                verb = one["Verb"]
                if verb == "check-index" and (entry is None or entry["ModifyIndex"] != one["Index"]):
                    errors.append({"OpIndex": at, "What": f'failed to check index for key "{one["Key"]}"'})
                elif verb == "check-not-exists" and entry is not None:
                    errors.append({"OpIndex": at, "What": f'key "{one["Key"]}" exists'})
                elif verb not in ("check-index", "check-not-exists", "set", "delete"):
                    errors.append({"OpIndex": at, "What": f"unknown KV verb {verb}"})
            results = [] if errors else self.store.change(operations)
        self.answer(409 if errors else 200, json.dumps({"Results": results or None, "Errors": errors or None}))

    def kv_keys(self, key):
        separator = self.query.get("separator", "")
        found = set()
        with self.store.changed:
            for name in self.store.keys:
                if name.startswith(key):
                    end = name.find(separator, len(key)) if separator else -1
                    found.add(name if end < 0 else name[: end + len(separator)])
            index = self.store.index
        if found:
            self.answer(200, json.dumps(sorted(found)), index)
        else:
            self.answer(404, b"", index)

    def kv_get(self, key):
        if "keys" in self.query:
            self.kv_keys(key)
            return
        recurse = "recurse" in self.query
        wanted = int(self.query.get("index") or 0)
        wait = min(seconds(self.query.get("wait"), 300), 600)
        end = time.monotonic() + wait * 17 / 16
        with self.store.changed:
            entries, index = self.store.select(key, recurse)
            while wanted and index <= wanted <= self.store.index and time.monotonic() < end:
                self.store.changed.wait(max(0, end - time.monotonic()))
                entries, index = self.store.select(key, recurse)
            text = json.dumps(entries)
        if entries:
            self.answer(200, text, index)
        else:
            self.answer(404, b"", index)

    def kv_put(self, key):
        flags = int(self.query.get("flags") or 0)
        with self.store.changed:
            old = self.store.keys.get(key)
            holder = old.get("Session") if old else None
            session = holder
            if "acquire" in self.query:
                session = self.query["acquire"]
                if session not in self.store.sessions:
                    self.refuse(500, f'rpc error making call: invalid session "{session}"')
                    return
                done = holder in (None, session) and self.store.delays.get(key, 0) <= time.time()
            elif "release" in self.query:
                done, session = holder is not None and holder == self.query["release"], None
            elif "cas" in self.query:
                done = int(self.query["cas"]) == (old["ModifyIndex"] if old else 0)
            else:
                done = True
            if done:
                self.store.put(key, self.body, flags, session)
        self.answer(200, "true" if done else "false")

    def kv_delete(self, key):
        with self.store.changed:
            keys = [name for name in self.store.keys if name == key or ("recurse" in self.query and name.startswith(key))]
            done = True
            if "cas" in self.query:
                done = not keys or self.store.keys[key]["ModifyIndex"] == int(self.query["cas"])
            if done:
                self.store.remove(keys)
        self.answer(200, "true" if done else "false")

    def session(self, action, argument):
        with self.store.changed:
            {"create": self.create, "renew": self.renew, "destroy": self.destroy, "info": self.info, "list": self.list}.get(
                action, lambda _: self.refuse(404, "Invalid URL path: not a recognized HTTP API endpoint")
            )(argument)

    def create(self, _):
        wish = json.loads(self.body or b"{}")
        ttl = seconds(wish.get("TTL"), 0)
        if ttl and not self.store.ttl_min <= ttl <= 86400:
            self.refuse(400, f'Invalid Session TTL \'{int(ttl * 1e9)}\', must be between [{self.store.ttl_min}s=24h0m0s]')
            return
        session = {
            "Name": wish.get("Name", ""),
            "Behavior": wish.get("Behavior") or "release",
            "TTL": ttl,
            "LockDelay": seconds(wish.get("LockDelay"), 15),
        }
        self.store.prolong(session)
        session_id = str(uuid.uuid4())
        self.store.sessions[session_id] = session
        self.store.bump()
        self.answer(200, json.dumps({"ID": session_id}))

    def shown(self, session_id):
        session = self.store.sessions[session_id]
        return {"ID": session_id, "Name": session["Name"], "Behavior": session["Behavior"], "TTL": f'{session["TTL"]:g}s',
                "LockDelay": int(session["LockDelay"] * 1e9)}

    def renew(self, session_id):
        if session_id not in self.store.sessions:
            self.refuse(404, f'Session id "{session_id}" not found')
            return
        self.store.prolong(self.store.sessions[session_id])
        self.answer(200, json.dumps([self.shown(session_id)]))

    def destroy(self, session_id):
        self.store.end_session(session_id)
        self.answer(200, "true")

    def info(self, session_id):
        self.answer(200, json.dumps([self.shown(session_id)] if session_id in self.store.sessions else []), self.store.index)

    def list(self, _):
        self.answer(200, json.dumps([self.shown(session_id) for session_id in self.store.sessions]), self.store.index)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that went away


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--state")
    parser.add_argument("--token")
    parser.add_argument("--leaderless", help="while this file is there, no leader is")
    parser.add_argument("--session-ttl-min", type=float, default=10)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--ca", help="ask clients for certificates of this authority")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    Handler.store, Handler.token = Store(options.state, options.session_ttl_min), options.token
    Handler.leaderless = options.leaderless
    if host.startswith("["):
        Server.address_family, host = socket.AF_INET6, host[1:-1]
    server = Server((host, int(port)), Handler)
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        if options.ca:
            context.load_verify_locations(options.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=Handler.store.reap, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
