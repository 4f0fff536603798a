# SPDX-License-Identifier: Apache-2.0
"""Flags of `create` and `run`: what the container is made with, and what it then sees."""
from case import case

API = r"requires API version|is only supported on a Docker daemon running on windows"

# (flags family, flags, options of the case): made with them, a container's settings are the same as on one engine, and
# `run` with the same flags does the same.
FAMILIES = [
    ("name and labels: --name -l --label --label-file", "-l a=1 --label b=2 --label-file labels", {}),
    ("environment: -e --env --env-file", "-e A=1 --env B=2 --env NOVALUE --env-file env", {}),
    ("command: --entrypoint -w --workdir -u --user --group-add",
     "--entrypoint /bin/sh -w /tmp -u 7:8 --user 5:6 --workdir /etc --group-add 9 --group-add 10", {}),
    ("streams: -a --attach -i --interactive -t --tty", "-a stdout --attach stderr -i --interactive=true -t=false --tty=false", {}),
    ("names: -h --hostname --domainname --add-host", "-h h1 --hostname h2 --domainname example.org --add-host x:192.0.2.1", {}),
    ("resolver: --dns --dns-option --dns-search", "--dns 192.0.2.2 --dns-option ndots:3 --dns-search example.org", {}),
    ("memory: -m --memory --memory-reservation --memory-swap --memory-swappiness --oom-kill-disable --oom-score-adj --shm-size",
     "-m 64m --memory 64m --memory-reservation 32m --memory-swap 96m --oom-score-adj 100 --shm-size 32m "
     "--oom-kill-disable=false --memory-swappiness -1", {}),
    ("--kernel-memory", "--kernel-memory 50m", {"lacks": ("kernel memory|kernel-memory", "kernel memory limits in the kernel")}),
    ("CPUs: --cpus", "--cpus 0.5", {}),
    ("CPUs: --cpu-period --cpu-quota --cpuset-cpus --cpuset-mems", "--cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0", {}),
    ("CPUs: -c --cpu-shares", "-c 512 --cpu-shares 512", {}),
    ("--cpu-rt-period --cpu-rt-runtime", "--cpu-rt-period 100000 --cpu-rt-runtime 1000",
     {"lacks": ("real-time|CPU real|rt_|cpu.rt", "real-time CPU control in the kernel")}),
    ("--blkio-weight", "--blkio-weight 100", {"lacks": ("blkio|weight", "block I/O weights in the kernel")}),
    ("--blkio-weight-device", "--blkio-weight-device /dev/loop0:100", {"lacks": ("blkio|weight", "block I/O weights in the kernel")}),
    ("--device-read-bps --device-read-iops --device-write-bps --device-write-iops",
     "--device-read-bps $disk:1mb --device-read-iops $disk:1000 --device-write-bps $disk:1mb --device-write-iops $disk:1000",
     {"lacks": ("blkio|throttle|io.max|no such", "a block device whose I/O can be limited")}),
    ("devices: --device --device-cgroup-rule", "--device /dev/zero:/dev/nought:r --device-cgroup-rule 'c 1:* rmw'", {}),
    ("--gpus", "--gpus all", {"lacks": ("could not select device driver", "a GPU driver")}),
    ("rights: --cap-add --cap-drop --security-opt", "--cap-add NET_ADMIN --cap-drop CHOWN --security-opt no-new-privileges", {}),
    ("rights: --privileged", "--privileged", {"lacks": ("unable to apply caps", "all capabilities of the kernel")}),
    ("namespaces: --ipc --pid --uts --userns --cgroupns", "--ipc private --pid host --uts host --userns host --cgroupns private", {}),
    ("--cgroup-parent", "--cgroup-parent /$c", {}),
    ("limits: --ulimit --pids-limit --sysctl", "--ulimit nofile=100:200 --pids-limit 50 --sysctl net.core.somaxconn=512", {}),
    ("file systems: --mount --tmpfs --read-only",
     "--mount type=tmpfs,destination=/m,tmpfs-size=1048576 --tmpfs /t:size=1m --read-only", {}),
    ("volumes: -v --volume --volume-driver", "-v $c-v:/v --volume /anonymous --volume-driver local --mount type=volume,source=$c-w,target=/w,readonly", {}),
    ("bind mounts: -v HOST:PATH --mount type=bind", "-v /tmp:/host:ro --mount type=bind,source=/tmp,target=/host2", {}),
    ("--storage-opt", "--storage-opt size=1G", {"lacks": ("storage-opt|storage driver|overlay over xfs", "quotas in the engine's storage")}),
    ("ports: --expose -P --publish-all", "--expose 81 --expose 90-91/udp -P --publish-all=true", {}),
    ("health: --health-cmd --health-interval --health-retries --health-start-period --health-timeout",
     "--health-cmd true --health-interval 5s --health-retries 4 --health-start-period 1s --health-timeout 3s", {}),
    ("health: --no-healthcheck", "--no-healthcheck", {}),
    ("end: --restart --stop-signal --stop-timeout", "--restart on-failure:2 --stop-signal USR1 --stop-timeout 3", {}),
    ("log: --log-driver --log-opt", "--log-driver json-file --log-opt max-size=1m", {}),
    ("--init", "--init", {}),
    ("--runtime", "--runtime runc", {}),
    ("--isolation", "--isolation default", {}),
    ("--disable-content-trust", "--disable-content-trust", {}),
    ("--pull --platform", "--pull never --platform linux/amd64", {}),
    ("-q --quiet", "-q --quiet=true", {"cli": "28"}),
    ("--annotation", "--annotation a=b", {"cli": "28", "lacks": (API, "an engine of API 1.43")}),
    ("--health-start-interval", "--health-cmd true --health-start-interval 1s", {"cli": "28", "lacks": (API, "an engine of API 1.44")}),
    ("--cpu-count", "--cpu-count 1", {"cli": "28", "lacks": (API, "a Windows engine")}),
    ("--cpu-percent", "--cpu-percent 10", {"cli": "28", "lacks": (API, "a Windows engine")}),
    ("--io-maxbandwidth", "--io-maxbandwidth 1m", {"cli": "28", "lacks": (API, "a Windows engine")}),
    ("--io-maxiops", "--io-maxiops 10", {"cli": "28", "lacks": (API, "a Windows engine")}),
    ("--use-api-socket", "--use-api-socket", {"cli": "28", "lacks": (r"can only be used with unix|/var/run/docker.sock|experimental",
                                                                  "the engine's socket on its own machine")}),
]
FILES = r"""
printf 'c=3\nd=4\n' >labels
printf '# a comment\nC=3\nD\n' >env
disk=/dev/$(lsblk -dnro NAME 2>/dev/null | head -n 1)
"""
for family, flags, options in FAMILIES:
    case("container create", family, f"{FILES}docker create --name $c {flags} busybox true; settings $c; docker rm -v $c", **options)
    command = "-c 'id; pwd'" if "--entrypoint" in flags else "sh -c 'id; pwd'"
    case("container run", family, f"{FILES}docker run --name $c {flags} busybox {command}; settings $c; docker rm -f -v $c", **options)

