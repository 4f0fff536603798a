# SPDX-License-Identifier: Apache-2.0
"""Containers that are there: lists, changes of state, files, commits, prunes; checkpoints."""
from case import case

case("container ls", "-a --all -q --quiet --no-trunc", "idle $c-1; docker create --name $c-2 busybox true >/dev/null; for f in -a -q -aq '-a --no-trunc' '--all --quiet=false'; do docker ps $f --filter name=$c; done")
case("container ls", "-f --filter: name, id, label, status, exited, health, is-task", """
idle $c-1 -l a=$c; up $c-2 busybox sh -c 'exit 7'; docker wait $c-2
for f in name=$c-1 name=^/$c-2$ label=a=$c label=a id=$(docker inspect -f '{{.Id}}' $c-1) exited=7 status=exited status=running health=none is-task=false; do
  echo "$f" | sed 's/=[0-9a-f]*$//'; docker ps -a -f $f --filter name=$c --format '{{.Names}} {{.State}}'; done""")
case("container ls", "--filter: ancestor, since, before, volume, network, publish, expose", """
idle $c-1 -p 7000; idle $c-2 -v $c:/v --expose 99
for f in ancestor=busybox ancestor=nosuch since=$c-1 before=$c-2 volume=$c network=bridge publish=7000 expose=99 expose=7000; do
  echo $f; docker ps -a --filter $f --filter name=$c --format '{{.Names}}'; done; docker rm -f $c-1 $c-2; docker volume rm $c""")
case("container ls", "--filter that is unknown", "refused docker ps --filter bogus=1", without=("bogus",))
case("container ls", "--filter of what is not there", "refused docker ps --filter before=$c-none; docker ps -a --filter name=$c-none")
case("container ls", "-n --last -l --latest", "docker create --name $c-1 busybox >/dev/null; docker create --name $c-2 busybox >/dev/null; docker ps -n 1 --format '{{.Names}}'; docker ps --last 2 --format '{{.Names}}'; docker ps -l --format '{{.Names}}'; docker ps --latest -q | wc -l", alone=True)
case("container ls", "-s --size", "up $c busybox sh -c 'head -c 100000 /dev/zero >/big; sleep 100'; await docker exec $c test -s /big; sleep 0.3; docker ps -s --filter name=$c --format '{{.Names}} {{.Size}}'; docker ps --size --filter name=$c")
case("container ls", "--format", "idle $c -p 80 -l a=b -v /v; docker ps --filter name=$c --format 'table {{.ID}} {{.Names}} {{.Image}} {{.Command}} {{.Status}} {{.RunningFor}} {{.Ports}} {{.Label \"a\"}} {{.LocalVolumes}} {{.Networks}} {{.State}} {{.CreatedAt}}'")
case("container ls", "--format json", "idle $c; docker ps --filter name=$c --format '{{json .}}' | jq -S 'del(.Labels)'")
case("container ls", "of none; by its other names", "idle $c; docker ps -q --filter name=$c-none; docker container list -q --filter name=$c; docker container ps -aq --filter name=$c; docker container ls --filter name=$c")

case("container inspect", "everything but the node", "docker create --name $c busybox true >/dev/null; docker container inspect $c | jq -S '.[0] | del(.Node, .GraphDriver, .Config.Labels, .ResolvConfPath, .HostnamePath, .HostsPath, .LogPath)'")
case("container inspect", "-f --format", "idle $c; docker inspect -f '{{.Name}} {{.State.Status}}' $c | sed 's,^/,,'; docker container inspect --format '{{.Config.Image}} {{.Driver}} {{.Id}}' $c")
case("container inspect", "-s --size", "docker create --name $c busybox >/dev/null; docker container inspect -s -f '{{.SizeRw}} {{.SizeRootFs}}' $c; docker container inspect --size -f '{{.SizeRootFs}}' $c")
case("container inspect", "of what is not there, by an id's beginning", "docker create --name $c busybox >/dev/null; docker container inspect -f x $(docker inspect -f '{{.Id}}' $c | head -c 12); refused docker container inspect $c-none")
case("inspect", "-f --format -s --size --type", "docker create --name $c busybox >/dev/null; docker volume create $c; docker network create $c >/dev/null; for t in container volume network; do docker inspect --type $t -f '{{.Name}}' $c; done | sed 's,^/,,'; docker inspect --type image --format '{{.Id}}' busybox; docker inspect -s -f '{{.SizeRootFs}}' $c; docker inspect --size -f '{{.SizeRw}}' $c; docker network rm $c; docker rm $c; docker volume rm $c")
case("inspect", "of what is not there", "refused docker inspect $c-none; refused docker inspect --type volume $c-none; refused docker inspect --type image $c-none")

