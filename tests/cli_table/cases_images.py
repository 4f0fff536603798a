# SPDX-License-Identifier: Apache-2.0
"""Images, builds and registries."""
from case import case

CREDENTIALS = "WARNING|credentials|credential helper|login/#"
PULLING = "Pulling|Already exists|Pull complete|Download|Verifying|Waiting|Extracting|Digest: |The push refers|Preparing|Layer already|Pushed|Mounted from"
PUSH = "docker tag busybox $registry/$c:1; docker tag busybox $registry/$c:2; docker push -q -a $registry/$c; docker rmi $registry/$c:1 $registry/$c:2 >/dev/null\n"
case("image pull", "and what it says", PUSH + "docker pull $registry/$c:1; docker pull $registry/$c:2 | grep Status; docker images -q $registry/$c | wc -l; docker pull $registry/$c:1", lines="any order")
case("image pull", "-q --quiet --platform --disable-content-trust", PUSH + "docker pull -q $registry/$c:1; docker pull --quiet --platform linux/amd64 --disable-content-trust $registry/$c:2")
case("image pull", "-a --all-tags", PUSH + "docker pull -a $registry/$c; docker images --format '{{.Tag}}' $registry/$c | sort; docker pull --all-tags -q $registry/$c", lines="any order")
case("image pull", "by digest", PUSH + "docker pull $registry/$c:1 >/dev/null; d=$(docker image inspect -f '{{index .RepoDigests 0}}' $registry/$c:1); docker rmi $registry/$c:1 >/dev/null; docker pull -q $d; docker images --digests $registry/$c")
case("image pull", "of what is nowhere", "refused docker pull $registry/$c:none; refused docker pull 127.0.0.1:1/$c; refused docker pull NAME")
case("image push", "and what it says", "docker tag busybox $registry/$c:1; docker push $registry/$c:1; docker push --disable-content-trust $registry/$c:1 | tail -n 1; refused docker push $registry/$c:none", without=("Preparing|Waiting|Layer already|Pushed|Mounted",))
case("image push", "-a --all-tags -q --quiet", "docker tag busybox $registry/$c:1; docker tag busybox $registry/$c:2; docker push -a $registry/$c | grep digest; docker push --all-tags -q $registry/$c; docker push --quiet $registry/$c:1")
case("image push", "--platform", "docker tag busybox $registry/$c:1; docker push --platform linux/amd64 $registry/$c:1", cli="28", lacks=("requires API version", "an engine of API 1.46"))
case("image ls", "-q --quiet --no-trunc --format -a --all", "docker tag busybox $c:1; docker images $c; docker images -q $c; docker images --no-trunc $c; docker images --quiet --all $c:1; docker image ls -a --format '{{.Repository}} {{.Tag}} {{.ID}} {{.Size}} {{.CreatedSince}}' $c; docker images $c-none")
case("image ls", "--digests", PUSH + "docker pull -q $registry/$c:1; docker images --digests $registry/$c")
case("image ls", "-f --filter", """
docker tag busybox $c:1; echo "FROM busybox
LABEL a=$c" | docker build -q -t $c-l:1 - >/dev/null
for f in reference=$c label=a=$c reference=$c-l:* before=$c-l:1 since=$c:1 dangling=false; do echo $f; docker images -f $f --filter reference="$c*" --format '{{.Repository}}' | sort -u; done""")
case("image ls", "--filter that is unknown", "refused docker images --filter bogus=1; refused docker images --filter dangling=x", without=("bogus|nvalid filter",))
case("image ls", "all of them", "docker tag busybox $c:1; docker tag $c:1 $c:2; docker images --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort; docker images -q | sort -u | wc -l; docker image list -q", alone=True)
case("image ls", "--tree", "docker images --tree", cli="28", lacks=("requires API version", "an engine of API 1.47"))
case("image tag", "", "docker tag busybox $c:1; docker tag $(docker image inspect -f '{{.Id}}' busybox) $c:2; docker images -q $c; refused docker tag $c:none $c:3; refused docker tag busybox BAD")
case("image rm", "of a name, of one that is in use, of one that is not there", """
docker tag busybox $c:1; docker rmi $c:1; docker tag busybox $c:1; idle $c; docker rmi $c:1; refused docker rmi $c:none; refused docker rmi $(docker image inspect -f '{{.Id}}' busybox) """, without=("unable to|conflict",))
case("image rm", "-f --force --no-prune", """
echo "FROM busybox
RUN echo $c >/f" | docker build -q -t $c:1 - >/dev/null; docker tag $c:1 $c:2; docker rmi -f --no-prune $c:1; docker rmi --force $c:2; docker images -q $c""", lines="any order")
case("image rm", "--platform", "docker tag busybox $c; docker rmi --platform linux/amd64 $c", cli="28", lacks=("requires API version", "an engine of API 1.50"))
case("image rm", "of an image that a container uses", "echo 'FROM busybox\nLABEL x=$c' >Dockerfile; docker build -q -t $c . >/dev/null; up $c $c sleep 100; refused docker rmi $c; docker rm -f $c; await docker rmi $c; docker images -q $c", lines="any order")
case("image inspect", "-f --format", "docker image inspect busybox | jq -S '.[0] | del(.GraphDriver, .Metadata, .RepoTags, .RepoDigests)'; docker image inspect -f '{{.Id}}' busybox; docker image inspect --format '{{.Os}}' busybox; refused docker image inspect $c-none")
case("image inspect", "--platform", "docker image inspect --platform linux/amd64 busybox", cli="28", lacks=("requires API version", "an engine of API 1.49"))
case("image history", "-H --human --no-trunc -q --quiet --format", "docker history busybox; docker history -H=false busybox; docker history --human=true --no-trunc busybox; docker history -q busybox; docker history --quiet --format '{{.ID}} {{.CreatedBy}} {{.Size}}' busybox; refused docker history $c-none")
case("image history", "--platform", "docker history --platform linux/amd64 busybox", cli="28", lacks=("requires API version", "an engine of API 1.48"))
case("image save", "-o --output, and load -i --input -q --quiet", """
docker tag busybox $c:1; docker tag busybox $c:2; docker save -o f $c:1; docker save $c:1 $c:2 >g; docker save --output h $c; docker rmi $c:1 $c:2
docker load -i f; docker load -q <g; docker load --quiet --input h; tar xOf h manifest.json | jq '.[].RepoTags | length'; docker images -q $c; refused docker save $c-none""", lines="any order", without=("No such image|containing all images",))
case("image load", "of what is no archive; from stdin", "docker save busybox | docker load; echo junk >f; refused docker load -i f; refused docker load -i nofile", lines="any order", without=("junk|archive/tar|unexpected EOF|nvalid tar",))
case("image save", "--platform", "docker save --platform linux/amd64 -o f busybox", cli="28", lacks=("requires API version", "an engine of API 1.48"))
case("image load", "--platform", "docker save -o f busybox; docker load --platform linux/amd64 -i f", cli="28", lacks=("requires API version", "an engine of API 1.48"))
case("image import", "-c --change -m --message --platform", """
echo text >f; tar cf t.tar f; docker import -c 'CMD ["x"]' -m note t.tar $c:1 | wc -c; docker import --change 'ENV A=b' --message more --platform linux/amd64 - $c:2 <t.tar | wc -c
docker image inspect -f '{{.Comment}} {{.Config.Cmd}} {{.Config.Env}} {{.Os}}' $c:1 $c:2; refused docker import nofile""")
case("image prune", "-f --force -a --all --filter", """
printf 'FROM busybox\nRUN echo 1 >/f' | docker build -q -t $c - >/dev/null; printf 'FROM busybox\nRUN echo 2 >/f' | docker build -q -t $c - >/dev/null; docker tag busybox other
docker image prune -f; docker image prune --force -a --filter until=100000h; docker image prune --all --force --filter label=none; docker images --format '{{.Repository}}' | sort -u; idle $c; docker image prune -a -f""",
     alone=True, lines="any order", without=("Total reclaimed|untagged: (other|busybox|httpd)",))

