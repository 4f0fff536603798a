# SPDX-License-Identifier: Apache-2.0
"""Streams and terminals: attach, exec, logs, start -a, events, stats."""
from case import case

# Typing the keys gives the terminal back; then a CLI that would tell the container's exit status waits for it, on one engine, too.
LOOP = "sh -c 'while read l; do echo got:$l; [ $l != end ] || exit 5; done'"

# An engine ends the output of such a container's attach when the input ends: it is to end last.
case("container attach", "in and out, exit status", f"""
docker run -di --name $c busybox {LOOP} >/dev/null
{{ echo one; await eval 'docker logs $c | grep -q got:one' >/dev/null; echo end; docker wait $c >/dev/null; }} | docker attach $c || echo status $?""")
case("container attach", "--no-stdin", f"docker run -di --name $c busybox sh -c 'sleep 2; echo out' >/dev/null; echo end | docker attach --no-stdin $c")
case("container attach", "--detach-keys", r"""
docker run -dit --name $c busybox cat >/dev/null
TERMINAL_LIMIT=10 terminal '' 'one\r' 'one\s+one' '\x06' -- docker attach --detach-keys ctrl-f $c || echo status $?; docker inspect -f '{{.State.Running}}' $c""",
     without=("^read escape",))
case("container attach", "ctrl-p ctrl-q, ctrl-c", r"""
docker run -dit --name $c busybox sh -c 'trap "exit 6" INT; cat; exit 7' >/dev/null
TERMINAL_LIMIT=10 terminal '' 'one\r' 'one\s+one' '\x10' '' '\x11' -- docker attach $c || echo status $?; docker inspect -f '{{.State.Running}}' $c
terminal '' 'two\r' 'two\s+two' '\x03' -- docker attach $c >/dev/null || echo status $?""", without=("^read escape",))
case("container attach", "--sig-proxy", """
docker run -d --name $c busybox sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done' >/dev/null
docker attach --sig-proxy=true $c & cli=$!; sleep 1; await kill -0 $cli
for i in $(seq 50); do kill -TERM $cli 2>/dev/null || break; sleep 0.2; done; wait $cli || echo status $?""")
case("container attach", "to one that is stopped, that is not there", "docker create --name $c busybox true >/dev/null; refused docker attach $c; refused docker attach $c-none")

case("container exec", "output, exit status", "idle $c; docker exec $c sh -c 'echo out; echo err >&2; exit 3' || echo status $?; docker exec $c nosuch || echo status $?",
     without=("OCI runtime",))
case("container exec", "-e --env --env-file -w --workdir -u --user", """
idle $c; printf 'F=1\\n' >env
docker exec -e A=1 --env B=2 --env-file env -w /tmp $c sh -c 'echo $A $B $F; pwd'
docker exec -u 5:6 --workdir /etc $c sh -c 'id; pwd'; docker exec --user 7 $c id""")
case("container exec", "--privileged", "idle $c; docker exec --privileged $c true", lacks=("unable to apply caps", "all capabilities of the kernel"))
case("container exec", "-i --interactive", "idle $c; seq 1000 | docker exec -i $c cat | md5sum; seq 5 | docker exec --interactive $c tail -n 1")
case("container exec", "-d --detach", "idle $c; docker exec -d $c touch /a; docker exec --detach $c touch /b; await docker exec $c test -e /a; await docker exec $c test -e /b; docker exec $c ls /a /b")
case("container exec", "-t --tty -it", r"""
idle $c; terminal -- docker exec -t $c tty | grep -c /dev/pts/; terminal -- docker exec --tty $c sh -c 'tty >/dev/null && echo out'
terminal '# ' 'echo a$((1+1))b; exit 8\r' -- docker exec -it $c sh | grep -x a2b || echo status ${PIPESTATUS[0]}""")
case("container exec", "--detach-keys", r"""
idle $c; terminal '' 'one\r' 'one\s+one' '\x06' -- docker exec -it --detach-keys ctrl-f $c cat || echo status $?""", without=("^read escape|exec attach",))
case("container exec", "in one that is stopped, paused, not there", """
docker create --name $c busybox true >/dev/null; refused docker exec $c true; docker rm $c; idle $c; docker pause $c
refused docker exec $c true; docker unpause $c; refused docker exec $c-none true""")

SAY = "up $c busybox sh -c 'echo first; echo second >&2; sleep 0.5; echo third'; docker wait $c >/dev/null\n"
case("container logs", "all, stdout and stderr apart", SAY + "docker logs $c 2>err; cat err")
case("container logs", "-n --tail", "up $c busybox sh -c 'echo first; echo second; echo third'; docker wait $c >/dev/null; docker logs -n 1 $c; docker logs --tail 2 $c; docker logs --tail all $c; docker logs --tail 0 $c")
case("container logs", "-t --timestamps", SAY + "docker logs -t $c 2>&1; docker logs --timestamps --tail 1 $c", lines="any order")
case("container logs", "--since --until", SAY + """
docker logs --since 10m $c; docker logs --since 2100-01-01T00:00:00Z $c; docker logs --until 10m $c; docker logs --until 2100-01-01 $c""")
case("container logs", "--details", "up $c -l who=me --log-opt labels=who busybox echo hello; docker wait $c; docker logs --details $c")
case("container logs", "-f --follow", """
up $c busybox sh -c 'echo first; until [ -e /go ]; do sleep 0.1; done; echo last'
docker logs -f $c >out & docker logs --follow --tail 0 $c >out2 & await grep -q first out; docker exec $c touch /go; wait; cat out out2""")
case("container logs", "of a log driver that keeps none, of what is not there", "up $c --log-driver none busybox true; refused docker logs $c; refused docker logs $c-none")