case("container kill", "-s --signal", "idle $c-1; idle $c-2; docker kill $c-1; docker kill -s TERM $c-2; docker wait $c-1 $c-2; idle $c-3; docker kill --signal 9 $c-3; docker wait $c-3")
case("container kill", "of one that is stopped, not there", "docker create --name $c busybox >/dev/null; refused docker kill $c; refused docker kill $c-none")
case("container stop", "-t --time", "idle $c-1; idle $c-2; docker stop $c-1; docker stop -t 0 $c-2; docker stop $c-1; docker wait $c-1; refused docker stop $c-none")
case("container stop", "--time", "idle $c; docker stop --time 20 $c; docker wait $c")
case("container stop", "-s --signal", "idle $c; docker stop -s TERM $c; docker start $c; docker stop --signal TERM $c", cli="28", lacks=("requires API version", "an engine of API 1.42"))
case("container stop", "--timeout", "idle $c; docker stop --timeout 20 $c; docker wait $c", cli="28")
case("container restart", "-t --time", "idle $c; docker restart $c; docker restart -t 0 $c; docker restart --time 20 $c; docker inspect -f '{{.State.Running}}' $c; refused docker restart $c-none")
case("container restart", "-s --signal", "idle $c; docker restart -s TERM $c; docker restart --signal TERM $c", cli="28", lacks=("requires API version", "an engine of API 1.42"))
case("container restart", "--timeout", "idle $c; docker restart --timeout 20 $c", cli="28")
case("container pause", "and unpause", "idle $c; docker pause $c; docker ps --filter name=$c; refused docker pause $c; docker unpause $c; refused docker unpause $c; refused docker pause $c-none")
case("container unpause", "of one that runs", "idle $c; refused docker unpause $c")
case("container wait", "of several, of one that is not there", "up $c-1 busybox sh -c 'exit 3'; up $c-2 busybox sh -c 'sleep 1; exit 4'; docker wait $c-1 $c-2; refused docker wait $c-none")
case("container rename", "also to a name that is taken", "docker create --name $c-1 busybox >/dev/null; docker create --name $c-2 busybox >/dev/null; docker rename $c-1 $c-3; docker inspect -f x $c-3; refused docker inspect $c-1; refused docker rename $c-3 $c-2; docker rename $c-3 $c-1; refused docker rename $c-none $c-4", without=("Conflict",))
case("container rm", "-f --force -v --volumes", """
idle $c-1 -v /v; docker create --name $c-2 -v /v busybox >/dev/null; refused docker rm $c-1; docker rm -f $c-1; docker rm -v $c-2; idle $c-3 -v /v; docker rm --force --volumes $c-3
refused docker rm $c-none; docker rm -f $c-none || echo status $?""")
case("container rm", "-l --link", """
idle $c-1; docker create --name $c-2 --link $c-1:one busybox >/dev/null; docker rm -l $c-2/one; docker inspect -f '{{.HostConfig.Links}}' $c-2; docker rm $c-2
docker create --name $c-2 --link $c-1:one busybox >/dev/null; docker rm --link /$c-2/one; refused docker rm --link $c-2/none""")
case("container top", "with options of ps", "idle $c; docker top $c | grep -c trap; docker top $c -o pid,args | grep -c trap; refused docker top $c-none; docker stop $c; refused docker top $c", lines="any order")
case("container diff", "", "up $c busybox sh -c 'touch /new; rm /etc/passwd; sleep 100'; await docker exec $c test -e /new -a ! -e /etc/passwd; docker diff $c | sort; refused docker diff $c-none")
case("container port", "", "idle $c -p 80 -p 127.0.0.1::81/udp; docker port $c | sort; docker port $c 80; docker port $c 81/udp; refused docker port $c 99; refused docker port $c-none")
case("container update", "memory, CPUs, PIDs, restart", """
idle $c; docker update -m 64m --memory-swap 128m --memory-reservation 32m --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 100 --restart on-failure:3 $c
docker update --memory 80m -c 512 $c; docker update --cpu-shares 600 $c; settings $c | jq .HostConfig; refused docker update --memory 1m $c-none""")
case("container update", "--cpus", "idle $c; docker update --cpus 0.5 $c; docker inspect -f '{{.HostConfig.NanoCpus}}' $c")
case("container update", "--kernel-memory", "docker create --name $c busybox >/dev/null; docker update --kernel-memory 50m $c", cli="20", lacks=("ernel memory", "kernel memory limits in the kernel"))
case("container update", "--blkio-weight", "idle $c; docker update --blkio-weight 100 $c", lacks=("blkio|weight", "block I/O weights in the kernel"))
case("container update", "--cpu-rt-period --cpu-rt-runtime", "idle $c; docker update --cpu-rt-period 100000 --cpu-rt-runtime 1000 $c", lacks=("real-time|rt_|cpu.rt|CPU real", "real-time CPU control in the kernel"))

