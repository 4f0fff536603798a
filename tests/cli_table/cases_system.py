# SPDX-License-Identifier: Apache-2.0
"""Networks, volumes, the system, plugins, Swarm mode."""
from case import case

SWARM = ("classic Swarm cluster manager|[Ss]warm mode", "needs Swarm mode, which is another product")
NO_SWARM = ("[Ss]warm", "Swarm mode, which is another product")
NET = "$net"
case("network create", "-d --driver --subnet --gateway --ip-range --aux-address -o --opt --label --internal --attachable", f"""
docker network create -d bridge --subnet {NET}.0/24 --gateway {NET}.1 --ip-range {NET}.128/25 --aux-address x={NET}.5 -o com.docker.network.driver.mtu=1400 --opt a=b --label l=1 --internal --attachable $c
docker network inspect $c | jq -S '.[0]'; docker network rm $c""")
case("network create", "--driver --ipam-driver --ipam-opt --ipv6 --scope", f"""
docker network create --driver bridge --ipam-driver default --ipam-opt a=b --ipv6 --subnet $net6::/64 --scope local $c; docker network inspect -f '{{{{.EnableIPv6}}}} {{{{.Scope}}}} {{{{json .IPAM.Options}}}}' $c; docker network rm $c""")
case("network create", "--config-only --config-from", f"""
docker network create --config-only --subnet {NET}.0/24 $c-conf; docker network create --config-from $c-conf $c; docker network inspect -f '{{{{json .ConfigFrom}}}} {{{{json .IPAM.Config}}}}' $c; docker network rm $c $c-conf""")
case("network create", "--ipv4", "docker network create --ipv4 $c; docker network rm $c", cli="28")
case("network create", "--ingress", "docker network create --ingress -d overlay $c", lacks=NO_SWARM)
case("network create", "of a name that is taken, of a driver that is not there", "docker network create $c; refused docker network create $c; refused docker network create -d nosuch $c-2; docker network rm $c")
case("network ls", "-f --filter -q --quiet --no-trunc --format", """
docker network create --label a=$c $c >/dev/null; for f in name=$c label=a=$c driver=bridge type=custom scope=local; do echo $f; docker network ls -f $f --filter name=$c; done
docker network ls -q --filter name=$c; docker network ls --no-trunc --filter name=$c; docker network ls --quiet --filter id=$(docker network inspect -f '{{.Id}}' $c); docker network ls --filter name=$c --format '{{.Name}} {{.Driver}} {{.Scope}} {{.ID}} {{.Labels}}'; docker network rm $c""")
case("network ls", "--filter dangling, unknown", "docker network create $c >/dev/null; docker network ls --filter dangling=true --filter name=$c --format '{{.Name}}'; refused docker network ls --filter bogus=1; docker network rm $c", without=("bogus|nvalid filter",))
case("network ls", "all of them", "docker network ls --format '{{.Name}} {{.Driver}}'", alone=True, lines="any order")
case("network inspect", "-f --format -v --verbose", "docker network create $c >/dev/null; docker network inspect -v $c | jq -S '.[0] | keys'; docker network inspect --verbose --format '{{.Name}}' $c; docker network inspect -f '{{.Driver}}' bridge host none; refused docker network inspect $c-none; docker network rm $c")
case("network connect", "--alias --ip --link --driver-opt --link-local-ip", f"""
docker network create --subnet {NET}.0/24 $c >/dev/null; idle $c-1 --network $c; idle $c-2 --network $c
docker network disconnect $c $c-2; docker network connect --alias other --ip {NET}.77 --link $c-1:one --driver-opt a=b --link-local-ip 169.254.7.7 $c $c-2
docker exec $c-1 ping -c 1 other | grep received; docker exec $c-2 ping -c 1 one | grep received; docker inspect -f '{{{{json .NetworkSettings.Networks}}}}' $c-2 | jq -S 'map_values(del(.EndpointID, .NetworkID, .MacAddress))'
refused docker network connect $c $c-none; refused docker network connect $c-none $c-1; docker rm -f $c-1 $c-2; docker network rm $c""", lines="any order")
case("network connect", "--ip6", "docker network create --ipv6 --subnet $net6::/64 $c >/dev/null; docker create --name $c --network $c busybox >/dev/null; docker network disconnect $c $c; docker network connect --ip6 $net6::7 $c $c; docker inspect -f '{{json .NetworkSettings.Networks}}' $c | grep -c fd00; docker rm $c; docker network rm $c")
case("network connect", "--gw-priority", "docker network create $c >/dev/null; docker create --name $c --network $c busybox >/dev/null; docker network disconnect $c $c; docker network connect --gw-priority 1 $c $c", cli="28", lacks=("requires API version", "an engine of API 1.48"))
case("network connect", "to a second network", "docker network create $c-1; idle $c --network $c-1; docker network connect bridge $c; docker inspect -f '{{len .NetworkSettings.Networks}}' $c; docker network disconnect bridge $c; docker rm -f $c; docker network rm $c-1")
case("network disconnect", "-f --force", "docker network create $c >/dev/null; idle $c --network $c; docker network disconnect -f $c $c; refused docker network disconnect $c $c; refused docker network disconnect --force $c $c-none; docker rm -f $c; docker network rm $c")
case("network rm", "of several, in use, of what is not there", "docker network create $c-1; docker network create $c-2; idle $c --network $c-1; refused docker network rm $c-1; docker rm -f $c; docker network rm $c-1 $c-2; refused docker network rm $c-none; refused docker network rm bridge", without=("active endpoints",))
case("network rm", "-f --force", "docker network create $c; docker network rm -f $c; docker network rm --force $c-none", cli="28")
case("network prune", "-f --force --filter", "docker network create $c-1; docker network create --label keep $c-2; docker network prune -f --filter label!=keep; docker network prune --force --filter until=1h; docker network ls -q --filter name=$c | wc -l; echo y | docker network prune", alone=True)