DOCKERFILE = """cat >Dockerfile <<END
FROM busybox AS first
ARG A=0
RUN echo \\$A $c >/f
FROM first
LABEL l=1
RUN cat /f
END
"""
STEPS = ("DEPRECATED|Install the buildx|environment-variable|BuildKit is currently|Sending build|^ ---> |Removing intermediate|Successfully built",)
case("image build", "with the classic builder: -t --tag -f --file --build-arg --label --target -q --quiet --iidfile", DOCKERFILE + """
docker build --build-arg A=1 -t $c:1 . ; mv Dockerfile D; docker build -f D --label m=2 -q --tag $c:2 . | wc -c; docker build --file D --target first --iidfile id --quiet . >/dev/null; wc -c <id
docker image inspect -f '{{.Config.Labels}}' $c:1 $c:2; docker run --rm $c:1 cat /f; docker builder build -q -f D . | wc -c""", without=STEPS)
case("image build", "with the classic builder: --no-cache --pull --rm --force-rm --compress --network --add-host --shm-size --ulimit", DOCKERFILE + """
docker build --no-cache --rm=false --force-rm --compress --network none --add-host x:192.0.2.1 --shm-size 32m --ulimit nofile=100:200 -t $c . ; sed -i s,busybox,$registry/base, Dockerfile; docker build --pull -q . | wc -c""",
     without=STEPS)