case("container start", "-a --attach, exit status", "docker create --name $c busybox sh -c 'echo out; exit 3' >/dev/null; docker start -a $c || echo status $?; docker start --attach $c || echo status $?")
case("container start", "-i --interactive", f"docker create -i --name $c busybox {LOOP} >/dev/null; printf 'one\\nend\\n' | docker start -ai $c || echo status $?; printf 'two\\nend\\n' | docker start --attach --interactive $c || echo status $?",
     lines="any order")
case("container start", "--detach-keys", r"""
docker create -it --name $c busybox cat >/dev/null; TERMINAL_LIMIT=10 terminal '' 'one\r' 'one\s+one' '\x06' -- docker start -ai --detach-keys ctrl-f $c || echo status $?; docker inspect -f '{{.State.Running}}' $c""",
     without=("^read escape",))
case("container start", "several, one that runs, one that is not there", "docker create --name $c-1 busybox sleep 100 >/dev/null; docker create --name $c-2 busybox sleep 100 >/dev/null; docker start $c-1 $c-2; docker start $c-1; refused docker start $c-none")

case("container stats", "--no-stream", "idle $c; docker stats --no-stream $c | awk '{print (NF > 10), $2}' | tail -n 1")
case("container stats", "--format --no-trunc", "idle $c; docker stats --no-stream --no-trunc --format '{{.Container}} {{.Name}} {{.ID}} {{.PIDs}}' $c | sed 's/[0-9]*$//'")
case("container stats", "streaming", "idle $c; timeout 60 docker stats --format '{{.Name}}' $c >out & await eval '[ $(grep -c $c out) -ge 2 ]'; grep -ao \"$c\" out | head -n 1")
case("container stats", "-a --all", "idle $c-1; docker create --name $c-2 busybox true >/dev/null; docker stats -a --no-stream --format '{{.Name}}' | grep $c | sed 's,.*/,,' | sort; docker stats --all --no-stream --format '{{.Name}}' | grep -c $c; docker stats --no-stream --format '{{.Name}}'", alone=True)
case("container stats", "of what is not there", "refused docker stats --no-stream $c-none")

# Events of the past, once the last one of them is there: an engine tells it to the manager a moment after it has answered.
EVENTS = """since=$(($(date +%s) - 1))
past() { docker events --since $since --until $(($(date +%s) + 1)) "$@"; }
told() { await eval "past --filter $1 | grep ."; until=$(($(date +%s) + 1)); }
"""
OF_CONTAINER = EVENTS + "idle $c -l group=$c; docker rm -f $c >/dev/null; told 'event=destroy --filter container=$c'\n"
case("system events", "--since --until --format", OF_CONTAINER + "docker events --since $since --until $until -f type=container --filter container=$c --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Status}}'")
case("system events", "as text", OF_CONTAINER + "docker events --since $since --until $until --filter container=$c --filter event=create", differs=(r"node\.name=", "attributes node.* name the node"))
case("system events", "--filter event, label, image, type", OF_CONTAINER + """
for f in event=create label=group=$c image=busybox type=network; do
  docker events --since $since --until $until -f container=$c --filter $f --format '{{.Type}} {{.Action}}'; done""")
case("system events", "--filter volume, network, image", EVENTS + """
docker volume create $c; docker network create $c; docker tag busybox $c:1; docker rmi $c:1; docker network rm $c; docker volume rm $c
told 'event=destroy --filter network=$c --filter type=network'; told 'event=destroy --filter volume=$c --filter type=volume'
docker events --since $since --until $until --filter volume=$c --format '{{.Type}} {{.Action}}'
docker events --since $since --until $until --filter network=$c --format '{{.Type}} {{.Action}} {{.Actor.Attributes.type}}'""", lines="any order")
case("system events", "while they happen", """
docker events --filter container=$c --format '{{.Action}}' >out & sleep 0.5
await eval 'docker rm -f $c; docker create --name $c busybox true; sleep 0.3; grep -q create out'
docker start $c >/dev/null; await grep -q die out; grep -x -e start -e die out""")
case("system events", "--filter that is unknown", "docker events --until 1 --filter bogus=1 || echo status $?", differs=("invalid filter|Invalid filter", "an unknown filter is refused"))
case("system events", "--format json", OF_CONTAINER + "docker events --since $since --until $until --filter container=$c --filter event=start --format '{{json .}}' | jq -c '[.status, .from, .Type, .Action, .scope, .Actor.Attributes.name]'", differs=("busybox node:", "`from` names the node"))