case("volume create", "-d --driver --label -o --opt", "docker volume create -d local --label a=1 -o type=tmpfs --opt device=tmpfs $c; docker volume inspect $c | jq -S '.[0] | del(.Mountpoint)'; docker volume create --driver local | wc -c; docker volume create $c; docker run --rm -v $c:/v busybox sh -c 'mount | grep -c \"tmpfs on /v\"'; docker volume rm $c; refused docker volume create -d nosuch $c-2")
CLUSTER = ("requires API version|not a swarm manager|Swarm mode", "an engine of API 1.42 in Swarm mode")
for flag in ("--availability active", "--group g", "--limit-bytes 1m", "--required-bytes 1m", "--scope single", "--secret a=b", "--sharing none", "--topology-preferred a=b", "--topology-required a=b", "--type block"):
    case("volume create", flag.split()[0], f"docker volume create {flag} $c", cli="28", lacks=CLUSTER)
case("volume update", "--availability", "docker volume create $c; docker volume update --availability pause $c", cli="28", lacks=CLUSTER)
case("volume ls", "-f --filter -q --quiet --format", "docker volume create --label a=$c $c >/dev/null; for f in name=$c label=a=$c driver=local dangling=true; do docker volume ls -f $f --filter name=$c; done; docker volume ls -q --filter name=$c; docker volume ls --quiet --filter name=$c --format '{{.Name}} {{.Driver}} {{.Labels}}'; docker volume rm $c; refused docker volume ls --filter bogus=1",
     lines="any order", without=("bogus|nvalid filter",))
case("volume ls", "--cluster", "docker volume ls --cluster", cli="28", lacks=CLUSTER)
case("volume ls", "dangling, while a container uses it", "docker volume create $c >/dev/null; docker create --name $c -v $c:/v busybox >/dev/null; docker volume ls -q --filter dangling=true --filter name=$c | sort -u; docker volume ls -q --filter dangling=false --filter name=$c | sort -u; docker rm $c; docker volume rm $c")
case("volume inspect", "-f --format", "docker volume create $c; docker volume inspect -f '{{.Name}} {{.Driver}} {{.Scope}}' $c; docker volume inspect --format '{{.Name}}' $c; refused docker volume inspect $c-none; docker volume rm $c")
case("volume rm", "-f --force, in use, of what is not there", "docker volume create $c; docker create --name $c -v $c:/v busybox >/dev/null; refused docker volume rm $c; docker rm $c; docker volume rm $c; refused docker volume rm $c-none; docker volume rm -f $c-none; docker volume create $c; docker volume rm --force $c", without=("volume is in use",))
case("volume prune", "-f --force --filter", "docker volume create $c-1; docker volume create --label keep $c-2; docker create --name $c -v $c-3:/v busybox >/dev/null; docker volume prune -f --filter label!=keep; docker volume ls -q | sort -u; docker volume prune --force --filter label=none; echo y | docker volume prune", alone=True, lines="any order")
case("volume prune", "-a --all", "docker volume create $c; docker volume prune -f -a; docker volume prune -f --all", cli="28", alone=True, lacks=("requires API version|invalid filter|Invalid filter", "an engine of API 1.42"))
case("volume create", "what a container writes, the next one reads", "docker volume create $c; docker run --rm -v $c:/v busybox sh -c 'echo kept >/v/f'; docker run --rm -v $c:/v busybox cat /v/f; docker volume rm $c")

case("version", "-f --format", "docker version -f '{{.Server.Os}} {{.Server.Arch}} {{.Server.APIVersion}} {{.Client.APIVersion}}'; docker version --format '{{.Client.Version}}'")
case("version", "as text", "docker version", differs=(r"swarm/", "shows the manager's version"))
case("version", "--kubeconfig", "docker version --kubeconfig none --format '{{.Server.Os}}'", cli="20")
case("system info", "-f --format", "docker info -f '{{.OSType}} {{.ExperimentalBuild}} {{.DefaultRuntime}} {{.CgroupDriver}} {{.MemoryLimit}}'; docker info --format '{{.NCPU}}' | grep -c .")
case("system info", "as text", "docker info", differs=("Nodes: 2", "shows the pool and its nodes"))
case("system df", "-v --verbose --format", "docker volume create $c; idle $c -v $c:/v; docker system df; docker system df -v | sed 's/[0-9.]*k*B/SIZE/g'; docker system df --verbose --format '{{len .Containers}} {{len .Volumes}}'; docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'", alone=True,
     differs=("Images", "counts what is on every node"))
