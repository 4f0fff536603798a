# SPDX-License-Identifier: Apache-2.0
"""What flows to and from containers: exec, logs, attach, stats, archives."""
import io
import socket
import tarfile
import time

from checks import Thread
from containers import box
from docker.errors import APIError, DockerException, NotFound


def raw(stream):
    """The socket below what docker-py hands out."""
    return getattr(stream, "_sock", stream)


def read_all(connection):
    data = b""
    while True:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece


def frames(data):
    """Output of both kinds, without the frames' heads."""
    text = {1: b"", 2: b""}
    while data:
        length = int.from_bytes(data[4:8], "big")
        text[data[0]] += data[8:8 + length]
        data = data[8 + length:]
    return text[1], text[2]


def half_close(connection):
    connection.unwrap() if hasattr(connection, "unwrap") else connection.shutdown(socket.SHUT_WR)


def exec_run(t):
    made = box(t, "exec")
    both = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    t.equal("exec_run", made.exec_run("echo said"), (0, b"said\n"))
    code, output = made.exec_run(both)
    t.equal("exec_run of both streams", (code, sorted(output.split())), (3, [b"err", b"out"]))
    t.equal("exec_run with demux", made.exec_run(both, demux=True), (3, (b"out\n", b"err\n")))
    t.equal("exec_run without stderr", made.exec_run(both, stderr=False), (3, b"out\n"))
    code, pieces = made.exec_run("seq 20000", stream=True)
    t.equal("exec_run in pieces", (code, b"".join(pieces).split()), (None, [b"%d" % n for n in range(1, 20001)]))
    pairs = list(made.exec_run(both, stream=True, demux=True)[1])
    t.equal("exec_run in pieces with demux", (b"".join(o for o, e in pairs if o), b"".join(e for o, e in pairs if e)), (b"out\n", b"err\n"))
    t.equal("exec_run on a terminal", made.exec_run("tty", tty=True), (0, b"/dev/pts/0\r\n"))
    t.equal("exec_run with a user, a folder and an environment",
            made.exec_run(["sh", "-c", "echo $WORD $(id -u) $PWD"], user="7", workdir="/tmp", environment=["WORD=spoken"]),
            (0, b"spoken 7 /tmp\n"))
    rights = "grep CapEff /proc/self/status"
    t.ok("exec_run with all rights", made.exec_run(rights, privileged=True).output > made.exec_run(rights).output)
    t.equal("exec_run of a command that is not there", made.exec_run("nosuchcommand")[0] in (126, 127), True)
    made.exec_run("touch /detached", detach=True)
    t.until("exec_run beside", lambda: made.exec_run("test -e /detached").exit_code == 0)
    api = t.client.api
    known = api.exec_create(made.id, "sleep 3600", tty=True)["Id"]
    t.equal("an exec that waits", (api.exec_inspect(known)["Running"], api.exec_inspect(known)["ExitCode"]), (False, None))
    api.exec_start(known, detach=True, tty=True)
    api.exec_resize(known, height=30, width=100)
    inspected = api.exec_inspect(known)
    t.equal("an exec that runs", (inspected["Running"], inspected["ContainerID"]), (True, made.id))
    t.has("the container knows of it", known, api.inspect_container(made.id)["ExecIDs"] or [])
    t.raises("an exec that is not there", NotFound, lambda: api.exec_inspect("f" * 64), 404, "No such exec instance")
    t.raises("start of an exec that is not there", NotFound, lambda: api.exec_start("f" * 64), 404, "No such exec instance")
    t.raises("a second start", APIError, lambda: api.exec_start(known, detach=True), 409, "already")
    made.stop(timeout=0)
    t.raises("exec in one that does not run", APIError, lambda: made.exec_run("true"), 409, "is not running")


