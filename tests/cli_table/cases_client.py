# SPDX-License-Identifier: Apache-2.0
"""What the CLI does by itself, or with a registry: contexts, manifests, trust, completion, flags before the command."""
from case import case

case("", "-H --host -D --debug -l --log-level --config", "docker -H $DOCKER_HOST ps -q --filter name=$c; docker --host $DOCKER_HOST -D --config conf ps -q --filter name=$c; docker --debug -l error ps -q --filter name=$c; docker --log-level warn ps -q --filter name=$c", without=("level=debug",))
case("", "-v --version", "docker -v; docker --version")
case("", "-c --context", "h=$DOCKER_HOST; unset DOCKER_HOST; docker context create $c --docker host=$h; docker -c $c version -f '{{.Server.Os}}'; docker --context $c ps -q --filter name=$c")
case("", "--tls --tlsverify --tlscacert --tlscert --tlskey to one without TLS", "refused docker --tls version -f x; refused docker --tlsverify --tlscacert none --tlscert none --tlskey none version -f x")
case("context create", "--description --docker --from", "docker context create one --description text --docker host=$DOCKER_HOST; docker context create two --from one; DOCKER_HOST= docker context ls")
case("context create", "--default-stack-orchestrator --kubernetes", "docker context create one --default-stack-orchestrator swarm --docker host=$DOCKER_HOST; refused docker context create two --kubernetes config-file=none", cli="20")
case("context ls", "-q --quiet --format", "docker context ls -q; docker context ls --quiet; docker context ls --format '{{.Name}}'", without=("Warning: DOCKER_HOST",))
case("context inspect", "-f --format", "docker context create one --docker host=$DOCKER_HOST >/dev/null 2>&1; docker context inspect -f '{{.Name}}' one; docker context inspect --format '{{.Name}}' default; refused docker context inspect none")
case("context update", "--description --docker", "docker context create one --docker host=tcp://127.0.0.1:1; docker context update one --description text --docker host=$DOCKER_HOST; docker context inspect one | jq '.[0].Metadata'")
case("context update", "--default-stack-orchestrator --kubernetes", "docker context create one; docker context update one --default-stack-orchestrator swarm; refused docker context update one --kubernetes config-file=none", cli="20")
case("context use", "", "docker context create one --docker host=$DOCKER_HOST; unset DOCKER_HOST; docker context use one; docker ps -q --filter name=$c; docker version -f '{{.Server.Os}}'")
case("context show", "", "docker context create one --docker host=$DOCKER_HOST; unset DOCKER_HOST; docker context use one; docker context show", cli="28")
case("context rm", "-f --force", "docker context create one; docker context create two; docker context rm one; docker context rm -f two; docker context create two; docker context rm --force two; refused docker context rm none")
case("context export", "and import", "docker context create one --description text; docker context export one f; docker context import two f; docker context inspect two | jq '.[0].Metadata'; docker context export one - | tar t")
case("context import", "from stdin", "docker context create one; docker context export one - | docker context import two -")
case("context export", "--kubeconfig", "docker context create one; refused docker context export --kubeconfig one", cli="20")
for shell in ("bash", "fish", "powershell", "zsh"):
    case("completion " + shell, "--no-descriptions", f"docker completion {shell} | md5sum; docker completion {shell} --no-descriptions | md5sum", cli="20")

case("manifest create", "-a --amend --insecure, annotate, inspect, push, rm", """
docker tag busybox $registry/$c:amd64; docker push -q $registry/$c:amd64; m=$registry/$c:list
docker manifest create --insecure $m $registry/$c:amd64; docker manifest create --insecure -a $m $registry/$c:amd64; docker manifest create --insecure --amend $m $registry/$c:amd64
docker manifest annotate --os linux --arch arm --variant v7 --os-version 1 --os-features a $m $registry/$c:amd64; docker manifest inspect $m
docker manifest push --insecure $m; docker manifest push --insecure -p $m; docker manifest create --insecure $m $registry/$c:amd64; docker manifest push --insecure --purge $m
docker manifest inspect --insecure $m; docker manifest inspect --insecure -v $registry/$c:amd64; docker manifest inspect --insecure --verbose $registry/$c:amd64 | wc -l; docker manifest create --insecure $m $registry/$c:amd64; docker manifest rm $m""")
for command in ("annotate", "inspect", "push", "rm"):
    case("manifest " + command, "of what is not there", f"refused docker manifest {command} $registry/$c:none" + (" $registry/$c:other" if command == "annotate" else ""))

NOTARY = ("[Nn]o signatures|notary|trust server|trust data|127.0.0.1:1", "a Notary server")
PASS = "export DOCKER_CONTENT_TRUST_SERVER=https://127.0.0.1:1 DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE=12345678 DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE=12345678\n"
case("trust key generate", "--dir", PASS + "mkdir keys; docker trust key generate one --dir keys; ls keys", without=("already exists|Successfully",))
case("trust key load", "--name", PASS + "docker trust key generate one >/dev/null; f=$(echo .docker/trust/private/*.key); cp $f k; chmod 600 k; docker trust key load --name two k")
case("trust signer add", "--key", PASS + "docker trust key generate one >/dev/null; docker trust signer add --key one.pub one $registry/$c", lacks=NOTARY)
case("trust signer remove", "-f --force", PASS + "refused docker trust signer remove -f one $registry/$c; docker trust signer remove --force one $registry/$c", lacks=NOTARY)
case("trust inspect", "--pretty", PASS + "refused docker trust inspect $registry/$c; docker trust inspect --pretty $registry/$c", lacks=NOTARY)
case("trust revoke", "-y --yes", PASS + "refused docker trust revoke -y $registry/$c; docker trust revoke --yes $registry/$c", lacks=NOTARY)
case("trust sign", "--local", PASS + "docker tag busybox $registry/$c:1; docker trust sign --local $registry/$c:1", lacks=NOTARY)