case("container cp", "a file and a folder, in and out", "idle $c; mkdir -p a/b; echo text >a/b/f; docker cp a $c:/tmp; docker exec $c cat /tmp/a/b/f; docker cp $c:/tmp/a out; cat out/b/f; docker cp $c:/tmp/a/b/f g; cat g", without=("Successfully copied|Preparing|Copying",))
case("container cp", "-a --archive -L --follow-link", "idle $c; echo text >f; ln -s f link; docker cp -a f $c:/f; docker cp -L link $c:/g; docker cp --follow-link --archive link $c:/h; docker exec $c cat /f /g /h; docker exec $c ln -s /f /l; docker cp -L $c:/l l; cat l", without=("Successfully copied|Preparing|Copying",))
case("container cp", "-q --quiet", "idle $c; echo text >f; docker cp -q f $c:/f; docker cp --quiet $c:/f g; cat g", cli="28")
case("container cp", "as a stream", "docker create --name $c busybox >/dev/null; echo text >f; tar c f | docker cp - $c:/tmp; docker cp $c:/tmp/f - | tar xO", without=("Successfully copied|Preparing|Copying",))
case("container cp", "of what is not there", "docker create --name $c busybox >/dev/null; refused docker cp $c:/none x; refused docker cp $c-none:/x x; refused docker cp nofile $c:/x", without=("Successfully copied|Preparing|Copying",))
case("container export", "-o --output", "docker create --name $c busybox >/dev/null; docker export $c | tar t | md5sum; docker export -o f $c; docker export --output g $c; cmp f g; tar tf f | md5sum; refused docker export $c-none")
case("container commit", "-a --author -c --change -m --message -p --pause", """
idle $c; docker exec $c touch /new; docker commit -a me -c 'ENV A=b' -m note $c $c:1 | wc -c; docker commit --author you --change 'CMD ["ls","/new"]' --message more --pause=false $c $c:2 | wc -c; docker commit -p $c | wc -c
docker image inspect -f '{{.Author}} {{.Comment}} {{.Config.Env}} {{.Config.Cmd}}' $c:1 $c:2; docker run --rm $c:2; docker ps --filter name=$c --format '{{.Status}}'; docker rmi $c:1 $c:2; refused docker commit $c-none""", lines="any order")
case("container prune", "-f --force --filter", "idle $c-1; docker create --name $c-2 busybox >/dev/null; docker create --name $c-3 -l keep busybox >/dev/null; docker container prune -f --filter label!=keep; docker container prune --force --filter until=1h; docker ps -a --format '{{.Names}}' | sed 's,.*/,,' | sort; docker container prune --force", alone=True)
case("container prune", "asks, refuses an unknown filter", "docker create --name $c busybox >/dev/null; echo n | docker container prune || echo status $?; refused docker container prune -f --filter bogus=1; echo y | docker container prune", alone=True)
case("container create", "names that are parts of paths", """
for n in co v1 json containers attach; do idle $n; docker exec $n echo in $n; docker logs $n; docker top $n | grep -c trap; docker inspect -f '{{.State.Status}}' $n; docker rm -f $n; done""", alone=True)

CRIU = ("CRIU|criu", "CRIU on the engine")
case("checkpoint create", "--leave-running", "idle $c; docker checkpoint create --leave-running $c one", lacks=CRIU)
case("checkpoint create", "--checkpoint-dir", "idle $c; mkdir points; docker checkpoint create --checkpoint-dir $PWD/points $c one", lacks=CRIU)
case("checkpoint ls", "--checkpoint-dir", "docker create --name $c busybox >/dev/null; mkdir points; docker checkpoint ls $c; docker checkpoint ls --checkpoint-dir $PWD/points $c; refused docker checkpoint ls $c-none")
case("checkpoint rm", "--checkpoint-dir", "docker create --name $c busybox >/dev/null; refused docker checkpoint rm $c none; refused docker checkpoint rm --checkpoint-dir $PWD $c none")
case("container start", "--checkpoint --checkpoint-dir", "docker create --name $c busybox >/dev/null; refused docker start --checkpoint none $c; refused docker start --checkpoint none --checkpoint-dir $PWD/none $c")