def exec_socket(t):
    made = box(t, "socket")
    stream = made.exec_run("cat", stdin=True, socket=True).output
    connection = raw(stream)
    connection.sendall(b"there and back\n" * 1000)
    if isinstance(connection, socket.socket) and not hasattr(connection, "unwrap"):
        half_close(connection)
        t.equal("a socket that is closed in one direction", frames(read_all(connection))[0], b"there and back\n" * 1000)
    else:
        data = b""
        while data.count(b"\n") < 1000:
            data += connection.recv(65536)
        t.equal("a socket of TLS", frames(data)[0], b"there and back\n" * 1000)
    stream.close()
    stream = made.exec_run("sh", stdin=True, tty=True, socket=True).output
    connection = raw(stream)
    connection.sendall(b"echo typed $((40 + 2)); exit\n")
    t.has("a socket with a terminal", b"typed 42\r\n", read_all(connection))
    stream.close()


def logs(t):
    made = box(t, "logs", ["sh", "-c", "echo one; echo two >&2; echo three; until [ -e /go ]; do sleep 0.1; done; echo last; exec sleep 3600"])
    t.until("logs show what is there", lambda: made.logs().count(b"\n") == 3)
    t.equal("logs of stdout", made.logs(stderr=False), b"one\nthree\n")
    t.equal("logs of stderr", made.logs(stdout=False), b"two\n")
    t.equal("logs of the end", made.logs(tail=1).count(b"\n"), 1)
    stamped = made.logs(stderr=False, timestamps=True).split(b"\n")[0]
    t.ok("logs with times", stamped[:2] == b"20" and stamped.endswith(b"Z one"), stamped)
    t.equal("logs since later", made.logs(since=int(time.time()) + 1000), b"")
    t.equal("logs until earlier", made.logs(until=int(time.time()) - 1000), b"")
    follower = made.logs(stream=True, follow=True, stderr=False)
    t.equal("logs that follow begin at once", next(follower), b"one\n")
    made.exec_run("touch /go")
    t.equal("and show what comes", [next(follower), next(follower)], [b"three\n", b"last\n"])
    made.kill()
    t.equal("and end with the container", b"".join(follower), b"")
    closed = box(t, "closed", ["sh", "-c", "while echo again; do sleep 0.1; done"]).logs(stream=True, follow=True)
    next(closed)
    Thread(closed.close).result()
    t.ok("logs that are closed on this side", True)
    made = box(t, "terminal", ["sh", "-c", "echo raw"], tty=True)
    made.wait()
    t.equal("logs of a terminal", made.logs(), b"raw\r\n")


ECHO = ["sh", "-c", "while read line; do echo got $line; echo err $line >&2; [ $line != end ] || exit 6; done"]


def attach(t):
    made = box(t, "attach", ECHO, stdin_open=True)
    stream = made.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    connection = raw(stream)
    connection.sendall(b"one\n")
    data = b""
    while data.count(b"one\n") < 2:
        data += connection.recv(4096)
    t.equal("attach_socket", frames(data), (b"got one\n", b"err one\n"))
    # An engine answers before it listens: something is said until it does.
    out, err = [], []

    def watch():
        for said, failed in made.attach(stream=True, demux=True):
            out.append(said or b"")
            err.append(failed or b"")
    watching = Thread(watch)
    t.until("attach with demux", lambda: (connection.sendall(b"two\n"), time.sleep(0.2), b"got two" in b"".join(out))[2])
    connection.sendall(b"end\n")
    rest = read_all(connection)
    t.has("attach_socket ends with the container", b"got end\n", frames(rest)[0])
    stream.close()
    t.equal("wait for what was attached to", made.wait()["StatusCode"], 6)
    watching.result()
    t.has("attach ends, too", b"got end\n", b"".join(out))
    t.equal("attach tells both streams apart", {b"got", b"err"} & set(b"".join(err).split()), {b"err"})
    sized = box(t, "sized", ["sh"], tty=True, stdin_open=True)
    stream = sized.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    sized.resize(33, 101)
    raw(stream).sendall(b"stty size; exit\n")
    t.has("resize", b"33 101\r\n", read_all(raw(stream)))
    stream.close()