case("container create", "--cidfile", "docker create --cidfile id --name $c busybox; wc -c <id; docker inspect -f '{{.Config.Cmd}}' $(cat id)")
case("container run", "--cidfile --rm -d --detach", """
docker run -d --cidfile id --name $c busybox sleep 100 | wc -c; wc -c <id; docker rm -f $c
docker run --detach --rm --name $c busybox true | wc -c; await eval '! docker inspect $c'""")
case("container create", "--rm -d", "docker create --rm --name $c busybox echo hello; docker start -a $c; await eval '! docker inspect $c'; refused docker create -d busybox",
     without=("See 'docker create|Run 'docker create|Usage",))
case("container create", "-p --publish", """
docker create --name $c -p 80 --publish 127.0.0.1:0:81/udp --publish 192.0.2.1:8080-8081:82-83 busybox; settings $c""")
case("container run", "-p --publish -P --publish-all", """
up $c -p 80 --publish 81/udp -P --publish-all --expose 90 httpd sh -c 'echo page >index.html; httpd -f'
docker port $c | sort; await curl -sf http://$(docker port $c 80 | head -n 1)/index.html; curl -s http://$(docker port $c 80/tcp | head -n 1)/index.html""")
case("container run", "-p of a port that is taken", """
up $c-1 -p 18080:80 busybox sleep 100
up $c-2 -p 18080:80 busybox sleep 100 && docker ps -q --filter name=$c | wc -l || echo "port is taken" """, alone=True,
     differs=(r"^2\b", "the second one goes to another node"))
case("container run", "--net --network --network-alias --ip", """
docker network create --subnet $net.0/24 $c
idle $c-1 --network $c --network-alias alias1 --ip $net.77
docker run --rm --net $c busybox sh -c 'ping -c 1 alias1 | grep received'
docker rm -f $c-1; docker network rm $c""")
case("container create", "--net --network --network-alias --ip --ip6 --link-local-ip", """
docker network create --ipv6 --subnet $net.0/24 --subnet $net6::/64 $c
docker create --name $c --network-alias a --ip $net.9 --ip6 $net6::9 --link-local-ip 169.254.9.9 --net $c busybox sleep 9
docker inspect -f '{{json .NetworkSettings.Networks}}' $c | sed 's/"[A-Za-z]*ID":"[^"]*"//g'; docker rm $c
docker create --name $c --network none busybox true; settings $c; docker rm $c; docker network rm $c""")
case("container run", "--ip6", """
docker network create --ipv6 --subnet $net.0/24 --subnet $net6::/64 $c
docker run --rm --network $c --ip6 $net6::9 busybox sh -c 'ip addr show eth0 | grep -c fd00'
docker network rm $c""", lacks=("ip6|IPv6", "IPv6 in the engine's kernel"))
for command in ("create", "run"):
    case("container " + command, "--mac-address", f"docker {command} --name $c --network none --mac-address 02:42:00:00:00:07 busybox true; docker inspect -f '{{{{.Config.MacAddress}}}}' $c",
         lacks=("requires API version", "an engine of API 1.44"))