case("system prune", "-f --force -a --all --volumes --filter", """
docker volume create $c; docker network create $c; docker create --name $c busybox >/dev/null; docker tag busybox other
docker system prune -f --filter label=none; docker system prune --force; docker ps -aq | wc -l; docker network ls -q --filter name=$c | wc -l; docker volume ls -q | sed 's,.*/,,' | sort -u | wc -l
docker volume create $c >/dev/null; docker system prune -f --volumes; docker volume ls -q | sed 's,.*/,,' | sort -u | wc -l; idle $c; docker system prune -a -f; docker system prune --all --force; echo n | docker system prune || echo status $?""", alone=True, lines="any order",
     without=("WARNING|This will remove|  - |Are you sure", "Total reclaimed|untagged: (other|busybox|httpd)|deleted: "))

PLUGINS = ("plugins are managed per engine", "plugins are managed on each engine")
case("plugin ls", "-f --filter -q --quiet --no-trunc --format", "docker plugin ls; docker plugin ls -f enabled=true; docker plugin ls -q --filter capability=volumedriver; docker plugin ls --no-trunc; docker plugin ls --quiet --format '{{.Name}}'")
case("plugin inspect", "-f --format, of what is not there", "refused docker plugin inspect $c; refused docker plugin inspect -f x $c; refused docker plugin inspect --format x $c")
PLUGIN = """mkdir -p p/rootfs; echo '{"description":"x","entrypoint":["/x"],"interface":{"types":[],"socket":"x.sock"}}' >p/config.json
docker plugin create --compress $c p || echo status $?; """
case("plugin create", "--compress", PLUGIN + "docker plugin rm $c || echo status $?", refuses=PLUGINS)
for command, arguments in (
        ("install", "--alias a --disable --disable-content-trust --grant-all-permissions 127.0.0.1:1/x"), ("push", "--disable-content-trust $registry/x"),
        ("enable", "--timeout 1 $c"), ("disable", "-f $c"), ("disable", "--force $c"), ("rm", "-f $c"), ("rm", "--force $c"), ("set", "$c a=b")):
    case("plugin " + command, arguments.replace("$c", "").strip(), f"refused docker plugin {command} {arguments}", refuses=PLUGINS)
case("plugin upgrade", "--disable-content-trust --grant-all-permissions --skip-remote-check",
     PLUGIN + "refused docker plugin upgrade --disable-content-trust --grant-all-permissions --skip-remote-check $c $registry/x; docker plugin rm $c || echo status $?", refuses=PLUGINS)

CREATE = "echo x >f\n"
for command, arguments in (
        ("swarm init", ""), ("swarm join", "--token x 127.0.0.1:1"), ("swarm leave", ""), ("swarm leave", "--force"), ("swarm ca", ""), ("swarm join-token", "worker"),
        ("swarm unlock-key", ""), ("swarm update", "--autolock"), ("node ls", ""), ("node ps", ""), ("node inspect", "self"), ("node rm", "x"), ("node demote", "x"),
        ("node promote", "x"), ("node update", "--role worker x"), ("service ls", ""), ("service create", "busybox"), ("service inspect", "x"), ("service logs", "x"),
        ("service ps", "x"), ("service rm", "x"), ("service rollback", "x"), ("service scale", "x=2"), ("service update", "x"), ("stack ls", ""), ("stack ps", "x"),
        ("stack rm", "x"), ("stack services", "x"), ("secret ls", ""), ("secret create", "x f"), ("secret inspect", "x"), ("secret rm", "x"),
        ("config ls", ""), ("config create", "x f"), ("config inspect", "x"), ("config rm", "x")):
    case(command, arguments, CREATE + "printf \"version: '3'\\nservices: {a: {image: busybox}}\\n\" >c.yml\n" + f"docker {command} {arguments} || echo status $?; docker swarm leave -f >/dev/null 2>&1 || true",
         refuses=SWARM, alone=command == "swarm init")
case("swarm unlock", "", "docker swarm unlock", lacks=NO_SWARM)
case("stack deploy", "-c", "printf \"version: '3'\\nservices: {a: {image: busybox}}\\n\" >c.yml; docker stack deploy -c c.yml x", lacks=NO_SWARM)
case("stack config", "-c --compose-file --skip-interpolation", "printf \"version: '3'\\nservices: {a: {image: busybox:\\$V}}\\n\" >c.yml; V=1 docker stack config -c c.yml; docker stack config --compose-file c.yml --skip-interpolation", cli="28")