def websocket(t):
    try:
        import websocket as _  # pylint: disable=import-outside-toplevel
    except ImportError:
        print("     %s: no websockets without the package websocket" % t.on)
        return
    made = box(t, "ws", ["sh", "-c", "while read line; do echo got $line; [ $line != end ] || exit 6; done"], stdin_open=True)
    stream = made.attach_socket(ws=True, params={"stdin": 1, "stdout": 1, "stream": 1})
    stream.send_binary(b"one\n")
    t.equal("attach by websocket", as_bytes(stream.recv()), b"got one\n")
    stream.send_binary(b"end\n")
    t.equal("attach by websocket, the end", as_bytes(stream.recv()), b"got end\n")
    stream.close()
    t.equal("its exit status", made.wait()["StatusCode"], 6)


def as_bytes(text):
    return text.encode() if isinstance(text, str) else text


def stats(t):
    made = box(t, "stats")
    one = made.stats(stream=False)
    t.ok("stats", one["memory_stats"]["usage"] > 0 and one["cpu_stats"]["cpu_usage"]["total_usage"] > 0, one)
    t.equal("stats name it", one["id"], made.id)
    several = made.stats(stream=True, decode=True)
    t.ok("stats that go on", next(several)["read"] < next(several)["read"])
    several.close()


def archives(t):
    made = box(t, "archives")
    text = b"0123456789abcdef" * 65536
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        for name, data in (("deep/er/big", text), ("small", b"small\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    t.equal("put_archive", made.put_archive("/tmp", memory.getvalue()), True)
    t.equal("put_archive from a file", made.put_archive("/var" if made.exec_run("mkdir -p /var").exit_code == 0 else "/", io.BytesIO(memory.getvalue())), True)
    t.equal("it is there", made.exec_run("wc -c /tmp/deep/er/big /var/small").output.split()[:4:2], [b"1048576", b"6"])
    pieces, stat = made.get_archive("/tmp/deep", chunk_size=10000)
    t.equal("get_archive: what it is", (stat["name"], bool(stat["mode"] & 1 << 31)), ("deep", True))
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        t.equal("get_archive", archive.extractfile("deep/er/big").read(), text)
    t.raises("get_archive of what is not there", NotFound, lambda: made.get_archive("/nowhere"), 404, "/nowhere")
    t.raises("put_archive where there is nothing", NotFound, lambda: made.put_archive("/nowhere", memory.getvalue()), 404, "/nowhere")
    with tarfile.open(fileobj=io.BytesIO(b"".join(made.export()))) as archive:
        t.equal("export", archive.extractfile("tmp/deep/er/big").read(), text)
    image = made.commit(t.name("committed"), "v1", message="why", author="me", changes="CMD [\"cat\", \"/tmp/small\"]")
    t.later(lambda: t.client.images.remove(t.name("committed:v1"), force=True))
    t.equal("commit", (image.tags, image.attrs["Comment"], image.attrs["Author"]), ([t.name("committed:v1")], "why", "me"))
    t.equal("what was committed runs", t.client.containers.run(t.name("committed:v1"), remove=True), b"small\n")


def many_execs(client, count, name):
    """One after the other, each with its exit status; what went wrong."""
    wrong = []
    made = client.containers.run("busybox", ["sleep", "3600"], name=name, detach=True, security_opt=["seccomp=unconfined"])
    try:
        for n in range(count):
            try:
                got = made.exec_run(["sh", "-c", "exit %d" % (n % 100)])
                if got != (n % 100, b""):
                    wrong.append("%d: %s" % (n, got))
            except DockerException as error:
                wrong.append("%d: %s" % (n, error))
    finally:
        made.remove(force=True)
    return wrong


GROUPS = [exec_run, exec_socket, logs, attach, websocket, stats, archives]