case("container run", "--link-local-ip", "docker network create $c; docker run --rm --network $c --link-local-ip 169.254.9.9 busybox ip addr show eth0 | grep 169.254; docker network rm $c")
case("container create", "--link --volumes-from", """
idle $c-1 -v /data
docker create --name $c --link $c-1:one --volumes-from $c-1:ro busybox true; settings $c; docker rm -f $c $c-1""")
case("container run", "--link --volumes-from", """
up $c-1 -v /data busybox sh -c 'echo shared >/data/file; sleep 100'
await docker exec $c-1 test -s /data/file
docker run --rm --link $c-1:one --volumes-from $c-1 busybox sh -c 'cat /data/file; ping -c 1 one | grep received'""")
case("container run", "--pid container: --ipc container: --network container:", """
idle $c-1 --ipc shareable
docker run --rm --pid container:$c-1 --ipc container:$c-1 --network container:$c-1 busybox sh -c 'ps | grep -q trap && echo its processes; hostname' """)
case("container run", "--pull always, missing, never", """
docker pull -q $registry/base; docker run --rm --pull always $registry/base:latest echo ran
docker run --rm --pull missing $registry/base echo ran""", lines="any order")
case("container run", "--pull never", "docker pull -q $registry/base >/dev/null; docker run --rm --pull never $registry/base echo ran")
case("container run", "--pull never, of an image that no engine has", "refused docker run --rm --pull never $registry/none true")
case("container create", "--pull always, missing", """
docker create --pull always --name $c $registry/base true; docker rm $c; docker create --pull missing --name $c $registry/base:latest true""",
     lines="any order", without=("^Status: ",))
case("container run", "of an image that no engine has", "docker run --rm $registry/more:$c-$(docker version -f '{{.Server.Os}}') true || echo status $?",
     without=("Pulling|Unable to find image",))
case("container run", "pulls an image that is missing", """
docker pull -q $registry/base >/dev/null; docker tag $registry/base $registry/$c; docker push $registry/$c >/dev/null; docker rmi $registry/$c >/dev/null
docker run --rm $registry/$c echo it ran""", without=("Unable to find image|Pulling|Digest|Status|Already exists|Pull complete|: latest",),
     lines="any order")
case("container run", "--sig-proxy", """
docker run --sig-proxy --name $c busybox sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done' & cli=$!
await docker exec $c true; kill -TERM $cli; wait $cli || echo status $?""")
case("container run", "--detach-keys -i -t", r"""
TERMINAL_LIMIT=15 terminal '' 'one\r' 'one\s+one' '\x06' -- docker run -it --detach-keys ctrl-f --name $c busybox cat || echo status $?
docker inspect -f '{{.State.Running}}' $c""", without=("^read escape",))
case("container run", "exit status, of a missing command, of a missing path", """
docker run --rm busybox sh -c 'exit 42' || echo status $?; docker run --rm busybox nosuch || echo status $?; docker run --rm busybox /etc || echo status $?""",
     without=("^docker: Error response|Run 'docker",))
case("container run", "stdout, stderr and stdin apart", "echo in | docker run -i --rm busybox sh -c 'cat; echo err >&2' 2>err; cat err; docker run -a stdout --rm busybox sh -c 'echo out; echo err >&2'")
case("container run", "--name that is taken", "docker create --name $c busybox; refused docker run --name $c busybox true; refused docker create --name $c busybox",
     without=("^docker: Error response.*Conflict|nodes fit: name|See 'docker|Run 'docker|^Error response.*Conflict",))
case("container run", "-it: size, stdin and exit status", r"""
terminal '# ' 'until [ "$(stty size)" = "24 80" ]; do sleep 0.1; done; echo si""zed; exit 7\r' -- docker run -it --rm busybox sh >out || echo status $?; grep -c ^sized out""")
case("container run", "--health-cmd: becomes healthy", """
idle $c --health-cmd true --health-interval 1s; await eval 'docker ps --filter health=healthy --filter name=$c | grep -q "(healthy)"'
docker inspect -f '{{.State.Health.Status}}' $c""")
case("container run", "--restart always: comes back", """
up $c --restart always busybox sleep 0.2; await eval '[ $(docker inspect -f "{{.RestartCount}}" $c) -ge 1 ]'; docker rm -f $c""")
case("container run", "--isolation of another system", "refused docker run --rm --isolation hyperv busybox true", without=("See 'docker|Run 'docker",))
case("container run", "flags that contradict each other", "refused docker run -d --rm --restart always busybox; refused docker run -m 1k busybox; refused docker run --cpus 10000 busybox true",
     without=("See 'docker|Run 'docker|Range of CPUs|no resources|nodes fit|^$",))