case("image build", "with the classic builder: -m --memory --memory-swap --cpu-period --cpu-quota --cpuset-cpus --cpuset-mems --cgroup-parent", DOCKERFILE + """
docker build --no-cache -m 64m --memory 64m --memory-swap 128m --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0 --cgroup-parent /$c -q . | wc -c""")
case("image build", "with the classic builder: -c --cpu-shares", DOCKERFILE + "docker build -c 512 --cpu-shares 512 -q . | wc -c || echo status $?")
case("image build", "with the classic builder: --cache-from --security-opt --isolation --disable-content-trust", DOCKERFILE + """
docker build --cache-from busybox --isolation default --disable-content-trust -q . | wc -c""")
case("image build", "with the classic builder: --security-opt", DOCKERFILE + "docker build --security-opt seccomp=unconfined -q . | wc -c", lacks=("security options|not supported", "an engine whose builder has security options"))
case("image build", "with the classic builder: --squash", DOCKERFILE + "docker build --squash -q . | wc -c", lacks=("squash|operation not permitted", "an engine that can squash"))
case("image build", "with the classic builder: --platform", DOCKERFILE + "docker build --platform linux/amd64 -q . | wc -c")
case("image build", "with the classic builder: what fails", DOCKERFILE + "echo RUN exit 3 >>Dockerfile; refused docker build -q . ; echo BAD >Dockerfile; refused docker build . ; refused docker build none", without=STEPS)
case("image build", "with the classic builder: a context on stdin", "mkdir d; printf 'FROM busybox\nCOPY f /f\n' >d/Dockerfile; echo text >d/f; tar -C d -c . | docker build -q -t $c - | wc -c; docker run --rm $c cat /f")
BUILDKIT = "export DOCKER_BUILDKIT=1\n" + DOCKERFILE
case("image build", "with BuildKit: -t -f --build-arg --label --target -q --iidfile", BUILDKIT + """
docker build --build-arg A=1 -t $c:1 . >/dev/null 2>&1; mv Dockerfile D; docker build -f D --label m=2 -q -t $c:2 . | wc -c; docker build -f D --target first --iidfile id -q . >/dev/null; wc -c <id
docker image inspect -f '{{.Config.Labels}}' $c:1 $c:2; docker run --rm $c:1 cat /f""", cli="20")
case("image build", "with BuildKit: --progress --no-cache --pull --network --add-host", BUILDKIT + """
docker build --progress plain --no-cache --network none --add-host x:192.0.2.1 . 2>&1 | grep -c 'RUN cat'""", cli="20")
case("image build", "with BuildKit: --secret --ssh --output", BUILDKIT + """
echo hidden >s; printf 'FROM busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s >/f\nFROM scratch\nCOPY --from=0 /f /f\n' >Dockerfile
docker build --secret id=s,src=s --output out . 2>/dev/null; cat out/f; docker build -o type=tar,dest=t.tar --secret id=s,src=s . 2>/dev/null; tar tf t.tar""", cli="20")
case("image build", "with BuildKit: what fails", BUILDKIT + "echo RUN exit 3 >>Dockerfile; refused docker build -q . ", cli="20", without=("^#|^$|^ > |^---|executor failed|failed to solve",))
case("image build", "with BuildKit: needs buildx", "DOCKER_BUILDKIT=1 docker build .", cli="28", lacks=("buildx component is missing", "the buildx plugin beside the CLI"))
case("builder prune", "-a --all -f --force --filter --keep-storage", """
printf 'FROM busybox\nRUN echo x >/f' >Dockerfile; DOCKER_BUILDKIT=1 docker build -q . >/dev/null 2>&1 || true
docker builder prune -f --keep-storage 10GB | tail -n 1; docker builder prune --force --all --filter until=1000h | tail -n 1; docker builder prune -a -f | tail -n 1 | sed 's/[0-9.]*k*B$//'; docker builder prune -a --force; docker builder prune -f""", alone=True)

case("login", "-u --username -p --password --password-stdin", "docker login -u me -p secret $registry; echo secret | docker login --username me --password-stdin $registry; docker login --password x --username me $registry; refused docker login -u me -p x 127.0.0.1:1; jq -r '.auths | keys[]' .docker/config.json",
     without=(CREDENTIALS,))
case("logout", "", "docker login -u me -p secret $registry >/dev/null 2>&1; docker logout $registry; jq '.auths | length' .docker/config.json; docker logout 127.0.0.1:1")
case("search", "--limit --no-trunc -f --filter --format", """
docker search $index/tool; docker search --limit 1 $index/tool; docker search --no-trunc $index/tool; docker search -f stars=5 $index/tool; docker search --filter is-official=false --format '{{.Name}} {{.StarCount}}' $index/tool; refused docker search --filter bogus=1 $index/tool; refused docker search 127.0.0.1:1/x""")
